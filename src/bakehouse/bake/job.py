"""All that one run of one recipe needs."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bakehouse.catalog.entry import Entry
from bakehouse.context import Context
from bakehouse.feedstock import Feedstock
from bakehouse.meta.project import Bakery
from bakehouse.storage import Target
from bakehouse.writers.versions import INPUTS, beside


@dataclass(frozen=True)
class Progress:
    """How far a run is: tasks with a receipt, of how many."""

    recipe: str
    phase: str
    tasks_done: int = 0
    tasks: int = 0
    bytes_total: int = 0


@dataclass(frozen=True)
class Job:
    """All that one run of one recipe needs.

    Parameters
    ----------
    prune
        Keep the first n inputs of each concat dimension.
    cache
        Where copies of inputs are kept from run to run, if anywhere.
    watch
        Called now and then with the run's progress, from another thread.
    entry
        The catalog's entry of the recipe, if there is one.
    grow, refresh, missing
        As in `Context`.
    previews
        Whether to make images of what is registered, and a small store of what is big.
    sandbox
        Whether the run has a catalog of its own, in which pruned stores are shown.
    job_name
        What the job is called on a service, instead of after the recipe.
    job_id
        The job on a service that is to be followed, instead of starting one.
    again
        The command that does this once more.
    ready
        Called when the engine and the recipe are loaded, before the pipeline is built.
    """

    feedstock: Feedstock
    recipe: str
    bakery: Bakery
    target: Target
    prune: int | None = None
    level: str = "auto"
    workers: int | None = None
    url_map: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    watch: Callable[[Progress], None] | None = None
    debug: bool = False
    cache: Target | None = None
    entry: Entry | None = None
    grow: str = ""
    refresh: bool = False
    missing: str = "error"
    previews: bool = False
    sandbox: bool = False
    job_name: str | None = None
    job_id: str | None = None
    again: str = "bakehouse bake"
    ready: Callable[[], None] | None = None

    @property
    def enters(self) -> bool:
        """Say whether what is made may be registered."""
        return self.sandbox or not self.prune

    def here(self) -> Job:
        """Give a job that does on this machine what this one does on others."""
        return replace(self, bakery=self.bakery.here()) if self.bakery.is_service else self

    def context(self, mode: str, notes: Target | None = None) -> Context:
        """Make the context of a run."""
        base = None if self.prune else self._base()
        digest = self.feedstock.digest_of(self.recipe) + (f"+prune{self.prune}" if self.prune else "")
        return Context(
            self.target,
            f"run-{uuid.uuid4().hex[:12]}",
            self.feedstock.id,
            self.recipe,
            mode,
            digest,
            level=self.level,
            url_map=self.url_map,
            defaults=self.defaults,
            notes=notes,
            cache=self.cache,
            base=(base.version or "") if base else "",
            base_inputs=base.provenance.inputs_digest if base else None,
            base_snapshot=base.store.snapshot if base else None,
            grow=self.grow,
            refresh=self.refresh,
            missing=self.missing,
            scratch=self._scratch(),
        )

    def _scratch(self) -> str:
        """Name a folder on this machine's disk, if the target is none and all workers are here."""
        if self.target.is_local or self.bakery.runner != "direct":
            return ""
        return str(Path(tempfile.gettempdir()) / f"bakehouse-tiles-{uuid.uuid4().hex[:12]}")

    def _base(self) -> Entry | None:
        """Give the entry of the version that is published here, if it can be built on."""
        entry = self.entry
        here = entry is not None and entry.store.url.rpartition("/")[0] == self.target.url.rstrip("/")
        if entry is None or not here or not entry.version:
            return None
        return entry if self.target.size(beside(entry.version, INPUTS)) is not None else None
