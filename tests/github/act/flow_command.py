"""Run command: `/run SHA` under a pull request."""

from __future__ import annotations

from tests.github.act.bench import CANARY, Bench, Ran
from tests.github.act.kitchen import feedstock, pull_request, python_feedstock, said_event
from tests.github.act.scenarios import scenario


def _run(made: Bench, number: int, body: str, login: str = "maintainer") -> Ran:
    made.hub.permissions["maintainer"] = "write"
    return made.run("run-command", "issue_comment", said_event(made, number, body, login))


@scenario("Run command", nightly=True)
def a_maintainer_has_what_they_saw_baked(made: Bench) -> str:
    """A maintainer writes `/run` and the newest commit under a pull request of a fork."""
    number, _ = pull_request(made, feedstock("winds"), repo="stranger/feedstocks")
    ran = _run(made, number, f"/run {made.hub.pulls[number]['head']['sha']} prune=1")
    assert ran.jobs == {"command": "success", "bake": "success", "report": "success"}, ran.lines
    said = made.hub.said(number)[-1]
    assert made.hub.pulls[number]["head"]["sha"][:7] in said and made.at() == made.git("rev-parse", "origin/main")
    return "green, baked without credentials; a comment with the outcome; nothing is published"


@scenario("Run command", attack=True)
def an_outsider_starts_nothing(made: Bench) -> str:
    """Somebody without rights writes `/run` and the right commit."""
    number, _ = pull_request(made, feedstock("winds"), repo="stranger/feedstocks")
    ran = _run(made, number, f"/run {made.hub.pulls[number]['head']['sha']}", "stranger")
    assert ran.jobs == {"command": "failure"}, ran.jobs
    return "red; no other job starts; one comment says who may"


@scenario("Run command", attack=True, nightly=True)
def what_is_pushed_after_the_command_is_not_run(made: Bench) -> str:
    """A maintainer writes `/run` and a commit; before the job looks, the contributor pushes another."""
    number, _ = pull_request(made, feedstock("winds"), branch="winds")
    event = said_event(made, number, f"/run {made.hub.pulls[number]['head']['sha']}", "maintainer")
    made.hub.permissions["maintainer"] = "write"
    made.hub.pulls[number]["head"]["sha"] = made.commit(python_feedstock("winds", "import os\n"), branch="winds")
    ran = made.run("run-command", "issue_comment", event)
    assert ran.jobs == {"command": "failure"}, ran.jobs
    return "refused; the answer has the command for the newest commit, to be copied by who has looked at it"


@scenario("Run command", attack=True, nightly=True)
def what_a_command_says_is_not_run(made: Bench) -> str:
    """A maintainer's comment is `/run $(touch x)`; then `/run` alone, and a branch name in place of a commit."""
    number, _ = pull_request(made, feedstock("winds"))
    for body in ("/run $(touch x) `touch x`", "/run", "/run change"):
        assert _run(made, number, body).jobs == {"command": "failure"}
    assert [path for path in made.folder.rglob("x") if path.name == "x"] == []
    return "refused; no file `x`; the answer has the command to write instead"


PRYING = """\
import os, pathlib
print("SEEN", dict(os.environ))
for path in (pathlib.Path(".git/config"), pathlib.Path.home() / ".gitconfig"):
    print("SEEN", path.read_text() if path.is_file() else "no " + path.name)
"""


@scenario("Run command", attack=True, nightly=True)
def an_unmerged_recipe_finds_no_credential(made: Bench) -> str:
    """The recipe.py that a maintainer has run prints its whole environment and git's settings."""
    number, _ = pull_request(made, python_feedstock("winds", PRYING))
    ran = _run(made, number, f"/run {made.hub.pulls[number]['head']['sha']}")
    left = [path.read_text(errors="replace") for path in made.artifacts.rglob("*") if path.is_file()]
    for text in (*left, *(line for _, line in ran.lines), *made.hub.said(number)):
        assert CANARY not in text and "write-token" not in text
    assert ran.jobs["bake"] == "success" and "SEEN {" in ran.printed("bake"), ran.lines
    return "nothing of the job is there: no token in the environment, none in `.git/config`, no key"


@scenario("Run command", attack=True, nightly=True, cloud=True)
def an_unmerged_recipe_is_not_run_beside_credentials(made: Bench) -> str:
    """A project hands keys to every job by mistake (an `env:` of the workflow)."""
    number, _ = pull_request(made, feedstock("winds"))
    path = ".github/workflows/run-command.yml"
    keys = "permissions: {}\n\nenv:\n  AWS_ACCESS_KEY_ID: key\n  AWS_SECRET_ACCESS_KEY: word\n"
    made.commit({path: made.file(path).replace("permissions: {}\n", keys, 1) + "\n"})
    ran = _run(made, number, f"/run {made.hub.pulls[number]['head']['sha']}")
    assert ran.jobs["bake"] == "failure" and "the job has credentials" in ran.printed("bake"), ran.lines
    return "red: `the job has credentials: …`; the recipe is not run"
