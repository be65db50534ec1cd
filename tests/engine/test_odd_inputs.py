"""Inputs that are odd in one respect are stored as xarray reads them, or refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cftime
import h5netcdf
import h5py
import netCDF4
import numpy as np
import pytest
import xarray as xr
import zarr

from bakehouse.patterns import ConcatDim, FilePattern
from tests.engine.files import along_time, bake, joined, read, refused, written
from tests.engine.pipeline import bake_pattern
from tests.oracle import assert_same, round_trip
from tests.plan.samples import sea
from tests.support.http import Server


@pytest.mark.parametrize(
    ("dtypes", "stored"),
    [
        (("i2", "i4"), "int32"),
        (("i4", "i2"), "int32"),
        (("u1", "i2"), "int16"),
        (("f4", "f8"), "float64"),
        (("f8", "f4"), "float64"),
        (("i2", "f4"), "float32"),
        (("bool", "i2"), "int16"),
    ],
    ids=str,
)
def test_a_dtype_that_drifts_becomes_the_one_that_holds_both(
    dtypes: tuple[str, str], stored: str, tmp_path: Path
) -> None:
    highest = [True if d == "bool" else np.iinfo(d).max if d[0] in "iu" else np.finfo(d).max for d in dtypes]
    made = [sea(2 * i).assign(w=("time", np.array([0, highest[i]], dtypes[i]))) for i in (0, 1)]
    actual = bake(written(tmp_path, made), tmp_path / "out").load()
    assert_same(actual, joined(read(tmp_path, 0, 1)))
    assert str(actual.w.dtype) == stored


@pytest.mark.parametrize("other", ["f4", "f8"])
def test_integers_that_floats_do_not_hold_are_refused(other: str, tmp_path: Path) -> None:
    ids = np.array([1, 2**53 + 1], "i8")
    made = [sea(0).assign(w=("time", ids)), sea(2).assign(w=("time", np.array([1.5, 2.5], other)))]
    with refused("'w'", str(2**53 + 1), str(2**53), "float64", "0.nc"):
        bake(written(tmp_path, made), tmp_path / "out")
    made[0]["w"] = ("time", ids - 1)
    actual = bake(written(tmp_path / "in", made), tmp_path / "new")
    np.testing.assert_array_equal(actual.w, [0, 2**53, 1.5, 2.5])


@pytest.mark.parametrize("calendars", [("noleap", "360_day"), ("noleap", "standard"), ("standard", "360_day")], ids=str)
def test_a_calendar_that_drifts_is_refused(calendars: tuple[str, str], tmp_path: Path) -> None:
    for i, calendar in enumerate(calendars):
        raw = xr.Dataset({"v": ("time", [1.0, 2.0])}, {"time": ("time", [2 * i, 2 * i + 1])})
        raw.time.attrs |= {"units": "days since 2001-01-01", "calendar": calendar}
        raw.to_netcdf(tmp_path / f"{i}.nc")
    with refused(
        "'time' has different kinds of values", "0.nc", "1.nc", "noleap" if "noleap" in calendars else "360_day"
    ):
        bake(along_time(tmp_path, 2), tmp_path / "out")


def test_calendars_that_are_the_same_under_other_names(tmp_path: Path) -> None:
    for i, calendar in enumerate(("standard", "proleptic_gregorian", "gregorian")):
        raw = xr.Dataset({"v": ("time", [1.0, 2.0])}, {"time": ("time", [2 * i, 2 * i + 1])})
        raw.time.attrs |= {"units": "days since 2001-01-01", "calendar": calendar}
        raw.to_netcdf(tmp_path / f"{i}.nc")
    assert_same(bake(along_time(tmp_path, 3), tmp_path / "out").load(), joined(read(tmp_path, 0, 1, 2)))


def test_bounds_whose_units_drift_with_their_coordinate(tmp_path: Path) -> None:
    made, encodings = [], []
    for i, units in enumerate(("hours since 2001-01-01", "days since 1950-01-01")):
        dataset = sea(2 * i)
        dataset.time.attrs["bounds"] = "time_bnds"
        edges = np.stack([dataset.time, dataset.time + np.timedelta64(1, "D")], axis=1)
        made.append(dataset.assign(time_bnds=(("time", "nv"), edges)))
        encodings.append({"time": {"units": units, "dtype": "i4"}, "time_bnds": {"units": units, "dtype": "i4"}})
    actual = bake(written(tmp_path, made, encodings), tmp_path / "out").load()
    np.testing.assert_array_equal(actual.time_bnds, np.concatenate([m.time_bnds for m in made]))
    np.testing.assert_array_equal(actual.time, np.concatenate([m.time for m in made]))
    assert actual.time.encoding.get("bounds", actual.time.attrs.get("bounds")) == "time_bnds"


DAYS = {"units": "days since 2000-01-01", "dtype": "f8", "calendar": "standard"}


@pytest.mark.parametrize(
    "other",
    [
        {"dtype": "f4"},
        {"dtype": "f4", "_FillValue": None},
        {"calendar": "proleptic_gregorian"},
        {"_FillValue": -9999.0},
    ],
    ids=str,
)
@pytest.mark.parametrize("hour", [0, 12, 7.5])
def test_times_that_are_fractions_of_their_units_in_inputs_that_store_them_otherwise(
    other: dict[str, Any], hour: float, tmp_path: Path
) -> None:
    made, encodings = [], []
    for i, encoding in enumerate((DAYS, {**DAYS, **other})):
        part = sea(2 * i)
        time = part.time + np.timedelta64(int(hour * 60), "m")
        gone = time.where(np.array([True, i == 0]))
        lead = {"units": "days", "dtype": encoding["dtype"], "_FillValue": encoding.get("_FillValue")}
        made.append(part.assign(time=time, ref=("time", time.data), seen=("time", gone.data), lead=time - part.time[0]))
        encodings.append({"time": encoding, "ref": encoding, "seen": encoding, "lead": lead})
    actual = bake(written(tmp_path, made, encodings), tmp_path / "out").load()
    assert_same(actual, joined(read(tmp_path, 0, 1)))


def test_bounds_that_are_read_as_coordinates_stay_with_times_whose_units_drift(tmp_path: Path) -> None:
    made = []
    for i in (0, 1):
        edges = np.stack([sea(2 * i).time, sea(2 * i).time + np.timedelta64(12, "h")], axis=1)
        part = sea(2 * i).assign(time_bnds=(("time", "nv"), edges))
        part.time.attrs["bounds"] = "time_bnds"
        made.append(part)
    encodings = [{"time": {"units": f"{units} since 2000-01-01", "dtype": "f8"}} for units in ("days", "hours")]
    bake(written(tmp_path, made, encodings), tmp_path / "out", open_kwargs={"decode_coords": "all"})
    found = xr.open_zarr(tmp_path / "out" / "out.zarr", chunks=None, decode_coords="all")
    assert found.time.encoding["bounds"] == "time_bnds" and "time_bnds" in found.coords
    np.testing.assert_array_equal(found.time_bnds, np.concatenate([m.time_bnds for m in made]))


def test_bounds_in_the_units_of_their_coordinate_only(tmp_path: Path) -> None:
    """CF lets bounds go without units of their own: they are those of the coordinate, in each file."""
    for i, (units, start) in enumerate((("days since 2001-01-01", 0), ("hours since 2001-01-03", 0))):
        step = 1 if i == 0 else 24
        raw = xr.Dataset({"v": ("time", [1.0, 2.0])}, {"time": ("time", [start, start + step])})
        raw.time.attrs |= {"units": units, "bounds": "time_bnds"}
        raw["time_bnds"] = (("time", "nv"), np.array([[0, 1], [1, 2]]) * step)
        raw.to_netcdf(tmp_path / f"{i}.nc")
    actual = bake(along_time(tmp_path, 2), tmp_path / "out").load()
    edges = np.datetime64("2001-01-01", "ns") + np.arange(5) * np.timedelta64(1, "D")
    np.testing.assert_array_equal(actual.time_bnds, np.stack([edges[:-1], edges[1:]], axis=1))


@pytest.mark.parametrize("kind", ["S", "U", "O"])
def test_text_that_grows_from_file_to_file(kind: str, tmp_path: Path) -> None:
    names = [["a", "bc"], ["été", ""], ["a much longer name", "x"]]
    made = []
    for i, two in enumerate(names):
        values: Any = np.array([n.encode() for n in two]) if kind == "S" else np.array(two, kind)
        made.append(sea(2 * i).assign(station=("time", values)))
    actual = bake(written(tmp_path, made), tmp_path / "out").load()
    assert [str(s) for s in actual.station.values] == [s for two in names for s in two]


def test_character_arrays_of_other_lengths(tmp_path: Path) -> None:
    names = [["a", "bc"], ["longer", "x"]]
    made = [sea(2 * i).assign(station=("time", np.array(two, "S"))) for i, two in enumerate(names)]
    written(tmp_path, made, engine="scipy", format="NETCDF3_64BIT")
    actual = bake(along_time(tmp_path, 2), tmp_path / "out").load()
    assert [str(s) for s in actual.station.values] == ["a", "bc", "longer", "x"]


def test_attributes_that_are_no_utf_8_or_no_numbers(tmp_path: Path) -> None:
    for i in (0, 1):
        sea(2 * i).to_netcdf(tmp_path / f"{i}.nc", engine="h5netcdf")
        with h5py.File(tmp_path / f"{i}.nc", "a") as file:
            file.attrs["institution"] = np.bytes_("Météo".encode("latin-1"))
            file["sst"].attrs["comment"] = np.bytes_("été".encode())
            file["sst"].attrs["limit"] = np.nan
            file["sst"].attrs["range"] = [-np.inf, np.inf]
    actual = bake(along_time(tmp_path, 2), tmp_path / "out")
    assert actual.attrs["institution"] == "Météo"
    assert actual.sst.attrs["comment"] == "été"
    expected = round_trip(sea(0).assign_attrs(limit=np.nan, range=[-np.inf, np.inf]))
    assert np.isnan(actual.sst.attrs["limit"]) and np.isnan(expected.attrs["limit"])
    assert actual.sst.attrs["range"] == [-np.inf, np.inf] == expected.attrs["range"]
    group = zarr.open_group(tmp_path / "out" / "out.zarr", mode="r")
    assert np.isnan(group["sst"].attrs["limit"])
    json.loads((tmp_path / "out" / "out.zarr" / "zarr.json").read_bytes())


def test_an_attribute_that_is_nan_in_all_inputs_is_the_same(tmp_path: Path) -> None:
    made = [sea(2 * i, limit=np.nan) for i in (0, 1)]
    assert np.isnan(bake(written(tmp_path, made), tmp_path / "out", combine_attrs="identical").sst.attrs["limit"])


@pytest.mark.parametrize("where", ["local", "http"])
def test_a_file_of_no_bytes_is_named(where: str, http_server: Server, tmp_path: Path) -> None:
    folder = http_server.folder
    sea(0).to_netcdf(folder / "0.nc", engine="h5netcdf")
    (folder / "1.nc").touch()
    root = http_server.url if where == "http" else str(folder)
    pattern = FilePattern(lambda time: f"{root}/{time}.nc", ConcatDim("time", [0, 1]))
    with refused("the file is empty", "1.nc", "netCDF"):
        bake(pattern, tmp_path / "out")


def empty(like: xr.Dataset) -> xr.Dataset:
    return like.isel(time=slice(0, 0))


@pytest.mark.parametrize("where", [0, 1, 2])
def test_a_file_of_no_time_steps_adds_nothing(where: int, tmp_path: Path) -> None:
    made = [sea(0), sea(2), sea(4)]
    made.insert(where, empty(sea(0)))
    encoding = {"time": {"units": "days since 2001-01-01", "dtype": "i4"}}
    pattern = written(tmp_path, made, [encoding] * 4)
    actual = bake(pattern, tmp_path / "out", target_chunks={"time": 2}).load()
    assert_same(actual, joined(read(tmp_path, *(i for i in range(4) if i != where))))


@pytest.mark.parametrize("order", ["sort", "drop_duplicates"])
def test_a_file_of_no_time_steps_has_no_order(order: str, tmp_path: Path) -> None:
    encoding = {"time": {"units": "days since 2001-01-01", "dtype": "i4"}}
    pattern = written(tmp_path, [sea(0), empty(sea(0)), sea(2)], [encoding] * 3)
    assert_same(bake(pattern, tmp_path / "out", order=order).load(), joined(read(tmp_path, 0, 2)))


def test_model_dates_beside_a_file_of_none_that_xarray_can_not_decode(tmp_path: Path) -> None:
    def month(*numbers: int) -> xr.Dataset:
        dates = [cftime.datetime(2001, n, 30, calendar="360_day") for n in numbers]
        return xr.Dataset({"v": ("time", np.array(numbers, "f8"))}, {"time": dates})

    encoding = {"time": {"units": "days since 2001-01-01", "calendar": "360_day", "dtype": "i4"}}
    written(tmp_path, [month(1, 2), month(3)], [encoding] * 2)
    with h5netcdf.File(tmp_path / "2.nc", "w") as file:
        file.dimensions["time"] = None
        for name, dtype in (("time", "i4"), ("v", "f8")):
            made = file.create_variable(name, ("time",), dtype)
            if name == "time":
                made.attrs["units"], made.attrs["calendar"] = "days since 2001-01-01", "360_day"
            else:
                made.attrs["_FillValue"] = np.float64("nan")
    with pytest.raises(ValueError, match="unable to decode time units"):
        read(tmp_path, 2)
    with refused("cannot decode", "2.nc", "variable 'time'", "days since 2001-01-01", "360_day", "decode_times"):
        bake(along_time(tmp_path, 3), tmp_path / "out")


def test_files_of_no_time_steps_only(tmp_path: Path) -> None:
    pattern = written(tmp_path, [empty(sea(0)), empty(sea(0))])
    with refused("no input has any element along 'time'", "0.nc"):
        bake(pattern, tmp_path / "out")


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("asked", [{}, {"target_chunks": {"time": 2}}], ids=str)
def test_one_file(steps: int, asked: dict[str, Any], tmp_path: Path) -> None:
    pattern = written(tmp_path, [sea(0, steps)])
    assert_same(bake(pattern, tmp_path / "out", **asked).load(), joined(read(tmp_path, 0)))


def test_variables_of_no_dimension(tmp_path: Path) -> None:
    made = [
        sea(2 * i).assign(crs=((), 0, {"grid_mapping_name": "latitude_longitude"}), number=((), 7), name=((), "x"))
        for i in (0, 1)
    ]
    actual = bake(written(tmp_path, made), tmp_path / "out").load()
    assert_same(actual, joined(read(tmp_path, 0, 1)))


def test_a_number_that_differs_is_repeated_along_its_input_and_noted(tmp_path: Path) -> None:
    made = [sea(2 * i).assign_coords(version=i) for i in (0, 1)]
    np.testing.assert_array_equal(bake(written(tmp_path, made), tmp_path / "out").version, [0, 0, 1, 1])


def test_no_dimension_has_a_coordinate(tmp_path: Path) -> None:
    made = [sea(2 * i).drop_vars(["time", "lat", "lon"]) for i in (0, 1)]
    actual = bake(written(tmp_path, made), tmp_path / "out").load()
    assert_same(actual, joined(read(tmp_path, 0, 1)))
    assert list(actual.coords) == []


@pytest.mark.parametrize("order", ["sort", "drop_duplicates", "error"])
def test_without_coordinate_inputs_lie_as_the_pattern_says(order: str, tmp_path: Path) -> None:
    """Files of the same content can't be told from a value that stays the same."""
    made = [sea(2 * i).drop_vars("time") for i in (1, 0, 0)]
    actual = bake(written(tmp_path, made), tmp_path / "out", order=order).load()
    assert_same(actual, joined(read(tmp_path, 0, 1, 2)))


