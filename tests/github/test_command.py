"""`/run` under a pull request: who may say it, of which commit, and what it can name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bakehouse.cli import main
from tests.github.standin import GitHub, github

SHA, OTHER = "5b" * 20, "5b" * 19 + "00"
FORM = "The form is `/run COMMIT [FEEDSTOCK[/RECIPE]] [prune=N]`."


@dataclass
class Thread:
    """A pull request, and who comments on it."""

    hub: GitHub
    folder: Path
    number: int = 0
    outputs: dict[str, str] = field(default_factory=dict)

    def changes(self, *paths: str, **said: str) -> None:
        """Let the pull request change files."""
        files = [{"filename": each, "status": said.get("status", "modified"), "sha": "0" * 40} for each in paths]
        self.hub.pulls[self.number].update(files=files, changed_files=len(files))

    def say(self, text: str, login: str = "maintainer", exit_code: int = 0, **event: Any) -> dict[str, Any]:
        """Comment, and have the comment judged; give the document."""
        comment = self.hub.comment(self.number, text, login)
        path, out = self.folder / "event.json", self.folder / "out"
        path.write_text(
            json.dumps({"action": "created", "issue": self.hub.issues[self.number], "comment": comment, **event})
        )
        out.unlink(missing_ok=True)
        env = {**self.hub.environment(), "GITHUB_EVENT_PATH": str(path), "GITHUB_OUTPUT": str(out)}
        result = CliRunner().invoke(main, ["ci", "command", "--json"], env=env)
        assert result.exit_code == exit_code, result.output
        self.outputs = read_outputs(out.read_text())
        return json.loads(result.stdout)

    @property
    def answers(self) -> list[str]:
        """List what the bot said."""
        found = [each for each in self.hub.comments.values() if each["user"]["login"].endswith("[bot]")]
        return [each["body"].partition("-->\n")[2] for each in found]


def read_outputs(text: str) -> dict[str, str]:
    """Read outputs as GitHub's runner does."""
    lines, found = iter(text.splitlines()), {}
    for line in lines:
        name, _, end = line.partition("<<")
        value = []
        while (more := next(lines)) != end:
            value.append(more)
        found[name] = "\n".join(value)
    return found


@pytest.fixture
def thread(tmp_path: Path) -> Iterator[Thread]:
    with github(permissions={"maintainer": "write", "reader": "read", "boss": "admin"}) as hub:
        made = Thread(hub, tmp_path)
        made.number = hub.add_pull("`Add` sst", "$(touch x)", SHA, repo="stranger/feedstocks")
        made.changes("feedstocks/sst/meta.yaml", "feedstocks/sst/recipe.py")
        yield made


def test_a_maintainers_command_names_what_is_run(thread: Thread) -> None:
    thread.say(f"/run {SHA} sst/monthly prune=2")
    assert thread.outputs == {
        "run": "true", "sha": SHA, "number": "1", "feedstock": "sst", "recipe": "monthly", "prune": "2"
    }  # fmt: skip
    assert thread.hub.reactions == [(1, "rocket")]
    assert thread.answers == []


@pytest.mark.parametrize("login", ["maintainer", "boss"])
def test_the_one_feedstock_that_changes_need_not_be_named(thread: Thread, login: str) -> None:
    thread.say(f"/run {SHA}\n", login)
    assert (thread.outputs["run"], thread.outputs["feedstock"], thread.outputs["recipe"]) == ("true", "sst", "")


@pytest.mark.parametrize("login", ["reader", "stranger", "github-actions"])
def test_an_outsider_runs_nothing_and_is_answered_once(thread: Thread, login: str) -> None:
    for _ in range(3):
        thread.say(f"/run {SHA} sst", login, exit_code=1)
        assert thread.outputs["run"] == "false" and thread.outputs["sha"] == ""
    assert thread.answers == ["Only people who can push to this repository can have a recipe run. One of them will."]


def test_membership_as_the_event_claims_it_counts_for_nothing(thread: Thread) -> None:
    comment = {**thread.hub.comment(1, f"/run {SHA}", "stranger"), "author_association": "OWNER"}
    thread.say(f"/run {SHA}", "stranger", exit_code=1, comment=comment)
    assert thread.outputs["run"] == "false"


def test_without_a_commit_the_answer_is_the_command_to_copy(thread: Thread) -> None:
    thread.say("/run", exit_code=1)
    (answer,) = thread.answers
    assert answer == (
        "Name the commit that you have looked at, so that nothing else is run.\n\n"
        f"Once you have read what the commit changes, write:\n\n```\n/run {SHA} sst\n```"
    )
    thread.say(answer.split("```\n")[1].removesuffix("\n```"))
    assert thread.outputs["run"] == "true"


