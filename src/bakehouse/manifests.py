"""Manifests: where each chunk of a source array lies, and how its bytes become values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bakehouse.chunks import Span, overlap

if TYPE_CHECKING:
    from bakehouse.storage import Source

COMPRESSORS = frozenset({"zlib", "gzip", "zstd", "blosc", "bz2", "lz4", "lzma"})
"""Filters that make chunks smaller."""
CHECKSUMS = frozenset({"fletcher32", "crc32", "crc32c", "adler32"})
"""Filters that only add a checksum."""


@dataclass(frozen=True, order=True)
class Filter:
    """One step between stored bytes and values: numcodecs' id, and its configuration as sorted pairs.

    Examples
    --------
    >>> Filter.of("shuffle", elementsize=4).as_config()
    {'id': 'shuffle', 'elementsize': 4}
    """

    id: str
    config: tuple[tuple[str, int | str], ...] = ()

    @classmethod
    def of(cls, id: str, **config: int | str) -> Filter:
        """Make a filter from keywords."""
        return cls(id, tuple(sorted(config.items())))

    def as_config(self) -> dict[str, int | str]:
        """Give the configuration that `numcodecs.get_codec` takes."""
        return {"id": self.id, **dict(self.config)}


@dataclass(frozen=True, order=True)
class ChunkFormat:
    """How the chunks of an array are stored, wherever they lie.

    Parameters
    ----------
    chunks
        Elements per dimension, of a whole chunk.
    dtype
        numpy's name with the byte order: ``<f4``.
    filters
        Steps that wrote the chunks, first to last.
    """

    chunks: tuple[int, ...]
    dtype: str
    filters: tuple[Filter, ...] = ()

    @property
    def is_compressed(self) -> bool:
        """Say whether any filter makes chunks smaller."""
        return any(f.id in COMPRESSORS for f in self.filters)


@dataclass(frozen=True)
class ChunkKeys:
    """How the objects of an array are named, where each chunk or shard is one of its own below the source.

    Parameters
    ----------
    array
        The array's path below the source, empty for the source itself.
    separator
        What stands between the positions of a key.
    lead
        What a key begins with: ``c`` in zarr v3's default encoding, nothing in v2's.
    shards
        Chunks per shard and dimension; None where each chunk is an object.
    index_at_end, index_checked
        Where a shard holds its index, and whether a checksum follows it.

    Examples
    --------
    >>> ChunkKeys("sst", "/", "c").of((3, 0)), ChunkKeys("sst", ".").of((3, 0)), ChunkKeys("").of(())
    ('sst/c/3/0', 'sst/3.0', '0')
    """

    array: str
    separator: str = "."
    lead: str = ""
    shards: tuple[int, ...] | None = None
    index_at_end: bool = True
    index_checked: bool = True

    def of(self, index: tuple[int, ...]) -> str:
        """Name the object at a position of the grid of objects."""
        key = self.separator.join(filter(None, [self.lead, *map(str, index)])) or "0"
        return f"{self.array}/{key}" if self.array else key


@dataclass(frozen=True, eq=False)
class Manifest:
    """Where each chunk of one array lies in its file.

    Parameters
    ----------
    shape, chunks
        Elements per dimension; a contiguous array is one chunk.
    dtype
        The stored dtype with its byte order.
    filters
        Steps that wrote the chunks, first to last; reading undoes them in reverse.
    fill
        The value of a chunk that was never written.
    offsets, lengths
        Bytes, one per chunk of the grid; length 0 means that the chunk was never written.
    masks
        HDF5's filter masks, one per chunk: bit i says that filter i was skipped. None if no filter ever was.
    keys
        Names of the objects that hold the chunks, where they don't lie in one file. Then offsets are 0, and lengths are
        what a chunk decodes to: which chunks there are, and where in their shard, is found out when they are fetched.
    files, which
        The files that the chunks lie in and the number of each chunk's, where that is not the one they were indexed in.
    held
        Stored bytes of chunks that lie in no file.
    """

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: np.dtype[Any]
    filters: tuple[Filter, ...]
    fill: Any
    offsets: np.ndarray[Any, Any]
    lengths: np.ndarray[Any, Any]
    masks: np.ndarray[Any, Any] | None = None
    keys: ChunkKeys | None = None
    files: tuple[Source, ...] = ()
    which: np.ndarray[Any, Any] | None = None
    held: Mapping[tuple[int, ...], bytes] = field(default_factory=dict)

    @property
    def format(self) -> ChunkFormat:
        """Give how the chunks are stored."""
        return ChunkFormat(self.chunks, self.dtype.str, self.filters)

    @property
    def is_one_file(self) -> bool:
        """Say whether all chunks lie in the file that they were indexed in."""
        return self.keys is None and self.which is None

    @property
    def chunk_bytes(self) -> int:
        """Give the decoded size of one chunk."""
        return int(np.prod(self.chunks, dtype=np.int64)) * self.dtype.itemsize

    def cells(self, spans: tuple[Span, ...]) -> Iterator[Cell]:
        """List the chunks that a region overlaps, with the region that each contributes.

        Examples
        --------
        >>> one = np.zeros((2,), "u8")
        >>> manifest = Manifest((8,), (5,), np.dtype("f4"), (), 0, one, one)
        >>> [(c.index, c.inside, c.region) for c in manifest.cells(((4, 7),))]
        [((0,), (slice(4, 5, None),), (slice(0, 1, None),)), ((1,), (slice(0, 2, None),), (slice(1, 3, None),))]
        """
        ranges = [range(a // n, -(-b // n)) for (a, b), n in zip(spans, self.chunks, strict=True)]
        for index in itertools.product(*ranges):
            held = [(i * n, i * n + n) for i, n in zip(index, self.chunks, strict=True)]
            shared = [overlap(h, s) or (0, 0) for h, s in zip(held, spans, strict=True)]
            inside = tuple(slice(a - h, b - h) for (a, b), (h, _) in zip(shared, held, strict=True))
            region = tuple(slice(a - s, b - s) for (a, b), (s, _) in zip(shared, spans, strict=True))
            yield Cell(index, inside, region, int(self.offsets[index]), int(self.lengths[index]))


@dataclass(frozen=True)
class Cell:
    """One chunk's share of a region: its place in the grid, what is taken of it, where that goes, where it lies."""

    index: tuple[int, ...]
    inside: tuple[slice, ...]
    region: tuple[slice, ...]
    offset: int
    length: int
