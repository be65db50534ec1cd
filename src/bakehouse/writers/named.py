"""A target as a zarr store, whose failures name the object and the target."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import contextmanager
from typing import Any

from obstore.exceptions import BaseError
from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import ObjectStore

from bakehouse.storage import Target


class TargetStore(ObjectStore[Any]):
    """zarr's store over obstore; what goes wrong is a StorageError, as it is with `Target` itself."""

    def __init__(self, store: Any, *, read_only: bool = False, target: Target) -> None:
        super().__init__(store, read_only=read_only)
        self.target = target

    def with_read_only(self, read_only: bool = False) -> TargetStore:
        """Give the same store, read-only or not."""
        return TargetStore(self.store, read_only=read_only, target=self.target)

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Read an object, or a part of it."""
        with self._naming("read", key):
            return await super().get(key, prototype, byte_range)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Read parts of objects."""
        wanted = list(key_ranges)
        with self._naming("read", ", ".join(dict.fromkeys(key for key, _ in wanted))):
            return await super().get_partial_values(prototype, wanted)

    async def set(self, key: str, value: Buffer) -> None:
        """Write an object."""
        with self._naming("write", key):
            await super().set(key, value)

    async def delete(self, key: str) -> None:
        """Delete an object."""
        with self._naming("delete", key):
            await super().delete(key)

    @contextmanager
    def _naming(self, verb: str, key: str) -> Any:
        try:
            yield
        except (BaseError, OSError) as error:
            raise self.target.failed(verb, key, error) from error
