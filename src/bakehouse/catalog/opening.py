"""Open a store where it lies, lazily.

Buckets and web servers are read by obstore, through zarr's own `ObjectStore`: one dependency for S3, GCS, Azure and
https, where fsspec would need s3fs, gcsfs, adlfs and aiohttp, each with an event loop of its own. Local stores are
read by zarr itself.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bakehouse.catalog.record import Store
from bakehouse.catalog.urls import protocol_of
from bakehouse.errors import CatalogError, StorageError

if TYPE_CHECKING:
    import xarray as xr

    from bakehouse.catalog.entry import Entry

ROOTS = {2: ".zmetadata", 3: "zarr.json"}
# Ends when zarr-python 3.1, the last for Python 3.11, is no longer supported: later ones do not warn.
NUMCODECS_WARNING = "Numcodecs codecs are not in the Zarr version 3 specification"


def open_store(store: Store, url: str, storage_options: Mapping[str, Any], kwargs: Mapping[str, Any]) -> xr.Dataset:
    """Open a store as its entry says, at a url that is no longer relative.

    Raises
    ------
    CatalogError
        If there is no such store, it does not answer, or its format needs another package.
    """
    import xarray as xr
    from obstore.exceptions import BaseError

    chunks: dict[str, int] | None = {} if find_spec("dask") else None
    consolidated = store.consolidated and store.format != "icechunk"
    said = {"chunks": chunks, "consolidated": consolidated, "zarr_format": store.zarr_format, **store.open_kwargs}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=NUMCODECS_WARNING)
            return xr.open_dataset(zarr_store(store, url, storage_options), engine="zarr", **{**said, **kwargs})
    except FileNotFoundError as error:
        fix = "it was moved or removed; ask its maintainers"
        raise CatalogError("the store is not there", url, _first_line(error), fix) from error
    except StorageError as error:
        cause = f"{error.message}: {error.cause}" if error.cause else error.message
        raise CatalogError("the store can't be read", url, cause, error.fix) from error
    except (BaseError, OSError) as error:
        fix = "check the network and storage_options"
        raise CatalogError("the store can't be read", url, _first_line(error), fix) from error


def zarr_store(store: Store, url: str, storage_options: Mapping[str, Any] | None = None) -> Any:
    """Give what zarr reads from: a path, an `ObjectStore`, a snapshot of an Icechunk repository, or references.

    What a virtual store refers to is read with the same `storage_options` as the store, and as the store is where both
    lie in buckets of one kind.
    """
    from bakehouse.storage import RETRIES, Target, local_path

    protocol = protocol_of(url)
    if store.format == "icechunk":
        from bakehouse.writers.icechunk import Repository

        options = {**obstore_options(store), **(storage_options or {})}
        return Repository(Target(url, options)).read_store(store.snapshot)
    if store.format == "kerchunk":
        return _references(store, url, storage_options or {})
    if protocol == "file":
        return _existing(local_path(url))
    from obstore.store import HTTPStore
    from zarr.storage import ObjectStore

    if protocol in ("http", "https"):
        remote = HTTPStore.from_url(url, client_options={"allow_http": True}, retry_config=RETRIES)
    else:
        remote = Target(url, {**obstore_options(store), **(storage_options or {})}).store
    return ObjectStore(remote, read_only=True)


def _references(store: Store, url: str, storage_options: Mapping[str, Any]) -> Any:
    from bakehouse.storage import Target
    from bakehouse.writers.references.kerchunk import JSON_NAME
    from bakehouse.writers.references.view import ReferenceView

    folder, _, name = url.rpartition("/") if url.endswith(".json") else (url, "", JSON_NAME)
    target = Target(folder, {**obstore_options(store), **storage_options})
    view = ReferenceView(target, {**_options_of_references(store), **storage_options}, json_name=name)
    if not view.documents:
        raise FileNotFoundError(f"no references at {url}")
    return view.zarr_store


def _options_of_references(store: Store) -> dict[str, Any]:
    """Give the access to what references name: as to the store in the same kind of bucket; from the web, anonymous."""
    if store.references not in ("s3", "gs"):
        return {}
    return obstore_options(store) if store.references == store.storage.protocol else _on_the_web(store)


def _on_the_web(store: Store) -> dict[str, Any]:
    return {"anon": True} if store.storage.protocol in ("http", "https") else {}


def obstore_options(store: Store) -> dict[str, Any]:
    """Give the access to a bucket that the entry states."""
    said = store.storage
    options = {"anon": said.anonymous or None, "endpoint_url": said.endpoint, "region": said.region}
    return {key: value for key, value in options.items() if value is not None}


def root_name(entry: Entry) -> str:
    """Name the document that makes an entry's store visible."""
    if entry.store.format == "kerchunk":
        return ".zmetadata" if entry.provenance.options.get("format") == "kerchunk-parquet" else "refs.json"
    return ROOTS[entry.store.zarr_format]


def _existing(path: str) -> str:
    if not Path(path).exists():
        raise FileNotFoundError(f"no such file or folder: {path}")
    return path


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"
