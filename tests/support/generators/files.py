"""Where generated files lie, and how they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import netCDF4


def path_of(folder: Path, url: str) -> Path:
    """Give the file that stands for a URL.

    Examples
    --------
    >>> path_of(Path("www"), "https://example.org/data/a%20b.nc").as_posix()
    'www/example.org/data/a b.nc'
    """
    parts = urlsplit(url)
    return folder / parts.netloc / unquote(parts.path).lstrip("/")


@contextmanager
def creating(path: Path, data_model: Literal["NETCDF4", "NETCDF4_CLASSIC"] = "NETCDF4") -> Iterator[netCDF4.Dataset]:
    """Write a netCDF file with its folders; variables take stored values, not decoded ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with netCDF4.Dataset(path, "w", format=data_model) as file:
        yield file


def add(
    file: netCDF4.Dataset, name: str, values: Any, dims: tuple[str, ...], attrs: Mapping[str, Any], **create: Any
) -> None:
    """Add a variable with its stored values; `create` goes to `createVariable`, chunks are clipped to the shape."""
    if chunks := create.get("chunksizes"):
        create["chunksizes"] = [min(c, n) for c, n in zip(chunks, values.shape, strict=True)]
    variable = file.createVariable(name, values.dtype, dims, fill_value=attrs.get("_FillValue"), **create)
    variable.set_auto_maskandscale(False)
    variable.setncatts({k: v for k, v in attrs.items() if k != "_FillValue"})
    variable[:] = values
