"""An Icechunk repository: bakes commit documents and tasks to a branch of their own, from many workers at once."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from bakehouse.errors import StorageError
from bakehouse.storage import Target
from bakehouse.writers.icechunk.documents import strict_documents, write_differing
from bakehouse.writers.icechunk.storage import (
    asked,
    create_repository,
    insist_conditional,
    is_repository,
    library,
    open_repository,
    reason,
    turn,
)
from bakehouse.writers.template import Documents

FIRST = "1CECHNKREP0F1RSTCMT0"
"""The empty snapshot with which every repository of this format begins."""
KEY = "bakehouse"
TRIES = 12
REBASES = 20
BACKOFF_S = 0.05


@dataclass(frozen=True)
class Repository:
    """An Icechunk repository on a target: a folder on a disk, or in an S3 bucket with conditional PUT.

    A bake works on a branch, named after its version. Nothing that happens there is seen on ``main``, which readers
    open.

    Examples
    --------
    >>> Repository(Target("s3://bucket/oisst/daily.icechunk")).target.url
    's3://bucket/oisst/daily.icechunk'
    """

    target: Target

    def __getstate__(self) -> dict[str, Any]:
        """Leave the open repository behind: each process opens its own."""
        return {"target": self.target}

    @cached_property
    def opened(self) -> Any:
        """Open the repository; raises StorageError if there is none."""
        return open_repository(self.target)

    @property
    def is_there(self) -> bool:
        """Say whether the repository was made already."""
        return is_repository(self.target)

    def tip(self, branch: str = "main") -> str | None:
        """Give a branch's newest snapshot; None if there is no such branch."""
        with asked(self.target, f"look up the branch '{branch}'"):
            try:
                return str(self.opened.lookup_branch(branch))
            except library().IcechunkError as error:
                if "ref not found" in str(error):  # icechunk 1.1 has one class for all errors
                    return None
                raise

    def start(self, branch: str, from_snapshot: str | None = None) -> str:
        """Make a bake's branch, and the repository if there is none; give the branch's newest snapshot.

        A branch that is there is gone on with if it began where this one shall; else it begins anew.

        Parameters
        ----------
        from_snapshot
            Where the branch begins: ``tip()`` keeps what is published, None begins empty.

        Raises
        ------
        StorageError
            If the repository can't be made, or its endpoint has no conditional PUT.
        """
        insist_conditional(self.target)
        create_repository(self.target)
        base = from_snapshot or FIRST
        with turn(self.target), asked(self.target, f"make the branch '{branch}'"):
            if (tip := self.tip(branch)) is None:
                self._create_branch(branch, base)
            elif tip != base and self._begins(branch) != base:
                self.opened.reset_branch(branch, base, from_snapshot_id=tip)
        return self.tip(branch) or base

    def write_documents(self, branch: str, documents: Documents) -> str | None:
        """Commit metadata documents to a branch where they differ from its own; give its newest snapshot.

        Arrays that no document names are removed.

        Raises
        ------
        StorageError
            If an attribute is NaN or infinite, which Icechunk can't hold; if chunks that the branch began with would
            be read in another way.
        """
        where = self.target.url
        wanted = strict_documents(documents, where)
        return self._commit(branch, "documents", {}, lambda store: write_differing(store, wanted, where), lambda: False)

    def commit_tasks(self, branch: str, tasks: Sequence[str], fill: Callable[[Any], None]) -> str | None:
        """Write the objects of tasks through `fill` and commit them; give the snapshot that has them.

        Any number of threads and processes commit at once, as long as their tasks write different objects; of two that
        write the same task one is taken. `fill` gets a zarr store, and is called again where its commit was overtaken
        by the same task. Every commit writes the manifests of its arrays anew, so many small tasks go together.

        Raises
        ------
        StorageError
            If they can't be committed.
        """
        message = f"{len(tasks)} tasks" if len(tasks) > 1 else f"task {tasks[0]}"

        def are_done() -> bool:
            return set(tasks) <= self.done_tasks(branch)

        try:
            return self._commit(branch, message, {"tasks": list(tasks)}, fill, are_done)
        except StorageError:
            if are_done():  # the answer was lost, or another run of this bake has published meanwhile
                return self.tip(branch)
            raise

    def done_tasks(self, branch: str) -> frozenset[str]:
        """Name the tasks that are committed to a branch; also of one that is published."""
        return frozenset(task for each in self._own(branch) for task in each.metadata[KEY].get("tasks", ()))

    def read_store(self, snapshot: str | None = None, branch: str = "main") -> Any:
        """Open a snapshot, or a branch as it is now, as a zarr store for reading."""
        where = {"snapshot_id": snapshot} if snapshot else {"branch": branch}
        with asked(self.target, f"open the snapshot '{snapshot}'" if snapshot else f"open the branch '{branch}'"):
            return self.opened.readonly_session(**where).store

    def tagged(self) -> dict[str, str]:
        """Give the snapshots that were published, and the branch that each was made on."""
        with asked(self.target, "list the published snapshots"):
            names = (tag.rpartition(".") for tag in self.opened.list_tags())
            return {snapshot: branch for branch, _, snapshot in names if branch}

    def _commit(
        self, branch: str, message: str, notes: dict[str, Any], fill: Callable[[Any], None], is_done: Callable[[], bool]
    ) -> str | None:
        """Commit what `fill` writes; where another writer of the same objects was first, see if it did the work."""
        icechunk, overtaken = library(), ""
        metadata = {KEY: {"branch": branch, **notes}}
        for attempt in range(TRIES):
            with asked(self.target, f"write to the branch '{branch}'"):
                session = self.opened.writable_session(branch)
                fill(session.store)
                if not session.has_uncommitted_changes:
                    return str(session.snapshot_id)
                try:
                    with turn(self.target):
                        solver = icechunk.ConflictDetector()
                        return str(session.commit(message, metadata, rebase_with=solver, rebase_tries=REBASES))
                except (icechunk.ConflictError, icechunk.RebaseFailedError) as error:
                    overtaken = reason(error)
            if is_done():
                return self.tip(branch)
            time.sleep(BACKOFF_S * 2 ** min(attempt, 6) * random.uniform(0.5, 1.5))
        raise StorageError(
            f"cannot commit to the branch '{branch}': other writers were first {TRIES} times",
            self.target.url,
            overtaken,
            "let fewer workers write at once, then run again",
        )

    def _create_branch(self, branch: str, base: str) -> None:
        try:
            self.opened.create_branch(branch, base)
        except (library().IcechunkError, library().ConflictError):
            if self.tip(branch) is None:
                raise

    def _own(self, branch: str) -> Iterator[Any]:
        """List a bake's own commits, newest first."""
        published = [snapshot for snapshot, name in self.tagged().items() if name == branch]
        newest = self.tip(branch) or (published[0] if published else FIRST)
        with asked(self.target, f"read the history of '{branch}'"):
            for snapshot in self.opened.ancestry(snapshot_id=newest):
                if snapshot.metadata.get(KEY, {}).get("branch") != branch:
                    return
                yield snapshot

    def _begins(self, branch: str) -> str | None:
        """Give the snapshot that a branch's own commits stand on."""
        parents = [snapshot.parent_id for snapshot in self._own(branch)]
        return parents[-1] if parents else self.tip(branch)


def repository_at(target: Target) -> Repository:
    """Give the repository of a target, opened once per process.

    Examples
    --------
    >>> repository_at(Target("sea.icechunk")) is repository_at(Target("sea.icechunk"))
    True
    """
    return _shared(target.url, json.dumps(dict(target.options), sort_keys=True, default=str), _Held(target))


@dataclass(frozen=True)
class _Held:
    """A target that takes no part in the comparison of arguments."""

    target: Target = field(compare=False)


@cache
def _shared(url: str, options: str, held: _Held) -> Repository:
    return Repository(held.target)
