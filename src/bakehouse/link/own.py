"""Stores that this project made: their root documents, and a chunk of each, read as their bakery does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bakehouse.catalog.opening import obstore_options, open_store, root_name, zarr_store
from bakehouse.errors import LinkError
from bakehouse.link.found import GoneError
from bakehouse.link.probe import arrays_of, candidates, decode
from bakehouse.storage import Target

if TYPE_CHECKING:
    from bakehouse.catalog.entry import Entry


class ChangedError(LinkError):
    """A store that is not what was registered."""


def recheck_own(entry: Entry, url: str, options: Mapping[str, Any]) -> None:
    """Open a store that was baked here, compare its root with the entry, and read a chunk.

    Raises
    ------
    GoneError, ChangedError, LinkError
        If it is not as it should be.
    """
    access = {**obstore_options(entry.store), **options}
    if entry.store.format != "icechunk":
        _compare_root(entry, Target(url, access))
    open_store(entry.store, url, access, {})
    _read_chunk(entry, url, access)


def _compare_root(entry: Entry, target: Target) -> None:
    name = root_name(entry)
    found = target.get(name)
    if found is None:
        raise GoneError(f"the store has no {name}", target.url, None, f"bakehouse bake {entry.id}")
    now = f"sha256:{hashlib.sha256(found).hexdigest()}"
    if entry.digests.root and entry.digests.root != now:
        cause = f"its digest was {entry.digests.root}, it is {now}"
        raise ChangedError(
            f"{name} is not the one that was registered", target.url, cause, f"bakehouse verify {entry.id}"
        )


def _read_chunk(entry: Entry, url: str, access: Mapping[str, Any]) -> None:
    """Read the first chunk of the largest array; a bake writes every one of them."""
    import zarr
    from zarr.core.sync import sync

    group = zarr.open_group(zarr_store(entry.store, url, access), mode="r", zarr_format=entry.store.zarr_format)
    for array, index, key in candidates(group, arrays_of(group)):
        if entry.kind == "baked" and not sync(group.store.exists(key)):
            raise LinkError(f"chunk '{key}' is gone", url, None, f"bakehouse verify {entry.id}")
        return decode(array, index, key)