def test_two_files_with_the_same_content_are_refused(tmp_path: Path) -> None:
    with refused("'time'", "between inputs", "0.nc", "1.nc", "2001-01-02", "2001-01-01", "drop_duplicates"):
        bake(written(tmp_path, [sea(0), sea(0)]), tmp_path / "out")


def test_a_field_without_time_is_stored_once(tmp_path: Path) -> None:
    depth = (("lat", "lon"), np.arange(6.0).reshape(2, 3))
    made = [sea(2 * i).assign(depth=depth) for i in (0, 1)]
    actual = bake(written(tmp_path, made), tmp_path / "out").load()
    assert_same(actual, joined(read(tmp_path, 0, 1)))
    assert actual.depth.dims == ("lat", "lon")


@pytest.mark.parametrize(
    ("asked", "chunks"),
    [
        ({"time": -1}, (4, 2, 3)),
        ({"time": 2, "lat": -1, "lon": -1}, (2, 2, 3)),
        ({"time": 3, "lat": 90, "lon": 1}, (3, 2, 1)),
        ({"time": 100, "lat": 1, "lon": 100}, (100, 1, 3)),
    ],
    ids=str,
)
def test_chunks_of_a_whole_dimension_and_longer_ones(
    asked: dict[str, int], chunks: tuple[int, ...], tmp_path: Path
) -> None:
    pattern = written(tmp_path, [sea(0), sea(2)])
    actual = bake(pattern, tmp_path / "out", target_chunks=asked, shards=False).load()
    assert_same(actual, joined(read(tmp_path, 0, 1)))
    stored = zarr.open_group(tmp_path / "out" / "out.zarr", mode="r")["sst"]
    assert isinstance(stored, zarr.Array) and stored.chunks == chunks


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"tiem": 2}, ("'tiem'", "did you mean 'time'?")),
        ({"depth": 2}, ("'depth'", "known: lat, lon, time")),
        ({"time": 0}, ("chunk length 0 for 'time'", "-1")),
        ({"time": -2}, ("chunk length -2 for 'time'", "-1")),
        ({"time": 1.5}, ("chunk length 1.5 for 'time'", "-1")),
        ({"time": "all"}, ("chunk length 'all' for 'time'", "-1")),
    ],
    ids=str,
)
def test_chunks_that_mean_nothing(asked: dict[str, Any], words: tuple[str, ...], tmp_path: Path) -> None:
    with refused(*words):
        bake(written(tmp_path, [sea(0), sea(2)]), tmp_path / "out", target_chunks=asked)


