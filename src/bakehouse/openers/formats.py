"""Which reader opens which file: by the pattern's file type, else by the file's first bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bakehouse.errors import SourceError
from bakehouse.openers.hdf5 import known_header
from bakehouse.storage import Source

ENGINES = {
    "netcdf4": "h5netcdf",
    "netcdf3": "scipy",
    "zarr": "zarr",
    "grib": "cfgrib",
    "kerchunk": "kerchunk",
    "opendap": "pydap",
}
NEEDS_LOCAL_FILE = {"cfgrib", "scipy", "netcdf4"}
SIGNATURES = {
    b"\x89HDF\r\n\x1a\n": "h5netcdf",
    b"CDF\x01": "scipy",
    b"CDF\x02": "scipy",
    b"CDF\x05": "netcdf4",
    b"GRIB": "cfgrib",
}


def choose_engine(source: Source, file_type: str, open_kwargs: Mapping[str, Any]) -> str:
    """Name the xarray engine for a source.

    Raises
    ------
    SourceError
        If the file is none of the formats that Bakehouse reads, or is empty.
    """
    if engine := open_kwargs.get("engine"):
        return str(engine)
    if file_type in ("zarr", "opendap", "kerchunk"):
        return ENGINES[file_type]
    if source.location.rstrip("/").endswith(".zarr"):
        return "zarr"
    if known_header(source, group_in(open_kwargs)) is not None:
        return "h5netcdf"
    return _sniff(source, ENGINES.get(file_type))


def is_hdf5(head: bytes) -> bool:
    """Say whether a file that begins so is HDF5, as netCDF4 is."""
    return _signed(head) == "h5netcdf"


def group_in(open_kwargs: Mapping[str, Any]) -> str:
    """Give the group inside a file that keyword arguments ask for."""
    return str(open_kwargs.get("group") or "").strip("/")


def _sniff(source: Source, declared: str | None) -> str:
    """Trust the first bytes over the declared type: archives change format under one name."""
    with source.open() as file:
        head = file.read(8)
    if engine := _signed(head):
        return engine
    if declared and head:
        return declared
    what = "the file is empty" if not head else f"the file starts with {head!r}, which is no format that can be read"
    raise SourceError(what, source.where, None, "expected netCDF3, netCDF4/HDF5, GRIB or zarr")


def _signed(head: bytes) -> str | None:
    return next((engine for begins, engine in SIGNATURES.items() if head.startswith(begins)), None)
