"""Run one task: write its objects, then its receipt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bakehouse.context import work_folder
from bakehouse.plan.types import Plan, Task
from bakehouse.storage import Target
from bakehouse.writers.append import AppendingStore, Tail
from bakehouse.writers.assemble import Fragment
from bakehouse.writers.boxes import Filling, fill_part
from bakehouse.writers.icechunk.branch import Branch
from bakehouse.writers.kept import KeptValues
from bakehouse.writers.reading import Reading, reading_at
from bakehouse.writers.receipts import Receipt, receipt_key
from bakehouse.writers.store import RecordingStore, data_store, open_planned_array
from bakehouse.writers.template import Documents
from bakehouse.writers.versions import load_proof


@dataclass(frozen=True)
class Prepared:
    """A plan on a target: its metadata documents, the user's encodings, and what earlier runs have done.

    `done` names the tasks that are written, `checked` those that were compared with their sources. A run that only
    verifies notes its comparisons in `notes`, apart from those of the bake. `gaps` stand for inputs that are not there.
    In a repository, `main` is the snapshot that was published when the run began, `base_snapshot` that of the version
    that the plan builds on, and `snapshot` the one that is read; without it, what was committed so far. `view` is what
    a virtual store is read through.
    """

    plan: Plan
    documents: Documents
    target: Target
    asked: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    done: frozenset[str] = frozenset()
    checked: frozenset[str] = frozenset()
    notes: Target | None = None
    run_id: str = "run"
    gaps: tuple[Fragment, ...] = ()
    main: str | None = None
    base_snapshot: str | None = None
    snapshot: str | None = None
    view: Reading | None = None

    @property
    def store(self) -> Target:
        """Give the store's final prefix."""
        return self.target.child(self.plan.prefix)

    @property
    def branch(self) -> Branch | None:
        """Give the branch that the version is made on, if its store is a repository of snapshots."""
        if self.plan.template.format != "icechunk":
            return None
        return Branch(self.store, self.plan.version, self.base_snapshot if self.plan.growth else None)

    @property
    def reading(self) -> Reading:
        """Give what was written so far as it is read."""
        if self.view is not None:
            return self.view
        return self.branch.view(self.snapshot) if self.branch else self.store

    @property
    def base(self) -> Reading | None:
        """Give the published version that the plan builds on as it is read."""
        if self.plan.growth is None:
            return None
        return reading_at(self.target.child(self.plan.growth.prefix).url, self.target.options, self.base_snapshot)

    def at_rest(self) -> Prepared:
        """Hold on to what is written by now: everything."""
        return replace(self, snapshot=self.snapshot or self.branch.tip()) if self.branch else self

    @property
    def work(self) -> Target:
        """Give the folder beside the store that holds receipts and the candidate's documents, of this version only."""
        if self.branch:
            return work_folder(self.target, f"{self.plan.version}.zarr")
        own = self.plan.prefix if self.plan.version in self.plan.prefix else f"{self.plan.prefix}.{self.plan.version}"
        return work_folder(self.target, own)

    @property
    def candidate(self) -> Target:
        """Give the folder of this run's candidate documents: runs at the same time must not share them."""
        return self.work.child("candidate", self.run_id)

    @property
    def checks(self) -> Target:
        """Give the folder where comparisons are noted."""
        return self.notes or self.work.child("checks")

    def task(self, task_id: str) -> Task:
        """Find a task."""
        return self.plan.by_id[task_id]


def write_task(prepared: Prepared, task: Task, fragments: Iterable[Fragment]) -> Receipt:
    """Write a task's objects, then its receipt; in a repository they are committed between."""
    found = sorted(fragments, key=lambda fragment: fragment.key)
    if prepared.branch is None:
        receipt = _fill(prepared, task, found, _recording(prepared))
    else:
        receipt = prepared.branch.write(task.id, lambda store: _fill(prepared, task, found, RecordingStore(store)))
    prepared.work.put(receipt_key(task.id), receipt.to_json())
    return receipt


def _fill(prepared: Prepared, task: Task, found: list[Fragment], recording: RecordingStore) -> Receipt:
    """Write a task's objects to a store that records them."""
    kept, sources = kept_values(prepared), []
    template = prepared.plan.template
    for part in task.parts:
        array = open_planned_array(recording, prepared.documents, part.array)
        asked = prepared.asked.get(part.array, {})
        filling = Filling(template.arrays[part.array], template.axes, found, asked, kept)
        sources += fill_part(recording, array, filling, part)
    return Receipt(task.id, tuple(recording.written[k] for k in sorted(recording.written)), tuple(sources))


def _recording(prepared: Prepared) -> RecordingStore:
    """Open the store to write to; objects that readers of a published version may be reading are merged into."""
    growth = prepared.plan.growth
    if growth is None or not growth.in_place:
        return RecordingStore(data_store(prepared.store))
    known = frozenset(row["key"] for row in load_proof(prepared.target, growth.version))
    work = work_folder(prepared.target, growth.prefix)
    arrays, run_id = dict(prepared.plan.template.arrays), prepared.run_id
    return AppendingStore(Tail(growth.version, run_id, prepared.store, work, arrays, growth.along, growth.start, known))


def kept_values(prepared: Prepared) -> KeptValues | None:
    """Give what the published version that is built on has; None for a version that is made at once."""
    growth, base = prepared.plan.growth, prepared.base
    return KeptValues(base, growth.kept) if growth and base else None
