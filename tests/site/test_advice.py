"""What the pages say that reading costs, against the requests that zarr makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from zarr.storage import LocalStore, WrapperStore

from bakehouse.catalog.facts import Variable
from bakehouse.catalog.harvest import harvest
from bakehouse.site.advice import advice, cost


class Counting(WrapperStore[LocalStore]):
    """A store that counts what is asked of the chunks of one array."""

    asked: list[str] = []

    async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
        """Count a request of a chunk or of a part of it."""
        if "/c/" in f"/{key}":
            self.asked.append(key)
        return await super().get(key, prototype, byte_range)


CASES = [
    ((12, 8, 10), (4, 4, 5), None, {"time": 1}),
    ((12, 8, 10), (4, 4, 5), None, {"y": 1, "x": 1}),
    ((12, 8, 10), (12, 2, 2), (12, 8, 10), {"y": 1, "x": 1}),
    ((12, 8, 10), (12, 2, 2), (12, 8, 10), {}),
    ((12, 8, 10), (1, 8, 10), (4, 8, 10), {"time": 1}),
    ((12, 8, 10), (1, 4, 5), (4, 4, 5), {"time": 6}),
    ((11, 7, 9), (2, 2, 2), (4, 4, 4), {"time": 1}),
    ((11, 7, 9), (2, 2, 2), (4, 4, 4), {}),
]


@pytest.mark.parametrize(("shape", "chunks", "shards", "wanted"), CASES)
def test_requests_are_those_that_zarr_makes(tmp_path: Path, shape: Any, chunks: Any, shards: Any, wanted: Any) -> None:
    array = zarr.create_array(
        str(tmp_path), name="a", shape=shape, chunks=chunks, shards=shards, dtype="i4", fill_value=-1, compressors=None
    )
    array[:] = np.arange(np.prod(shape)).reshape(shape)
    dims = ("time", "y", "x")
    variable = Variable(
        name="a", role="data", dims=dims, shape=shape, chunks=chunks, shards=shards or (), dtype="int32",
        stored_dtype="int32", bytes=array.nbytes, objects=1,
    )  # fmt: skip
    store = Counting(LocalStore(tmp_path, read_only=True))
    store.asked = []
    zarr.open_array(store, path="a", mode="r")[tuple(slice(0, wanted.get(dim)) for dim in dims)]
    assert cost(variable, wanted).requests == len(store.asked)


def test_the_words_say_maps_series_and_all(tmp_path: Path) -> None:
    times = xr.date_range("1990-01-01", periods=120, freq="MS")
    lat, lon = np.arange(-45.0, 46, 10), np.arange(0.0, 360, 10)
    ds = xr.Dataset(
        {"t": (("time", "lat", "lon"), np.zeros((120, 10, 36), "f8"))},
        {
            "time": times,
            "lat": ("lat", lat, {"units": "degrees_north"}),
            "lon": ("lon", lon, {"units": "degrees_east"}),
        },
    )
    ds.to_zarr(tmp_path, encoding={"t": {"chunks": (1, 10, 36), "compressors": None}}, consolidated=True)
    found = harvest(xr.open_zarr(tmp_path), zarr.open_group(tmp_path, mode="r"))
    assert list(advice(found)) == [
        "A map of t at one time is 1 request of 2.9 kB.",
        "The whole series (120 times, 10 years) of t at one point is 120 requests of 346 kB in all.",
        "All of t is 120 requests of 346 kB in all.",
    ]
