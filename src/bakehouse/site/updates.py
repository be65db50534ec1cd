"""When a feedstock is next looked at, and what the status page says of each recipe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.index import Problem
from bakehouse.meta.schedules import WORDS, next_after
from bakehouse.site.content import Content, Recipe
from bakehouse.site.words import day


@dataclass(frozen=True)
class Line:
    """One line of the status page; `state` is an entry's, or ``not baked`` or ``broken``.

    `successor` is the id of the entry to use instead, and `successor_url` its page, if it has one.
    """

    id: str
    title: str
    state: str
    url: str | None
    baked: str = "–"
    verified: str = "–"
    next_update: str = "–"
    detail: str | None = None
    kind: str | None = None
    successor: str | None = None
    successor_url: str | None = None


def lines(content: Content) -> list[Line]:
    """List every recipe of the project and every entry, what needs attention first."""
    recipes = {each.id: each for each in content.recipes}
    entries = {each.id: each for each in content.entries}
    broken = {each.path.removesuffix(".json"): each for each in content.problems}
    baked = {each.feedstock for each in content.entries}
    found = [*_entries(entries, recipes), *_broken(broken), *_unbaked(recipes, {*entries, *broken}, baked)]
    rank = {"broken": 0, "degraded": 1, "deprecated": 3, "live": 2, "not baked": 4}
    return sorted(found, key=lambda line: (rank[line.state], line.id))


def _entries(known: dict[str, Entry], recipes: dict[str, Recipe]) -> Iterator[Line]:
    for entry in known.values():
        recipe = recipes.get(entry.id)
        successor = entry.status.successor
        yield Line(
            *(entry.id, entry.title or entry.id, entry.status.state, page(entry.id)),
            baked=day(entry.published_at) if entry.kind != "linked" else "linked",
            verified=_verified(entry),
            next_update=_next(entry, recipe),
            detail=entry.status.reason,
            kind=entry.kind,
            successor=successor,
            successor_url=page(successor) if successor in known else None,
        )


def page(id: str) -> str:
    """Say where a dataset's page lies."""
    return f"datasets/{id}/index.html"


def _verified(entry: Entry) -> str:
    if entry.check.level == "declared":
        return "never"
    how = {"full": "every value", "sampled": "a sample", "reachable": "opened only"}[entry.check.level]
    return f"{day(entry.check.checked_at)} ({how})" if entry.check.checked_at else how


def _next(entry: Entry, recipe: Recipe | None) -> str:
    """Say when it is looked at next; what nobody should use any more, and what others update, never is."""
    if entry.status.state == "deprecated":
        return "–"
    if entry.kind == "linked" and not (recipe and recipe.schedule):
        return "by its producer"
    return next_update(recipe.schedule if recipe else None, entry.published_at)


def _broken(broken: dict[str, Problem]) -> Iterator[Line]:
    for name, problem in broken.items():
        yield Line(name, name, "broken", page(name), detail=problem.message)


def _unbaked(recipes: dict[str, Recipe], known: set[str], feedstocks: set[str]) -> Iterator[Line]:
    """List what has no entry; a feedstock that can't be read is broken only if none of its entries is there."""
    for recipe in recipes.values():
        if recipe.id not in known and not (recipe.fault and recipe.feedstock in feedstocks):
            state = "broken" if recipe.fault else "not baked"
            planned = "–" if recipe.fault else next_update(recipe.schedule, None)
            yield Line(recipe.id, recipe.title, state, None, next_update=planned, detail=recipe.fault)


def next_update(schedule: str | None, last: datetime | None) -> str:
    """Say when new inputs are looked for: as scheduled, the first time after the last.

    Examples
    --------
    >>> from datetime import UTC
    >>> next_update("weekly", datetime(2026, 1, 1, tzinfo=UTC)), next_update("0 6 * * 1", None), next_update(None, None)
    ('weekly, from 2026-01-05', '0 6 * * 1 (cron)', 'not scheduled')
    """
    if schedule is None:
        return "not scheduled"
    following = next_after(schedule, last) if last else None
    named = schedule if schedule in WORDS else f"{schedule} (cron)"
    return f"{named}, from {following:%Y-%m-%d}" if following else named
