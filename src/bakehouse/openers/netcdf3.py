"""Index the variables of netCDF3 files from their header alone: classic, 64-bit offset and 64-bit data (CDF5)."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bakehouse.manifests import Manifest
from bakehouse.storage import Source

DTYPES = {1: "i1", 2: "S1", 3: ">i2", 4: ">i4", 5: ">f4", 6: ">f8", 7: "u1", 8: ">u2", 9: ">u4", 10: ">i8", 11: ">u8"}
"""External types by their number; those above 6 are CDF5's."""
STREAMING = 2**32 - 1
"""Count of records in a file whose writer did not come back to state it."""


@dataclass(frozen=True)
class Placed:
    """One variable as the header describes it; `record_bytes` is the distance of its records, 0 if it has none."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    begin: int
    record_bytes: int = 0


def manifest_in(header: Mapping[str, Placed], name: str, shape: tuple[int, ...]) -> Manifest | str:
    """Say where a variable's values lie: in one chunk, or in one chunk per record.

    Examples
    --------
    >>> found = manifest_in({"t": Placed((3,), np.dtype(">f8"), 100, 20)}, "t", (3,))
    >>> found.chunks, found.offsets.tolist(), found.lengths.tolist()
    ((1,), [100, 120, 140], [8, 8, 8])
    """
    if name not in header:
        return "the file has no variable of that name"
    placed = header[name]
    if placed.dtype.kind == "S":
        return "text of fixed width needs the netCDF library"
    if placed.shape != shape:
        return "the reader library reports another shape"
    chunks = (1, *shape[1:]) if placed.record_bytes else shape
    grid = (shape[0], *(1,) * (len(shape) - 1)) if placed.record_bytes else (1,) * len(shape)
    offsets = (placed.begin + placed.record_bytes * np.arange(math.prod(grid), dtype="u8")).reshape(grid)
    size_bytes = math.prod(chunks) * placed.dtype.itemsize
    lengths = np.broadcast_to(np.uint64(size_bytes), grid)
    return Manifest(shape, tuple(max(n, 1) for n in chunks), placed.dtype, (), 0, offsets, lengths)


def read_header(source: Source) -> dict[str, Placed] | str:
    """Read the header of a netCDF3 file; or say why it can't be indexed."""
    with source.open() as file:
        reader = _Reader(file)
        if (magic := reader.take(4))[:3] != b"CDF" or magic[3] not in (1, 2, 5):
            return "the file is no netCDF3"
        return _Header(reader, magic[3], source.held.size_bytes).placed()


class _Reader:
    """Big-endian numbers of a file, one after the other."""

    def __init__(self, file: Any) -> None:
        self.file = file

    def take(self, count: int) -> bytes:
        data = self.file.read(count)
        if len(data) < count:
            raise EOFError("the file ends within its header")
        return bytes(data)

    def number(self, wide: bool = False) -> int:
        return int(struct.unpack(">Q" if wide else ">I", self.take(8 if wide else 4))[0])

    def skip(self, count: int) -> None:
        self.take(_padded(count))


class _Header:
    """The lists of a header, in the order of the file: dimensions, attributes, variables."""

    def __init__(self, reader: _Reader, version: int, size_bytes: int | None) -> None:
        self.reader, self.wide, self.far = reader, version == 5, version >= 2
        self.records = self.count()
        if self.records in (STREAMING, 2**64 - 1):
            self.records = -1
        self.size_bytes = size_bytes

    def count(self) -> int:
        return self.reader.number(self.wide)

    def listed(self) -> range:
        """Give the positions of a list: a tag, which says nothing new, and a count."""
        self.reader.number()
        return range(self.count())

    def name(self) -> str:
        length = self.count()
        return self.reader.take(_padded(length))[:length].decode("utf-8", "surrogateescape")

    def skip_attributes(self) -> None:
        for _ in self.listed():
            self.name()
            kind = self.reader.number()
            self.reader.skip(self.count() * np.dtype(DTYPES[kind]).itemsize)

    def placed(self) -> dict[str, Placed] | str:
        lengths = [(self.name(), self.count())[1] for _ in self.listed()]
        self.skip_attributes()
        found = {}
        for _ in self.listed():
            name = self.name()
            dims = [self.count() for _ in range(self.count())]
            self.skip_attributes()
            dtype = np.dtype(DTYPES[self.reader.number()])
            self.count()  # the size, which overflows for large variables and follows from the shape
            found[name] = ([lengths[d] for d in dims], dtype, self.reader.number(self.far))
        return self._laid(found)

    def _laid(self, found: Mapping[str, tuple[list[int], np.dtype[Any], int]]) -> dict[str, Placed] | str:
        """Resolve the record dimension, whose length is 0 in the header: records of all its variables take turns."""
        recorded = {n: math.prod(s[1:]) * d.itemsize for n, (s, d, _) in found.items() if s[:1] == [0]}
        alone = len(recorded) == 1  # the only record variable is not padded
        stride = sum(size if alone else _padded(size) for size in recorded.values())
        records = self.records
        if records < 0:
            if not recorded or self.size_bytes is None or not stride:
                return "the file does not say how many records it has"
            records = (self.size_bytes - min(found[n][2] for n in recorded)) // stride
        return {
            n: Placed((records, *s[1:]), d, at, stride) if n in recorded else Placed(tuple(s), d, at)
            for n, (s, d, at) in found.items()
        }


def _padded(count: int) -> int:
    """Round up to whole words of four bytes."""
    return -(-count // 4) * 4
