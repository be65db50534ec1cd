"""The one line that opens a store, in this package and in plain xarray."""

from __future__ import annotations

from typing import Any

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.record import Store


def short_id(entry: Entry) -> str:
    """Give the shortest id that stays right when the feedstock gets more recipes."""
    return entry.feedstock if entry.feedstock == entry.recipe else entry.id


def opening_line(entry: Entry) -> str:
    """Give the line of Python that opens an entry from the catalog.

    Examples
    --------
    >>> from bakehouse.catalog.entry import Check
    >>> store = Store(url="s3://bucket/a.zarr", zarr_format=3, consolidated=True)
    >>> fields = {"title": "OSTIA", "kind": "linked", "store": store, "check": Check(level="declared")}
    >>> opening_line(Entry(feedstock="ostia-monthly", recipe="ostia-monthly", **fields))
    'bakehouse.open("ostia-monthly")'
    """
    return f'bakehouse.open("{short_id(entry)}")'


def xarray_line(entry: Entry, url: str | None = None) -> str:
    """Give the line of plain xarray that opens the same store; `url` replaces one that is relative to the catalog."""
    store = entry.store
    options = storage_options(store)
    consolidated = {} if store.consolidated else {"consolidated": False}
    named = {**consolidated, **store.open_kwargs, **({"storage_options": options} if options else {})}
    arguments = ", ".join([repr(url or store.url), *(f"{key}={value!r}" for key, value in named.items())])
    return f"xarray.open_zarr({arguments})"


def storage_options(store: Store) -> dict[str, Any]:
    """Spell access to a bucket as fsspec does, which is what plain xarray takes."""
    said = store.storage
    if said.protocol == "gs":
        return {"token": "anon"} if said.anonymous else {}
    if said.protocol != "s3":
        return {}
    client = {"region_name": said.region} if said.region else {}
    return {
        **({"anon": True} if said.anonymous else {}),
        **({"endpoint_url": said.endpoint} if said.endpoint else {}),
        **({"client_kwargs": client} if client else {}),
    }