def test_what_is_pushed_after_the_command_is_not_run(thread: Thread) -> None:
    thread.hub.pulls[1]["head"]["sha"] = OTHER
    thread.say(f"/run {SHA} sst", exit_code=1)
    assert thread.outputs["run"] == "false"
    assert "something was pushed since" in thread.answers[0]


@pytest.mark.parametrize("digits", [7, 12, 39])
def test_a_part_of_a_commits_name_is_not_enough(thread: Thread, digits: int) -> None:
    thread.say(f"/run {SHA[:digits]} sst", exit_code=1)
    assert thread.outputs["run"] == "false"
    assert "all of its 40 digits" in thread.answers[0]
    assert f"/run {SHA} sst" in thread.answers[0]


HOSTILE = [
    "sst; rm -rf /", "$(touch x)", "`touch x`", "sst/../../etc", "../sst", "sst/", "--help", "-n", "prune=0",
    "prune=-1", "prune=99999", "prune=1e3", "sst prune=1 prune=2", "sst extra", "sst\nrun=true", "sst\r\nx", "sst|x",
    "sst${{ github.token }}", "<script>", "@everyone", "sst prune=1\u202e", "sst\x00", "sst%0Arun=true",
]  # fmt: skip


@pytest.mark.parametrize("words", HOSTILE)
def test_anything_else_in_a_command_is_refused_and_shown_harmlessly(
    thread: Thread, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(thread.folder)
    thread.say(f"/run {SHA} {words}", exit_code=1)
    assert thread.outputs["run"] == "false" and thread.outputs["sha"] == ""
    assert thread.answers[0].endswith((FORM, "```"))
    assert {path.name for path in thread.folder.iterdir()} == {"event.json", "out"}


@pytest.mark.parametrize("text", ["please /run", "> /run", "/running", "/runx", " /run", "run", "", "LGTM\n/run"])
def test_other_comments_are_none_of_its_business(thread: Thread, text: str) -> None:
    thread.say(text)
    assert thread.outputs["run"] == "false"
    assert thread.hub.requests == []


@pytest.mark.parametrize("action", ["edited", "deleted"])
def test_a_comment_that_is_edited_into_a_command_is_none(thread: Thread, action: str) -> None:
    thread.say(f"/run {SHA}", action=action)
    assert (thread.outputs["run"], thread.hub.requests) == ("false", [])


def test_a_comment_under_an_issue_is_no_command(thread: Thread) -> None:
    issue = {key: value for key, value in thread.hub.issues[1].items() if key != "pull_request"}
    thread.say(f"/run {SHA}", issue=issue)
    assert thread.outputs["run"] == "false"


def test_a_closed_pull_request_is_not_run(thread: Thread) -> None:
    thread.hub.pulls[1]["state"] = "closed"
    thread.say(f"/run {SHA}", exit_code=1)
    assert "not open" in thread.answers[0]


@pytest.mark.parametrize(
    ("path", "what"),
    [
        (".github/workflows/check.yml", "touches workflows"),
        ("src/bakehouse/errors.py", "touches the engine"),
        ("pyproject.toml", "touches the engine"),
        ("meta.yaml", "touches the project"),
        ("catalog/sst/monthly.json", "touches the catalog"),
        ("feedstocks/sst/a\u202eb", "odd file names"),
        ("recipes/files_to_zarr.py", "touches the engine"),
    ],
)
def test_a_pull_request_that_changes_more_than_feedstocks_is_not_run(thread: Thread, path: str, what: str) -> None:
    thread.changes("feedstocks/sst/meta.yaml", path)
    thread.say(f"/run {SHA} sst", exit_code=1)
    assert what in thread.answers[0]


def test_a_file_that_comes_from_elsewhere_counts_as_changed_there(thread: Thread) -> None:
    thread.changes("feedstocks/sst/recipe.py")
    thread.hub.pulls[1]["files"][0].update(status="renamed", previous_filename=".github/workflows/check.yml")
    thread.say(f"/run {SHA} sst", exit_code=1)
    assert "touches workflows" in thread.answers[0]


def test_of_several_feedstocks_one_is_named(thread: Thread) -> None:
    thread.changes("feedstocks/sst/meta.yaml", "feedstocks/ice/meta.yaml")
    thread.say(f"/run {SHA}", exit_code=1)
    assert f"/run {SHA} ice\n/run {SHA} sst" in thread.answers[0]
    thread.say(f"/run {SHA} ice")
    assert thread.outputs["feedstock"] == "ice"


def test_a_feedstock_that_the_pull_request_leaves_alone_is_not_run(thread: Thread) -> None:
    thread.say(f"/run {SHA} other", exit_code=1)
    assert "does not change `other`" in thread.answers[0]


def test_a_change_that_is_too_big_to_be_looked_at_is_not_run(thread: Thread) -> None:
    thread.hub.pulls[1]["changed_files"] = 301
    thread.say(f"/run {SHA} sst", exit_code=1)
    assert "changes 301 files" in thread.answers[0]
