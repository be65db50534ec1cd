"""Listing a zarr store by prefix and by folder, for stores that can list all their keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Self

from zarr.abc.store import Store
from zarr.core.buffer import Buffer, BufferPrototype


class ListedStore(Store):
    """A store whose `list` is cheap enough for the other listings to be made from it."""

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """List the keys below a prefix."""
        async for key in self.list():
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """List the names directly below a prefix."""
        start = f"{prefix.rstrip('/')}/" if prefix else ""
        seen = set()
        async for key in self.list_prefix(start):
            name = key[len(start) :].partition("/")[0]
            if name not in seen:
                seen.add(name)
                yield name


class ReadStore(ListedStore):
    """A store that is only read; what it lists are its documents, which it holds."""

    supports_writes = False
    supports_deletes = False
    supports_partial_writes = False
    supports_listing = True

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        super().__init__(read_only=True)
        self.documents = documents
        self._is_open = True

    def with_read_only(self, read_only: bool = False) -> Self:
        """Give the same store: it is only read."""
        return self

    def __eq__(self, other: object) -> bool:
        """Two are the same if they are one."""
        return self is other

    async def get_partial_values(self, prototype: BufferPrototype, key_ranges: Iterable[Any]) -> list[Buffer | None]:
        """Read several ranges."""
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    async def list(self) -> AsyncIterator[str]:
        """List the documents."""
        for key in tuple(self.documents):
            yield key
