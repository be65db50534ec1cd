"""Where the chunks of a variable lie, whatever its file's format: one manifest per variable, kept per process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bakehouse.manifests import Manifest

if TYPE_CHECKING:
    from bakehouse.openers.opened import Opened

INDEXES = 512

_known: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
_lock = threading.Lock()


def manifest_of(opened: Opened, name: str, shape: tuple[int, ...]) -> Manifest | str:
    """Index a variable's chunks, or say why they can't be read as bytes.

    Parameters
    ----------
    opened
        The source, and the engine and the group by which it is read.
    name
        The variable's name in the group.
    shape
        What the reader library reports.
    """
    match opened.engine:
        case "h5netcdf":
            from bakehouse.openers import hdf5

            return hdf5.manifest_of(opened.source, f"{opened.group}/{name}", shape)
        case "zarr":
            return _kept(opened, name, lambda: _zarr(opened, name, shape))
        case "cfgrib":
            from bakehouse.openers import grib

            return _kept(opened, name, lambda: grib.manifest_in(opened, name, shape))
        case "kerchunk":
            return _kept(opened, name, lambda: _kerchunk(opened, name, shape))
        case "scipy" | "netcdf4" if not opened.group:
            return _netcdf3(opened, name, shape)
    return f"files read by {opened.engine} are not indexed"


def _netcdf3(opened: Opened, name: str, shape: tuple[int, ...]) -> Manifest | str:
    from bakehouse.openers import netcdf3

    header = _kept(opened, None, lambda: netcdf3.read_header(opened.source))
    return header if isinstance(header, str) else netcdf3.manifest_in(header, name, shape)


def references_of(opened: Opened) -> Any:
    """Read what a document of references has of a group, once per process."""
    from bakehouse.openers.kerchunk import read_references

    return _kept(opened, None, lambda: read_references(opened.source).below(opened.group))


def _kerchunk(opened: Opened, name: str, shape: tuple[int, ...]) -> Manifest | str:
    from bakehouse.openers import kerchunk

    return kerchunk.manifest_in(opened, references_of(opened), name, shape)


def _zarr(opened: Opened, name: str, shape: tuple[int, ...]) -> Manifest | str:
    from bakehouse.openers import zarr

    return zarr.manifest_in(zarr.zarr_store(opened.source), f"{opened.group}/{name}".strip("/"), shape)


def _kept(opened: Opened, name: str | None, make: Callable[[], Any]) -> Any:
    """Give what this process knows already; what is not looked for any more is forgotten."""
    key = (*opened.cache_key, name)
    with _lock:
        if key in _known:
            _known.move_to_end(key)
            return _known[key]
    found = make()
    with _lock:
        _known[key] = found
        while len(_known) > INDEXES:
            _known.popitem(last=False)
    return found
