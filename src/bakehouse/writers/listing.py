"""Listing a zarr store by prefix and by folder, for stores that can list all their keys."""

from __future__ import annotations

from collections.abc import AsyncIterator

from zarr.abc.store import Store


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
