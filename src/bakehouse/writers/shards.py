"""Shards by hand: encoded chunks one after the other, then an index of where each lies.

The layout is that of zarr v3's ``sharding_indexed`` codec with its default index: (offset, length) pairs of
little-endian uint64 in C order over the shard's chunk grid, followed by their crc32c, at the end of the object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt

from bakehouse.chunks import Span
from bakehouse.errors import BakehouseError

ABSENT = 2**64 - 1
INDEX_CODECS = [("bytes", {"endian": "little"}), ("crc32c", {})]
CHECKSUM_BYTES = 4

Index = npt.NDArray[np.uint64]


class ShardError(BakehouseError):
    """An object that is not a whole shard, or that does not take the chunks that it is given."""


def index_codecs_supported(metadata: Any) -> bool:
    """Say whether an array's objects are shards that this module can read and build.

    Parameters
    ----------
    metadata
        The array's document as a mapping, or zarr-python's metadata object.

    Examples
    --------
    >>> index = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
    >>> sharding = {"name": "sharding_indexed", "configuration": {"index_codecs": index, "index_location": "end"}}
    >>> index_codecs_supported({"zarr_format": 3, "codecs": [sharding]})
    True
    >>> index_codecs_supported({"zarr_format": 3, "codecs": [sharding, {"name": "gzip"}]})
    False
    """
    document = metadata if isinstance(metadata, Mapping) else metadata.to_dict()
    codecs = document.get("codecs") or []
    if len(codecs) != 1 or codecs[0]["name"] != "sharding_indexed":
        return False
    said = codecs[0]["configuration"]
    found = [(c["name"], dict(c.get("configuration") or {})) for c in said["index_codecs"]]
    return found == INDEX_CODECS and said.get("index_location", "end") == "end"


def index_size(count: int) -> int:
    """Give the bytes that the index of a shard of `count` chunks takes.

    Examples
    --------
    >>> index_size(4)
    68
    """
    return 16 * count + CHECKSUM_BYTES


def read_index(data: bytes, count: int) -> Index:
    """Read where the chunks of a shard lie.

    Parameters
    ----------
    data
        The whole object.
    count
        Chunks per shard.

    Returns
    -------
    numpy.ndarray
        (count, 2) uint64: offset and length in bytes; both 2**64 - 1 for a chunk that is absent.

    Raises
    ------
    ShardError
        If the object is too short, its checksum is wrong, or an entry points outside of the chunks.

    Examples
    --------
    >>> read_index(build_shard([b"ab", None]), 2).tolist()
    [[0, 2], [18446744073709551615, 18446744073709551615]]
    """
    start = len(data) - index_size(count)
    if start < 0:
        raise _broken(f"{len(data)} bytes are too few for the index of {count} chunks, {index_size(count)} bytes")
    held, stated = data[start:-CHECKSUM_BYTES], data[-CHECKSUM_BYTES:]
    if (computed := _checksum(held)) != stated:
        raise _broken(f"the index has checksum {computed.hex()}, the object states {stated.hex()}")
    index = np.frombuffer(held, "<u8").reshape(count, 2)
    for number, (offset, length) in enumerate(index.tolist()):
        if (offset, length) != (ABSENT, ABSENT) and offset + length > start:
            raise _broken(f"chunk {number} is said to lie at bytes {offset}:{offset + length} of {start}")
    return index


def build_shard(chunks: Iterable[bytes | None]) -> bytes:
    """Put encoded chunks into one object, in the order given; None is absent. Chunks may come one by one.

    Examples
    --------
    >>> build_shard([b"ab", b"cde"])[:5], len(build_shard([b"ab", b"cde"]))
    (b'abcde', 41)
    """
    return b"".join(shard_parts(chunks))


def shard_parts(chunks: Iterable[bytes | None]) -> Iterator[bytes]:
    """Give what a shard is put together of: encoded chunks, then the index."""
    entries, position = [], 0
    for chunk in chunks:
        entries.append((ABSENT, ABSENT) if chunk is None else (position, len(chunk)))
        if chunk is not None:
            position += len(chunk)
            yield chunk
    yield _index_bytes(np.array(entries, "<u8"))


def extend_shard(old: bytes, new: Mapping[int, bytes], count: int, reuse_gaps: bool = False) -> bytes:
    """Add or replace chunks, and leave every chunk that the old index names where it is.

    A reader that holds the old index so finds the old values in the new object too. Chunks that are the same already
    are left; if all are, the result is `old` itself.

    Parameters
    ----------
    old
        The object as it is.
    new
        Number of the chunk, in C order over the shard's grid, to its encoded bytes.
    count
        Chunks per shard.
    reuse_gaps
        Put new chunks where neither index names anything, the old index's own place included; else everything old
        stays, and new chunks come after it.

    Raises
    ------
    ShardError
        If the object is not a whole shard, or a number is not in its grid.

    Examples
    --------
    >>> grown = extend_shard(build_shard([b"ab", None]), {1: b"cde"}, 2, reuse_gaps=True)
    >>> grown == build_shard([b"ab", b"cde"])
    True
    """
    index = read_index(old, count).copy()
    _insist_on_grid(new, count)
    changed = {i: new[i] for i in sorted(new) if _chunk(old, index[i]) != new[i]}
    if not changed:
        return old
    kept = sorted((o, o + n) for o, n in index.tolist() if o != ABSENT)
    free = _gaps(kept) if reuse_gaps else [(len(old), ABSENT)]
    body = bytearray(old if not reuse_gaps else old[: max((stop for _, stop in kept), default=0)])
    for number, chunk in changed.items():
        offset = _take(free, len(chunk))
        body[offset : offset + len(chunk)] = chunk
        index[number] = offset, len(chunk)
    body += _index_bytes(index)
    return bytes(body)


def _chunk(data: bytes, entry: Index) -> bytes | None:
    offset, length = (int(n) for n in entry)
    return None if offset == ABSENT else data[offset : offset + length]


def _gaps(kept: list[Span]) -> list[Span]:
    """List what sorted ranges leave free; the last gap has no end."""
    gaps, reached = [], 0
    for start, stop in kept:
        if start > reached:
            gaps.append((reached, start))
        reached = max(reached, stop)
    return [*gaps, (reached, ABSENT)]


def _take(free: list[Span], length: int) -> int:
    """Cut the first gap that is long enough; give where it began."""
    at = next(i for i, (start, stop) in enumerate(free) if stop - start >= length)
    start, stop = free[at]
    free[at] = (start + length, stop)
    return start


def _insist_on_grid(new: Mapping[int, bytes], count: int) -> None:
    outside = [number for number in new if not 0 <= number < count]
    if outside:
        raise ShardError(f"chunks {outside} are not in a shard of {count} chunks")


def _index_bytes(index: Index) -> bytes:
    data = index.astype("<u8").tobytes()
    return data + _checksum(data)


def _checksum(data: bytes) -> bytes:
    return int(google_crc32c.value(data)).to_bytes(CHECKSUM_BYTES, "little")


def _broken(message: str) -> ShardError:
    return ShardError(message, None, "the object is cut or damaged", "bake again: it writes anew what is damaged")
