"""How an array is cut into tiles, and where they lie."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bakehouse.manifests import ChunkKeys, Manifest
from bakehouse.schema import Identity
from bakehouse.storage import Source, Target


@dataclass(frozen=True)
class Tiling:
    """A variable cut into tiles of `lengths` elements, those at the ends padded; tiles lie in C order.

    Examples
    --------
    >>> Tiling(Target("scratch"), "a", (4, 10), (2, 5), "<f4").manifest.offsets.tolist()
    [[0, 40], [80, 120]]
    """

    scratch: Target
    name: str
    shape: tuple[int, ...]
    lengths: tuple[int, ...]
    dtype: str

    @property
    def grid(self) -> tuple[int, ...]:
        """Count the tiles along each dimension."""
        return tuple(-(-n // c) for n, c in zip(self.shape, self.lengths, strict=True))

    @property
    def tile_bytes(self) -> int:
        """Give the size of one tile."""
        return math.prod(self.lengths) * np.dtype(self.dtype).itemsize

    @cached_property
    def manifest(self) -> Manifest:
        """Say where the tiles lie: in one file on a disk, each in an object of its own elsewhere."""
        count = math.prod(self.grid)
        local = self.scratch.is_local
        offsets = np.arange(count, dtype="u8") * (self.tile_bytes if local else 0)
        lengths = np.full(self.grid, self.tile_bytes, "u8")
        keys = None if local else ChunkKeys(self.name, "/")
        dtype: Any = np.dtype(self.dtype)
        return Manifest(
            self.shape, self.lengths, dtype, (), dtype.type(), offsets.reshape(self.grid), lengths, None, keys
        )

    @property
    def source(self) -> Source:
        """Name the place of the tiles as a source."""
        if not self.scratch.is_local:
            return Source(self.scratch.url, self.scratch.url, self.scratch.options)
        size = Identity(self.tile_bytes * math.prod(self.grid))
        return Source(self.path, self.path, copy=size)

    @property
    def path(self) -> str:
        """Give the path of the file that holds the tiles on a disk."""
        return str(Path(self.scratch.path) / self.name)

    def bands(self) -> Iterator[tuple[int, slice]]:
        """List the rows of tiles: what is decoded together."""
        for i in range(self.grid[0]):
            yield i, slice(i * self.lengths[0], min((i + 1) * self.lengths[0], self.shape[0]))

    @property
    def band_shape(self) -> tuple[int, ...]:
        """Give the shape of a row of tiles, which come one after the other."""
        return (*self.grid[1:], *self.lengths)

    def cut(self, values: Any, first: int, out: Any) -> None:
        """Cut values into the tiles of a row, whose row number `first` is the first of them."""
        rows = out[(slice(None),) * (out.ndim // 2) + (slice(first, first + len(values)),)]
        if self._is_even:
            inner = range(1, len(self.shape))
            apart = values.reshape(len(values), *(n for i in inner for n in (self.grid[i], self.lengths[i])))
            rows[...] = apart.transpose(*(2 * i - 1 for i in inner), 0, *(2 * i for i in inner))
            return
        for index in itertools.product(*map(range, self.grid[1:])):
            inside = (slice(i * c, i * c + c) for i, c in zip(index, self.lengths[1:], strict=True))
            part = values[(slice(None), *inside)]
            rows[index][tuple(map(slice, part.shape))] = part

    @property
    def _is_even(self) -> bool:
        return not any(n % c for n, c in zip(self.shape[1:], self.lengths[1:], strict=True))
