"""What lies on a target, and how it is removed."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bakehouse.storage import Target
from bakehouse.writers.references.kerchunk import JSON_NAME
from bakehouse.writers.template import root_names
from bakehouse.writers.versions import VERSION

PARTIAL = re.compile(r"#\d+$")
ROOTS = {*root_names(2), *root_names(3), JSON_NAME, "repo", "refs/branch.main/ref.json"}
"""What makes a store visible, by its key below the prefix; the last two are those of Icechunk's repositories."""


@dataclass(frozen=True)
class Held:
    """One object on a target."""

    key: str
    size_bytes: int
    modified: datetime

    @property
    def is_partial(self) -> bool:
        """Say whether it is a file on a disk that was being written under another name, which obstore passes over.

        Examples
        --------
        >>> [Held(key, 3, datetime.now()).is_partial for key in ("a.zarr/sst/c/0#17", "a.zarr/sst/c/0")]
        [True, False]
        """
        return PARTIAL.search(self.key) is not None


def held_on(target: Target) -> Iterator[Held]:
    """List all objects, and on a disk what killed processes left of those that they were writing."""
    import obstore

    for batch in [] if target.is_absent else obstore.list(target.store):
        yield from (Held(meta["path"], meta["size"], meta["last_modified"]) for meta in batch)
    if target.is_local:
        yield from (held for held in _files(target) if held.is_partial)


def _files(target: Target) -> Iterator[Held]:
    for folder, _, names in os.walk(target.path):
        for path in (Path(folder, name) for name in names if "#" in name):
            with suppress(FileNotFoundError):  # it has got its name meanwhile
                stat = path.stat()
                modified = datetime.fromtimestamp(stat.st_mtime, UTC)
                yield Held(path.relative_to(target.path).as_posix(), stat.st_size, modified)


def remove(target: Target, held: Collection[Held]) -> None:
    """Delete what makes versions known and visible, then the rest.

    Objects that are gone read as fill. Within one request they go in any order, and a process may die after any of
    them: a version that is found must have all of its objects still.
    """
    keys = [each.key for each in held if not each.is_partial]
    first = [key for key in keys if key.endswith(f".{VERSION}") or key.partition("/")[2] in ROOTS]
    target.delete(first)
    target.delete(sorted(set(keys) - set(first)))
    for each in held:
        if each.is_partial:
            Path(target.path, each.key).unlink(missing_ok=True)


def drop_empty_folders(target: Target) -> None:
    """Remove the folders that a local disk keeps when their files are gone."""
    if target.is_local and not target.is_absent:
        for folder, _, _ in os.walk(target.path, topdown=False):
            if folder != target.path:
                with suppress(OSError):
                    os.rmdir(folder)
