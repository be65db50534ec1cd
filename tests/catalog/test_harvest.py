from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import Any

import cftime
import numpy as np
import pytest
import xarray as xr
import zarr

from bakehouse.catalog.facts import Facts
from bakehouse.catalog.harvest import harvest
from tests.catalog.samples import dataset, facts, write


def _named(found: Facts, name: str) -> Any:
    return next(each for each in found.variables if each.name == name)


def _data_files(path: str, name: str) -> list[Path]:
    return [
        each for each in Path(path, name).rglob("*") if each.is_file() and not each.name.startswith((".z", "zarr.json"))
    ]


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_facts_are_what_xarray_and_the_disk_say(tmp_path: Path, zarr_format: int) -> None:
    path = write(dataset(), tmp_path / "a.zarr", zarr_format, encoding={"sst": {"chunks": (2, 3, 8)}})
    found, expected = facts(path), xr.open_zarr(path)
    sst = _named(found, "sst")
    assert {name: dim.size for name, dim in found.dims.items()} == dict(expected.sizes)
    assert (sst.dims, sst.shape, sst.dtype) == (expected.sst.dims, expected.sst.shape, str(expected.sst.dtype))
    assert (sst.units, sst.standard_name, sst.chunks, sst.shards) == ("K", "sea_surface_temperature", (2, 3, 8), ())
    assert sst.bytes == expected.sst.nbytes
    assert {each.name: each.objects for each in found.variables} == {
        str(name): len(_data_files(path, str(name))) for name in expected.variables
    }
    assert {each.name: each.role for each in found.variables} == {
        "sst": "data", "time": "coordinate", "lat": "coordinate", "lon": "coordinate"
    }  # fmt: skip


def test_extents_steps_and_units_of_the_dimensions(tmp_path: Path) -> None:
    found = facts(write(dataset(), tmp_path / "a.zarr"))
    time, lat, lon = found.dims["time"], found.dims["lat"], found.dims["lon"]
    assert (time.axis, time.start, time.end, time.step) == ("t", "2000-01-01T00:00:00Z", "2000-01-04T00:00:00Z", "P1D")
    assert (lat.axis, lat.start, lat.end, lat.step, lat.units) == ("y", -75, 75, 30, "degrees_north")
    assert (lon.axis, lon.step, lon.regular) == ("x", 45, True)
    assert time.units == "days since 2000-01-01 00:00:00"
    assert found.bbox == (-180, -75, 180, 75)
    assert found.time and found.time.calendar == "proleptic_gregorian"
    assert (found.shape, found.attrs["institution"]) == ("time 4 × lat 6 × lon 8", "Bakehouse")


def test_shards_are_the_objects(tmp_path: Path) -> None:
    path = write(dataset(), tmp_path / "a.zarr", encoding={"sst": {"chunks": (1, 3, 8), "shards": (3, 6, 8)}})
    sst = _named(facts(path), "sst")
    assert (sst.chunks, sst.shards, sst.objects) == ((1, 3, 8), (3, 6, 8), 2)
    assert len(_data_files(path, "sst")) == 2


def test_data_are_never_read(tmp_path: Path) -> None:
    path = write(dataset(), tmp_path / "a.zarr")
    for file in _data_files(path, "sst"):
        file.write_bytes(b"no chunk")
    assert _named(facts(path), "sst").objects == 1
    with pytest.raises(RuntimeError):
        xr.open_zarr(path, chunks=None).sst.load()


def test_packed_data_say_how_they_are_packed(tmp_path: Path) -> None:
    packing = {"dtype": "int16", "scale_factor": 0.01, "add_offset": 273.15, "_FillValue": -999}
    sst = _named(facts(write(dataset(), tmp_path / "a.zarr", encoding={"sst": packing})), "sst")
    assert (sst.dtype[:5], sst.stored_dtype) == ("float", "int16")
    assert (sst.attrs["scale_factor"], sst.attrs["add_offset"]) == (0.01, 273.15)
    assert sst.bytes == 4 * 6 * 8 * 2


@pytest.mark.filterwarnings("ignore::zarr.errors.ZarrUserWarning")
def test_codecs_are_named_in_order(tmp_path: Path) -> None:
    from zarr.codecs.numcodecs import Shuffle, Zlib

    chain = {"compressors": [Shuffle(elementsize=4), Zlib(level=1)]}
    assert _named(facts(write(dataset(), tmp_path / "a.zarr", encoding={"sst": chain})), "sst").compressors == (
        "numcodecs.shuffle",
        "numcodecs.zlib",
    )
    import numcodecs

    older = {"filters": [numcodecs.Shuffle(4)], "compressors": [numcodecs.Zlib(1)]}
    assert _named(facts(write(dataset(), tmp_path / "b.zarr", 2, encoding={"sst": older})), "sst").compressors == (
        "shuffle",
        "zlib",
    )


def test_a_360_day_calendar_keeps_its_dates(tmp_path: Path) -> None:
    dates = [cftime.datetime(2000, month, 30, calendar="360_day") for month in (1, 2, 3)]
    ds = dataset(3).assign_coords(time=dates)
    found = facts(write(ds, tmp_path / "a.zarr"))
    assert found.time and (found.time.start, found.time.end, found.time.calendar) == (
        "2000-01-30T00:00:00Z", "2000-03-30T00:00:00Z", "360_day"
    )  # fmt: skip
    assert (found.dims["time"].step, _named(found, "time").dtype) == ("P1M", "cftime")


