"""Read a virtual store: its documents, what it refers to, and through zarr the values."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import unquote

import obstore
from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype

from bakehouse.errors import StorageError
from bakehouse.storage import Source, Target, read_ranges
from bakehouse.storage.identity import checked
from bakehouse.storage.remote import needs_fsspec, open_remote
from bakehouse.writers.references.kerchunk import JSON_NAME, PARQUET_NAME
from bakehouse.writers.references.table import Table
from bakehouse.writers.template import Documents, is_metadata

SUFFIX = ".kerchunk"
FILES = 64

Reference = bytes | tuple[str, int, int] | None
Lookup = Callable[[str], Reference]


def references_at(url: str, options: Mapping[str, Any]) -> ReferenceView | None:
    """Read what lies at an address as a virtual store, if its name says that it is one."""
    return ReferenceView(Target(url, options)) if url.rstrip("/").endswith(SUFFIX) else None


@dataclass(frozen=True)
class ReferenceView:
    """A published virtual store as a store that is read.

    Parameters
    ----------
    target
        Its folder.
    options
        Access to what it refers to, in fsspec's spelling.
    sources
        The inputs by the address that references have, where they are not to be read at that address.
    """

    target: Target
    options: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    sources: Mapping[str, Source] = field(default_factory=dict, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """Leave what was read behind: each process reads its own."""
        return {"target": self.target, "options": self.options, "sources": self.sources}

    @property
    def url(self) -> str:
        """Give the store's address."""
        return self.target.url

    @property
    def is_local(self) -> bool:
        """Say whether the references lie on this machine."""
        return self.target.is_local

    @cached_property
    def documents(self) -> Documents:
        """Read all metadata documents; none if there is no store."""
        if self._json is not None:
            return {key: value.encode() for key, value in self._json.items() if is_metadata(key)}
        root = self.target.get(PARQUET_NAME)
        found = json.loads(root or b"{}").get("metadata", {})
        return {
            **{key: json.dumps(said).encode() for key, said in found.items()},
            **({PARQUET_NAME: root} if root else {}),
        }

    @cached_property
    def zarr_store(self) -> ReferenceStore:
        """Open it as a zarr store."""
        return ReferenceStore(self.documents, self.lookup, Reader(self.options, self.sources), self.url)

    def get(self, key: str) -> bytes | None:
        """Read a document, or one of the objects that hold references; None if it is not there."""
        return self.documents.get(key) if is_metadata(key) else self.target.get(key)

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """List documents and the objects that hold references, with their sizes in bytes."""
        yield from ((key, len(data)) for key, data in self.documents.items() if key.startswith(prefix))
        yield from ((key, size) for key, size in self.target.list(prefix) if not is_metadata(key))

    def size(self, key: str) -> int | None:
        """Give the size of a document or an object in bytes; None if it is not there."""
        if is_metadata(key):
            return len(self.documents[key]) if key in self.documents else None
        return self.target.size(key)

    def lookup(self, key: str) -> Reference:
        """Give what a chunk's key refers to."""
        if self._json is None:
            return _from_parquet(self.target, self.documents, key)
        found = self._json.get(key)
        if isinstance(found, str):
            return base64.b64decode(found.removeprefix("base64:")) if found.startswith("base64:") else found.encode()
        return tuple(found) if found else None

    @cached_property
    def _json(self) -> dict[str, Any] | None:
        data = self.target.get(JSON_NAME)
        try:
            return None if data is None else dict(json.loads(data)["refs"])
        except (ValueError, KeyError, TypeError):  # it is damaged: then it has no documents, which `verify` reports
            return {}


def _metadata(root: bytes | None) -> dict[str, Any]:
    try:
        return dict(json.loads(root or b"")["metadata"])
    except (ValueError, KeyError, TypeError):
        return {}


