"""Run one task: write its objects, or compare them with their sources."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from bakehouse.context import work_folder
from bakehouse.errors import VerifyError
from bakehouse.openers.reference import library_reads
from bakehouse.plan.types import ArrayPlan, Part, Plan, Task
from bakehouse.storage import Target
from bakehouse.writers.assemble import Fragment, Overlap, assemble, decoded_values, overlaps, stored_values
from bakehouse.writers.encode import is_lossy
from bakehouse.writers.receipts import Receipt, receipt_key
from bakehouse.writers.store import CandidateStore, RecordingStore, data_store, open_planned_array
from bakehouse.writers.template import Documents


@dataclass(frozen=True)
class Prepared:
    """A plan on a target: its metadata documents, the user's encodings, and what earlier runs have done.

    `done` names the tasks that are written, `checked` those that were compared with their sources. A run that only
    verifies notes its comparisons in `notes`, apart from those of the bake.
    """

    plan: Plan
    documents: Documents
    target: Target
    asked: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    done: frozenset[str] = frozenset()
    checked: frozenset[str] = frozenset()
    notes: Target | None = None
    run_id: str = "run"

    @property
    def store(self) -> Target:
        """Give the store's final prefix."""
        return self.target.child(self.plan.prefix)

    @property
    def work(self) -> Target:
        """Give the folder beside the store that holds receipts and the candidate's documents, of this version only."""
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
        return next(task for task in self.plan.tasks if task.id == task_id)


def write_task(prepared: Prepared, task: Task, fragments: Iterable[Fragment]) -> Receipt:
    """Write a task's objects, then its receipt."""
    recording = RecordingStore(data_store(prepared.store))
    found, sources = sorted(fragments, key=lambda fragment: fragment.key), []
    for part in task.parts:
        array = open_planned_array(recording, prepared.documents, part.array)
        plan = prepared.plan.template.arrays[part.array]
        values, taken = assemble(
            plan, prepared.plan.template.axes, part, found, array.dtype, prepared.asked.get(part.array, {})
        )
        array[_slices(part)] = values
        sources += taken
    receipt = Receipt(task.id, tuple(recording.written[k] for k in sorted(recording.written)), tuple(sources))
    prepared.work.put(receipt_key(task.id), receipt.to_json())
    return receipt


def compare_task(prepared: Prepared, task: Task, fragments: Iterable[Fragment]) -> int:
    """Compare a task's part of the store with its sources, value by value; give the number of values.

    Raises
    ------
    VerifyError
        If any value differs; it names the array, the place, both values and the input.
    """
    if prepared.notes is not None:
        _insist_receipted(prepared, task)
    store = CandidateStore(prepared.store, prepared.documents, prepared.candidate, read_only=True)
    found, compared = list(fragments), 0
    stored = {n for n, a in prepared.plan.template.arrays.items() if a.raw or is_lossy(a, prepared.asked.get(n, {}))}
    dataset = xr.open_zarr(store, consolidated=False, chunks=None, decode_cf=True)
    raw = xr.open_zarr(store, consolidated=False, chunks=None, decode_cf=False)
    for part in task.parts:
        plan = prepared.plan.template.arrays[part.array]
        for place in overlaps(plan, prepared.plan.template.axes, part, found):
            asked = prepared.asked.get(part.array, {})
            with library_reads():
                expected = stored_values(plan, place, asked) if part.array in stored else decoded_values(plan, place)
            actual = _read_back((raw if part.array in stored else dataset)[part.array].variable, plan, place)
            _insist_equal(plan, place, np.broadcast_to(expected, actual.shape), actual)
            compared += actual.size
    prepared.checks.put(f"{task.id}.json", json.dumps({"task": task.id, "values": compared}).encode())
    return compared


def _insist_receipted(prepared: Prepared, task: Task) -> None:
    """Compare the objects of a store that was published before with their receipt; decoders may die of garbled ones."""
    data = prepared.work.get(receipt_key(task.id))
    for written in Receipt.from_json(data).objects if data else ():
        if hashlib.sha256(prepared.store.get(written.key) or b"").hexdigest() != written.sha256:
            raise VerifyError(
                f"object '{written.key}' has other content than was written",
                prepared.store.url,
                None,
                "bake again: it writes anew what is damaged",
            )


def _read_back(variable: xr.Variable, plan: ArrayPlan, place: Overlap) -> Any:
    """Read a region of the store; objects that can't be decoded are named."""
    try:
        return variable[tuple(slice(a, b) for a, b in place.store)].values
    except Exception as error:
        where = dict(zip(plan.dims, place.store, strict=True))
        raise VerifyError(
            f"'{plan.name}' at {where} can't be read back",
            place.fragment.url,
            f"{type(error).__name__}: {error}",
            "an object is damaged: delete it and bake again",
        ) from error


def _insist_equal(plan: ArrayPlan, place: Overlap, expected: Any, actual: Any) -> None:
    if expected.dtype.kind == "O" and actual.dtype.kind == "M":  # a standard calendar that a step decoded with cftime
        expected = np.array([np.datetime64(v.isoformat()) for v in expected.ravel()], actual.dtype).reshape(
            actual.shape
        )
    if expected.dtype.kind in "OSUT":
        decode = np.vectorize(lambda v: v.decode() if isinstance(v, bytes) else v, otypes=[object])
        same = np.asarray(decode(expected) == decode(actual)) if expected.size else np.ones(0, bool)
    else:
        same = (expected == actual) | ((expected != expected) & (actual != actual))
    if same.all():
        return
    at = tuple(int(i[0]) for i in np.nonzero(~np.atleast_1d(same)))
    where = {
        d: a + (at[i] if plan.dims else 0) for i, (d, (a, _)) in enumerate(zip(plan.dims, place.store, strict=True))
    }
    wanted, got = (np.atleast_1d(v)[at] for v in (expected, actual))
    raise VerifyError(
        f"'{plan.name}' at {where}: the store has {got}, its source has {wanted} "
        f"({int((~same).sum())} of {same.size} values differ)",
        place.fragment.url,
        None,
        "an object is damaged, or the input changed: delete the object and bake again",
    )


def _slices(part: Part) -> Any:
    return tuple(slice(a, b) for a, b in part.spans) or ...
