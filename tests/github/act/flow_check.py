"""Check, and the comment that tells what it found."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

from bakehouse.github.limited import made as made_of
from bakehouse.github.result import Result
from tests.github.act.bench import Bench, Ran
from tests.github.act.kitchen import checked, feedstock, pull_request, python_feedstock
from tests.github.act.scenarios import scenario
from tests.github.standin import REPOSITORY

BAD = "<script>alert(1)</script> @everyone [x](javascript:alert(1)) #1 <img src=x> "


def _check(made: Bench, files: dict[str, str], **about: str) -> tuple[int, Ran, str]:
    """Open a pull request, run its check and what follows; give its number, the check, and the comment."""
    number, event = pull_request(made, files, **about)
    ran = made.run("check", "pull_request", event)
    return number, ran, _comment(made, number, ran)


def _comment(made: Bench, number: int, ran: Ran, result: str = "success") -> str:
    told = made.run("comment", "workflow_run", checked(made, number, ran.jobs["check"]))
    assert told.jobs == {"comment": result}, told.printed("comment")
    (said,) = made.hub.said(number)
    return said


def _told(made: Bench, document: dict[str, Any], result: str, **about: str) -> str:
    """Let a check's job, which runs a stranger's code, leave a document; give the comment."""
    number, _ = pull_request(made, feedstock("winds"), **about)
    empty = {"feedstocks": [], "feedstocks_total": 0, "removed": [], "labels": [], "preview": False}
    found = made_of(Result, {"commit": made.hub.pulls[number]["head"]["sha"], "verdict": "passed", **empty})
    (made.artifacts / "check-result").mkdir()
    text = json.dumps({**found.model_dump(mode="json"), **document})
    (made.artifacts / "check-result/result.json").write_text(text, encoding="utf-8")
    return _comment(made, number, Ran(0, {"check": "success"}, (), ""), result)


def _result(made: Bench) -> Any:
    return json.loads((made.artifacts / "check-result/result.json").read_text(encoding="utf-8"))


@scenario("Check and comment")
def a_good_feedstock_passes(made: Bench) -> str:
    """A pull request adds a feedstock that is as it should be; the comment is made, and made again."""
    number, ran, said = _check(made, feedstock("winds"))
    assert ran.jobs == {"check": "success"}
    assert (made.artifacts / "preview/index.html").is_file()
    assert _comment(made, number, ran) == said
    assert made.hub.issues[number]["labels"] == []
    return (
        f"green; verdict `{_result(made)['verdict']}`; a preview of the page; one comment, also after the second time"
    )


@scenario("Check and comment", nightly=True)
def a_bad_feedstock_is_told_what_to_mend(made: Bench) -> str:
    """A pull request adds a feedstock with an unknown licence, and one input that is not there."""
    files = feedstock("winds", start=2020)
    files = {path: text.replace("CC0-1.0", "CC-1.O") for path, text in files.items()}
    _, ran, said = _check(made, files)
    assert ran.jobs == {"check": "failure"}
    assert all(each in unescape(said) for each in ("CC-1.O", "did you mean 'CC0-1.0'", "seasons_2020.nc")), said
    notes = [line for line in ran.printed("check").splitlines() if line.startswith("::error ")]
    return f"red, {len(notes)} notes beside the lines; the comment names the licence, its fix, and the input"


@scenario("Check and comment", nightly=True)
def a_pull_request_of_a_fork_is_told_too(made: Bench) -> str:
    """The same from a fork, whose branch is not in the repository."""
    number, ran, said = _check(made, feedstock("winds"), repo="stranger/feedstocks")
    assert ran.jobs == {"check": "success"} and made.hub.pulls[number]["head"]["repo"]["fork"]
    assert REPOSITORY != "stranger/feedstocks" and said
    return "green, one comment"


@scenario("Check and comment", nightly=True)
def what_touches_workflows_is_labelled_and_not_tried(made: Bench) -> str:
    """A pull request changes a feedstock and a workflow."""
    files = {**feedstock("winds"), ".github/workflows/mine.yml": "on: push\njobs: {}\n"}
    number, ran, _ = _check(made, files)
    assert ran.jobs == {"check": "success"}
    labels = [each["name"] for each in made.hub.issues[number]["labels"]]
    assert labels == ["touches workflows"] and _result(made)["verdict"] == "linted"
    return f"labels {labels}; linted, no recipe was run"


@scenario("Check and comment", attack=True)
def a_result_of_five_megabytes_is_not_read(made: Bench) -> str:
    """The check's job, which runs a stranger's code, leaves 5 MB of `<script>`, `@everyone`, `javascript:` links."""
    said = _told(made, {"labels": [BAD * (5_000_000 // len(BAD))]}, "failure")
    assert not any(each in said for each in ("script>", "everyone", "javascript:")) and len(said) < 3000
    return "refused by its size before it is parsed; the comment says that there is no usable result"


@scenario("Check and comment", attack=True)
def words_of_a_result_are_shown_and_do_nothing(made: Bench) -> str:
    """The document has the right form; its words are `<script>`, `@everyone`, `javascript:` links, `#1`, `<img>`."""
    failure = {"error": BAD, "message": BAD, "fix": BAD}
    about = {"feedstock": "winds", "findings": [], "findings_total": 0, "failures": [failure], "recipes": []}
    said = _told(
        made, {"verdict": "failed", "feedstocks": [{**about, "recipes_total": 0}], "feedstocks_total": 1}, "success"
    )
    shown = re.sub(r"^(```+)text\n.*?^\1$", "", said, flags=re.DOTALL | re.MULTILINE)
    assert "alert" in said, said
    assert not any(each in shown for each in ("<script", "@everyone", "](javascript:", "<img")), said
    return "one comment, in which they stand in a block of code"


@scenario("Check and comment", attack=True, nightly=True)
def no_result_at_all_is_said(made: Bench) -> str:
    """The check's job dies, or removes its result."""
    number, _ = pull_request(made, feedstock("winds"))
    said = _comment(made, number, Ran(1, {"check": "failure"}, (), ""), "failure")
    return f"red; the comment: {said.splitlines()[1]}"


