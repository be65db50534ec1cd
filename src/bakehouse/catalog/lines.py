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
    if store.format == "icechunk":
        return _icechunk_line(store, url or store.url)
    if store.format == "kerchunk":
        return _kerchunk_line(entry, url or store.url)
    options = storage_options(store)
    consolidated = {} if store.consolidated else {"consolidated": False}
    named = {**consolidated, **store.open_kwargs, **({"storage_options": options} if options else {})}
    arguments = ", ".join([repr(url or store.url), *(f"{key}={value!r}" for key, value in named.items())])
    return f"xarray.open_zarr({arguments})"


def _kerchunk_line(entry: Entry, url: str) -> str:
    """Open references with kerchunk's engine; those in Parquet files do not say by which protocol they point."""
    store, is_json = entry.store, entry.provenance.options.get("format") != "kerchunk-parquet"
    access, place = storage_options(store), url.rstrip("/")
    place += "/refs.json" if is_json and not place.endswith(".json") else ""
    said: dict[str, Any] = {"remote_protocol": store.references} if store.references and not is_json else {}
    said |= {"target_options": access} if access else {}
    said |= {"remote_options": access} if access and store.references == store.storage.protocol else {}
    named = {"engine": "kerchunk", **store.open_kwargs, **({"storage_options": said} if said else {})}
    return f"xarray.open_dataset({', '.join([repr(place), *(f'{key}={value!r}' for key, value in named.items())])})"


def _icechunk_line(store: Store, url: str) -> str:
    """Open the very snapshot that was checked; `main` where the entry names none."""
    if store.storage.protocol == "s3":
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        said = store.storage
        named: dict[str, Any] = {"bucket": bucket, "prefix": prefix}
        named |= {"region": said.region, "endpoint_url": said.endpoint}
        named |= {"anonymous": True} if said.anonymous else {"from_env": True}
        named |= {"force_path_style": True} if said.endpoint else {}
        named |= {"allow_http": True} if str(said.endpoint).startswith("http://") else {}
        place = f"s3_storage({', '.join(f'{key}={value!r}' for key, value in named.items() if value is not None)})"
    else:
        place = f"local_filesystem_storage({url.removeprefix('file://')!r})"
    which = f"snapshot_id={store.snapshot!r}" if store.snapshot else "'main'"
    opening = {"consolidated": False, **store.open_kwargs}
    arguments = ", ".join(f"{key}={value!r}" for key, value in opening.items())
    return f"xarray.open_zarr(icechunk.Repository.open(icechunk.{place}).readonly_session({which}).store, {arguments})"


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
