"""Datasets whose places are known, and a store that counts what is read of it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from PIL import Image
from zarr.storage import LocalStore, WrapperStore

SST = {"units": "degC", "long_name": "Sea surface temperature"}


def grid(times: int = 4, rows: int = 18, columns: int = 36, **sst: Any) -> xr.Dataset:
    """Make random values on the globe, longitudes from 0 to 360, some of them missing."""
    values = np.random.default_rng(1).normal(15, 5, (times, rows, columns)).astype("f4")
    values[:, 2:5, 7:12] = np.nan
    lat, lon = (np.arange(n) + 0.5 for n in (rows, columns))
    coords = {
        "time": np.datetime64("2020-01-01", "ns") + np.arange(times) * np.timedelta64(1, "D"),
        "lat": ("lat", 90 - lat * 180 / rows, {"units": "degrees_north"}),
        "lon": ("lon", lon * 360 / columns, {"units": "degrees_east"}),
    }
    return xr.Dataset({"sst": (("time", "lat", "lon"), values, {**SST, **sst})}, coords=coords)


def curved(rows: int = 30, columns: int = 40) -> xr.Dataset:
    """Make random values on a grid that is turned by 25° and lies across the antimeridian."""
    y, x = np.meshgrid((np.arange(rows) - rows / 2) * 0.8, (np.arange(columns) - columns / 2) * 0.8, indexing="ij")
    turn = np.radians(25)
    lat = -15 + x * np.sin(turn) + y * np.cos(turn)
    lon = (179 + (x * np.cos(turn) - y * np.sin(turn)) / np.cos(np.radians(lat)) + 180) % 360 - 180
    values = np.random.default_rng(2).normal(0, 1, (rows, columns)).astype("f4")
    values[10:14, 20:28] = np.nan
    return xr.Dataset(
        {
            "uo": (("y", "x"), values, {"units": "m s-1", "standard_name": "eastward_sea_water_velocity"}),
            "nav_lat": (("y", "x"), lat, {"units": "degrees_north"}),
            "nav_lon": (("y", "x"), lon, {"units": "degrees_east"}),
        }
    )


def apart(lat: np.ndarray, lon: np.ndarray, at: tuple[float, float]) -> np.ndarray:
    """Give the great-circle distances in degrees to a place (haversine formula)."""
    up, across = np.radians(lat - at[0]), np.radians(lon - at[1])
    half = np.sin(up / 2) ** 2 + np.cos(np.radians(lat)) * np.cos(np.radians(at[0])) * np.sin(across / 2) ** 2
    return np.asarray(np.degrees(2 * np.arcsin(np.sqrt(np.clip(half, 0, 1)))))


class Counting(WrapperStore[Any]):
    """A store on disk that remembers the keys of the chunks that were read, those of coordinates left out."""

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self.chunks: list[str] = []

    async def get(self, key: str, prototype: Any = None, byte_range: Any = None) -> Any:
        if "/c/" in key and key.count("/") > 2:
            self.chunks.append(key)
        return await super().get(key, prototype, byte_range)


def stored(dataset: xr.Dataset, folder: Path, chunks: dict[str, tuple[int, ...]]) -> tuple[xr.Dataset, Counting]:
    """Write a store, and open it as a bake does, through a store that counts."""
    encoding = {name: {"chunks": shape} for name, shape in chunks.items()}
    dataset.to_zarr(folder, zarr_format=3, consolidated=True, encoding=encoding)  # type: ignore[call-overload]
    counting = Counting(LocalStore(folder, read_only=True))
    return xr.open_zarr(counting, consolidated=True, chunks=None), counting


def pixels(data: bytes) -> np.ndarray:
    """Read an image: rows, columns, and red, green, blue."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