@dataclass(frozen=True)
class TableView:
    """References that are not published yet, read through zarr; documents are held apart from it."""

    url: str
    table: Table = field(repr=False, compare=False)
    sources: Mapping[str, Source] = field(default_factory=dict, repr=False, compare=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    is_local: bool = True

    @cached_property
    def zarr_store(self) -> ReferenceStore:
        """Open it as a zarr store without documents."""
        return ReferenceStore({}, self.table.at, Reader(self.options, self.sources), self.url)

    def get(self, key: str) -> bytes | None:
        """Nothing lies in a store of its own yet."""
        return None

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """List nothing."""
        return iter(())

    def size(self, key: str) -> int | None:
        """Nothing lies in a store of its own yet."""
        return None


@dataclass(frozen=True)
class Reader:
    """Reads what references point to."""

    options: Mapping[str, Any]
    sources: Mapping[str, Source]

    def read(self, url: str, start: int, length: int) -> Any:
        """Read a byte range.

        Raises
        ------
        SourceError
            If it can't be read, or the file is shorter.
        """
        source = self.sources.get(url) or Source(url, url, self.options)
        if source.is_local and url.startswith("file://") and url not in self.sources:
            source = Source(url, url.removeprefix("file://"))  # references name paths as they are, not percent-encoded
        if url in self.sources or source.is_local or needs_fsspec(url, self.options):
            return read_ranges(source, [(start, start + length)])[0]
        store, key = self._open(url)
        return checked(source, lambda: memoryview(obstore.get_range(store, key, start=start, length=length)))

    def _open(self, url: str) -> tuple[Any, str]:
        scheme, _, rest = url.partition("://")
        root, _, key = rest.partition("/")
        opened = _bucket(f"{scheme}://{root}/", json.dumps(self.options, sort_keys=True, default=str))
        return opened, unquote(key) if scheme in ("http", "https") else key


@lru_cache(maxsize=FILES)
def _bucket(root: str, options: str) -> Any:
    return open_remote(root, json.loads(options))[0]


class ReferenceStore(Store):
    """A zarr store for reading whose chunks are read from where references point."""

    supports_writes = False
    supports_deletes = False
    supports_partial_writes = False
    supports_listing = True

    def __init__(self, documents: Documents, lookup: Lookup, reader: Reader, url: str) -> None:
        super().__init__(read_only=True)
        self.documents, self.lookup, self.reader, self.url = documents, lookup, reader, url
        self._is_open = True

    def with_read_only(self, read_only: bool = False) -> ReferenceStore:
        """Give the same store: references are only read."""
        return self

    def __eq__(self, other: object) -> bool:
        """Two are the same if they are one."""
        return self is other

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
        return prototype.buffer.from_bytes(_part(found, byte_range))

    async def get_partial_values(self, prototype: BufferPrototype, key_ranges: Iterable[Any]) -> list[Buffer | None]:
        """Read several ranges."""
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

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

    async def list(self) -> AsyncIterator[str]:
        """List the documents."""
        for key in list(self.documents):
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """List the documents below a prefix."""
        async for key in self.list():
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """List the names directly below a prefix."""
        start = f"{prefix.rstrip('/')}/" if prefix else ""
        names = {key[len(start) :].partition("/")[0]: None for key in self.documents if key.startswith(start)}
        for name in names:
            yield name


def _part(data: Any, wanted: ByteRequest | None) -> bytes:
    if isinstance(wanted, RangeByteRequest):
        data = data[wanted.start : wanted.end]
    elif isinstance(wanted, OffsetByteRequest):
        data = data[wanted.offset :]
    elif isinstance(wanted, SuffixByteRequest):
        data = data[-wanted.suffix :]
    return bytes(data)


def _from_parquet(target: Target, documents: Documents, key: str) -> Reference:
    """Look a chunk up: its place in the grid is its place in the files."""
    name, _, place = key.rpartition("/")
    if f"{name}/.zarray" not in documents or not all(part.isdigit() for part in place.split(".")):
        return None
    shape, chunks, records = _said(documents[f"{name}/.zarray"], documents[PARQUET_NAME])
    number = 0
    for index, n, c in zip(map(int, place.split(".")), shape, chunks, strict=False):
        number = number * -(-n // c) + index
    found = _records(target, f"{name}/refs.{number // records}.parq")
    if found is None:
        return None
    row = {column: found[column][number % records].as_py() for column in ("path", "offset", "size", "raw")}
    if row["raw"] is not None:
        return bytes(row["raw"])
    return (row["path"], row["offset"], row["size"]) if row["path"] is not None else None


@lru_cache(maxsize=FILES)
def _said(document: bytes, root: bytes) -> tuple[list[int], list[int], int]:
    array = json.loads(document)
    return array["shape"], array["chunks"], json.loads(root)["record_size"]


_tables: dict[tuple[str, str, int], Any] = {}


def _records(target: Target, key: str) -> Any:
    """Read one file of references, once per process."""
    import pyarrow.parquet as pq

    where = (target.url, key, os.getpid())
    if where not in _tables:
        if (data := target.get(key)) is None:
            return None
        while len(_tables) >= FILES:
            _tables.pop(next(iter(_tables)))
        _tables[where] = pq.read_table(io.BytesIO(data))
    return _tables[where]
