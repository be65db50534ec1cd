"""Count the work that a bake does: bytes read and decoded, chunks encoded, objects written, what libraries read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cfgrib.dataset
import pytest

from bakehouse.openers import fetch, grib, ranges
from bakehouse.openers.hdf5 import known, values
from bakehouse.writers import append, boxes, objects
from bakehouse.writers.references import chunks
from bakehouse.writers.store import RecordingStore


@dataclass
class Work:
    """What was done so far.

    Attributes
    ----------
    read_bytes, decoded_bytes
        Chunks that are to be written: ranges that were read, and what decoders gave.
    encoded_chunks, objects
        What was encoded, and what was written.
    headers
        Headers that the HDF5 library read; those that are alike are not read by it.
    messages
        GRIB messages that the engine decoded.
    hdf5_bytes, cfgrib_messages
        Values that the HDF5 library gave, and GRIB messages that cfgrib decoded: to compare, or for their coordinates.
    referred_bytes
        Ranges that were read through references, which is how references are compared.
    """

    read_bytes: int = 0
    decoded_bytes: int = 0
    encoded_chunks: int = 0
    objects: int = 0
    headers: int = 0
    hdf5_bytes: int = 0
    cfgrib_messages: int = 0
    messages: int = 0
    referred_bytes: int = 0


@contextmanager
def counted() -> Iterator[Work]:
    """Count while active, in all threads of this process."""
    work = Work()
    with pytest.MonkeyPatch.context() as patch:
        for module in (fetch, ranges):
            patch.setattr(module, "read_ranges", _reading(work, module.read_ranges))
        patch.setattr(fetch, "each_range", _reading(work, fetch.each_range))
        patch.setattr(chunks, "read_ranges", _reading(work, chunks.read_ranges, "referred_bytes"))
        patch.setattr(ranges, "decode", _decoding(work, ranges.decode))
        for module in (boxes, objects):
            patch.setattr(module, "encode_chunk", _counting(work, "encoded_chunks", module.encode_chunk))
        patch.setattr(append, "put_merged", _counting(work, "objects", append.put_merged))
        patch.setattr(RecordingStore, "put", _counting(work, "objects", RecordingStore.put))
        patch.setattr(known, "read_header", _counting(work, "headers", known.read_header))
        patch.setattr(values, "_read", _giving(work, values._read))
        patch.setattr(grib, "field_values", _counting(work, "messages", grib.field_values))
        taken = cfgrib.dataset.get_values_in_order
        patch.setattr(cfgrib.dataset, "get_values_in_order", _counting(work, "cfgrib_messages", taken))
        yield work


def _reading(work: Work, read: Any, name: str = "read_bytes") -> Any:
    def reading(source: Any, wanted: Any) -> Any:
        _add(work, name, sum(b - a for a, b in wanted))
        return read(source, wanted)

    return reading


def _decoding(work: Work, decode: Any) -> Any:
    def decoding(filters: Any, data: Any, size_bytes: int, *rest: Any) -> Any:
        _add(work, "decoded_bytes", size_bytes if filters else 0)
        return decode(filters, data, size_bytes, *rest)

    return decoding


def _counting(work: Work, name: str, do: Any) -> Any:
    def counting(*args: Any, **kwargs: Any) -> Any:
        _add(work, name, 1)
        return do(*args, **kwargs)

    return counting


def _giving(work: Work, read: Any) -> Any:
    def giving(*args: Any) -> Any:
        found = read(*args)
        _add(work, "hdf5_bytes", found.nbytes)
        return found

    return giving


_adding = threading.Lock()


def _add(work: Work, name: str, count: int) -> None:
    with _adding:
        setattr(work, name, getattr(work, name) + count)
