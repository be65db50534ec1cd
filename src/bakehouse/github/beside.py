"""The notes of a check beside the lines that they are about."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bakehouse.github.annotations import Level
from bakehouse.github.annotations import line as annotation
from bakehouse.github.result import Failure, Result

MOST = 10
"""GitHub shows so many errors of a step, and so many warnings."""
_PLACE = re.compile(r"(feedstocks/[\w./-]+\.(?:py|ya?ml)):(\d+)")


def notes(result: Result) -> Iterator[str]:
    """Write the notes of a check as commands for the log of its job: lints and failures first."""
    yield from [*_failures(result), *_findings(result, "lint")][:MOST]
    yield from _findings(result, "hint")[:MOST]


def place(failure: Failure) -> tuple[str, int] | None:
    """Give the file and line of a feedstock that an error names.

    Examples
    --------
    >>> place(Failure(error="RecipeError", message="x", where="sst/daily, feedstocks/sst/recipe.py:12"))
    ('feedstocks/sst/recipe.py', 12)
    """
    found = _PLACE.search(failure.where or "")
    return (found[1], int(found[2][:9])) if found and ".." not in found[1].split("/") else None


def _findings(result: Result, severity: str) -> list[str]:
    level: Level = "error" if severity == "lint" else "warning"
    return [
        annotation(level, each.path, each.line, each.col, each.code, f"{each.message}; fix: {each.fix}")
        for feedstock in result.feedstocks
        for each in feedstock.findings
        if each.severity == severity
    ]


def _failures(result: Result) -> Iterator[str]:
    for feedstock in result.feedstocks:
        of_recipes = [failure for r in feedstock.recipes for failure in (r.plan_failure, r.trial_failure) if failure]
        for each in {failure.message: failure for failure in (*feedstock.failures, *of_recipes)}.values():
            file, line = place(each) or (f"feedstocks/{feedstock.feedstock}/meta.yaml", 1)
            said = "\n".join(filter(None, (each.message, each.cause, each.fix and f"fix: {each.fix}")))
            yield annotation("error", file, line, 1, each.error, said)
