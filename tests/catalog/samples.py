"""Entries and stores for the catalog's tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from bakehouse.catalog.entry import Check, Entry, Store
from bakehouse.catalog.harvest import harvest

HOSTILE = '<script>alert(1)</script> 🍞 \u202etxet\u202c שלום "quoted" \\ \x00\u2028 ]]> {{7*7}}'


def dataset(times: int = 4) -> xr.Dataset:
    """Make a small global field of float32 over time, lat and lon."""
    lat, lon = np.linspace(-75, 75, 6), np.arange(0, 360, 45.0)
    values = np.random.default_rng(0).random((times, 6, 8), dtype="float32")
    return xr.Dataset(
        {"sst": (("time", "lat", "lon"), values, {"units": "K", "standard_name": "sea_surface_temperature"})},
        {
            "time": np.array("2000-01-01", "M8[ns]") + np.arange(times) * np.timedelta64(1, "D"),
            "lat": ("lat", lat, {"units": "degrees_north", "standard_name": "latitude"}),
            "lon": ("lon", lon, {"units": "degrees_east", "standard_name": "longitude"}),
        },
        {"title": "Sample", "institution": "Bakehouse"},
    )


def write(ds: xr.Dataset, path: Path | str, zarr_format: Any = 3, **kwargs: Any) -> str:
    """Write a dataset as xarray does, and give the store's path."""
    ds.to_zarr(str(path), zarr_format=zarr_format, consolidated=True, mode="w", **kwargs)
    return str(path)


def facts(path: str) -> Any:
    """Harvest a store on disk."""
    return harvest(xr.open_zarr(path, chunks=None), zarr.open_group(path, mode="r"))


def entry(id: str = "oisst/daily", url: str = "s3://bucket/a.zarr", **fields: Any) -> Entry:
    """Make an entry; without facts it says loudly that nothing was reached."""
    feedstock, _, recipe = id.partition("/")
    store = fields.pop("store", None) or Store(url=url, zarr_format=fields.pop("zarr_format", 3), consolidated=True)
    fields.setdefault("check", Check(level="reachable" if fields.get("facts") else "declared"))
    return Entry(
        **{"kind": "linked", "title": f"The title of {id}", "store": store, **fields},
        feedstock=feedstock,
        recipe=recipe,
    )


def stored(id: str, path: Path | str, zarr_format: Any = 3, **fields: Any) -> Entry:
    """Write a sample store and make its entry."""
    place = write(dataset(), path, zarr_format)
    return entry(id, place, zarr_format=zarr_format, facts=facts(place), **fields)


def upload(path: str, bucket: Any) -> None:
    """Copy a store from the disk into a bucket that obstore opened."""
    for file in Path(path).rglob("*"):
        if file.is_file():
            bucket.put(file.relative_to(path).as_posix(), file.read_bytes())


def armed(store: Path, array: str, proof: Path) -> None:
    """Have an array of a store in format 2 run code when it is decoded: it would make a file."""
    said = json.loads((store / array / ".zarray").read_text())
    said |= {"filters": [{"id": "pickle"}], "compressor": None, "fill_value": None, "dtype": "|O"}
    (store / array / ".zarray").write_text(json.dumps(said))
    for chunk in store.joinpath(array).glob("[0-9]*"):
        chunk.write_bytes(b"cposix\nsystem\n(S'touch %s'\ntR." % str(proof).encode())
    documents = {path.relative_to(store).as_posix(): json.loads(path.read_text()) for path in store.rglob(".z[ag]*")}
    (store / ".zmetadata").write_text(json.dumps({"zarr_consolidated_format": 1, "metadata": documents}))
