"""What all generators share: fields, coordinates, and where a URL's file goes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

SOURCES = {}


def source(function):
    """Register a generator under its name."""
    SOURCES[function.__name__] = function
    return function


def place(folder: Path, url: str) -> Path:
    """Give the file that stands for a URL: its host, or the scheme of a bucket, is the first folder."""
    scheme, rest = url.split("://")
    path = folder / ("" if scheme in ("http", "https") else scheme) / rest
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def field(shape: tuple[int, ...], seed: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """Give a field between two bounds, with a few last bits cut, as in rounded archives."""
    noise = np.random.default_rng(seed).random(shape)
    return (low + (high - low) * np.round(noise, 3)).astype("f4")


def holed(values: np.ndarray) -> np.ndarray:
    """Make a corner of each field missing."""
    out = values.copy()
    out[..., :2, :3] = np.nan
    return out


def latitude(size: int, name: str = "lat", descending: bool = False, dtype: str = "f4") -> dict[str, tuple]:
    """Give a latitude coordinate."""
    step = 180 / size
    values = np.linspace(-90 + step / 2, 90 - step / 2, size).astype(dtype)
    held = {"units": "degrees_north", "standard_name": "latitude", "long_name": "Latitude"}
    return {name: (name, values[::-1].copy() if descending else values, held)}


def longitude(size: int, name: str = "lon", first: float = -180, dtype: str = "f4") -> dict[str, tuple]:
    """Give a longitude coordinate."""
    step = 360 / size
    held = {"units": "degrees_east", "standard_name": "longitude", "long_name": "Longitude"}
    return {name: (name, (first + step / 2 + step * np.arange(size)).astype(dtype), held)}


def write(ds: xr.Dataset, path: Path, encoding: dict | None = None, **kwargs) -> None:
    """Write a NetCDF file; coordinates have no fill value unless one is asked for."""
    plain = {name: {"_FillValue": None} for name in ds.variables if name not in ds.data_vars}
    merged = {**plain, **{name: {**plain.get(name, {}), **value} for name, value in (encoding or {}).items()}}
    ds.to_netcdf(path, encoding=merged, **{"engine": "netcdf4", **kwargs})
