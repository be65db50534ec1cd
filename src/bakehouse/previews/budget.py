"""How much may be read for previews, and what a selection costs: decoded bytes of every chunk that it touches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

TOTAL_BYTES = 2**30
TOTAL_CHUNKS = 2000
"""What all that is made of one version may read; images that would need more are left out, with a note."""


@dataclass(frozen=True)
class Cost:
    """Decoded bytes of chunks, and how many they are."""

    bytes: int = 0
    chunks: int = 0

    def fits(self, limit: Cost) -> bool:
        """Say whether it is within a limit."""
        return self.bytes <= limit.bytes and self.chunks <= limit.chunks

    def share(self, parts: int) -> Cost:
        """Give one of equal parts."""
        return Cost(self.bytes // max(parts, 1), self.chunks // max(parts, 1))

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.bytes + other.bytes, self.chunks + other.chunks)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.bytes - other.bytes, self.chunks - other.chunks)


LIMIT = Cost(TOTAL_BYTES, TOTAL_CHUNKS)


def cost_of(variable: xr.Variable, selection: Mapping[str, Any]) -> Cost:
    """Say what it costs to read a selection, as `isel` takes it.

    Examples
    --------
    >>> sst = xr.Variable(("time", "lat"), np.zeros((100, 8), "f4"), encoding={"chunks": (10, 8)})
    >>> cost_of(sst, {"time": [0, 5, 95]})
    Cost(bytes=640, chunks=2)
    """
    chunks = chunks_of(variable)
    touched = [
        len(np.unique(np.atleast_1d(np.arange(size)[selection.get(str(dim), slice(None))]) // chunk))
        for dim, size, chunk in zip(variable.dims, variable.shape, chunks, strict=True)
    ]
    count = math.prod(touched)
    return Cost(count * math.prod(chunks) * _itemsize(variable), count)


def chunks_of(variable: xr.Variable) -> tuple[int, ...]:
    """Give the chunks that are decoded as wholes: inner ones, where objects are shards of them."""
    found = variable.encoding.get("chunks") or variable.shape
    return tuple(max(int(size), 1) for size in found)


def _itemsize(variable: xr.Variable) -> int:
    return int(np.dtype(variable.encoding.get("dtype", variable.dtype)).itemsize or variable.dtype.itemsize)
