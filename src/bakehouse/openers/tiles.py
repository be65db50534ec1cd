"""Inputs cut into tiles on scratch space: each tile holds what one object of the store takes from an input.

Where many objects share source chunks (maps that become time series), every input is decoded once and cut; then an
object's values lie together, uncompressed, and are read without decoding anything again.
"""

from __future__ import annotations

import itertools
import math
import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from xarray.core import indexing

from bakehouse.manifests import ChunkKeys, Manifest
from bakehouse.openers.ranges import read_region
from bakehouse.openers.reference import Opened, ReferenceArray, is_library_asked, library_reads
from bakehouse.schema import Identity
from bakehouse.storage import Source, Target

AT_ONCE = 2
PUTS_AT_ONCE = 16

_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


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

    def cut(self, values: Any) -> Any:
        """Cut the values of a row of tiles; the tiles come one after the other."""
        make = np.empty if values.shape == (self.lengths[0], *self.shape[1:]) and self._is_even else np.zeros
        out = make((*self.grid[1:], *self.lengths), self.dtype)
        for index in itertools.product(*map(range, self.grid[1:])):
            inside = (slice(i * c, i * c + c) for i, c in zip(index, self.lengths[1:], strict=True))
            part = values[(slice(None), *inside)]
            out[index][tuple(map(slice, part.shape))] = part
        return out

    @property
    def _is_even(self) -> bool:
        return not any(n % c for n, c in zip(self.shape[1:], self.lengths[1:], strict=True))


class TiledArray(ReferenceArray):
    """A variable of an input that was cut into tiles.

    Whoever asks for the reader library's opinion gets it: the input is then read by it, and cut once more.
    """

    def __init__(self, opened: Opened, name: str, tiling: Tiling, origin: xr.Variable) -> None:
        self.opened, self.name = opened, name
        self.shape, self.dtype = origin.shape, np.dtype(tiling.dtype)
        self.attrs: dict[str, Any] = {}
        self.chunks = dict(zip(map(str, origin.dims), tiling.lengths, strict=True))
        self.dry = False
        self.tiling, self.origin = tiling, origin

    def manifest(self) -> Manifest | str:
        """Tell where the tiles lie."""
        return self.tiling.manifest

    @property
    def place(self) -> Source:
        """Name the file or folder that the manifest is about."""
        return self.tiling.source

    def _read(self, key: tuple[Any, ...]) -> Any:
        """Read the box around what is wanted, then take what is wanted of it."""
        tiling = self._second_opinion() if is_library_asked() else self.tiling
        wanted = [np.arange(n)[k] for k, n in zip(key, self.shape, strict=True)]
        if not all(each.size for each in wanted):
            return np.empty([n for each in wanted for n in each.shape], self.dtype)
        spans = tuple((int(each.min()), int(each.max()) + 1) for each in wanted)
        values = read_region(tiling.source, tiling.manifest, spans)
        for axis, (each, (start, stop)) in reversed(list(enumerate(zip(wanted, spans, strict=True)))):
            if not np.array_equal(each, np.arange(start, stop)):
                values = values.take(each - start, axis)
        return values

    def _second_opinion(self) -> Tiling:
        name = f"{self.tiling.name}-library"
        tiling = Tiling(self.tiling.scratch, name, self.shape, self.tiling.lengths, self.tiling.dtype)
        with _locks[name], library_reads():
            write_tiles(tiling, self.origin)
        return tiling


def tiled(variable: xr.Variable, opened: Opened, name: str, tiling: Tiling) -> xr.Variable:
    """Cut a variable into tiles, and give the variable that reads them."""
    write_tiles(tiling, variable)
    lazy = indexing.LazilyIndexedArray(TiledArray(opened, name, tiling, variable))
    return xr.Variable(variable.dims, lazy, variable.attrs, variable.encoding, fastpath=True)


def write_tiles(tiling: Tiling, variable: xr.Variable) -> None:
    """Write a variable's tiles, a row of them at a time; those that are there stay."""
    if tiling.scratch.is_local:
        _write_file(tiling, variable)
    elif tiling.scratch.size(f"{tiling.name}/done") is None:
        _write_objects(tiling, variable)
        tiling.scratch.put(f"{tiling.name}/done", b"")


def _write_file(tiling: Tiling, variable: xr.Variable) -> None:
    path = Path(tiling.path)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
    library = is_library_asked()
    with partial.open("wb") as file, ThreadPoolExecutor(AT_ONCE if tiling.grid[0] > 1 else 1) as pool:

        def write(band: tuple[int, slice]) -> None:
            number, rows = band
            with library_reads(library):
                data = memoryview(tiling.cut(variable[rows].values)).cast("B")
            os.pwrite(file.fileno(), data, number * len(data))

        list(pool.map(write, tiling.bands()))
    os.replace(partial, path)


def _write_objects(tiling: Tiling, variable: xr.Variable) -> None:
    keys, inner = ChunkKeys(tiling.name, "/"), [*np.ndindex(*tiling.grid[1:])]
    with ThreadPoolExecutor(PUTS_AT_ONCE) as pool:
        for number, rows in tiling.bands():
            names = [keys.of((number, *index)) for index in inner]
            tiles = tiling.cut(variable[rows].values)
            list(pool.map(tiling.scratch.put, names, (tiles[index].tobytes() for index in inner)))
