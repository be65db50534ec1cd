"""Filters at work: from stored bytes to values and back, in the calling thread."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import deflate
import numcodecs
import numcodecs.blosc
import numpy as np

from bakehouse.manifests import ChunkFormat, Filter

SPARE_BYTES = 64
"""Room for what a filter inside of a compressor adds: a checksum."""
FAULTS = (ValueError, RuntimeError, deflate.DeflateError)
"""What decoding raises where bytes are not what the filters wrote."""

# A threaded blosc writes its blocks in the order in which they are ready: never the same bytes twice.
numcodecs.blosc.use_threads = False


def decode(filters: Sequence[Filter], data: Any, size_bytes: int, skipped: int = 0) -> Any:
    r"""Undo filters, last to first; `size_bytes` is what a whole chunk decodes to.

    `skipped` is HDF5's filter mask: bit i says that filter i was not applied.

    Examples
    --------
    >>> filters = [Filter.of("shuffle", elementsize=2), Filter.of("zlib", level=1)]
    >>> bytes(decode(filters, encode(filters, np.arange(3, dtype="<i2")), 6))
    b'\x00\x00\x01\x00\x02\x00'
    """
    for i in reversed(range(len(filters))):
        if not skipped >> i & 1:
            data = _undo(filters[i], data, size_bytes)
    return data


def encode(filters: Sequence[Filter], values: Any) -> bytes:
    """Apply filters, first to last, to contiguous values."""
    data = values
    for step in filters:
        data = codec_of(step).encode(data)
    return data if isinstance(data, bytes) else np.ascontiguousarray(data).tobytes()


def encode_chunk(stored: ChunkFormat, values: Any, fill: Any) -> bytes:
    """Encode one chunk; one that the array's end cuts is padded with the fill value."""
    if values.shape != stored.chunks:
        whole = np.full(stored.chunks, 0 if fill is None else fill, stored.dtype)
        whole[tuple(slice(n) for n in values.shape)] = values
        values = whole
    return encode(stored.filters, np.ascontiguousarray(values, stored.dtype))


def _undo(step: Filter, data: Any, size_bytes: int) -> Any:
    if step.id == "zlib":
        return deflate.zlib_decompress(data, size_bytes + SPARE_BYTES)
    if step.id == "gzip":
        return deflate.gzip_decompress(data, size_bytes + SPARE_BYTES)
    if step.id == "grib":
        from bakehouse.openers.grib import field_values

        said = dict(step.config)
        what = {"latitude": "latitudes", "longitude": "longitudes"}.get(str(said.get("var")), "values")
        return field_values(data, str(said["dtype"]), what)
    if step.id == "shuffle":
        return codec_of(step).decode(data, np.empty(memoryview(data).nbytes, "u1"))
    return codec_of(step).decode(data)


@cache
def codec_of(step: Filter) -> Any:
    """Give the numcodecs codec of a filter."""
    return numcodecs.get_codec(step.as_config())
