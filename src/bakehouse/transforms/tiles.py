"""The stages inside StoreToZarr that cut inputs into tiles, where the plan says that this is cheaper."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import xarray as xr

from bakehouse.context import Context
from bakehouse.openers.describe import raw_variable
from bakehouse.openers.opened import Opened
from bakehouse.openers.tiles import Rooms, tiled
from bakehouse.openers.tiling import Tiling
from bakehouse.plan.types import ArrayPlan
from bakehouse.storage import Source, Target
from bakehouse.transforms.unchecked import Unchecked
from bakehouse.writers.assemble import Fragment, belongs
from bakehouse.writers.pieces import source_chunks
from bakehouse.writers.tasks import Prepared

TILED = "tiled"
BAND_BYTES = 2**25
"""What is written together, at least a row of source chunks."""
READ_BYTES = 2**22
"""What is decoded together, at least a row of source chunks."""


class Split(beam.DoFn):
    """Take the variables out of a fragment that are to be cut, each for itself; all else goes on as it is."""

    def __init__(self, context: Context) -> None:
        self.unchecked = Unchecked(context.level)

    def process(self, fragment: Fragment, prepared: Prepared) -> Iterator[Any]:
        """Split one fragment."""
        arrays = prepared.plan.template.arrays.values()
        names = {a.name for a in arrays if a.spill and not fragment.witness and belongs(a, fragment)}
        if not names or not self._is_anything_left(prepared):
            yield fragment
            return
        rest = {n: v for n, v in fragment.variables.items() if n not in names}
        yield Fragment(fragment.key, fragment.url, rest, fragment.witness)
        for name in sorted(names):
            alone = Fragment(fragment.key, fragment.url, {name: fragment.variables[name]})
            yield beam.pvalue.TaggedOutput(TILED, (f"{name} {fragment.key}", alone))

    def _is_anything_left(self, prepared: Prepared) -> bool:
        return bool(self.unchecked.tasks(prepared)) or not prepared.plan.by_id.keys() <= prepared.done


class Tile(beam.DoFn):
    """Cut one variable of one input."""

    def __init__(self, context: Context) -> None:
        self.scratch = context.tiles
        self.rooms = Rooms()

    def finish_bundle(self) -> None:
        """Let go of the memory that inputs were cut in."""
        self.rooms.clear()

    def process(self, element: tuple[str, Iterable[Fragment]], prepared: Prepared) -> Iterator[Fragment]:
        """Cut it, and send on where its tiles are."""
        for fragment in element[1]:
            ((name, variable),) = fragment.variables.items()
            array = prepared.plan.template.arrays[name]
            yield Fragment(fragment.key, fragment.url, {name: cut(array, fragment, variable, self.scratch, self.rooms)})


def cut(array: ArrayPlan, fragment: Fragment, variable: xr.Variable, scratch: Target, rooms: Rooms) -> xr.Variable:
    """Cut a variable as the objects of its array take it: stored values if they are stored as they are."""
    raw = raw_variable(variable) if array.raw is not None else None
    origin = raw[0] if raw else variable
    opened = raw[1].opened if raw else Opened(Source(fragment.url, fragment.url), "")
    name = hashlib.sha256(f"{array.name} {fragment.key} {fragment.url}".encode()).hexdigest()[:24]
    dtype = (origin.dtype if raw is None else array.raw) or origin.dtype
    tiling = Tiling(scratch, name, origin.shape, _lengths(array, variable), xr.Variable((), 0).astype(dtype).dtype.str)
    made = tiled(origin, opened, array.name, tiling, _rows(variable, array.itemsize, READ_BYTES), rooms)
    return xr.Variable(variable.dims, made._data, variable.attrs, variable.encoding, fastpath=True)


def _lengths(array: ArrayPlan, variable: xr.Variable) -> tuple[int, ...]:
    """Give the lengths of a tile: what an object covers, and along concat dims all that the input has.

    The first dimension is cut into bands of whole source chunks, so that decoding takes little memory.
    """
    objects = dict(zip(array.dims, array.objects, strict=True))
    sizes = {str(d): n for d, n in variable.sizes.items()}
    lengths = {d: n if d in array.runs else min(objects[d], n) for d, n in sizes.items()}
    first = next(iter(sizes))
    return tuple(
        min(_rows(variable, array.itemsize, BAND_BYTES), n) if d == first else lengths[d] for d, n in sizes.items()
    )


def _rows(variable: xr.Variable, itemsize: int, size_bytes: int) -> int:
    """Give the number of rows, along the first dimension, of about that size: whole source chunks."""
    row_bytes = math.prod(variable.shape[1:]) * itemsize
    step = (source_chunks(variable) or {}).get(str(variable.dims[0]), 1)
    return max(1, size_bytes // max(1, row_bytes) // step) * step
