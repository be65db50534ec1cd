"""The comment on a check: what strangers' documents can do to it, and what it says to those who wrote a feedstock."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from bakehouse.cli import main
from bakehouse.github.client import marker
from bakehouse.github.comment import render
from bakehouse.github.limited import SIZE_LIMIT_BYTES, RefusedDocumentError, made, parsed, read
from bakehouse.github.result import Result as Document
from bakehouse.github.words import Places
from tests.github.standin import READER, REPOSITORY, GitHub, github
from tests.github.test_untrusted_text import HOSTILE, Page, by_github, by_markdown_it

SHA = "0123456789abcdef0123456789abcdef01234567"
FORK = "someone/feedstocks"
PLACES = Places(f"https://github.com/{FORK}/blob/{SHA}", f"https://github.com/{REPOSITORY}/actions/runs/77")
FINDING = {"path": "feedstocks/sst/meta.yaml", "line": 3, "col": 10, "code": "BH303", "severity": "lint",
           "message": "unknown licence 'MTI'", "fix": "write 'MIT'"}  # fmt: skip
HINT = {**FINDING, "severity": "hint", "code": "BH307", "message": "no description", "fix": "add one"}
ARRAY = {"name": "sst", "dtype": "int16", "dims": ["time", "lat"], "shape": [365, 720], "chunks": [30, 720],
         "shards": [360, 720], "objects": 2, "bytes": 525600, "moves": True}  # fmt: skip
PLAN = {"inputs": 365, "inputs_bytes": 10**9, "first": "https://example.org/1.nc", "last": "https://example.org/365.nc",
        "dims": {"time": 365, "lat": 720}, "arrays": [ARRAY], "arrays_total": 1, "format": "zarr", "zarr_format": 3,
        "decoded_bytes": 525600, "objects": 4, "tasks": 2, "memory_bytes": 2**20, "bakery": "cloud",
        "cost_usd": 1.5}  # fmt: skip
TRIAL = {"prune": 2, "objects": 3, "bytes_stored": 1000, "values_compared": 1440, "duration_s": 3.2,
         "repr": "<xarray.Dataset>\nDimensions: (time: 2, lat: 720)"}  # fmt: skip
FAILURE = {"error": "SchemaError", "message": "lat differs", "where": "sst/sst, feedstocks/sst/recipe.py:14",
           "cause": "two grids", "fix": "drop lat"}  # fmt: skip


def document(verdict: str = "passed", findings: list[Any] | None = None, **recipe: Any) -> dict[str, Any]:
    """Give what a check would write."""
    listed = findings or []
    parts = {"recipe": "sst", "plan": PLAN, "trial": TRIAL, **recipe}
    found = {
        "feedstock": "sst",
        "findings": listed,
        "findings_total": len(listed),
        "recipes": [parts],
        "recipes_total": 1,
    }
    return {
        "schema_version": 1,
        "commit": SHA,
        "verdict": verdict,
        "feedstocks": [found],
        "feedstocks_total": 1,
        "preview": True,
    }


def changed(*paths: str, status: str = "modified") -> tuple[dict[str, Any], ...]:
    return tuple({"filename": path, "status": status, "sha": "0" * 40} for path in paths)


class Hub:
    """A repository with a pull request from a fork whose check has ended."""

    def __init__(self, hub: GitHub, folder: Path) -> None:
        self.hub, self.folder = hub, folder
        self.number = self.open()

    def open(self, *paths: str, sha: str = SHA, branch: str = "sst") -> int:
        files = changed(*(paths or ("feedstocks/sst/meta.yaml",)))
        return self.hub.add_pull("Add sst", branch, sha, repo=FORK, files=files)

    def comment(self, content: Any, token: str | None = None, **run: Any) -> Result:
        """Run the command at the end of the check."""
        file = self.folder / "result.json"
        if isinstance(content, bytes):
            file.write_bytes(content)
        elif content is not None:
            file.write_text(json.dumps(content))
        said = {"id": 77, "event": "pull_request", "head_sha": SHA, "head_branch": "sst", "conclusion": "success",
                "head_repository": {"full_name": FORK}, "pull_requests": [], **run}  # fmt: skip
        (self.folder / "event.json").write_text(json.dumps({"workflow_run": said}))
        environment = self.hub.environment(token) if token else self.hub.environment()
        words = ["ci", "comment", "--result", str(file), "--event", str(self.folder / "event.json"), "--json"]
        return CliRunner().invoke(main, words, env=environment)

    @property
    def said(self) -> str:
        """Give the one comment."""
        (body,) = self.hub.said(self.number)
        return body

    @property
    def labels(self) -> list[str]:
        return [label["name"] for label in self.hub.issues[self.number]["labels"]]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with github() as found:
        yield Hub(found, tmp_path)


def test_a_good_feedstock_gets_its_verdict_first_and_what_comes_next(hub: Hub) -> None:
    hub.hub.issues[hub.number]["author_association"] = hub.hub.pulls[hub.number]["author_association"] = "NONE"
    result = hub.comment(document(findings=[HINT]))
    assert result.exit_code == 0, result.output
    first, title, *_ = hub.said.split("\n")
    assert (first, title) == (marker("check"), "## ✅ `sst` works")
    for part in ("Welcome, and thank you", "1,440 values compared", "Dimensions: (time: 2, lat: 720)",
                 "365 files, 1.0 GB", "about $1.50 on bakery `cloud`", "30 × 720", "360 × 720", "moved as it is",
                 "1 hint", f"`/run {SHA}`", f"{PLACES.run}#artifacts"):  # fmt: skip
        assert part in hub.said, part


def test_what_has_to_be_mended_is_named_with_its_place_and_fix(hub: Hub) -> None:
    hub.hub.pulls[hub.number]["author_association"] = "MEMBER"
    assert hub.comment(document("failed", [FINDING], plan=None, trial=None, trial_failure=FAILURE)).exit_code == 0
    for part in ("## ❌ `sst` needs some changes",
                 f"[`feedstocks/sst/meta.yaml:3:10`]({PLACES.files}/feedstocks/sst/meta.yaml#L3)",
                 "**BH303** unknown licence &#39;MTI&#39;", "fix: write &#39;MIT&#39;", "SchemaError: lat differs",
                 "  fix:   drop lat", f"{PLACES.files}/feedstocks/sst/recipe.py#L14", "`bakehouse test sst`",
                 "`bakehouse explain BH303`"):  # fmt: skip
        assert part in hub.said, part
    assert "`/run" not in hub.said and "Welcome" not in hub.said


def test_one_comment_is_kept_up_to_date(hub: Hub) -> None:
    for content in (document("failed", [FINDING]), document(), document()):
        assert hub.comment(content).exit_code == 0
    assert "✅" in hub.said and [method for method, _, _ in hub.hub.writes()] == ["POST", "PATCH"]


def test_labels_come_from_the_files_that_changed_and_not_from_the_document(hub: Hub) -> None:
    number = hub.open(
        "feedstocks/ice/meta.yaml", ".github/workflows/check.yml", "src/x.py", branch="evil", sha="e" * 40
    )
    hub.hub.issues[number]["labels"] = hub.hub.pulls[number]["labels"] = [
        {"name": "good first issue"},
        {"name": "several feedstocks"},
    ]
    content = {**document(), "commit": "e" * 40, "labels": ["admin", "touches the catalog"]}
    result = hub.comment(content, head_sha="e" * 40, head_branch="evil")
    assert json.loads(result.stdout)["labels"] == ["touches workflows", "touches the engine"]
    found = {label["name"] for label in hub.hub.issues[number]["labels"]}
    assert found == {"good first issue", "touches workflows", "touches the engine"}
    (said,) = hub.hub.said(number)
    assert "was not baked" in said and "✅" not in said and "`/run" not in said and "admin" not in said


def test_a_rename_and_a_removal_are_seen(hub: Hub) -> None:
    files = [
        {"filename": "feedstocks/new/meta.yaml", "status": "renamed", "previous_filename": "feedstocks/sst/meta.yaml"}
    ]
    hub.hub.pulls[hub.number].update(files=files, changed_files=1)
    hub.comment(document("nothing"))
    assert hub.labels == ["several feedstocks", "removes a feedstock"]


def test_a_list_of_files_that_is_not_whole_counts_as_touching_all(hub: Hub) -> None:
    hub.hub.pulls[hub.number]["changed_files"] = 5000
    hub.comment(document())
    assert hub.labels == ["touches the engine"] and "was not baked" in hub.said


def test_a_document_can_not_choose_its_pull_request(hub: Hub) -> None:
    other = hub.open("feedstocks/ice/meta.yaml", sha="b" * 40, branch="other")
    hub.comment({**document(), "number": other})
    assert "No result" in hub.said and hub.hub.said(other) == []
    hub.comment({**document(), "commit": "b" * 40})
    assert "about another commit" in hub.said and hub.hub.said(other) == []


def test_a_failed_job_is_never_a_good_verdict(hub: Hub) -> None:
    for conclusion in ("failure", "cancelled", "timed_out"):
        assert hub.comment(document(), conclusion=conclusion).exit_code == 0
        assert "did not end well" in hub.said and "✅" not in hub.said


@pytest.mark.parametrize(
    "run", [{"head_sha": "f" * 40}, {"head_branch": "main"}, {"head_repository": {"full_name": "evil/feedstocks"}}]
)
def test_a_check_of_something_else_is_not_commented(hub: Hub, run: dict[str, Any]) -> None:
    result = hub.comment(document(), **run)
    assert (result.exit_code, hub.hub.writes()) == (0, []) and "no open pull request" not in result.stderr


@pytest.mark.parametrize(
    "run",
    [
        {"event": "push"},
        {"head_sha": "$(touch x)"},
        {"head_repository": None},
        {"head_repository": {"full_name": "a b"}},
    ],
)
def test_an_event_that_is_no_end_of_a_check_is_refused(hub: Hub, run: dict[str, Any]) -> None:
    assert (hub.comment(document(), **run).exit_code, hub.hub.writes()) == (2, [])


def test_a_token_that_may_only_read_does_not_comment(hub: Hub) -> None:
    assert hub.comment(document(), READER).exit_code == 1 and hub.hub.said(hub.number) == []


SCRIPT = {**FINDING, "message": "<script>@everyone](javascript:"}
BAD = {
    "missing": None,
    "empty": b"",
    "five megabytes": json.dumps(document(findings=[SCRIPT] * 40_000)).encode(),
    "deep": b'{"commit": ' * 10**5,
    "deep in a string of a list": json.dumps([[[[]]]] * 3).encode() + b"[" * 10**5,
    "not a number": json.dumps(document()).replace("3.2", "NaN").encode(),
    "infinite": json.dumps(document()).replace("3.2", "1e999").encode(),
    "huge": json.dumps(document()).replace("1440", "9" * 5000).encode(),
    "negative": json.dumps(document()).replace("1440", "-1").encode(),
    "true for a number": json.dumps(document()).replace("1440", "true").encode(),
    "long text": json.dumps(document(findings=[{**FINDING, "message": "x" * 1001}])).encode(),
    "many": json.dumps(document(findings=[FINDING] * 101)).encode(),
    "unknown key": json.dumps({**document(), "url": "https://evil.example"}).encode(),
    "other version": json.dumps({**document(), "schema_version": 2}).encode(),
    "odd id": json.dumps(document()).replace('"feedstock": "sst"', '"feedstock": "](javascript:x)"').encode(),
    "odd commit": json.dumps(document()).replace(SHA, "`rm`").encode(),
    "no text": b"\xff\xfe\x00",
    "not an object": b"[]",
    "lone surrogate": json.dumps(document()).replace('"zarr"', r'"\ud800"').encode(),
}  # fmt: skip


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_a_document_of_another_form_is_refused(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(RefusedDocumentError) as refused:
        read(file, Document)
    assert len(str(refused.value)) < 2000 and "evil" not in str(refused.value)


@pytest.mark.parametrize("name", ["missing", "five megabytes", "deep", "odd commit"])
def test_a_document_that_can_not_be_used_is_said_to_be_none(hub: Hub, name: str) -> None:
    result = hub.comment(BAD[name])
    assert result.exit_code == 1 and json.loads(result.stdout)["usable"] is False
    assert "## ⚠️ No result" in hub.said and len(hub.said) < 3000
    assert not any(word in hub.said for word in ("script", "everyone", "evil", "`rm`"))


def test_a_link_in_the_place_of_the_document_is_not_followed(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(json.dumps(document()))
    (tmp_path / "result.json").symlink_to(tmp_path / "secret")
    assert hub.comment(None).exit_code == 1 and "No result" in hub.said


def everywhere(value: Any, text: str) -> Any:
    """Put a text in the place of every text that a document may choose freely."""
    fixed = ("commit", "verdict", "severity", "feedstock")
    if isinstance(value, dict):
        return {key: each if key in fixed else everywhere(each, text) for key, each in value.items()}
    if isinstance(value, list):
        return [everywhere(each, text) for each in value]
    return text if isinstance(value, str) else value


FULL = document("failed", [FINDING, HINT], plan_failure=FAILURE, trial_failure={**FAILURE, "message": "other"})


@pytest.mark.parametrize("render_html", [by_markdown_it, by_github])
@given(HOSTILE)
def test_whatever_a_document_says_the_comment_has_only_our_elements_and_links(
    render_html: Callable[[str], Page], text: str
) -> None:
    found = made(Document, everywhere(FULL, text or "x"))
    page = render_html(render(found, PLACES, ("touches the engine",)))
    own = {"h2", "h3", "p", "ul", "li", "strong", "em", "code", "pre", "a", "table", "thead", "tbody", "tr", "th", "td",
           "details", "summary", "sub"}  # fmt: skip
    assert set(page.tags) <= own and not page.comments
    links = [str(to) for name, to in page.attributes if name == "href"]
    assert all(to.startswith((PLACES.files, PLACES.run)) for to in links) and "/../" not in "".join(links)
    assert {name for name, _ in page.attributes} <= {"href", "class", "lang"}
    assert not re.search(r"(?:^|\W)@[a-z0-9]", page.outside_code, re.I | re.A)
    assert page.outside_code.rstrip().endswith("; the log.") and page.tags.count("h2") == 1


@settings(max_examples=10)
@given(st.integers(1, 100), st.integers(1, 20))
def test_a_comment_is_never_longer_than_github_takes(findings: int, feedstocks: int) -> None:
    long = {**FINDING, "message": "`*_" * 300, "fix": "<&>" * 300, "path": "p/" * 400}
    one = document("failed", [long] * findings, plan_failure={**FAILURE, "message": "x" * 6000})["feedstocks"][0]
    found = made(
        Document, {**document("failed"), "feedstocks": [{**one, "feedstock": f"f{n}"} for n in range(feedstocks)]}
    )
    said = render(found, PLACES, ())
    assert len(said) <= 65_000 and said.rstrip().endswith("</sub>") and "### What happens next" in said


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5).map(lambda v: json.dumps(v).encode())
)
def test_reading_a_document_ends_in_a_refusal_and_nothing_else(data: bytes) -> None:
    with pytest.raises(RefusedDocumentError):
        parsed(data, Document, "result.json")


def test_the_limit_of_a_document_is_looked_at_before_it_is_read() -> None:
    with pytest.raises(RefusedDocumentError, match="larger than"):
        parsed(b" " * (SIZE_LIMIT_BYTES + 1), Document, "result.json")
