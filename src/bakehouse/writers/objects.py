"""Write boxes of whole objects; shards are put together chunk by chunk, so that no copy of them is ever held."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import zarr
from zarr.abc.store import Store
from zarr.core.array_spec import ArrayConfig, ArraySpec
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from bakehouse.chunks import Span
from bakehouse.errors import ChunkAlignmentError
from bakehouse.writers.shards import build_shard, index_codecs_supported

PROTOTYPE = default_buffer_prototype()


def write_box(store: Store, array: zarr.Array[Any], spans: Sequence[Span], values: Any) -> None:
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
        If the box cuts a shard.
    """
    if not index_codecs_supported(array.metadata):
        array[tuple(slice(a, b) for a, b in spans) or ...] = values
        return
    for (start, stop), size, shard in zip(spans, array.shape, array.shards or (), strict=True):
        if start % shard or (stop % shard and stop != size):
            raise _cut(array, spans, "shards", array.shards)
    for key, chunks in encoded_shards(array, spans, values):
        sync(store.set(key, PROTOTYPE.buffer.from_bytes(build_shard(chunks))))


def encoded_shards(
    array: zarr.Array[Any], spans: Sequence[Span], values: Any
) -> Iterator[tuple[str, Iterator[bytes | None]]]:
    """Give key and encoded chunks of every shard that a box of whole chunks overlaps.

    Chunks come in C order over the shard's grid, encoded one by one as they are asked for, in the calling thread; None
    stands for those that lie outside of the box or of the array. Those that the array's end cuts are padded with the
    fill value.

    Raises
    ------
    ChunkAlignmentError
        If the box cuts a chunk.
    """
    box = _Box(array, tuple(spans), values)
    lengths = array.shards or array.chunks
    for at in itertools.product(*(range(a // n, -(-b // n)) for (a, b), n in zip(spans, lengths, strict=True))):
        first = tuple(i * n for i, n in zip(at, lengths, strict=True))
        grid = (range(f, f + n, c) for f, n, c in zip(first, lengths, array.chunks, strict=True))
        key = "/".join(filter(None, [array.path, array.metadata.encode_chunk_key(at)]))
        yield key, map(box.encoded, itertools.product(*grid))


@dataclass(frozen=True)
class _Box:
    """A box of values, and the array whose inner chunks it is cut into."""

    array: zarr.Array[Any]
    spans: tuple[Span, ...]
    values: Any

    def encoded(self, start: tuple[int, ...]) -> bytes | None:
        """Encode the chunk that begins at `start`."""
        array = self.array
        whole = [(a, min(a + c, n)) for a, c, n in zip(start, array.chunks, array.shape, strict=True)]
        shared = [(max(a, p), min(b, q)) for (a, b), (p, q) in zip(whole, self.spans, strict=True)]
        if any(a >= b for a, b in shared):
            return None
        if shared != whole:
            raise _cut(array, self.spans, "chunks", array.chunks)
        region = tuple(slice(a - p, b - p) for (a, b), (p, _) in zip(shared, self.spans, strict=True))
        return _encode(array, self._padded(self.values[region]))

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
