"""What lies on a target, and how it is removed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from bakehouse.storage import Target
from bakehouse.writers.references.kerchunk import JSON_NAME
from bakehouse.writers.template import root_names
from bakehouse.writers.versions import VERSION

ROOTS = {*root_names(2), *root_names(3), JSON_NAME, "repo", "refs/branch.main/ref.json"}
"""What makes a store visible, by its key below the prefix; the last two are those of Icechunk's repositories."""


@dataclass(frozen=True)
class Held:
    """One object on a target."""

    key: str
    size_bytes: int
    modified: datetime


def held_on(target: Target) -> Iterator[Held]:
    """List all objects."""
    import obstore

    for batch in [] if target.is_absent else obstore.list(target.store):
        yield from (Held(meta["path"], meta["size"], meta["last_modified"]) for meta in batch)


def remove(target: Target, held: Iterable[Held]) -> None:
    """Delete what makes versions known and visible, then the rest.

    Objects that are gone read as fill. Within one request they go in any order, and a process may die after any of
    them: a version that is found must have all of its objects still.
    """
    keys = [each.key for each in held]
    first = [key for key in keys if key.endswith(f".{VERSION}") or key.partition("/")[2] in ROOTS]
    target.delete(first)
    target.delete(sorted(set(keys) - set(first)))


def drop_empty_folders(target: Target) -> None:
    """Remove the folders that a local disk keeps when their files are gone."""
    if target.is_local and not target.is_absent:
        for folder, _, _ in os.walk(target.path, topdown=False):
            if folder != target.path:
                with suppress(OSError):
                    os.rmdir(folder)
