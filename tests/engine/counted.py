"""Count the work that a bake does: bytes read and decoded, chunks encoded, objects written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from bakehouse.openers import fetch, ranges
from bakehouse.writers import boxes, objects
from bakehouse.writers.store import RecordingStore


@dataclass
class Work:
    """What was done so far; bytes are those that decoders gave and ranges that were read."""

    read_bytes: int = 0
    decoded_bytes: int = 0
    encoded_chunks: int = 0
    objects: int = 0


@contextmanager
def counted() -> Iterator[Work]:
    """Count while active, in all threads of this process; what reader libraries do counts nothing."""
    work = Work()
    with pytest.MonkeyPatch.context() as patch:
        for module in (fetch, ranges):
            patch.setattr(module, "read_ranges", _reading(work, module.read_ranges))
        patch.setattr(fetch, "each_range", _reading(work, fetch.each_range))
        patch.setattr(ranges, "decode", _decoding(work, ranges.decode))
        for module in (boxes, objects):
            patch.setattr(module, "encode_chunk", _encoding(work, module.encode_chunk))
        patch.setattr(RecordingStore, "put", _putting(work, RecordingStore.put))
        yield work


def _reading(work: Work, read: Any) -> Any:
    def reading(source: Any, wanted: Any) -> Any:
        work.read_bytes += sum(b - a for a, b in wanted)
        return read(source, wanted)

    return reading


def _decoding(work: Work, decode: Any) -> Any:
    def decoding(filters: Any, data: Any, size_bytes: int, *rest: Any) -> Any:
        work.decoded_bytes += size_bytes if filters else 0
        return decode(filters, data, size_bytes, *rest)

    return decoding


def _encoding(work: Work, encode: Any) -> Any:
    def encoding(*args: Any) -> Any:
        work.encoded_chunks += 1
        return encode(*args)

    return encoding


def _putting(work: Work, put: Any) -> Any:
    def putting(self: Any, key: str, parts: Any) -> None:
        work.objects += 1
        put(self, key, parts)

    return putting
