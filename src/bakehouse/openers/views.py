"""Which part of a source array a variable is, after a recipe has indexed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from xarray.core import indexing

from bakehouse.chunks import Span
from bakehouse.openers.describe import raw_variable
from bakehouse.openers.reference import ReferenceArray


@dataclass(frozen=True)
class Along:
    """One dimension of a variable: the axis of the file that it is, and the first element that is taken of it."""

    axis: int
    start: int


@dataclass(frozen=True, eq=False)
class View:
    """A box of a source array: positions on the axes that were dropped, and where each other dimension begins."""

    reference: ReferenceArray
    fixed: dict[int, int]
    along: tuple[Along, ...]

    def spans(self, source: tuple[slice, ...]) -> tuple[Span, ...]:
        """Give the region of the file's array that a region of the variable is."""
        found = {axis: (k, k + 1) for axis, k in self.fixed.items()}
        found |= {a.axis: (a.start + s.start, a.start + s.stop) for a, s in zip(self.along, source, strict=True)}
        return tuple(found[axis] for axis in range(len(self.reference.shape)))


def view_of(variable: xr.Variable) -> View | None:
    """See a variable as a box of a source array, undecoded; None if it is none, or was made by a recipe."""
    found = raw_variable(variable)
    lazy: Any = found[0]._data if found else None
    key = lazy.key if isinstance(lazy, indexing.LazilyIndexedArray) else None
    if found is None or not isinstance(key, indexing.BasicIndexer):
        return None
    fixed: dict[int, int] = {}
    along: list[Along] = []
    for axis, (k, size) in enumerate(zip(key.tuple, found[1].shape, strict=True)):
        if isinstance(k, int | np.integer):
            fixed[axis] = int(k) % size
        elif (k.step or 1) != 1:
            return None
        else:
            along.append(Along(axis, k.indices(size)[0]))
    return View(found[1], fixed, tuple(along))
