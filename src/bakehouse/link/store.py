"""A linked store as zarr reads it: its documents, read beforehand, and its chunks, each from its web address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype

from bakehouse.errors import StorageError
from bakehouse.storage.answers import Answer
from bakehouse.storage.web import CHUNK_BYTES, Web
from bakehouse.writers.listing import ReadStore
from bakehouse.writers.references.chunks import part_of
from bakehouse.writers.template import is_metadata


@dataclass(frozen=True)
class Span:
    """Where a chunk lies: a web address and, where it is a part of a file, its first byte and how many it has."""

    url: str
    start: int = 0
    length: int | None = None


Locate = Callable[[str], "Span | bytes | None"]
"""From a chunk's key to where it lies, or to what is held of it."""


class PublicStore(ReadStore):
    """A store for reading that asks for nothing but what `locate` names.

    `private` lists the addresses that answered that they are not for everybody.
    """

    def __init__(self, web: Web, documents: Mapping[str, bytes], locate: Locate) -> None:
        super().__init__(documents)
        self.web, self.locate = web, locate
        self.private: list[str] = []

    async def get(
        self, key: str, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Give a document, or read a chunk from where it lies."""
        prototype = prototype or default_buffer_prototype()
        found: Any = self.documents.get(key) if is_metadata(key) else self.locate(key)
        if isinstance(found, Span):
            found = await asyncio.to_thread(self._read, found, byte_range)
            byte_range = None
        return None if found is None else prototype.buffer.from_bytes(part_of(found, byte_range))

    def _read(self, span: Span, wanted: ByteRequest | None) -> bytes | None:
        answer = ask(self.web, span, wanted)
        if answer.status in (401, 403):
            self.private.append(span.url)
        if answer.status in (401, 403, 404):
            return None
        if not answer.ok:
            raise StorageError(f"the server answers {answer.status}", span.url, None, "try again later")
        return answer.body

    async def exists(self, key: str) -> bool:
        """Say whether there is such a document, or a chunk."""
        return key in self.documents if is_metadata(key) else await self.get(key) is not None

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse to write."""
        raise StorageError("linked stores are only read", key)

    async def delete(self, key: str) -> None:
        """Refuse to delete."""
        raise StorageError("linked stores are only read", key)


def ask(web: Web, span: Span, wanted: ByteRequest | None = None, **headers: str) -> Answer:
    """Ask for a chunk, or for a part of it."""
    return web.get(span.url, _range(span, wanted), limit=CHUNK_BYTES, headers=headers)


def _range(span: Span, wanted: ByteRequest | None) -> str | None:
    """Write the range of a part of a chunk, in its file.

    Examples
    --------
    >>> _range(Span("https://example.org/a.nc", 100, 50), SuffixByteRequest(8))
    '142-149'
    """
    end = None if span.length is None else span.start + span.length
    if isinstance(wanted, SuffixByteRequest) and end is None:
        return f"-{wanted.suffix}"
    start = span.start
    if isinstance(wanted, SuffixByteRequest) and end is not None:
        start = max(start, end - wanted.suffix)
    elif isinstance(wanted, OffsetByteRequest):
        start += wanted.offset
    elif isinstance(wanted, RangeByteRequest):
        start, end = start + wanted.start, min(filter(None, (end, start + wanted.end)))
    return f"{start}-{'' if end is None else end - 1}" if start or end is not None else None
