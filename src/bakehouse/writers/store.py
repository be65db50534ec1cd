"""Stores that tasks write through and that later steps read through: objects in place, metadata held apart."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator
from functools import lru_cache
from typing import Any

import obstore.store
import zarr
from zarr.abc.store import ByteRequest
from zarr.core.array import AsyncArray
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import MemoryStore, WrapperStore
from zarr.storage._common import StorePath

from bakehouse.storage import Target
from bakehouse.storage.target import joined
from bakehouse.writers.listing import ListedStore
from bakehouse.writers.named import TargetStore
from bakehouse.writers.reading import Reading
from bakehouse.writers.receipts import Written
from bakehouse.writers.template import METADATA_NAMES, Documents, is_metadata, root_names


class RecordingStore(WrapperStore[Any]):
    """Pass objects through to a target, and remember key, size and digest of each."""

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self.written: dict[str, Written] = {}

    async def set(self, key: str, value: Buffer) -> None:
        """Write and record one object."""
        await super().set(key, value)
        data: Any = value.as_numpy_array()
        self.written[key] = Written(key, len(value), hashlib.sha256(data).hexdigest())

    def put(self, key: str, parts: Iterable[Any]) -> None:
        """Write and record one object from its parts, which are held only as long as it takes."""
        if not isinstance(self._store, TargetStore):
            sync(self.set(key, default_buffer_prototype().buffer.from_bytes(joined(parts))))
            return
        digest, size = hashlib.sha256(), 0

        def noted() -> Iterator[Any]:
            nonlocal size
            for part in parts:
                digest.update(part)
                size += len(part)
                yield part

        self.place(self._store.target, key, noted())
        self.written[key] = Written(key, size, digest.hexdigest())

    def place(self, target: Target, key: str, parts: Iterable[Any]) -> None:
        """Put the parts of one object."""
        target.put_parts(key, parts)


class CandidateStore(ListedStore):
    """A store before publication: data objects from its prefix, metadata from documents held apart.

    Steps after the store write attributes into the documents, which are kept in the folder `kept` until the driver
    publishes them; nothing becomes visible at the prefix.
    """

    supports_writes = True
    supports_deletes = True
    supports_partial_writes = False
    supports_listing = True

    def __init__(
        self, target: Reading, documents: Documents, kept: Target | None = None, read_only: bool = False
    ) -> None:
        super().__init__(read_only=read_only)
        self.target, self.documents, self.kept = target, dict(documents), kept
        self._objects = data_store(target, read_only)
        self._is_open = True

    def with_read_only(self, read_only: bool = False) -> CandidateStore:
        """Give the same candidate, read-only or not; both share the documents."""
        other = CandidateStore(self.target, {}, self.kept, read_only)
        other.documents = self.documents
        return other

    def __eq__(self, other: object) -> bool:
        """Two candidates are the same if their prefix and documents are."""
        return isinstance(other, CandidateStore) and (self.target, self.documents) == (other.target, other.documents)

    def __getstate__(self) -> dict[str, Any]:
        """Travel as URL and documents."""
        return {"target": self.target, "documents": self.documents, "kept": self.kept, "read_only": self.read_only}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open again where it arrives."""
        self.__init__(**state)  # type: ignore[misc]

    @property
    def path(self) -> str:
        """Give the store's URL, as upstream's stores do."""
        return self.target.url

    @property
    def zarr_format(self) -> int:
        """Say which version of zarr the documents are of."""
        return 3 if root_names(3)[-1] in self.documents else 2

    async def get(
        self, key: str, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Read a document, or an object of the prefix."""
        prototype = prototype or default_buffer_prototype()
        if is_metadata(key):
            memory = MemoryStore({k: prototype.buffer.from_bytes(v) for k, v in self.documents.items() if k == key})
            return await memory.get(key, prototype, byte_range)
        return await self._objects.get(key, prototype, byte_range)

    async def get_partial_values(self, prototype: BufferPrototype, key_ranges: Iterable[Any]) -> list[Buffer | None]:
        """Read several ranges."""
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    async def exists(self, key: str) -> bool:
        """Say whether a document or an object is there."""
        return key in self.documents if is_metadata(key) else await self._objects.exists(key)

    async def set(self, key: str, value: Buffer) -> None:
        """Change a document, or write an object at the prefix."""
        self._check_writable()
        if is_metadata(key):
            self.documents[key] = value.to_bytes()
            if self.kept is not None:
                self.kept.put(key, self.documents[key])
        else:
            await self._objects.set(key, value)

    async def delete(self, key: str) -> None:
        """Drop a document, or delete an object."""
        self._check_writable()
        if is_metadata(key):
            self.documents.pop(key, None)
            if self.kept is not None:
                self.kept.delete([key])
        else:
            await self._objects.delete(key)

    async def list(self) -> AsyncIterator[str]:
        """List all keys."""
        for key in list(self.documents):
            yield key
        async for key in self._objects.list():
            if not is_metadata(key):
                yield key


def data_store(target: Reading, read_only: bool = False) -> Any:
    """Open a target's folder, or a snapshot, as a zarr store; only for reading, without making the folder."""
    if not isinstance(target, Target):
        return target.zarr_store  # type: ignore[attr-defined]
    store = obstore.store.MemoryStore() if read_only and target.is_absent else target.store
    return TargetStore(store, read_only=read_only, target=target)


def open_planned_array(store: Any, documents: Documents, name: str) -> zarr.Array[Any]:
    """Open an array whose metadata is only in the documents, for writing whole objects, empty ones included."""
    keys = [f"{name}/{each}" for each in METADATA_NAMES]
    held = tuple((key, documents[key]) for key in keys if key in documents)
    config: Any = {"order": "C", "write_empty_chunks": True}
    return zarr.Array(AsyncArray(_planned_metadata(name, held), StorePath(store, name), config=config))


@lru_cache(maxsize=256)
def _planned_metadata(name: str, documents: tuple[tuple[str, bytes], ...]) -> Any:
    """Read an array's documents, once for all of its objects."""
    return zarr.open_array(memory_store(dict(documents)), path=name, mode="r").metadata


def memory_store(documents: Documents) -> MemoryStore:
    """Hold metadata documents in a memory store."""
    prototype = default_buffer_prototype()
    return MemoryStore({key: prototype.buffer.from_bytes(data) for key, data in documents.items()})