def nested(folder: Path, count: int = 2) -> FilePattern:
    """Write files with data in groups, whose dimensions belong to the groups above."""
    for i in range(count):
        sea(2 * i).to_netcdf(folder / f"{i}.nc", group="level2/ocean", engine="h5netcdf")
        for name, factor in (("level2", 2), (None, 3)):
            (sea(2 * i) * factor).to_netcdf(folder / f"{i}.nc", group=name, mode="a", engine="h5netcdf")
    return along_time(folder, count)


@pytest.mark.parametrize("group", [None, "/", "level2", "level2/ocean", "/level2/ocean", "level2/ocean/"])
def test_a_group_is_read_by_its_name(group: str | None, tmp_path: Path) -> None:
    pattern = nested(tmp_path)
    actual = bake(pattern, tmp_path / "out", open_kwargs={"group": group}).load()
    parts = []
    for i in (0, 1):
        with xr.open_dataset(tmp_path / f"{i}.nc", group=group) as part:
            parts.append(part.load())
    assert_same(actual, joined(parts))


def test_a_group_whose_dimensions_are_those_of_its_parent(tmp_path: Path) -> None:
    for i in (0, 1):
        with h5netcdf.File(tmp_path / f"{i}.nc", "w") as file:
            file.dimensions = {"time": 2, "x": 20000}
            made = file.create_group("data").create_variable("v", ("time", "x"), "f4", chunks=(1, 5000), shuffle=True)
            made[:] = np.arange(40000).reshape(2, 20000) + i
    actual = bake(along_time(tmp_path, 2), tmp_path / "out", open_kwargs={"group": "data"}).load()
    whole = np.arange(40000, dtype="f4").reshape(2, 20000)
    np.testing.assert_array_equal(actual.v, np.concatenate([whole, whole + 1]))


