"""Small datasets as inputs of a plan: described as the pipeline describes them, without files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from bakehouse.openers.describe import describe
from bakehouse.plan.make import make_plan
from bakehouse.plan.types import Plan, StoreOptions
from bakehouse.schema import DatasetSchema, Identity, merge_all

TIME = {"time": "concat"}


def sea(start: int = 0, steps: int = 2, **attrs: Any) -> xr.Dataset:
    """Make a dataset of `steps` days from day `start` on."""
    time = np.datetime64("2001-01-01", "ns") + np.arange(start, start + steps) * np.timedelta64(1, "D")
    values = (np.arange(steps * 6).reshape(steps, 2, 3) + 10 * start).astype("f4")
    return xr.Dataset(
        {"sst": (("time", "lat", "lon"), values, {"units": "K", **attrs})},
        {"time": time, "lat": [10.0, 20.0], "lon": [0.0, 90.0, 180.0]},
    )


def key(*positions: int, dims: Iterable[str] = TIME) -> tuple[tuple[str, int], ...]:
    """Give the key of an input by its positions along the dimensions."""
    return tuple(sorted(zip(dims, positions, strict=True)))


def schema_of(*datasets: xr.Dataset, identity: Identity | None = None) -> DatasetSchema:
    """Describe datasets as inputs 0.nc, 1.nc, … along time."""
    same = identity or Identity(100, "e")
    return merge_all(DatasetSchema.of(key(i), describe(ds, f"{i}.nc", same, TIME)) for i, ds in enumerate(datasets))


def grid_of(dims: Mapping[str, str], places: Mapping[tuple[int, ...], xr.Dataset]) -> DatasetSchema:
    """Describe datasets by position along several dimensions; the one at (0, 1) is named 0-1.nc."""
    named = {p: "-".join(map(str, p)) + ".nc" for p in places}
    return merge_all(
        DatasetSchema.of(key(*p, dims=dims), describe(ds, named[p], Identity(100, "e"), dims))
        for p, ds in places.items()
    )


def plan_of(schema: DatasetSchema, dims: Mapping[str, str] | None = None, /, **options: Any) -> Plan:
    """Plan the store of some inputs."""
    return make_plan(schema, dims or TIME, StoreOptions("out.zarr", **options), memory_bytes=2**28, label="ocean/daily")
