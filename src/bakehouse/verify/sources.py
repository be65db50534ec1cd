"""A store against its sources: they still make this version, and hold the values that the store has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bakehouse.errors import BakehouseError
from bakehouse.schema import Identity
from bakehouse.verify.report import Checked, Problem, Statement

EDITED = ", though the recipe was edited since: its values tell"
SAMPLE = "those with the lowest digests, and the first of every array; --full compares all"


def check_version(
    version: str, digests: Mapping[str, str | None], plan: Mapping[str, Any] | None, error: BakehouseError | None = None
) -> Checked:
    """Insist that inputs and recipe still make the version that is published.

    Parameters
    ----------
    digests
        What the entry says the version was made from: ``inputs`` and ``recipe``, each ``sha256:…``.
    plan
        The summary of what they make now; None if they make nothing any more.
    error
        What stopped the planning.
    """
    if plan is None:
        problems = [problem_of(error)] if error else []
        return Checked.of(Statement("inputs", 0, 1, "inputs", "", "they can't be planned"), problems)
    count = plan["inputs"]["count"]
    edited = digests.get("recipe") != f"sha256:{plan['digests']['recipe']}"
    says = f"still make version {version} ({_evidence(plan)}){EDITED if edited else ''}"
    statement = Statement("inputs", count, count, "inputs", says)
    if plan["version"] == version:
        return Checked.of(statement, [])
    return Checked.of(statement, [Problem(_other_version(version, digests, plan))])


def check_inputs(then: Mapping[str, Identity], now: Mapping[str, Identity | None]) -> Checked:
    """Name the inputs that are no longer what they were; None stands for one that is gone.

    Examples
    --------
    >>> found = check_inputs({"a.nc": Identity(10, "x")}, {"a.nc": Identity(12, "y"), "b.nc": Identity(1)})
    >>> [str(problem) for problem in found.problems]
    ["input 'a.nc' changed: size_bytes is 12, was 10; etag is y, was x", "input 'b.nc' is new"]
    """
    problems = [text for url, was in then.items() if (text := _input_fault(url, was, now.get(url)))]
    problems += [f"input '{url}' is new" for url in now if url not in then]
    return Checked.of(Statement("identities", len(then), len(then), "inputs", "are what they were"), problems)


def check_values(
    plan: Mapping[str, Any], compared: int, values: int, error: BakehouseError | None = None, skipped: str = ""
) -> Checked:
    """Say how many tasks were compared with their sources, value by value, and what differs.

    Parameters
    ----------
    compared, values
        Tasks that equal their sources, and the values in them.
    skipped
        Why nothing was compared.
    """
    tasks = plan["tasks"]
    if skipped:
        return Checked.of(Statement("values", 0, tasks, "tasks", "", skipped), [])
    says = f"equal their sources, value by value ({values:,} values)"
    statement = Statement("values", min(tasks, compared + bool(error)), tasks, "tasks", says, SAMPLE)
    return Checked.of(statement, [problem_of(error)] if error else [])


def problem_of(error: BakehouseError) -> Problem:
    """Put an error on one line.

    Examples
    --------
    >>> print(problem_of(BakehouseError("lat differs", "input 2", "another grid", "drop lat")))
    lat differs (input 2; another grid): drop lat
    """
    about = "; ".join(text.replace("\n", " ") for text in (error.where, error.cause) if text)
    return Problem(f"{error.message} ({about})" if about else error.message, error.fix)


def _other_version(version: str, digests: Mapping[str, str | None], plan: Mapping[str, Any]) -> str:
    now = {name: f"sha256:{plan['digests'][name]}" for name in digests}
    changed = [
        f"the digest of the {n} is {now[n][:19]}…, was {str(was)[:19]}…" for n, was in digests.items() if now[n] != was
    ]
    said = "; ".join(changed) or "the options of the store changed"
    return f"inputs or recipe are no longer those of version {version}, they would make {plan['version']}: {said}"


def _evidence(plan: Mapping[str, Any]) -> str:
    return f"known by {plan['inputs']['identity']}"


def _input_fault(url: str, was: Identity, found: Identity | None) -> str | None:
    if found is None:
        return f"input '{url}' is gone"
    before, after = vars(was), vars(found)
    changed = [f"{name} is {after[name]}, was {before[name]}" for name in before if before[name] != after[name]]
    return f"input '{url}' changed: {'; '.join(changed)}" if changed else None
