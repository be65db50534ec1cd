"""Tell what came of a run: the pull request that it is about, and an issue for as long as a feedstock fails."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bakehouse.errors import PublishError
from bakehouse.github import markdown
from bakehouse.github.client import close_issues, keep_comment, keep_issue, open_issues
from bakehouse.github.forms import LOGIN
from bakehouse.github.handed import read_document
from bakehouse.github.reports import Around, run_report
from bakehouse.github.runs import RESULT, Failure, RunResult, result_from
from bakehouse.meta.project import Project

if TYPE_CHECKING:
    from github.Repository import Repository

LABEL = "broken-feedstock"
WHOLE = "*"
"""Stands for all recipes of a feedstock, where what failed is none of them alone."""
_FAILING = re.compile(r"^<!-- failing: ([A-Za-z0-9._* -]*) -->$", re.MULTILINE)


@dataclass(frozen=True)
class Jobs:
    """How GitHub says that the jobs of a run ended; empty where it was not asked."""

    bake: str = ""
    publish: str = ""


def read_result(folder: Path, feedstock: str, jobs: Jobs) -> RunResult:
    """Read what a run came to; one that left nothing of use, or says other than its job, has failed."""
    try:
        result = result_from(read_document(folder / RESULT), RESULT)
        if result.feedstock != feedstock:
            raise PublishError(f"the run says that it is about '{result.feedstock}', asked for was '{feedstock}'")
    except PublishError as error:
        return _lost(feedstock, error, jobs)
    if result.ok and jobs.bake not in ("", "success"):
        said = f"the job ended as '{jobs.bake}' although every recipe went well"
        return replace_failure(result, Failure(error="JobFailed", message=said, fix="see the log of the job"))
    if result.ok and jobs.publish in ("failure", "cancelled"):
        said = f"the stores are there, but publishing their entries ended as '{jobs.publish}'"
        return replace_failure(result, Failure(error="NotPublished", message=said, fix="see the log of the job"))
    return result


def replace_failure(result: RunResult, failure: Failure) -> RunResult:
    """Give the result of a run as that of one that failed as a whole."""
    return result.model_copy(update={"ok": False, "exit_status": result.exit_status or 1, "failure": failure})


def _lost(feedstock: str, error: PublishError, jobs: Jobs) -> RunResult:
    ended = f", and the job ended as '{jobs.bake}'" if jobs.bake else ""
    failure = Failure(
        error="Lost", message=f"the run left no result that can be used{ended}",
        cause=f"it was cancelled, took too long, or its machine was lost ({error.message})",
        fix="run it again: what was written stays, and it goes on from there",
    )  # fmt: skip
    now = datetime.now(UTC)
    return RunResult(
        feedstock=feedstock, mode="bake", bakery="unknown", ok=False, exit_status=1,
        command=f"bakehouse bake {feedstock}", started_at=now, finished_at=now, duration_s=0, failure=failure,
    )  # fmt: skip


def tell_pull(repo: Repository, number: int, result: RunResult, project: Project, around: Around, run: str) -> str:
    """Comment on the pull request that a run is about, once per run; give the comment's address."""
    pull = repo.get_pull(number)
    around = replace(around, is_merged=bool(pull.merged))
    name = f"run:{result.feedstock}" if pull.merged else f"run:{result.feedstock}:{run}"
    return str(keep_comment(repo.get_issue(number), name, run_report(result, project, around)).html_url)


def tell_issue(
    repo: Repository, result: RunResult, project: Project, around: Around, logins: Sequence[str] = ()
) -> str | None:
    """Keep the one issue of a feedstock while any of its recipes fails; give its address while it is open."""
    name = f"feedstock:{result.feedstock}"
    found = list(open_issues(repo, LABEL, name))
    failing = _failing({each for issue in found for each in _known(issue.body)}, result)
    if not failing:
        said = f"It went well again{_at(around)}. This closes by itself, and opens anew if it fails again."
        close_issues(repo, LABEL, name, said)
        return None
    if result.ok:
        for issue in found:
            issue.edit(body=_FAILING.sub(_marker(failing), issue.body))
        return str(found[0].html_url)
    title = f"Feedstock {result.feedstock} can't be {'updated' if result.mode == 'update' else 'baked'}"
    body = _issue(result, failing, project, around, logins)
    return str(keep_issue(repo, LABEL, name, title, body).html_url)


def _known(body: str | None) -> Iterable[str]:
    found = _FAILING.search(body or "")
    return found[1].split() if found else []


def _failing(known: set[str], result: RunResult) -> set[str]:
    """Say which recipes fail after a run: those that failed, and those that did before and were not run."""
    good = {each.recipe for each in result.recipes if each.ok and each.recipe}
    bad = {each.recipe or WHOLE for each in result.recipes if not each.ok}
    bad |= {WHOLE} if result.failure else set()
    healed = good | ({WHOLE} if result.ok or good else set()) | (known if result.ok and not result.recipe else set())
    return (known - healed) | bad


def _issue(result: RunResult, failing: set[str], project: Project, around: Around, logins: Sequence[str]) -> str:
    others = sorted(failing - {each.recipe or WHOLE for each in result.recipes} - {WHOLE})
    also = f"Failing since earlier runs: {', '.join(markdown.span(each) for each in others)}." if others else ""
    people = [f"@{each}" for each in logins if LOGIN.fullmatch(each)]
    asked = f"Looked after by {', '.join(people)}." if people else ""
    promise = "This issue is brought up to date by every run, and closes by itself once one goes well."
    return "\n\n".join(
        part for part in (_marker(failing), run_report(result, project, around), also, asked, promise) if part
    )


def _marker(failing: set[str]) -> str:
    return f"<!-- failing: {' '.join(sorted(failing))} -->"


def _at(around: Around) -> str:
    return f" ({markdown.link('run', around.run_url)})" if around.run_url else ""
