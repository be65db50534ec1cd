"""`bakehouse catalog recheck`: open every store again, and say in the catalog which are no longer what they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply, say

if TYPE_CHECKING:
    from bakehouse.catalog.entry import Status
    from bakehouse.catalog.index import Problem
    from bakehouse.link.recheck import Rechecking, Verdict


@dataclass(frozen=True)
class Rechecked:
    """What became of a catalog: a verdict on each entry with its status after, the entries marked, the broken ones."""

    folder: Path
    verdicts: list[tuple[Verdict, Status]]
    marked: list[str]
    problems: list[Problem]

    @property
    def bad(self) -> list[tuple[Verdict, Status]]:
        """List the verdicts with which something is wrong."""
        return [(verdict, status) for verdict, status in self.verdicts if verdict.seen]


@click.command("recheck")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--mark/--no-mark", default=True, show_default=True, help="Say in the entries what was seen, or only report it."
)
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=8, show_default=True, help="Stores that are opened at once."
)
@click.option(
    "--timeout", type=click.FloatRange(min=1), default=120.0, show_default=True, metavar="SECONDS",
    help="How long one store may take.",
)  # fmt: skip
@options.trusted
@options.project
@options.common
def command(
    folder: Path | None, mark: bool, jobs: int, timeout: float, trusted: tuple[str, ...], project: Path | None
) -> Reply:
    """Open every store again.

    Each is opened as its entry says, its metadata are compared with what was registered, and a chunk is read. One that
    is gone, private, unreachable, changed or damaged makes its entry 'degraded', with the reason and since when; it is
    'live' again once it is found as it was. Entries that are deprecated are passed over, and a status that a person
    wrote stays. Without FOLDER: the project's catalogs, local and published. Exit status 1 if anything is wrong.

    'bakehouse verify' compares what was baked here with its sources, which takes longer.
    """
    from bakehouse.cli.catalog import catalogs

    done = [_recheck(each, mark, jobs, timeout, trusted, project) for each in catalogs(folder, project)]
    document = {"catalogs": [_document(each) for each in done]}
    text = "\n".join(line for each in done for line in _lines(each))
    return Reply(text or "no catalog yet", document, ok=not any(each.bad or each.problems for each in done))


def _recheck(
    folder: Path, mark: bool, jobs: int, timeout: float, trusted: tuple[str, ...], project: Path | None
) -> Rechecked:
    from bakehouse.catalog.index import read_entries
    from bakehouse.catalog.register import mark as write
    from bakehouse.link.recheck import recheck_all, status_after

    entries, problems = read_entries(folder)
    how, now, verdicts = _how(folder, jobs, timeout, trusted, project), datetime.now(UTC), []
    for verdict in recheck_all(entries, how):
        say(f"{verdict.entry.id}: {_word(verdict)}")
        verdicts.append((verdict, status_after(verdict, now)))
    wanted = {each.entry.id: (each.entry, status) for each, status in verdicts if status != each.entry.status}
    return Rechecked(folder, verdicts, write(folder, wanted) if mark and wanted else [], problems)


def _how(folder: Path, jobs: int, timeout: float, trusted: tuple[str, ...], project: Path | None) -> Rechecking:
    from bakehouse.catalog.lookup import FolderCatalog
    from bakehouse.link.recheck import Rechecking
    from bakehouse.storage.public import Allowed

    access = _access(folder, project)

    def options_of(url: str) -> Mapping[str, Any] | None:
        return next((said for target, said in access.items() if url.startswith(f"{target.rstrip('/')}/")), None)

    return Rechecking(FolderCatalog(folder.resolve()).locate, options_of, Allowed.of(trusted), timeout, jobs)


def _access(folder: Path, project: Path | None) -> dict[str, Mapping[str, Any]]:
    """Give how the project reaches what lies below each of its bakeries' targets."""
    from bakehouse.cli.bakeries import place
    from bakehouse.meta.load import load_project, project_around

    root = project or project_around(folder.resolve())
    if root is None:
        return {}
    places = [place(root, name) for name in load_project(root).bakeries]
    return {each.target.url: each.bakery.storage_options for each in places}


def _word(verdict: Verdict) -> str:
    return "deprecated, passed over" if verdict.skipped else verdict.seen or "as it was"


def _document(done: Rechecked) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "folder": str(done.folder),
        "entries": [_entry(verdict, status, done.marked) for verdict, status in done.verdicts],
        "problems": [asdict(each) for each in done.problems],
    }


def _entry(verdict: Verdict, status: Status, marked: list[str]) -> dict[str, Any]:
    """Say of one entry what was seen: `state` is its status after, `was` before."""
    entry, error = verdict.entry, verdict.error
    return {
        "id": entry.id,
        "kind": entry.kind,
        "title": entry.title,
        "url": entry.store.url,
        "was": entry.status.state,
        "state": status.state,
        "seen": "passed over" if verdict.skipped else verdict.seen or "as it was",
        "reason": verdict.reason,
        "since": status.since.isoformat() if status.since else None,
        "fix": error.fix if error else None,
        "maintainers": [each.github for each in entry.maintainers if each.github],
        "marked": entry.id in marked,
    }


def _lines(done: Rechecked) -> list[str]:
    from bakehouse.cli.text import plural

    bad = [f"{verdict.entry.id}: {verdict.seen}: {verdict.reason}" for verdict, _ in done.bad]
    broken = [f"{done.folder / each.path}: {each.code} {each.message}; fix: {each.fix}" for each in done.problems]
    healed = [
        f"{verdict.entry.id}: live again"
        for verdict, status in done.verdicts
        if verdict.entry.id in done.marked and status.state == "live"
    ]
    count = len(bad) + len(broken)
    verdict = f"{plural(count, 'problem')}" if count else "all as registered"
    total = len(done.verdicts) + len(broken)
    return [*bad, *broken, *healed, f"{done.folder}: {plural(total, 'entry', 'entries')} opened again, {verdict}"]
