"""Compare what is stored with its sources, value by value."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from bakehouse.errors import StorageError, VerifyError
from bakehouse.openers.reference import library_reads
from bakehouse.plan.base import ANEW, Known
from bakehouse.plan.types import ArrayPlan, Part, Task
from bakehouse.writers import pieces
from bakehouse.writers.assemble import Fragment, Overlap, belongs, decoded_values, overlaps, stored_values
from bakehouse.writers.encode import is_lossy
from bakehouse.writers.intact import insist_intact, object_keys
from bakehouse.writers.publish import consolidated
from bakehouse.writers.receipts import check_key
from bakehouse.writers.store import CandidateStore, data_store, open_planned_array
from bakehouse.writers.tasks import Prepared, kept_values

PIECE_BYTES = 2**26
FEW = 4
"""Inputs of a sample of what was cut into tiles."""


def compare_task(prepared: Prepared, task: Task, fragments: Iterable[Fragment], few: bool = False) -> int:
    """Compare a task's part of the store with its sources, value by value; give the number of values.

    Parameters
    ----------
    few
        Of arrays that inputs are cut into tiles for, compare what comes from a few inputs: each of their objects has
        values of all inputs, which would all be decoded.

    Raises
    ------
    VerifyError
        If any value differs; it names the array, the place, both values and the input.
    """
    if prepared.notes is not None:
        arrays = prepared.plan.template.arrays
        keys = (key for part in task.parts for key in object_keys(prepared.documents, arrays[part.array], part))
        insist_intact(prepared.target, prepared.plan.version, prepared.reading, keys)
    found, compared = list(fragments), 0
    stored = {n for n, a in prepared.plan.template.arrays.items() if a.raw or is_lossy(a, prepared.asked.get(n, {}))}
    store = _Written(prepared)
    for part in task.parts:
        plan = prepared.plan.template.arrays[part.array]
        met = overlaps(plan, prepared.plan.template.axes, part, _spread(found) if few and plan.spill else found)
        asked = prepared.asked.get(part.array, {})
        held = store.part(part, part.array in stored)
        seen = store.part(part, stored=False) if asked.get("keepbits") else None
        for place in (piece for each in met for piece in pieces.pieces(plan, each, stored=True)):
            with library_reads():
                expected = stored_values(plan, place, asked) if part.array in stored else decoded_values(plan, place)
            actual = held(place)
            _insist_equal(plan, place, np.broadcast_to(expected, actual.shape), actual)
            if seen:
                _insist_same_missing(plan, place, seen(place))
            compared += actual.size
        _compare_kept(prepared, part, store)
    spilled = any(prepared.plan.template.arrays[part.array].spill for part in task.parts)
    prepared.checks.put(check_key(task.id, few and spilled), json.dumps({"task": task.id, "values": compared}).encode())
    return compared


@dataclass(frozen=True)
class _Written:
    """What was written so far, as zarr-python and xarray read it; what nobody asks for is not opened."""

    prepared: Prepared

    @cached_property
    def dataset(self) -> xr.Dataset:
        """Open the candidate as a reader sees it, from consolidated metadata: nothing is listed."""
        zarr_format = self.prepared.plan.template.zarr_format
        documents = consolidated(self.prepared.documents, zarr_format)
        store = CandidateStore(self.prepared.reading, documents, self.prepared.candidate, read_only=True)
        return xr.open_zarr(store, consolidated=True, chunks=None, decode_cf=True)

    def part(self, part: Part, stored: bool) -> Callable[[Overlap], Any]:
        """Give what reads regions of a box, stored or as a reader sees it: at once where it is small."""
        plan = self.prepared.plan.template.arrays[part.array]
        variable = self.raw(part.array) if stored else self.seen(part.array)
        if part.size_bytes > pieces.PIECE_BYTES:
            return lambda place: _read_back(variable, plan, place)
        whole: list[Any] = []

        def read(place: Overlap) -> Any:
            if not whole:
                whole.append(_read_back(variable, plan, replace(place, store=part.spans)))
            inside = (slice(a - p, b - p) for (a, b), (p, _) in zip(place.store, part.spans, strict=True))
            return np.asarray(whole[0][tuple(inside)])

        return read

    def raw(self, name: str) -> Any:
        """Give an array as it is stored."""
        return open_planned_array(data_store(self.prepared.reading, read_only=True), self.prepared.documents, name)

    def seen(self, name: str) -> Any:
        """Give a variable as a reader sees it."""
        return self.dataset[name].variable


def _spread(fragments: list[Fragment]) -> list[Fragment]:
    """Choose a few inputs, the first and the last among them."""
    ordered = sorted(fragments, key=lambda fragment: fragment.key)
    return [ordered[i] for i in np.unique(np.linspace(0, len(ordered) - 1, FEW).astype(int))] if ordered else []


def _compare_kept(prepared: Prepared, part: Part, store: _Written) -> None:
    """Insist that what was taken over from the published version is what that version has."""
    kept, plan = kept_values(prepared), prepared.plan.template.arrays[part.array]
    if kept is None:
        return
    for spans in kept.regions(plan, prepared.plan.template.axes, part):
        place = Overlap(Fragment((), kept.store.url, {}), spans, (), ())
        _insist_equal(plan, place, kept.read(part.array, spans), _read_back(store.raw(part.array), plan, place))


def compare_witness(prepared: Prepared, known: Known, fragment: Fragment) -> int:
    """Compare an input that is kept with what the store has of it; give the number of values.

    A recipe that was edited may make other values than those that are stored. Then nothing can be added to them.

    Raises
    ------
    VerifyError
        If any value differs.
    """
    growth, base = prepared.plan.growth, prepared.base
    if growth is None or base is None or not prepared.plan.tasks:
        return 0
    store = data_store(base, read_only=True)
    opened = xr.open_zarr(store, consolidated=True, chunks=None, decode_cf=False)
    compared = 0
    for name, plan in prepared.plan.template.arrays.items():
        if name not in fragment.variables or not belongs(plan, fragment):
            continue
        for place in _pieces(plan, known, fragment):
            expected = stored_values(plan, place, prepared.asked.get(name, {}))
            actual = _read_back(opened[name].variable, plan, place)
            try:
                _insist_equal(plan, place, np.broadcast_to(expected, actual.shape), actual)
            except VerifyError as error:
                raise VerifyError(
                    f"the recipe has changed and no longer makes what is stored: {error.message}",
                    fragment.url,
                    f"version {growth.version} was made by another state of the recipe",
                    ANEW,
                ) from error
            compared += actual.size
    return compared


def _pieces(plan: ArrayPlan, known: Known, fragment: Fragment) -> Iterator[Overlap]:
    """Cut the region of a kept input into pieces of whole rows that fit in memory."""
    held = dict(known.spans)
    spans = tuple(held[d] if d in plan.runs else (0, n) for d, n in zip(plan.dims, plan.shape, strict=True))
    sizes = fragment.variables[plan.name].sizes
    origins = [b - sizes.get(d, b - a) for d, (a, b) in zip(plan.dims, spans, strict=True)]
    rows = max(1, PIECE_BYTES // max(1, math.prod(b - a for a, b in spans[1:]) * plan.itemsize))
    for start in range(*spans[0], rows) if spans else [0]:
        piece = ((start, min(start + rows, spans[0][1])), *spans[1:]) if spans else ()
        source = tuple(
            slice(a - o, b - o) for (a, b), o, d in zip(piece, origins, plan.dims, strict=True) if d not in plan.expand
        )
        yield Overlap(fragment, piece, (), source)


def _read_back(variable: Any, plan: ArrayPlan, place: Overlap) -> Any:
    """Read a region of the store; objects that can't be decoded are named."""
    try:
        found = variable[tuple(slice(a, b) for a, b in place.store)]
        return np.asarray(found.values if isinstance(found, xr.Variable) else found)
    except StorageError:
        raise
    except Exception as error:
        where = dict(zip(plan.dims, place.store, strict=True))
        raise VerifyError(
            f"'{plan.name}' at {where} can't be read back",
            place.fragment.url,
            f"{type(error).__name__}: {error}",
            "an object is damaged: delete it and bake again",
        ) from error


def _insist_same_missing(plan: ArrayPlan, place: Overlap, actual: Any) -> None:
    """Insist that a reader misses what the source misses: stored values can't tell whether rounding changed that."""
    with library_reads():
        source = np.broadcast_to(decoded_values(plan, place), actual.shape)
    if source.dtype.kind in "iuf":
        same = np.isnan(source) == np.isnan(actual)
        _insist_equal(plan, place, np.where(same, actual, source), actual)


def _insist_equal(plan: ArrayPlan, place: Overlap, expected: Any, actual: Any) -> None:
    if expected.dtype.kind == "O" and actual.dtype.kind == "M":  # a standard calendar that a step decoded with cftime
        expected = np.array([np.datetime64(v.isoformat()) for v in expected.ravel()], actual.dtype).reshape(
            actual.shape
        )
    if expected.dtype.kind in "OSUT":
        decode = np.vectorize(lambda v: v.decode() if isinstance(v, bytes) else v, otypes=[object])
        same = np.asarray(decode(expected) == decode(actual)) if expected.size else np.ones(0, bool)
    else:
        same = np.asarray(expected == actual)
        if not same.all():
            same |= (expected != expected) & (actual != actual)
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
