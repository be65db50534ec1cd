"""Arrays that a recipe made: spilled to staging in the step that made them, so that only references travel on."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends.common import BackendArray
from xarray.core import indexing

from bakehouse.errors import StorageError
from bakehouse.storage import Target

INLINE_BYTES = 2**14
ROW_BYTES = 2**22


class SpilledArray(BackendArray):
    """An array in staging, cut into blocks along its first dimension; reading takes only the blocks that it needs.

    A region inside one block is a view of what was read, and can't be written to.
    """

    def __init__(self, target: Target, name: str, variable: xr.Variable, rows: int) -> None:
        self.target, self.name, self.rows = target, name, rows
        self.shape, self.dtype = variable.shape, variable.dtype
        self.chunks = dict(zip(variable.dims, (rows, *variable.shape[1:]), strict=True))

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """Read a region."""
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

    def _read(self, key: tuple[Any, ...]) -> Any:
        first, *rest = (k if isinstance(k, slice) else np.atleast_1d(k) for k in key)
        wanted = np.arange(self.shape[0])[first]
        held, places = np.unique(wanted // self.rows, return_inverse=True)
        if len(held) == 1:
            out = self._part(held[0], wanted, rest)
        else:
            lengths = (np.arange(n)[k].size for n, k in zip(self.shape[1:], rest, strict=True))
            out = np.empty((wanted.size, *lengths), self.dtype)
            for at, number in enumerate(held):
                here = np.flatnonzero(places == at)
                out[_as_slice(here)] = self._part(number, wanted[here], rest)
        return out[tuple(0 if isinstance(k, int | np.integer) else slice(None) for k in key)]

    def _part(self, number: int, wanted: Any, rest: list[Any]) -> Any:
        """Give some rows of a block, cut as is asked."""
        block = self._block(number)[_as_slice(wanted - number * self.rows)]
        for axis, each in enumerate(rest, 1):
            block = block[(slice(None),) * axis + (each,)]
        return block

    def _block(self, number: int) -> Any:
        data = self.target.get(f"{self.name}/{number}")
        if data is None:
            raise StorageError(
                f"spilled block {self.name}/{number} is gone", self.target.url, None, "run the bake again"
            )
        return np.frombuffer(data, self.dtype).reshape(-1, *self.shape[1:])


def _as_slice(places: Any) -> Any:
    """Give places as a slice where they follow each other: what it selects need not be copied."""
    if places.size and (np.diff(places) == 1).all():
        return slice(int(places[0]), int(places[-1]) + 1)
    return places


def spill(variable: xr.Variable, target: Target) -> xr.Variable:
    """Move an in-memory array to staging, under a name made from its content; small and lazy arrays stay.

    Coordinates that index a dimension are in memory too: each input brings its own. Objects (text, calendar dates)
    stay: they have no fixed-width form, and are small in practice.
    """
    data = variable.values if isinstance(variable, xr.IndexVariable) else variable._data
    if not isinstance(data, np.ndarray) or data.nbytes <= INLINE_BYTES or data.dtype.kind in "OT" or data.ndim == 0:
        return variable
    rows = min(data.shape[0], max(1, ROW_BYTES // max(1, data.nbytes // data.shape[0])))
    name = _digest(data, rows)
    starts = range(0, data.shape[0], rows)
    if target.size(f"{name}/{len(starts) - 1}") is None:  # the last block is put last
        for number, start in enumerate(starts):
            target.put(f"{name}/{number}", _bytes(data[start : start + rows]))
    lazy = indexing.LazilyIndexedArray(SpilledArray(target, name, variable, rows))
    return xr.Variable(variable.dims, lazy, variable.attrs, variable.encoding, fastpath=True)


def _bytes(values: np.ndarray[Any, Any]) -> memoryview:
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8).data


def _digest(data: np.ndarray[Any, Any], rows: int) -> str:
    """Hash an array a few rows at a time: a copy of it would double what a recipe's step takes."""
    hasher = hashlib.sha256(f"{data.dtype}{data.shape}".encode())
    for start in range(0, data.shape[0], rows):
        hasher.update(_bytes(data[start : start + rows]))
    return hasher.hexdigest()