@pytest.mark.parametrize(
    ("group", "words"),
    [
        ("level2/ocaen", ("'level2/ocaen'", "groups: level2, level2/ocean", "did you mean 'level2/ocean'?")),
        ("ocean", ("'ocean'", "level2/ocean")),
        ("sst", ("'sst'", "level2/ocean")),
    ],
)
@pytest.mark.parametrize("where", ["local", "http"])
def test_a_misspelt_group_is_refused_with_those_there_are(
    group: str, words: tuple[str, ...], where: str, http_server: Server, tmp_path: Path
) -> None:
    nested(http_server.folder)
    root = http_server.url if where == "http" else str(http_server.folder)
    pattern = FilePattern(lambda time: f"{root}/{time}.nc", ConcatDim("time", [0, 1]))
    with refused("there is no group", "0.nc", *words):
        bake(pattern, tmp_path / "out", open_kwargs={"group": group})


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_groups_of_zarr_stores(zarr_format: Any, tmp_path: Path) -> None:
    for i in (0, 1):
        sea(2 * i).to_zarr(tmp_path / f"{i}.zarr", group="level2/ocean", zarr_format=zarr_format)
    pattern = FilePattern(lambda time: f"{tmp_path}/{time}.zarr", ConcatDim("time", [0, 1]), file_type="zarr")
    actual = bake(pattern, tmp_path / "out", open_kwargs={"group": "level2/ocean"}).load()
    np.testing.assert_array_equal(actual.sst, np.concatenate([sea(0).sst, sea(2).sst]))
    with refused("there is no group 'level2/ocaen'", "0.zarr", "did you mean 'level2/ocean'?"):
        bake(pattern, tmp_path / "other", open_kwargs={"group": "level2/ocaen"})


