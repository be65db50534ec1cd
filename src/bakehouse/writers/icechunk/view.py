"""One snapshot of a repository, read like a folder of documents and objects."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import MemoryStore, WrapperStore

from bakehouse.errors import StorageError
from bakehouse.storage import Target
from bakehouse.writers.icechunk.repository import repository_at
from bakehouse.writers.icechunk.storage import asked
from bakehouse.writers.template import Documents, is_metadata

ROOT = "zarr.json"
ASKED_AT_ONCE = 256


@dataclass(frozen=True)
class SnapshotView:
    """A snapshot as a store that is read; its root has the consolidated metadata that Icechunk itself does without.

    Examples
    --------
    >>> SnapshotView(Target("s3://bucket/sea.icechunk"), "1CECHNKREP0F1RSTCMT0").url
    's3://bucket/sea.icechunk'
    """

    target: Target
    snapshot: str

    def __getstate__(self) -> dict[str, Any]:
        """Leave what was opened behind: each process opens its own."""
        return {"target": self.target, "snapshot": self.snapshot}

    @property
    def url(self) -> str:
        """Give the repository's address."""
        return self.target.url

    @property
    def is_local(self) -> bool:
        """Say whether the repository lies on this machine."""
        return self.target.is_local

    @cached_property
    def zarr_store(self) -> SnapshotStore:
        """Open the snapshot as a zarr store; raises StorageError if it is not there."""
        return SnapshotStore(self._plain, self)

    @cached_property
    def documents(self) -> Documents:
        """Read all metadata documents, with a root that has the others in it; none if the snapshot is empty."""
        found = {key: data for key in (ROOT, *self._arrays) if (data := self._read(key))}
        if ROOT not in found:
            return {}
        parsed = {key.removesuffix(f"/{ROOT}"): json.loads(data) for key, data in found.items() if key != ROOT}
        held = {"kind": "inline", "must_understand": False, "metadata": parsed}
        root = {**json.loads(found[ROOT]), "consolidated_metadata": held}
        return {**found, ROOT: json.dumps(root, indent=2).encode()}

    def get(self, key: str) -> bytes | None:
        """Read a document or an object; None if it is not there."""
        return self.documents.get(key) if is_metadata(key) else self._read(key)

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """List keys below a prefix, with their sizes in bytes."""
        keys = [key for key in self._keys if key.startswith(prefix)]
        with asked(self.target, "list the objects of a snapshot"):
            sizes = sync(self._sizes([key for key in keys if not is_metadata(key)]))
        yield from ((key, len(self.documents[key]) if is_metadata(key) else sizes[key]) for key in keys)

    def size(self, key: str) -> int | None:
        """Give the size of an object in bytes; None if it is not there."""
        if is_metadata(key):
            return len(self.documents[key]) if key in self.documents else None
        with asked(self.target, f"look for '{key}'"):
            return int(sync(self._plain.getsize(key))) if sync(self._plain.exists(key)) else None

    @cached_property
    def _plain(self) -> Any:
        return repository_at(self.target).read_store(self.snapshot)

    @property
    def _arrays(self) -> Any:
        async def listed() -> Any:
            return [f"{name.rstrip('/')}/{ROOT}" async for name in self._plain.list_dir("") if name != ROOT]

        with asked(self.target, "list the arrays of a snapshot"):
            return sorted(sync(listed()))

    @property
    def _keys(self) -> Any:
        async def listed() -> Any:
            return [key async for key in self._plain.list()]

        with asked(self.target, "list the objects of a snapshot"):
            return sync(listed())

    async def _sizes(self, keys: Any) -> dict[str, int]:
        found: dict[str, int] = {}
        for start in range(0, len(keys), ASKED_AT_ONCE):
            some = keys[start : start + ASKED_AT_ONCE]
            found |= dict(zip(some, await asyncio.gather(*map(self._plain.getsize, some)), strict=True))
        return found

    def _read(self, key: str) -> bytes | None:
        with asked(self.target, f"read '{key}'"):
            data = sync(self._plain.get(key, default_buffer_prototype()))
        return None if data is None else bytes(data.to_bytes())


class SnapshotStore(WrapperStore[Any]):
    """Icechunk's zarr store of a snapshot, whose root document has the consolidated metadata."""

    def __init__(self, store: Any, view: SnapshotView) -> None:
        super().__init__(store)
        self.view = view

    def with_read_only(self, read_only: bool = False) -> SnapshotStore:
        """Give the same store: a snapshot never changes."""
        return self

    async def get(
        self, key: str, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Read a document, or an object or a part of it."""
        prototype = prototype or default_buffer_prototype()
        if key != ROOT:
            return await super().get(key, prototype, byte_range)
        documents = await asyncio.to_thread(lambda: self.view.documents)
        memory = MemoryStore({k: prototype.buffer.from_bytes(data) for k, data in documents.items() if k == ROOT})
        return await memory.get(ROOT, prototype, byte_range)

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse to write: what steps after the store may change are its documents."""
        raise StorageError(
            f"cannot write '{key}' to a snapshot",
            self.view.url,
            "a step after StoreToZarr writes values, which Icechunk stores don't take from there",
            "change values before StoreToZarr, or use the format 'zarr'",
        )