def test_roles_follow_what_variables_say_of_each_other(tmp_path: Path) -> None:
    ds = dataset(2)
    ds["lat"].attrs["bounds"] = "lat_bnds"
    ds["lat_bnds"] = (("lat", "nv"), np.zeros((6, 2)))
    ds["crs"] = ((), 0, {"grid_mapping_name": "latitude_longitude", "crs_wkt": "GEOGCRS[…]"})
    ds["area"] = (("lat", "lon"), np.ones((6, 8)))
    ds["flag"] = (
        ("time", "lat", "lon"),
        np.ones((2, 6, 8), "i1"),
        {"flag_values": np.array([0, 1], "i1"), "flag_meanings": "no yes"},
    )
    ds["sst"].attrs |= {
        "grid_mapping": "crs",
        "cell_measures": "area: area",
        "ancillary_variables": "flag",
        "x": np.nan,
    }
    found = facts(write(ds, tmp_path / "a.zarr"))
    assert {each.name: each.role for each in found.variables if each.role not in ("data", "coordinate")} == {
        "lat_bnds": "bounds", "crs": "grid_mapping", "area": "auxiliary", "flag": "auxiliary"
    }  # fmt: skip
    assert found.crs == "GEOGCRS[…]"
    assert _named(found, "flag").attrs == {"flag_values": [0, 1], "flag_meanings": "no yes"}


def test_a_dimension_of_strings_lists_its_labels(tmp_path: Path) -> None:
    ds = dataset(2).expand_dims(scenario=np.array(["A1B", "E1"], dtype=np.dtypes.StringDType()))
    path = write(ds, tmp_path / "a.zarr")
    found = facts(path)
    assert found.dims["scenario"].values == ("A1B", "E1")
    assert _named(found, "scenario").dtype == "string"


def test_a_rotated_grid_has_no_box_unless_true_positions_are_there(tmp_path: Path) -> None:
    axes = {
        "rlat": ("rlat", [-1.0, 0, 1], {"standard_name": "grid_latitude", "units": "degrees"}),
        "rlon": ("rlon", [10.0, 11], {"standard_name": "grid_longitude", "units": "degrees"}),
    }
    ds = xr.Dataset({"t": (("rlat", "rlon"), np.ones((3, 2)))}, axes)
    assert facts(write(ds, tmp_path / "a.zarr")).bbox is None
    true = {
        "lat": (("rlat", "rlon"), [[50.0, 51], [51, 52], [52, 53]], {"units": "degrees_north"}),
        "lon": (("rlat", "rlon"), [[359.0, 1], [359, 1], [359, 1]], {"units": "degrees_east"}),
    }
    assert facts(write(ds.assign_coords(true), tmp_path / "b.zarr")).bbox == (-1, 50, 1, 53)


def test_a_store_without_places_or_times(tmp_path: Path) -> None:
    found = facts(write(xr.Dataset({"x": ((), 1.0)}, attrs={"title": float("nan")}), tmp_path / "a.zarr"))
    assert (found.bbox, found.time, found.dims, found.shape) == (None, None, {}, "scalar")
    assert found.attrs["title"] == "NaN"


def test_attributes_that_json_cannot_say_are_made_sayable(tmp_path: Path) -> None:
    ds = dataset(1)
    ds["sst"].attrs |= {"valid_range": np.array([0, 300], "f4"), "comment": "caf\udce9", "valid_max": np.float32("inf")}
    path = write(dataset(1), tmp_path / "a.zarr")
    found = harvest(ds, zarr.open_group(path, mode="r"))
    assert _named(found, "sst").attrs == {"valid_range": [0, 300], "comment": "caf\ufffd", "valid_max": "Infinity"}


def test_counts_that_the_caller_knows_are_taken(tmp_path: Path) -> None:
    path = write(dataset(1), tmp_path / "a.zarr")
    with xr.open_zarr(path) as ds:
        found = harvest(ds, zarr.open_group(path, mode="r"), bytes_stored=10, objects=7)
    assert (found.bytes_stored, found.objects) == (10, 7)


def test_real_nemo_and_ostia_files(tmp_path: Path) -> None:
    folder = Path(str(importlib.resources.files("iris_sample_data"))) / "sample_data"
    nemo = facts(_stored(next((folder / "NEMO").glob("*.nc")), tmp_path / "nemo.zarr"))
    assert nemo.bbox and (nemo.bbox[0], nemo.bbox[2]) == (-180, 180)
    assert nemo.time and (nemo.time.calendar, nemo.time.start[:4]) == ("360_day", "2015")
    assert _named(nemo, "bounds_lat").role == "bounds" and _named(nemo, "nav_lat").role == "coordinate"
    ostia = facts(_stored(folder / "ostia_monthly.nc", tmp_path / "ostia.zarr"))
    assert ostia.dims["time"].step == "P1M" and ostia.bbox and ostia.bbox[::2] == (-180, 180)


def _stored(file: Path, path: Path) -> str:
    with xr.open_dataset(file) as ds:
        for variable in ds.variables.values():
            kept = ("units", "calendar", "_FillValue", "dtype", "coordinates")
            variable.encoding = {key: value for key, value in variable.encoding.items() if key in kept}
        return write(ds, path)
