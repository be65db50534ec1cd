"""Odd but valid datasets are stored as xarray stores them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from bakehouse.storage import Target
from tests.oracle import assert_same, round_trip
from tests.plan.samples import sea
from tests.writers.direct import opened, stored

TWO = [sea(0, 2), sea(2, 3)]


def each(**variables: Callable[[xr.Dataset], Any]) -> list[xr.Dataset]:
    """Add variables to both datasets."""
    return [ds.assign({name.replace("__", " "): make(ds) for name, make in variables.items()}) for ds in TWO]


KINDS: dict[str, list[xr.Dataset]] = {
    "an input without time steps among others": [sea(0, 2), sea(2, 0), sea(2, 2)],
    "a first input without time steps": [sea(0, 0), sea(0, 2)],
    "a single input": [sea(0, 2)],
    "a name with blanks and signs": [ds.assign({"50% été #1": ds.sst * 2}) for ds in TWO],
    "a variable named as chunk keys begin": each(c=lambda ds: ds.sst * 2),
    "attributes that are called as parts of documents are": [
        ds.assign(sst=ds.sst.assign_attrs(shape=[7], metadata="été")).assign_attrs(metadata="https://données", shape=3)
        for ds in TWO
    ],
    "a variable that is called metadata": each(metadata=lambda ds: ds.sst * 3),
    "booleans": each(b=lambda ds: ds.sst > 3),
    "complex numbers": each(z=lambda ds: ds.sst * 1j),
    "durations": each(dt=lambda ds: ds.time - np.datetime64("2001-01-01")),
    "half floats": each(h=lambda ds: ds.sst.astype("f2")),
    "large unsigned integers": each(u=lambda ds: ds.sst.astype("u8") + 2**63),
    "a text dimension": [ds.assign_coords(lat=["a", "b"]) for ds in TWO],
    "text of fixed width": each(t=lambda ds: ("time", np.array(["x"] * ds.sizes["time"]))),
    "bytes": each(t=lambda ds: ("time", np.array([b"x"] * ds.sizes["time"]))),
    "a scalar": each(s=lambda ds: 3.0),
    "scalar text": each(s=lambda ds: "abc"),
    "a dimension without elements": each(e=lambda ds: (("time", "n"), np.zeros((ds.sizes["time"], 0)))),
    "missing values and lists in attributes": [ds.assign_attrs(a=np.nan, b=[1, np.nan], c="", d=[]) for ds in TWO],
    "nested attributes": [ds.assign_attrs(a={"x": {"y": [1]}}) for ds in TWO],
    "times in seconds": [ds.assign_coords(time=ds.time.astype("M8[s]")) for ds in TWO],
    "arrays that are computed late": [ds.chunk({"time": 1}) for ds in TWO],
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_store_is_what_xarray_writes(tmp_path: Path, kind: str) -> None:
    datasets = KINDS[kind]
    whole = xr.concat(
        datasets,
        "time",
        join="exact",
        compat="equals",
        combine_attrs="identical",
        data_vars="minimal",
        coords="different",
    )
    for zarr_format in (3, 2):
        found = opened(stored(datasets, Target(str(tmp_path / str(zarr_format))), zarr_format=zarr_format))
        assert_same(found.load(), round_trip(whole, zarr_format))


def test_attributes_that_json_lacks_are_written_as_text(tmp_path: Path) -> None:
    attrs = {"at": datetime(2001, 1, 1), "day": np.datetime64("2001-01-01"), "none": None, "nested": {"n": np.int8(1)}}
    found = opened(stored(TWO, Target(str(tmp_path)), attrs=attrs))
    assert found.attrs == {"at": "2001-01-01 00:00:00", "day": "2001-01-01", "none": None, "nested": {"n": 1}}
