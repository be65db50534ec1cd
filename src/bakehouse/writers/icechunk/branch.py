"""The branch that a version is made on: what a bake does with a repository, from beginning to publication."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from zarr.storage import MemoryStore

from bakehouse.errors import PublishError, StorageError
from bakehouse.storage import Target
from bakehouse.writers.icechunk.repository import Repository, repository_at
from bakehouse.writers.icechunk.versions import publish, published
from bakehouse.writers.icechunk.view import SnapshotView
from bakehouse.writers.template import Documents

T = TypeVar("T")


@dataclass(frozen=True)
class Begun:
    """How a bake begins: what ``main`` is, which tasks are done, and the published snapshot that has all of them."""

    main: str | None
    done: frozenset[str]
    made: str | None = None


@dataclass(frozen=True)
class Branch:
    """A version's branch in a repository; `base` is the snapshot that it builds on, None begins empty."""

    target: Target
    version: str
    base: str | None = None

    @property
    def name(self) -> str:
        """Give the branch's name."""
        return f"bake-{self.version}"

    @property
    def repository(self) -> Repository:
        """Give the repository."""
        return repository_at(self.target)

    def begin(self, documents: Documents, planned: frozenset[str], receipted: frozenset[str]) -> Begun:
        """Make the branch ready for tasks, or go on with it; a version that is published and whole needs none.

        Raises
        ------
        PublishError
            If ``main`` is not what the version builds on.
        StorageError
            If it builds on a repository that is not there.
        """
        repository = self.repository
        is_there = self.base is not None or repository.is_there
        main = repository.tip() if is_there else None
        made = published(repository, self.name) if is_there else None
        if self.base is not None and main != self.base and (made is None or main != made):
            raise PublishError(
                f"'main' is {main}, the catalog's entry names {self.base}",
                self.target.url,
                "something else has published to this repository",
                "run again; if that does not help, build the store anew: bakehouse bake --refresh",
            )
        if made is not None and planned <= receipted:
            return Begun(main, planned, made)
        repository.start(self.name, made or self.base)
        repository.write_documents(self.name, documents)
        return Begun(main, receipted if made else receipted & repository.done_tasks(self.name))

    def write(self, task: str, fill: Callable[[Any], T]) -> T:
        """Commit what `fill` writes to a zarr store, and give what it says of it.

        Where another run of the same version was first, nothing is committed, and what it says is the same.
        """
        said: list[T] = []

        def fill_once(store: Any) -> None:
            said[:] = [fill(store)]

        self.repository.commit_tasks(self.name, [task], fill_once)
        if not said:
            fill_once(MemoryStore())
        return said[0]

    def view(self, snapshot: str | None = None) -> SnapshotView:
        """Read a snapshot; without one, what was committed so far."""
        return SnapshotView(self.target, snapshot or self.tip())

    def tip(self) -> str:
        """Give the newest snapshot; once published, that."""
        found = self.repository.tip(self.name) or published(self.repository, self.name)
        if found is None:
            raise StorageError(f"the branch '{self.name}' is gone", self.target.url, None, "run again")
        return found

    def settle(self, documents: Documents) -> str:
        """Commit the documents as later steps left them; give the snapshot to verify and to publish.

        Where another run of the same version has published meanwhile, that is its snapshot.
        """
        try:
            return self.repository.write_documents(self.name, documents) or self.tip()
        except StorageError:
            if made := published(self.repository, self.name):
                return made
            raise

    def publish(self, snapshot: str, main: str | None) -> bool:
        """Move ``main`` to a snapshot from where it was when the bake began; say whether this call did.

        Raises
        ------
        PublishError
            If it is elsewhere by now.
        """
        before = self.repository.tip()
        publish(self.repository, self.name, main, snapshot)
        return before != snapshot
