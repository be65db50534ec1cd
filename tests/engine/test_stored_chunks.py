"""The survey says how each variable's chunks are stored, or what keeps them from being taken as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from pydantic import TypeAdapter

from bakehouse.manifests import ChunkFormat, Filter
from bakehouse.openers.describe import describe
from bakehouse.openers.xarray import open_dataset
from bakehouse.plan.base import Kind
from bakehouse.schema import VariableSchema
from bakehouse.storage import make_source

DEFLATED = ChunkFormat((1, 2, 3), "<f4", (Filter.of("shuffle", elementsize=4), Filter.of("zlib", level=4)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    values = np.arange(24, dtype="f4").reshape(4, 2, 3)
    dataset = xr.Dataset(
        {"sst": (("time", "lat", "lon"), values), "plain": (("lat", "lon"), values[0]), "name": ("lat", ["a", "b"])},
        {"time": np.arange(4), "lat": [1.0, 2.0], "lon": [1.0, 2.0, 3.0]},
    )
    layout = {"chunksizes": (1, 2, 3), "zlib": True, "complevel": 4, "shuffle": True, "_FillValue": None}
    dataset.to_netcdf(tmp_path / "a.nc", engine="h5netcdf", encoding={"sst": layout, "plain": {"_FillValue": None}})
    return tmp_path / "a.nc"


def surveyed(path: Path, prepare: Callable[[xr.Dataset], xr.Dataset] = lambda ds: ds) -> dict[str, VariableSchema]:
    source = make_source(str(path), {}, {}).identified()
    return dict(describe(prepare(open_dataset(source)), str(path), source.identity, {"time": "concat"}).variables)


def test_chunks_with_their_filters_and_whole_arrays_without(path: Path) -> None:
    found = surveyed(path)
    assert (found["sst"].stored, found["sst"].stays) == (DEFLATED, "")
    assert found["plain"].stored == ChunkFormat((2, 3), "<f4")


def test_new_names_and_attributes_and_neighbours_leave_bytes_alone(path: Path) -> None:
    found = surveyed(path, lambda ds: ds.rename(sst="t", lat="y").assign(twice=ds.plain * 2).assign_attrs(a=1))
    renamed = surveyed(path, lambda ds: ds.isel(time=slice(0, 4)))
    assert found["t"].stored == renamed["sst"].stored == DEFLATED


@pytest.mark.parametrize(
    ("prepare", "name", "said"),
    [
        (lambda ds: ds.isel(time=slice(1, 3)), "sst", "the recipe takes a part of it"),
        (lambda ds: ds.isel(time=0), "sst", "the recipe takes a part of it"),
        (lambda ds: ds.isel(lat=slice(None, None, -1)), "sst", "the recipe takes a part of it"),
        (lambda ds: ds.assign(sst=ds.sst + 1), "sst", "the recipe computes it"),
        (lambda ds: ds, "time", "it is an index coordinate"),
        (lambda ds: ds, "name", "text of fixed width is stored as text of any length"),
    ],
)
def test_why_bytes_stay(path: Path, prepare: Callable[[xr.Dataset], xr.Dataset], name: str, said: str) -> None:
    found = surveyed(path, prepare)[name]
    assert (found.stored, found.stays) == (None, said)


def test_chunks_longer_than_the_data(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file.create_dataset("v", data=np.zeros((1, 3)), chunks=(512, 3), maxshape=(None, 3))
    found = surveyed(tmp_path / "a.nc", lambda ds: ds)
    assert found["v"].stays == "its chunks reach beyond its data"


def test_kinds_survive_their_way_through_json() -> None:
    variable = VariableSchema(("time",), "float32", False, False, (), stored=DEFLATED)
    kind = Kind((("lat", 2),), (("sst", variable),), ())
    adapter = TypeAdapter(Kind)
    assert adapter.validate_json(adapter.dump_json(kind)) == kind
    assert adapter.validate_python(asdict(kind)) == kind
