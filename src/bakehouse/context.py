"""The run's context: what a recipe does not say, resolved when its pipeline expands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from bakehouse.storage import Target

MEMORY_BYTES = 256 * 2**20
SURVEYS = ".survey"
"""Folder, beside the versions, of what inputs' headers said."""


def work_folder(target: Target, prefix: str) -> Target:
    """Name the folder beside a store that holds receipts, comparisons and candidate documents.

    Examples
    --------
    >>> work_folder(Target("s3://bucket/oisst"), "1a2b.zarr").url
    's3://bucket/oisst/.1a2b.zarr.work'
    """
    return target.child(f".{prefix}.work")


@dataclass(frozen=True)
class Context:
    """One run of one recipe.

    Parameters
    ----------
    target
        The recipe's own folder on the target; versions lie below it.
    run_id
        Names this run's notes (which version it made, what went wrong); never part of a store.
    mode
        ``bake`` writes, ``plan`` only plans and reads no data, ``verify`` compares a store that is there with its
        sources.
    recipe_digest
        Digest of the feedstock's files; part of the version.
    prefix
        A fixed store name below the target; None lets the plan derive one from the version.
    memory_bytes
        Upper bound for the arrays that one task holds.
    level
        How much of the store is compared with its sources: ``auto``, ``full`` or ``sampled``.
    cache
        Where copies of inputs are kept from run to run, if anywhere.
    url_map
        Replacements for the beginnings of input URLs (mirrors, test servers).
    defaults
        Project-wide defaults for StoreToZarr.
    notes
        Where the run notes what it planned, if not on the target.
    base, base_inputs, base_snapshot
        The version that the catalog's entry names, the digest of its inputs, and its snapshot if it has one.
    grow
        Build on the base instead of anew: ``new`` takes the inputs that it lacks, ``changed`` also those that are no
        longer what they were.
    refresh
        Build a version beside the base even if nothing that it was made from has changed.
    scratch
        A folder on a disk that all workers share, if there is one, for inputs that are cut into tiles.
    missing
        What to do about inputs that are not there: ``error``, or ``skip`` to leave gaps.
    """

    target: Target
    run_id: str
    feedstock: str = ""
    recipe: str = ""
    mode: str = "bake"
    recipe_digest: str = ""
    prefix: str | None = None
    memory_bytes: int = MEMORY_BYTES
    level: str = "auto"
    url_map: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    notes: Target | None = None
    cache: Target | None = None
    base: str = ""
    base_inputs: str | None = None
    base_snapshot: str | None = None
    grow: str = ""
    refresh: bool = False
    missing: str = "error"
    scratch: str = ""

    @property
    def tiles(self) -> Target:
        """Give the folder for inputs that are cut into tiles."""
        return Target(self.scratch) if self.scratch else self.staging.child("tiles")

    @property
    def notebook(self) -> Target:
        """Give the folder where the run notes what it planned."""
        return self.notes or self.target.child(".runs")

    @property
    def surveys(self) -> Target:
        """Give the folder of what inputs' headers said in earlier runs."""
        return self.target.child(SURVEYS)

    @property
    def marks(self) -> Target:
        """Give the folder where it is noted when the run reached which point."""
        return self.staging.child("marks")

    @property
    def staging(self) -> Target:
        """Give the folder for what only this run needs: arrays that the recipe makes on the way, copies of inputs."""
        return (self.notes or self.target).child(".staging", self.run_id)

    @property
    def label(self) -> str:
        """Name the recipe as messages do."""
        return "/".join(dict.fromkeys(part for part in (self.feedstock, self.recipe) if part)) or "recipe"


_current: ContextVar[Context | None] = ContextVar("bakehouse_context", default=None)


def current() -> Context | None:
    """Give the context that is in force, if any."""
    return _current.get()


@contextmanager
def using(context: Context) -> Iterator[Context]:
    """Put a context in force while a recipe is imported and its pipeline expands."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
