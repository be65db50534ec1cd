"""Cut what is read of an input into pieces, so that what a task holds besides its objects stays small."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import xarray as xr

from bakehouse.plan.types import ArrayPlan

if TYPE_CHECKING:
    from bakehouse.writers.assemble import Overlap

PIECE_BYTES = 2**24


def pieces(array: ArrayPlan, found: Overlap, stored: bool = False) -> Iterator[Overlap]:
    """Cut an overlap along its first dimension into regions of about 16 MB.

    No chunk of the source is cut, so that each is decoded once; with `stored`, which says that the store is read too,
    neither are the store's.
    """
    axis = next((i for i, (a, b) in enumerate(found.store) if b - a > 1 and array.dims[i] not in array.expand), None)
    if axis is None or math.prod(b - a for a, b in found.store) * array.itemsize <= PIECE_BYTES:
        yield found
        return
    for start, stop in pairwise(_edges(array, found, axis, array.chunks[axis] if stored else 1)):
        yield _narrowed(array, found, axis, start, stop)


def source_chunks(variable: xr.Variable) -> dict[str, int] | None:
    """Give the lengths of what is read or computed at once, by dimension; None where any region is as good."""
    if isinstance(variable.chunks, tuple):
        return {str(d): max(lengths) for d, lengths in variable.chunksizes.items()}
    data: Any = variable._data
    while not hasattr(data, "chunks") and hasattr(data, "array"):
        data = data.array
    chunks = getattr(data, "chunks", None)
    return {str(d): int(n) for d, n in chunks.items()} if chunks else None


def _edges(array: ArrayPlan, found: Overlap, axis: int, stored: int) -> list[int]:
    """List where an overlap is cut along a dimension, both ends included."""
    (start, stop), dim = found.store[axis], array.dims[axis]
    variable = found.fragment.variables.get(array.name)
    chunks = source_chunks(variable) if variable is not None else None
    step = chunks.get(dim, stop - start) if chunks else 1  # a dimension with another name than in the file: not cut
    origin = start - found.source[_source_axis(array, axis)].start
    row_bytes = math.prod(b - a for i, (a, b) in enumerate(found.store) if i != axis) * array.itemsize
    rows, edges = max(1, PIECE_BYTES // row_bytes), [start]
    while True:
        first = origin + -(-(edges[-1] + rows - origin) // step) * step
        edge = next((e for e in range(first, min(stop, first + step * stored), step) if e % stored == 0), None)
        if edge is None:
            return [*edges, stop]
        edges.append(edge)


def _narrowed(array: ArrayPlan, found: Overlap, axis: int, start: int, stop: int) -> Overlap:
    """Give the part of an overlap between two positions of a dimension of the store."""
    first, inside = found.store[axis][0], _source_axis(array, axis)
    store, box, source = list(found.store), list(found.box), list(found.source)
    store[axis] = (start, stop)
    box[axis] = slice(box[axis].start + start - first, box[axis].start + stop - first)
    source[inside] = slice(source[inside].start + start - first, source[inside].start + stop - first)
    return replace(found, store=tuple(store), box=tuple(box), source=tuple(source))


def _source_axis(array: ArrayPlan, axis: int) -> int:
    return sum(d not in array.expand for d in array.dims[:axis])
