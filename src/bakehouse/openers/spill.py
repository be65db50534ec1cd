"""Arrays that a recipe made: spilled to staging in the step that made them, so that only references travel on."""

from __future__ import annotations

import hashlib
import io
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
    """An array in staging, cut into blocks along its first dimension; reading takes only the blocks that it needs."""

    def __init__(self, target: Target, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], rows: int) -> None:
        self.target, self.name, self.shape, self.dtype, self.rows = target, name, shape, dtype, rows

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """Read a region."""
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

    def _read(self, key: tuple[Any, ...]) -> Any:
        first = np.arange(self.shape[0])[key[0]]
        rows = np.atleast_1d(first)
        wanted = np.unique(rows // self.rows)
        blocks = [
            self._block(int(b))[
                (slice(None), *(k if not isinstance(k, int | np.integer) else slice(k, k + 1) for k in key[1:]))
            ]
            for b in wanted
        ]
        joined = np.concatenate(blocks) if blocks else np.zeros((0, *self.shape[1:]), self.dtype)
        starts = {int(b): i * self.rows for i, b in enumerate(wanted)}
        picked = joined[[starts[int(r) // self.rows] + int(r) % self.rows for r in rows]]
        squeeze = tuple(i for i, k in enumerate(key) if isinstance(k, int | np.integer))
        return picked.reshape([n for i, n in enumerate(picked.shape) if i not in squeeze])

    def _block(self, number: int) -> Any:
        data = self.target.get(f"{self.name}/{number}.npy")
        if data is None:
            raise StorageError(
                f"spilled block {self.name}/{number} is gone", self.target.url, None, "run the bake again"
            )
        return np.load(io.BytesIO(data), allow_pickle=False)


def spill(variable: xr.Variable, target: Target) -> xr.Variable:
    """Move an in-memory array to staging, under a name made from its content; small and lazy arrays stay.

    Objects (text, calendar dates) stay too: they have no fixed-width form, and are small in practice.
    """
    data = variable._data
    if not isinstance(data, np.ndarray) or data.nbytes <= INLINE_BYTES or data.dtype.kind == "O" or data.ndim == 0:
        return variable
    rows = max(1, ROW_BYTES // max(1, data.nbytes // data.shape[0]))
    name = hashlib.sha256(f"{data.dtype}{data.shape}".encode() + np.ascontiguousarray(data).tobytes()).hexdigest()
    for number, start in enumerate(range(0, data.shape[0], rows)):
        buffer = io.BytesIO()
        np.save(buffer, np.ascontiguousarray(data[start : start + rows]), allow_pickle=False)
        target.put(f"{name}/{number}.npy", buffer.getvalue())
    lazy = indexing.LazilyIndexedArray(SpilledArray(target, name, data.shape, data.dtype, rows))
    return xr.Variable(variable.dims, lazy, variable.attrs, variable.encoding, fastpath=True)
