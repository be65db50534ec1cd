"""Inputs cut into tiles on scratch space: each tile holds what one object of the store takes from an input.

Where many objects share source chunks (maps that become time series), every input is decoded once and cut; then an
object's values lie together, uncompressed, and are read without decoding anything again.
"""

from __future__ import annotations

import math
import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from xarray.core import indexing

from bakehouse.manifests import ChunkKeys, Manifest
from bakehouse.openers.opened import Opened
from bakehouse.openers.ranges import read_region
from bakehouse.openers.reference import ReferenceArray, is_library_asked, library_reads
from bakehouse.openers.tiling import Tiling
from bakehouse.storage import Source

AT_ONCE = 2
PUTS_AT_ONCE = 16

_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


class Rooms:
    """Memory that rows of tiles are cut in, used again until it is let go.

    What the system hands out anew is cleared first, which takes as long as cutting.
    """

    def __init__(self) -> None:
        self._free: list[Any] = []

    @contextmanager
    def of(self, shape: tuple[int, ...], dtype: str) -> Iterator[Any]:
        """Lend an array that holds anything."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        room = self._taken()
        room = room if room.size >= size else np.zeros(size, "u1")
        try:
            yield room[:size].view(dtype).reshape(shape)
        finally:
            self._free.append(room)

    def clear(self) -> None:
        """Let go of all that is not lent."""
        self._free.clear()

    def _taken(self) -> Any:
        try:
            return self._free.pop()
        except IndexError:
            return np.empty(0, "u1")


class TiledArray(ReferenceArray):
    """A variable of an input that was cut into tiles.

    Whoever asks for the reader library's opinion gets it: the input is then read by it, and cut once more.
    """

    def __init__(self, opened: Opened, name: str, tiling: Tiling, origin: xr.Variable, step: int | None) -> None:
        self.opened, self.name = opened, name
        self.shape, self.dtype = origin.shape, np.dtype(tiling.dtype)
        self.attrs: dict[str, Any] = {}
        self.chunks = dict(zip(map(str, origin.dims), tiling.lengths, strict=True))
        self.dry = False
        self.tiling, self.origin, self.step = tiling, origin, step

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
            write_tiles(tiling, self.origin, self.step)
        return tiling


def tiled(
    variable: xr.Variable,
    opened: Opened,
    name: str,
    tiling: Tiling,
    step: int | None = None,
    rooms: Rooms | None = None,
) -> xr.Variable:
    """Cut a variable into tiles, `step` of its rows at a time, and give the variable that reads them."""
    write_tiles(tiling, variable, step, rooms)
    lazy = indexing.LazilyIndexedArray(TiledArray(opened, name, tiling, variable, step))
    return xr.Variable(variable.dims, lazy, variable.attrs, variable.encoding, fastpath=True)


def write_tiles(tiling: Tiling, variable: xr.Variable, step: int | None = None, rooms: Rooms | None = None) -> None:
    """Write a variable's tiles, a row of them at a time; those that are there stay."""
    cutting = Cutting(tiling, variable, step or tiling.lengths[0], rooms or Rooms())
    if tiling.scratch.is_local:
        _write_file(cutting)
    elif tiling.scratch.size(f"{tiling.name}/done") is None:
        _write_objects(cutting)
        tiling.scratch.put(f"{tiling.name}/done", b"")


@dataclass(frozen=True, eq=False)
class Cutting:
    """A variable that is being cut: how, how many of its rows are read at once, and where."""

    tiling: Tiling
    variable: xr.Variable
    step: int
    rooms: Rooms

    @contextmanager
    def band(self, rows: slice) -> Iterator[Any]:
        """Give a row of tiles, to be used before the next."""
        with self.rooms.of(self.tiling.band_shape, self.tiling.dtype) as out:
            for first in range(rows.start, rows.stop, self.step):
                read = self.variable[first : min(first + self.step, rows.stop)]
                self.tiling.cut(read.values, first - rows.start, out)
            yield out


def _write_file(cutting: Cutting) -> None:
    tiling = cutting.tiling
    path = Path(tiling.path)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
    library = is_library_asked()
    with partial.open("wb") as file, ThreadPoolExecutor(AT_ONCE if tiling.grid[0] > 1 else 1) as pool:

        def write(band: tuple[int, slice]) -> None:
            number, rows = band
            with library_reads(library), cutting.band(rows) as tiles:
                data = memoryview(tiles).cast("B")
                os.pwrite(file.fileno(), data, number * len(data))

        list(pool.map(write, tiling.bands()))
    os.replace(partial, path)


def _write_objects(cutting: Cutting) -> None:
    tiling = cutting.tiling
    keys, inner = ChunkKeys(tiling.name, "/"), [*np.ndindex(*tiling.grid[1:])]
    with ThreadPoolExecutor(PUTS_AT_ONCE) as pool:
        for number, rows in tiling.bands():
            names = [keys.of((number, *index)) for index in inner]
            with cutting.band(rows) as tiles:
                list(pool.map(tiling.scratch.put, names, (tiles[index].tobytes() for index in inner)))
