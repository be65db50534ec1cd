"""What a store is read through, whatever its format: a folder of a target, or a snapshot of an Icechunk repository."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from bakehouse.storage import Target


class Reading(Protocol):
    """A store as it is read: documents and objects by their zarr keys.

    `zarr.json`, or `.zmetadata`, is the root with consolidated metadata.
    """

    @property
    def url(self) -> str:
        """Give the store's address."""
        ...

    @property
    def is_local(self) -> bool:
        """Say whether it lies on this machine."""
        ...

    def get(self, key: str) -> bytes | None:
        """Read a document or an object; None if it is not there."""
        ...

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """List keys below a prefix, with their sizes in bytes."""
        ...

    def size(self, key: str) -> int | None:
        """Give the size of an object in bytes; None if it is not there."""
        ...


def reading_at(url: str, options: Mapping[str, Any], snapshot: str | None = None) -> Reading:
    """Read a store where it lies; `snapshot` names one of an Icechunk repository.

    Examples
    --------
    >>> reading_at("s3://bucket/oisst/1a2b.zarr", {})
    Target(url='s3://bucket/oisst/1a2b.zarr')
    """
    if snapshot is None:
        from bakehouse.writers.references.view import references_at

        return references_at(url, options) or Target(url, options)
    from bakehouse.writers.icechunk.view import SnapshotView

    return SnapshotView(Target(url, options), snapshot)
