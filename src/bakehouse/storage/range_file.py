"""A remote object as a file that readers seek in."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import obstore

from bakehouse.chunks import Span
from bakehouse.errors import SourceError
from bakehouse.storage.foreseen import Foreseen, coalesced, within
from bakehouse.storage.identity import checked, identity_of, insist_unchanged, is_weak
from bakehouse.storage.memory import Memory
from bakehouse.storage.remote import open_remote

if TYPE_CHECKING:
    from bakehouse.storage.source import Source

BLOCK_BYTES = 2**16
KEPT_BLOCKS = 64
HEAD_BLOCKS = 4
AHEAD_BLOCKS = 16
AT_ONCE = 8
"""Requests that are under way at the same time."""
_heads = Memory(2**26)


class RangeFile(io.RawIOBase):
    """A remote object as a seekable file, read by byte ranges in blocks, of which the latest are kept.

    Headers are read in many small pieces, near each other: kept blocks spare most of the requests. The first request
    takes a good part of a header, which other readers of the same state of the file find in memory; who reads on gets
    twice as much each time. Long reads are passed through. A change of the object between two reads raises SourceError.
    Who knows what a library is going to ask for lets it be fetched together: see `foreseen`.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.store, self.key = open_remote(source.location, source.options)
        self.size = source.held.size_bytes
        if self.size is None:
            self.size = checked(source, lambda: int(obstore.head(self.store, self.key)["size"]))
        self.position, self.next, self.ahead = 0, -1, 1
        self.blocks: OrderedDict[int, Any] = OrderedDict()
        self.held = Foreseen()
        if (head := _heads.get(self._head_key)) is not None:
            self._keep(0, head)

    def readable(self) -> bool:
        """Say that it can be read, which is all it can do."""
        return True

    def seekable(self) -> bool:
        """Byte ranges make every position reachable."""
        return True

    def tell(self) -> int:
        """Give the position in bytes."""
        return self.position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move without reading."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.size or 0}[whence]
        self.position = max(0, base + offset)
        return self.position

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer from one byte range."""
        want = min(len(buffer), max(0, (self.size or 0) - self.position))
        if want == 0:
            return 0
        start = self.position
        if (held := self.held.at(start, want)) is not None:
            buffer[: len(held)] = held
            self.position += len(held)
            return len(held)
        read = self.fetch if want > KEPT_BLOCKS * BLOCK_BYTES // 2 else self._from_blocks
        data = checked(self.source, lambda: read(start, want))
        if len(data) != want:
            raise SourceError(
                f"got {len(data)} bytes where {want} were asked for at offset {self.position}", self.source.where
            )
        buffer[:want] = data
        self.position += want
        return want

    @contextmanager
    def foreseen(self, ranges: Iterable[Span]) -> Iterator[None]:
        """While active, hold byte ranges that a reader is going to ask for, up to `HELD_BYTES`: fetched together.

        What is in kept blocks, or comes in one of them, is left to them.
        """
        size = self.size or 0
        missing = [(a, min(b, size)) for a, b in ranges if a < size and not self._keeps(a, b)]
        groups = within((start, stop) for start, stop, _ in coalesced(missing))
        if not groups or groups[-1][1] - groups[0][0] <= BLOCK_BYTES:
            yield
            return
        found = checked(self.source, lambda: self.fetch_all(groups))
        held = self.held.hold(zip((start for start, _ in groups), found, strict=True))
        try:
            yield
        finally:
            self.held.drop(held)

    def fetch_all(self, spans: list[Span]) -> list[Any]:
        """Get byte ranges at the same time."""
        with ThreadPoolExecutor(max(1, min(AT_ONCE, len(spans))), "bakehouse-ranges") as pool:
            return list(pool.map(lambda span: self.fetch(span[0], span[1] - span[0]), spans))

    def _keeps(self, start: int, stop: int) -> bool:
        return all(b in self.blocks for b in range(start // BLOCK_BYTES, -(-stop // BLOCK_BYTES)))

    def _from_blocks(self, start: int, length: int) -> Any:
        """Give a byte range from kept blocks; missing neighbours come in one request."""
        wanted = range(start // BLOCK_BYTES, -(-(start + length) // BLOCK_BYTES))
        missing = [b for b in wanted if b not in self.blocks]
        if missing:
            first, last = missing[0], missing[-1] + 1
            self.ahead = min(2 * self.ahead, AHEAD_BLOCKS) if first == self.next else HEAD_BLOCKS if first == 0 else 1
            self.next = max(last, first + self.ahead)
            end = min(self.next * BLOCK_BYTES, self.size or 0)
            self._keep(first, self.fetch(first * BLOCK_BYTES, end - first * BLOCK_BYTES))
        joined = b"".join(self.blocks[b] for b in wanted)
        while len(self.blocks) > KEPT_BLOCKS:
            self.blocks.popitem(last=False)
        return joined[start - wanted[0] * BLOCK_BYTES :][:length]

    def _keep(self, first: int, data: Any) -> None:
        """Keep blocks, and the first of them for other readers of the same state of the file."""
        count = -(-len(data) // BLOCK_BYTES)
        self.blocks |= {first + b: data[b * BLOCK_BYTES :][:BLOCK_BYTES] for b in range(count)}
        if first == 0 and not is_weak(self.source.held):
            _heads.put(self._head_key, data[: HEAD_BLOCKS * BLOCK_BYTES], len(data))

    @property
    def _head_key(self) -> tuple[Any, ...]:
        return (self.source.location, self.source.held)

    def fetch(self, start: int, length: int) -> Any:
        """Get one byte range, if the object is still what it was."""
        options: Any = {}
        if (start, length) != (0, self.size):  # asked for a range that is the whole, some servers give no range
            options["range"] = (start, start + length)
        etag = self.source.held.etag
        if etag and not etag.startswith("W/"):  # a weak etag matches nothing (RFC 9110, 13.1.1)
            options["if_match"] = etag
        found = obstore.get(self.store, self.key, options=options)
        insist_unchanged(self.source, identity_of(found.meta))
        return memoryview(found.bytes())


def foreseen(file: Any, ranges: Iterable[Span]) -> AbstractContextManager[None]:
    """While active, let an open file hold ranges that a library is going to ask it for, if it is read by ranges."""
    remote = getattr(file, "raw", None)
    return remote.foreseen(ranges) if isinstance(remote, RangeFile) else nullcontext()


def forget_heads() -> None:
    """Forget the beginnings of files, so that they are asked for again."""
    _heads.clear()
