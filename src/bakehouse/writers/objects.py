"""Write boxes of whole objects; shards are put together chunk by chunk, so that no copy of them is ever held."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import zarr
from zarr.core.array_spec import ArrayConfig, ArraySpec
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from bakehouse.chunks import Span
from bakehouse.errors import ChunkAlignmentError
from bakehouse.manifests import ChunkFormat
from bakehouse.openers.codecs import encode_chunk
from bakehouse.plan.codecs import format_of
from bakehouse.writers.shards import index_codecs_supported, shard_parts
from bakehouse.writers.store import RecordingStore

PROTOTYPE = default_buffer_prototype()

Index = tuple[int, ...]
"""A chunk's place in the grid of an array."""


def write_box(store: RecordingStore, array: zarr.Array[Any], spans: Sequence[Span], values: Any) -> None:
    """Write the objects of a box; what zarr-python reads back is what it would have written itself.

    Parameters
    ----------
    store
        The store that `array` was opened on.
    spans
        The box, one span for each dimension; it covers whole objects.
    values
        The box's values, as stored.

    Raises
    ------
    ChunkAlignmentError
        If the box cuts an object.
    """
    if not is_by_hand(array):
        array[tuple(slice(a, b) for a, b in spans) or ...] = values
        return
    lengths = array.shards or array.chunks
    for (start, stop), size, length in zip(spans, array.shape, lengths, strict=True):
        if start % length or (stop % length and stop != size):
            raise _cut(array, spans, "shards" if array.shards else "chunks", lengths)
    for key, chunks in encoded_shards(array, spans, values):
        put_object(store, array, key, chunks)


def is_by_hand(array: zarr.Array[Any]) -> bool:
    """Say whether this module can put the objects of an array together."""
    return index_codecs_supported(array.metadata) or (array.shards is None and stored_format(array) is not None)


def stored_format(array: zarr.Array[Any]) -> ChunkFormat | None:
    """Say how the chunks of an array are stored; None if that takes zarr-python's own codecs."""
    return format_of(array.metadata.to_dict(), array.dtype.str)


def put_object(store: RecordingStore, array: zarr.Array[Any], key: str, chunks: Iterable[Any]) -> None:
    """Write one object: a shard of encoded chunks, or a single one."""
    store.put(key, shard_parts(chunks) if array.shards else [next(iter(chunks))])


def objects_in(array: zarr.Array[Any], spans: Sequence[Span]) -> Iterator[tuple[str, list[Index]]]:
    """Give the key of every object that a box overlaps, and the indexes of the chunks in its grid, in C order.

    Some of them may lie outside of the array.
    """
    lengths = array.shards or array.chunks
    for at in itertools.product(*(range(a // n, -(-b // n)) for (a, b), n in zip(spans, lengths, strict=True))):
        grid = (range(i * n // c, (i + 1) * n // c) for i, n, c in zip(at, lengths, array.chunks, strict=True))
        key = "/".join(filter(None, [array.path, array.metadata.encode_chunk_key(at)]))
        yield key, list(itertools.product(*grid))


def encoded_shards(
    array: zarr.Array[Any], spans: Sequence[Span], values: Any
) -> Iterator[tuple[str, Iterator[bytes | None]]]:
    """Give key and encoded chunks of every object that a box of whole chunks overlaps.

    Chunks come in C order over the object's grid, encoded one by one as they are asked for, in the calling thread; None
    stands for those that lie outside of the box or of the array. Those that the array's end cuts are padded with the
    fill value.

    Raises
    ------
    ChunkAlignmentError
        If the box cuts a chunk.
    """
    box = Box(array, tuple(spans), values, stored_format(array))
    for key, indexes in objects_in(array, spans):
        yield key, map(box.encoded, indexes)


@dataclass(frozen=True, eq=False)
class Box:
    """A box of values, and the array whose chunks it is cut into."""

    array: zarr.Array[Any]
    spans: tuple[Span, ...]
    values: Any
    stored: ChunkFormat | None

    def encoded(self, index: Index) -> bytes | None:
        """Encode a chunk; None if it lies outside of the box or of the array.

        Raises
        ------
        ChunkAlignmentError
            If the box cuts it.
        """
        array = self.array
        whole = [(i * c, min(i * c + c, n)) for i, c, n in zip(index, array.chunks, array.shape, strict=True)]
        shared = [(max(a, p), min(b, q)) for (a, b), (p, q) in zip(whole, self.spans, strict=True)]
        if any(a >= b for a, b in shared):
            return None
        if shared != whole:
            raise _cut(array, self.spans, "chunks", array.chunks)
        values = self.values[tuple(slice(a - p, b - p) for (a, b), (p, _) in zip(shared, self.spans, strict=True))]
        if self.stored is None:
            return _encode(array, self._padded(values))
        return encode_chunk(self.stored, np.asarray(values), array.metadata.fill_value)

    def _padded(self, values: Any) -> Any:
        """Give values the array's dtype and a chunk's shape."""
        dtype = self.array.dtype
        if values.shape == self.array.chunks:
            return np.ascontiguousarray(values, dtype)
        chunk = np.full(self.array.chunks, self.array.metadata.fill_value, dtype)
        chunk[tuple(slice(n) for n in values.shape)] = values
        return chunk


def _encode(array: zarr.Array[Any], values: Any) -> bytes:
    """Put one chunk through the codecs inside the sharding codec."""
    metadata: Any = array.metadata
    config = ArrayConfig.from_dict({"order": "C", "write_empty_chunks": True})
    spec = ArraySpec(array.chunks, metadata.dtype, metadata.fill_value, config, PROTOTYPE)
    data: Any = PROTOTYPE.nd_buffer.from_ndarray_like(values)
    for codec in metadata.codecs[0].codecs:
        data, spec = _apply(codec, data, spec), codec.resolve_metadata(spec)
    return bytes(data.to_bytes())


def _apply(codec: Any, data: Any, spec: ArraySpec) -> Any:
    """Apply one codec in this thread; those that only work in an event loop go to zarr's."""
    if hasattr(codec, "_encode_sync") and getattr(codec, "_sync_capable", True):
        return codec._encode_sync(data, spec)
    (encoded,) = sync(codec.encode([(data, spec)]))
    return encoded


def _cut(array: zarr.Array[Any], spans: Sequence[Span], what: str, lengths: Any) -> ChunkAlignmentError:
    return ChunkAlignmentError(
        f"box {tuple(spans)} of '{array.path}' with shape {array.shape} cuts {what} of {lengths}"
    )
