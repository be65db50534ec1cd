"""Groups inside a source: which there are, for the one that was asked for and is not among them."""

from __future__ import annotations

from typing import Any

from bakehouse.errors import SourceError, did_you_mean
from bakehouse.openers.kerchunk import read_references
from bakehouse.openers.opened import Opened, openable

FLAT = {"scipy": "netCDF3", "cfgrib": "GRIB"}


def explain_group(opened: Opened, error: SourceError) -> SourceError:
    """Say which groups a source has if it could not be opened because it lacks the one that was asked for."""
    if not opened.group:
        return error
    if opened.engine in FLAT:
        fix = "leave the group out of xarray_open_kwargs"
        return SourceError(f"a {FLAT[opened.engine]} file has no groups", opened.source.where, _asked(opened), fix)
    try:
        known = _listed(opened)
    except Exception:  # what keeps the file from being listed is what kept it from being opened: that error says it
        return error
    if opened.group in known:
        return error
    return SourceError(
        f"there is no group '{opened.group}'",
        opened.source.where,
        f"groups: {', '.join(known) or 'none'}",
        did_you_mean(opened.group, known),
    )


def _asked(opened: Opened) -> str:
    return f"the recipe asks for group '{opened.group}'"


def _listed(opened: Opened) -> list[str]:
    """Give the paths of all groups."""
    if opened.engine == "kerchunk":
        return read_references(opened.source).groups
    if opened.engine == "zarr":
        import zarr

        from bakehouse.openers.zarr import zarr_store

        members: Any = zarr.open_group(zarr_store(opened.source), mode="r").members(max_depth=None)
        return sorted(path for path, found in members if isinstance(found, zarr.Group))
    import h5py

    found: list[str] = []
    with h5py.File(openable(opened), "r") as file:
        file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Group) else None)
    return sorted(found)
