"""A zarr store for reading whose chunks are read from where references point."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import obstore
from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype

from bakehouse.errors import StorageError
from bakehouse.storage import Source, read_ranges
from bakehouse.storage.identity import checked
from bakehouse.storage.remote import needs_fsspec, open_remote
from bakehouse.writers.listing import ReadStore
from bakehouse.writers.template import Documents, is_metadata

BUCKETS = 64

Reference = bytes | tuple[str, int, int] | tuple[str] | None
"""Bytes that are held, or a URL with offset and length; without both, a whole file."""
Lookup = Callable[[str], Reference]


@dataclass(frozen=True)
class Reader:
    """Reads what references point to."""

    options: Mapping[str, Any]
    sources: Mapping[str, Source]

    def read(self, url: str, start: int = 0, length: int | None = None) -> Any:
        """Read a byte range, or a whole file.

        Raises
        ------
        SourceError
            If it can't be read, or the file is shorter.
        """
        source = self.sources.get(url) or Source(url, url, self.options)
        if source.is_local and url.startswith("file://") and url not in self.sources:
            source = Source(url, url.removeprefix("file://"))  # references name paths as they are, not percent-encoded
        if length is None:
            return source.read()
        if url in self.sources or source.is_local or needs_fsspec(url, self.options):
            return read_ranges(source, [(start, start + length)])[0]
        store, key = self._open(url)
        return checked(source, lambda: memoryview(obstore.get_range(store, key, start=start, length=length)))

    def _open(self, url: str) -> tuple[Any, str]:
        scheme, _, rest = url.partition("://")
        root, _, key = rest.partition("/")
        opened = _bucket(f"{scheme}://{root}/", json.dumps(self.options, sort_keys=True, default=str))
        return opened, unquote(key) if scheme in ("http", "https") else key


@lru_cache(maxsize=BUCKETS)
def _bucket(root: str, options: str) -> Any:
    return open_remote(root, json.loads(options))[0]


class ReferenceStore(ReadStore):
    """A zarr store for reading whose chunks are read from where references point."""

    def __init__(self, documents: Documents, lookup: Lookup, reader: Reader, url: str) -> None:
        super().__init__(documents)
        self.lookup, self.reader, self.url = lookup, reader, url

    async def get(
        self, key: str, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Read a document, or a chunk from where it lies."""
        prototype = prototype or default_buffer_prototype()
        found = self.documents.get(key) if is_metadata(key) else self.lookup(key)
        if found is None:
            return None
        if not isinstance(found, bytes):
            found = await asyncio.to_thread(self.reader.read, *found)
        return prototype.buffer.from_bytes(part_of(found, byte_range))

    async def exists(self, key: str) -> bool:
        """Say whether there is such a document or a reference."""
        return key in self.documents if is_metadata(key) else self.lookup(key) is not None

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse to write."""
        raise StorageError(
            f"cannot write '{key}' to a virtual store",
            self.url,
            "a step after StoreToZarr writes values, and references hold none",
            "change values before StoreToZarr, or use the format 'zarr'",
        )

    async def delete(self, key: str) -> None:
        """Refuse to delete."""
        raise StorageError(f"cannot delete '{key}' from a virtual store", self.url, None, "use the format 'zarr'")


def part_of(data: Any, wanted: ByteRequest | None) -> bytes:
    """Cut what zarr asks for out of a chunk."""
    if isinstance(wanted, RangeByteRequest):
        data = data[wanted.start : wanted.end]
    elif isinstance(wanted, OffsetByteRequest):
        data = data[wanted.offset :]
    elif isinstance(wanted, SuffixByteRequest):
        data = data[-wanted.suffix :]
    return bytes(data)