@scenario("Check and comment", attack=True)
def a_branch_and_a_title_run_nothing(made: Bench) -> str:
    """A branch is called `$(touch${IFS}x)`, the pull request's title holds backticks."""
    files = {"README.md": "# $(touch x)\n"}
    number, event = pull_request(made, files, branch="$(touch${IFS}x)", title="`touch x`; touch x")
    ran = made.run("check", "pull_request", event)
    _comment(made, number, ran)
    assert ran.jobs == {"check": "success"}
    found = [path for path in made.folder.rglob("x") if path.name == "x"]
    assert found == []
    return "green; no file `x` anywhere: scripts get neither"


PRYING = """\
import os, urllib.request
words = ("TOKEN", "SECRET", "KEY", "ACTIONS_", "GITHUB_", "BENCH_")
print("SEEN", {name: value for name, value in os.environ.items() if any(word in name for word in words)})
urllib.request.urlopen("http://169.254.169.254/latest/meta-data/", timeout=5)
"""


@scenario("Check and comment", attack=True, nightly=True)
def a_recipe_that_looks_around_finds_nothing(made: Bench) -> str:
    """recipe.py of a pull request prints what it finds of the job, and asks the address of a cloud's metadata."""
    _, ran, said = _check(made, python_feedstock("winds", PRYING))
    left = [path.read_text(errors="replace") for path in made.artifacts.rglob("*") if path.is_file()]
    for text in (said, *left, *(line for _, line in ran.lines)):
        assert "canary" not in text, text[:2000]
    assert "SEEN {" in ran.printed("check"), ran.lines
    assert ran.jobs == {"check": "failure"} and "169.254.169.254 is link-local" in unescape(said), said
    return "no canary in logs, result or comment; red: `169.254.169.254 is link-local`, before a connection is opened"


@scenario("Check and comment", attack=True, nightly=True)
def a_recipe_that_writes_elsewhere_is_named(made: Bench) -> str:
    """recipe.py of a pull request writes into another feedstock's folder."""
    before = "import pathlib\npathlib.Path(__file__).parents[1].joinpath('seasons/meta.yaml').write_text('title: x')\n"
    _, ran, said = _check(made, python_feedstock("winds", before))
    assert ran.jobs == {"check": "failure"} and "feedstocks/seasons/meta.yaml" in said
    return "red; the comment names the file; the job's copy is thrown away with it"
