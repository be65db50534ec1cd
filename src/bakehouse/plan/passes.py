"""How often source chunks are decoded, and whether cutting inputs into tiles on scratch space first is cheaper."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from bakehouse.chunks import edges
from bakehouse.plan.tasks import cell_edges
from bakehouse.plan.types import ArrayPlan, Axis, Template

DECODE_S_PER_GB = 1.1
"""Inflating and unshuffling, on one core."""
COPY_S_PER_GB = 0.2
"""Reading bytes that need no decoding."""
TILE_S_PER_GB = 1.6
"""Cutting into tiles, writing and reading them."""

NUMBERS = ("float", "int", "uint", "bool")


def choose_spill(template: Template, memory_bytes: int) -> Template:
    """Spill the arrays for which that costs less than decoding source chunks again for every box they reach into.

    Arrays that are moved, or that some inputs lack, are read directly.
    """
    arrays = {
        name: replace(a, spill=not a.stored and not a.fills and is_cheaper_spilled(a, template.axes, memory_bytes))
        for name, a in template.arrays.items()
    }
    return replace(template, arrays=arrays)


def is_cheaper_spilled(array: ArrayPlan, axes: Mapping[str, Axis], memory_bytes: int) -> bool:
    """Compare the two ways by what they cost for each decoded byte."""
    numbers = (array.raw or array.dtype).startswith(NUMBERS)
    if not numbers or math.prod(array.shape) * array.itemsize <= memory_bytes:
        return False
    read = COPY_S_PER_GB if _is_plain(array) else DECODE_S_PER_GB
    return read * passes(array, axes, memory_bytes) > read + TILE_S_PER_GB


def passes(array: ArrayPlan, axes: Mapping[str, Axis], memory_bytes: int) -> float:
    """Count how many boxes a source chunk reaches into, on average: that often it is decoded.

    Examples
    --------
    Maps, one of 8×8 per time step, to series of 64 steps: with room for one eighth, each map is decoded eight times.

    >>> axis = Axis("time", {0: (0, 64)})
    >>> array = ArrayPlan("sst", ("time", "y", "x"), (64, 8, 8), "float32", False, (), (), "float32", "", (1, 8, 8),
    ...     runs=("time",), chunks=(64, 1, 8))
    >>> passes(array, {"time": axis}, 64 * 8 * 4)
    8.0
    """
    found = 1.0
    for i, boxes in enumerate(cell_edges(array, axes, memory_bytes)):
        source = _source_edges(array, i, axes)
        found *= (len({*boxes, *source}) - 1) / max(1, len(source) - 1)
    return found


def _source_edges(array: ArrayPlan, i: int, axes: Mapping[str, Axis]) -> set[int]:
    """List where source chunks begin and end along a dimension; unchunked ones are read row by row."""
    dim, size, chunk = array.dims[i], array.shape[i], array.source_chunks[i]
    if dim in array.runs:
        spans = axes[dim].spans.values()
        return {e for a, b in spans for e in range(a, b, chunk or 1)} | {size}
    first = next((d for d in array.dims if d not in array.expand), None)
    return set(edges(size, chunk or (1 if dim == first else max(size, 1))))


def _is_plain(array: ArrayPlan) -> bool:
    """Say whether inputs are contiguous, so that rows are read without decoding."""
    return all(c is None for d, c in zip(array.dims, array.source_chunks, strict=True) if d not in array.expand)
