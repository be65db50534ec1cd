"""Which feedstocks want to be looked at now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.index import read_entries
from bakehouse.errors import BakehouseError
from bakehouse.feedstock import find_feedstock
from bakehouse.meta.load import feedstock_folders, feedstock_id
from bakehouse.meta.schedules import last_before

if TYPE_CHECKING:
    from github.Repository import Repository

WORKFLOW = "run-recipe.yml"
MOST_RUNS = 1000

Started = Callable[[datetime], Collection[str]]
"""Names the feedstocks for which an update was started since a moment."""


@dataclass(frozen=True)
class Scheduled:
    """A feedstock with a schedule; `reason` says why it is due, or why it is not."""

    feedstock: str
    schedule: str = ""
    publish: str = "direct"
    due: bool = False
    reason: str = ""


def scheduled(root: Path, catalog: Path, now: datetime, started: Started) -> Iterator[Scheduled]:
    """Judge every feedstock that has a schedule; one that can't be read keeps no other."""
    entries, _ = read_entries(catalog)
    for folder in feedstock_folders(root):
        name = feedstock_id(folder)
        try:
            update = find_feedstock(root, name).meta.update
        except BakehouseError as error:
            yield Scheduled(name, reason=f"its meta.yaml can't be used: {error.message}")
            continue
        if update is not None:
            own = [each for each in entries if each.feedstock == name and each.kind in ("baked", "virtual")]
            due, reason = _judge(name, update.schedule, own, now, started)
            yield Scheduled(name, update.schedule, update.publish, due, reason)


def _judge(name: str, schedule: str, entries: list[Entry], now: datetime, started: Started) -> tuple[bool, str]:
    """Say whether a scheduled moment has passed since a feedstock was last published, checked or updated."""
    looked = list(_moments(entries))
    moment = last_before(schedule, now)
    if not looked:
        return False, "it was never published"
    if moment is None or max(looked) >= moment:
        return False, f"last published {max(looked):%Y-%m-%d %H:%M}, scheduled {moment:%Y-%m-%d %H:%M}"
    if name in started(moment):
        return False, f"an update was started since {moment:%Y-%m-%d %H:%M}"
    return True, f"scheduled {moment:%Y-%m-%d %H:%M}, last published {max(looked):%Y-%m-%d %H:%M}"


def _moments(entries: Iterable[Entry]) -> Iterator[datetime]:
    for each in entries:
        yield from filter(None, (each.published_at, each.check.checked_at))


def started_on(repo: Repository) -> Started:
    """Ask GitHub which updates were started: runs of the workflow are called ``update FEEDSTOCK``."""

    def started(moment: datetime) -> Collection[str]:
        runs = repo.get_workflow(WORKFLOW).get_runs(event="workflow_dispatch", created=f">={moment:%Y-%m-%dT%H:%M:%SZ}")
        titles = [str(run.display_title).split() for run in islice(runs, MOST_RUNS)]
        return {words[1] for words in titles if len(words) == 2 and words[0] == "update"}

    return started
