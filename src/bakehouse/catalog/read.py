"""From an id to an open dataset: find the entry, open its store lazily. Beam is never imported."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.lookup import ENVIRONMENT, Catalog, UnreachableCatalogError, catalogs
from bakehouse.catalog.record import Store, store_of
from bakehouse.errors import CatalogError, did_you_mean

if TYPE_CHECKING:
    import xarray as xr

MAX_LISTED = 50
_FULL_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*/[A-Za-z0-9_][A-Za-z0-9._-]*")


def find_entry(id: str, catalog: str | os.PathLike[str] | None = None, default_url: str | None = None) -> Entry:
    """Find an entry by its id, its feedstock or an alias.

    Parameters
    ----------
    id
        ``feedstock/recipe``; ``feedstock`` where it has one store, or a recipe of its own name; or a store_name.
    catalog
        Folder or http(s) address of the only catalog to look in. Without it: the environment variable
        BAKEHOUSE_CATALOG, the project's own and published catalogs, then `default_url` or the address that the
        project's meta.yaml names.

    Raises
    ------
    CatalogError
        If no catalog has the id, or it means several entries, or the entry is not valid.
    """
    return _find(id, catalog, default_url)[0]


def open_dataset(
    id: str,
    catalog: str | os.PathLike[str] | None = None,
    *,
    version: str | None = None,
    storage_options: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> xr.Dataset:
    """Open a dataset from the catalog, lazily.

    Parameters
    ----------
    id, catalog
        As in `find_entry`.
    version
        One of the entry's previous versions instead of the current one.
    storage_options
        Credentials and endpoints in fsspec's spelling, over what the entry says.
    **kwargs
        Passed to `xarray.open_dataset`. `chunks` is ``{}`` (dask arrays in the store's chunks) where dask is
        installed, else None (arrays read when they are indexed).

    Raises
    ------
    CatalogError
        If the entry or its store cannot be found or read.
    """
    from bakehouse.catalog.opening import open_store

    entry, found_in = _find(id, catalog, None)
    store = _store_of(entry, version)
    return open_store(store, found_in.locate(store.url), storage_options or {}, kwargs)


def _store_of(entry: Entry, version: str | None) -> Store:
    """Say where a version is; its format shows in whether it is a snapshot."""
    if version in (None, entry.version):
        return entry.store
    known = {each.version: each for each in entry.previous}
    if version not in known:
        raise CatalogError(
            f"'{entry.id}' has no version '{version}'",
            None,
            None,
            did_you_mean(version, {*known, *([entry.version] if entry.version else [])}),
        )
    return store_of(known[version], entry.store)


def _find(id: str, place: str | os.PathLike[str] | None, default_url: str | None) -> tuple[Entry, Catalog]:
    """Look in each catalog in turn; the first that knows the id answers."""
    known: dict[str, tuple[str, ...]] = {}
    looked: list[str] = []
    for catalog in catalogs(place, default_url):
        try:
            if entry := _entry_in(catalog, id, known):
                return entry, catalog
            looked.append(catalog.place)
        except UnreachableCatalogError as error:
            if place is not None:
                raise
            looked.append(f"{catalog.place} ({error.message}: {error.cause})")
    raise _unknown(id, known, looked)


def _entry_in(catalog: Catalog, id: str, known: dict[str, tuple[str, ...]]) -> Entry | None:
    """Look for an entry in one catalog; a full id costs one request, any other name the index too."""
    if _FULL_ID.fullmatch(id) and (entry := catalog.entry(id)):
        return entry
    names = catalog.names()
    known.update(names)
    entry_id = resolve(id, names, catalog.place)
    return catalog.entry(entry_id) if entry_id else None


def resolve(name: str, names: Mapping[str, tuple[str, ...]], where: str | None = None) -> str | None:
    """Find the id that a name means among ids and their aliases; None if nothing has that name.

    Raises
    ------
    CatalogError
        If the name means several.

    Examples
    --------
    >>> resolve("oisst.zarr", {"noaa-oisst/daily": ("oisst.zarr",)})
    'noaa-oisst/daily'
    """
    if name in names:
        return name
    mine = sorted(entry_id for entry_id in names if entry_id.startswith(f"{name}/"))
    if f"{name}/{name}" in mine:
        return f"{name}/{name}"
    meant = mine or sorted(entry_id for entry_id, aliases in names.items() if name in aliases)
    if len(meant) > 1:
        raise CatalogError(f"'{name}' means {len(meant)} stores", where, None, f"choose one of: {', '.join(meant)}")
    return meant[0] if meant else None


def _unknown(id: str, known: Mapping[str, tuple[str, ...]], looked: list[str]) -> CatalogError:
    if not looked:
        fix = f"name a catalog, set {ENVIRONMENT}, or run inside a project"
        return CatalogError(f"no catalog to look for '{id}' in", None, None, fix)
    feedstocks = {entry_id.partition("/")[0] for entry_id in known}
    aliases = {alias for each in known.values() for alias in each}
    listed = ", ".join(sorted(known)[:MAX_LISTED]) or "none"
    more = f" and {len(known) - MAX_LISTED} more" if len(known) > MAX_LISTED else ""
    close = did_you_mean(id, {*known, *feedstocks, *aliases})
    fix = close if close.startswith("did you mean") else "choose one of them"
    cause = f"the catalog has: {listed}{more}"
    return CatalogError(f"no entry '{id}'", "\n".join(looked), cause, fix if known else None)