def test_a_file_without_groups(tmp_path: Path) -> None:
    written(tmp_path / "h5", [sea(0)])
    with refused("there is no group 'ocean'", "0.nc", "groups: none"):
        bake(along_time(tmp_path / "h5", 1), tmp_path / "out", open_kwargs={"group": "ocean"})
    written(tmp_path / "nc3", [sea(0)], engine="scipy", format="NETCDF3_64BIT")
    with refused("a netCDF3 file has no groups", "0.nc", "'ocean'"):
        bake(along_time(tmp_path / "nc3", 1), tmp_path / "out", open_kwargs={"group": "ocean"})


def test_a_misspelt_group_stops_a_pipeline(tmp_path: Path) -> None:
    with refused("there is no group 'level2/ocaen'", ".nc", "level2/ocean"):
        bake_pattern(nested(tmp_path), tmp_path / "out", open_kwargs={"group": "level2/ocaen"})


def covariance(folder: Path, count: int) -> FilePattern:
    """Write files with a matrix over one dimension, which netCDF allows."""
    for i in range(count):
        with netCDF4.Dataset(folder / f"{i}.nc", "w") as file:
            file.createDimension("time", 1)
            file.createDimension("x", 3)
            file.createVariable("time", "f8", ("time",))[:] = i
            file.createVariable("sst", "f4", ("time", "x"))[:] = np.arange(3) + i
            file.createVariable("cov", "f4", ("time", "x", "x"))[:] = np.arange(9).reshape(3, 3) + i
    return along_time(folder, count)


@pytest.mark.filterwarnings("ignore:Duplicate dimension names")
def test_a_variable_with_one_dimension_twice_is_refused_and_can_be_left_out(tmp_path: Path) -> None:
    pattern = covariance(tmp_path, 2)
    with refused("'cov'", "dimension 'x' twice", "('time', 'x', 'x')", "0.nc", "drop_variables"):
        bake(pattern, tmp_path / "out")
    actual = bake(pattern, tmp_path / "out", open_kwargs={"drop_variables": ["cov"]})
    assert_same(actual, joined([ds.drop_vars("cov") for ds in read(tmp_path, 0, 1)]))
