"""Published snapshots of an Icechunk repository: ``main`` moves by compare-and-swap, tags keep what was published."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bakehouse.errors import PublishError, StorageError
from bakehouse.writers.icechunk.repository import FIRST, Repository
from bakehouse.writers.icechunk.storage import asked, insist_conditional, library, reason, turn


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that was published: the branch that it was made on, when it was committed, and if it is ``main``."""

    id: str
    branch: str
    written_at: datetime
    is_main: bool


def publish(repository: Repository, branch: str, expected_main: str | None, snapshot: str | None = None) -> str:
    """Move ``main`` to what was made on a branch, then drop the branch; give the published snapshot.

    Called again after a crash, it completes what is missing.

    Parameters
    ----------
    expected_main
        What ``main`` was when the bake began (`Repository.tip`); None if there was no repository.
    snapshot
        The snapshot that was verified; None takes the branch's newest.

    Raises
    ------
    PublishError
        If there is nothing to publish, or ``main`` is another snapshot by now.
    """
    made = snapshot or repository.tip(branch) or published(repository, branch)
    if made is None:
        raise PublishError(f"there is no branch '{branch}'", repository.target.url, None, "bake again")
    _move(repository, expected_main or FIRST, made)
    with turn(repository.target):
        if made not in repository.tagged():
            _tag(repository, f"{branch}.{made}", made)
        _drop(repository, branch)
    return made


def published(repository: Repository, branch: str) -> str | None:
    """Give the snapshot that was published from a branch, the newest if there are several."""
    found = [snapshot for snapshot, name in repository.tagged().items() if name == branch]
    if len(found) > 1:
        found = [each.id for each in snapshots(repository) if each.branch == branch]
    return found[-1] if found else None


def snapshots(repository: Repository) -> tuple[Snapshot, ...]:
    """List the published snapshots, oldest first."""
    main, tags = repository.tip(), repository.tagged()
    with asked(repository.target, "list the published snapshots"):
        written = {id: repository.opened.lookup_snapshot(id).written_at for id in tags}
    found = [Snapshot(id, branch, written[id], id == main) for id, branch in tags.items()]
    return tuple(sorted(found, key=lambda each: (each.written_at, each.id)))


def rollback(repository: Repository, to_snapshot: str, expected_main: str | None = None) -> str:
    """Move ``main`` to a snapshot that was published before; give the one that it was.

    Raises
    ------
    PublishError
        If the snapshot was never published, is no longer kept, or ``main`` is not the expected one.
    """
    if to_snapshot not in (known := repository.tagged()):
        shown = ", ".join(sorted(known)) or "none"
        raise PublishError(
            f"'{to_snapshot}' is no published snapshot", repository.target.url, None, f"choose one of: {shown}"
        )
    before = expected_main or repository.tip() or FIRST
    _move(repository, before, to_snapshot)
    return before


def collect(repository: Repository, keep: Iterable[str], older_than: datetime) -> int:
    """Delete what neither ``main``, nor a kept snapshot, nor a bake under way needs; give the freed bytes.

    Parameters
    ----------
    keep
        The published snapshots to keep; ``main`` is kept in any case.
    older_than
        What is younger stays: longer ago than any bake that is under way began.

    Raises
    ------
    StorageError
        If a snapshot to keep is not there.
    """
    kept, tags = {*keep, repository.tip()}, repository.tagged()
    if unknown := sorted(str(each) for each in kept - set(tags) if each != repository.tip()):
        raise StorageError(f"snapshots to keep are not there: {', '.join(unknown)}", repository.target.url)
    opened = repository.opened
    with turn(repository.target), asked(repository.target, "delete old snapshots"):
        for snapshot, branch in tags.items():
            if snapshot not in kept:
                opened.delete_tag(f"{branch}.{snapshot}")
        for branch in opened.list_branches() - {"main"}:
            if opened.lookup_snapshot(opened.lookup_branch(branch)).written_at < older_than:
                opened.delete_branch(branch)
        opened.expire_snapshots(older_than)
        return int(opened.garbage_collect(older_than).bytes_deleted)


def _move(repository: Repository, before: str, after: str) -> None:
    """Swap ``main``; a lost answer is found out by looking again.

    Raises
    ------
    PublishError
        If ``main`` is neither the one nor the other.
    """
    insist_conditional(repository.target)
    if repository.tip() == after:
        return
    cause: str | None = None
    with turn(repository.target):
        try:
            repository.opened.reset_branch("main", after, from_snapshot_id=before)
        except (library().IcechunkError, library().ConflictError) as error:
            cause = reason(error)
    if (now := repository.tip()) == after or cause is None:
        return
    if now != before:
        raise PublishError(
            f"'main' is {now}, it was {before} when this bake began",
            repository.target.url,
            "another bake has published meanwhile",
            "run again: it begins where the other ended",
        )
    raise StorageError("cannot move 'main'", repository.target.url, cause, "check the credentials and their rights")


def _tag(repository: Repository, name: str, snapshot: str) -> None:
    try:
        repository.opened.create_tag(name, snapshot)
    except library().IcechunkError as error:
        if snapshot not in repository.tagged():
            raise StorageError("cannot keep the published snapshot", repository.target.url, reason(error)) from error


def _drop(repository: Repository, branch: str) -> None:
    """Delete a branch that is no longer needed; another run may be first."""
    gone: Any = library().IcechunkError
    with suppress(gone):
        repository.opened.delete_branch(branch)
