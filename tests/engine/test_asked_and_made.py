"""What a recipe asks for and what its steps make: stored exactly, or refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apache_beam as beam
import cftime
import numpy as np
import pytest
import xarray as xr

from bakehouse.errors import BakehouseError, PatternError, SchemaError
from bakehouse.patterns import ConcatDim, FilePattern, Index, key_of, pruned
from tests.engine.pipeline import bake_pattern

START = np.datetime64("2000-01-01T00:20:37", "ns")


def write(folder: Path, count: int = 2, **encoding: Any) -> FilePattern:
    """Write files of three days each."""
    for i in range(count):
        time = START + np.arange(3 * i, 3 * i + 3) * np.timedelta64(1, "D")
        values = (np.arange(12).reshape(3, 4) + 12 * i) / 10
        dataset = xr.Dataset({"b": (("time", "y"), values)}, {"time": time, "y": np.arange(4.0)})
        dataset.to_netcdf(folder / f"{i}.nc", encoding={"b": encoding} if encoding else None)
    return FilePattern(lambda time: f"{folder}/{time}.nc", ConcatDim("time", list(range(count))))


def step(function: Any) -> Any:
    """Apply a function to every Dataset."""
    return beam.MapTuple(lambda index, dataset: (index, function(dataset)))


def refused(*words: str) -> Any:
    return pytest.raises(BakehouseError, match="(?s)" + ".*".join(words))


@pytest.mark.parametrize(
    "asked",
    [
        {"units": "hours since 1900-01-01", "dtype": "int16"},
        {"units": "seconds since 1800-01-01", "dtype": "int32"},
        {"units": "seconds since 1900-01-01", "dtype": "float32"},
        {"units": "days since 2000-01-01", "dtype": "int64"},
        {"units": "parsecs since 2000-01-01"},
    ],
)
def test_times_that_an_encoding_does_not_hold_are_refused(asked: dict[str, Any], tmp_path: Path) -> None:
    with refused("'time'", asked["units"]):
        bake_pattern(write(tmp_path), tmp_path / "out", encoding={"time": asked})


def test_times_in_another_encoding_that_holds_them_are_the_same_times(tmp_path: Path) -> None:
    asked = {"units": "seconds since 1970-01-01", "dtype": "int64"}
    actual = bake_pattern(write(tmp_path), tmp_path / "out", encoding={"time": asked})
    np.testing.assert_array_equal(actual.time, START + np.arange(6) * np.timedelta64(1, "D"))
    assert actual.time.encoding["units"].startswith("seconds since 1970-01-01")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_that_a_step_makes_keep_their_values_in_every_unit(unit: str, tmp_path: Path) -> None:
    made = np.array(["2001-02-03T04:05:06", "NaT", "2003-01-01"], f"M8[{unit}]")
    actual = bake_pattern(write(tmp_path), tmp_path / "out", step(lambda ds: ds.assign(made=("time", made))))
    np.testing.assert_array_equal(actual.made.values.astype("M8[ns]"), np.tile(made.astype("M8[ns]"), 2))


def test_an_encoding_replaces_the_sources_packing_as_a_whole(tmp_path: Path) -> None:
    pattern = write(tmp_path, dtype="int16", scale_factor=0.1, _FillValue=-999)
    actual = bake_pattern(pattern, tmp_path / "out", encoding={"b": {"dtype": "float64"}})
    np.testing.assert_allclose(actual.b, np.arange(24).reshape(6, 4) / 10, atol=1e-12)
    assert actual.b.encoding["dtype"] == np.dtype("f8") and "scale_factor" not in actual.b.encoding


def test_values_beyond_an_integer_are_refused(tmp_path: Path) -> None:
    with refused("'b'", "int8"):
        bake_pattern(write(tmp_path), tmp_path / "out", encoding={"b": {"dtype": "int8", "scale_factor": 0.001}})


def test_packing_that_a_step_changes_is_honoured(tmp_path: Path) -> None:
    def repack(dataset: xr.Dataset) -> xr.Dataset:
        dataset.b.encoding |= {"dtype": "int16", "scale_factor": 0.01, "_FillValue": -999}
        return dataset

    actual = bake_pattern(write(tmp_path), tmp_path / "out", step(repack))
    np.testing.assert_allclose(actual.b, np.arange(24).reshape(6, 4) / 10, atol=0.005)
    assert actual.b.encoding["dtype"] == np.dtype("int16")


PACKED = {"dtype": "int16", "scale_factor": 0.01, "add_offset": 273.15, "_FillValue": -32768}


@pytest.mark.parametrize(
    ("dtype", "asked"),
    [
        ("f4", PACKED),
        ("f4", {"dtype": "int16", "scale_factor": 0.01}),
        ("f8", {"dtype": "float32"}),
        ("f4", {"dtype": "float64"}),
        ("i4", {"_FillValue": 99}),
        ("i2", {"_Unsigned": "true", "dtype": "int16"}),
        ("i2", {"units": "days since 2000-01-01", "calendar": "standard"}),
    ],
)
def test_an_encoding_that_a_step_adds_is_what_xarray_makes_of_it(
    dtype: str, asked: dict[str, Any], tmp_path: Path
) -> None:
    plain = xr.Dataset({"b": (("time", "y"), np.arange(12, dtype=dtype).reshape(3, 4))}, {"time": np.arange(3)})
    plain.to_netcdf(tmp_path / "0.nc", encoding={"b": {"_FillValue": None}})

    def encoded(dataset: xr.Dataset) -> xr.Dataset:
        dataset.b.encoding |= asked
        return dataset

    with xr.open_dataset(tmp_path / "0.nc") as dataset:
        encoded(dataset).to_zarr(tmp_path / "expected.zarr", zarr_format=3)
    pattern = FilePattern(lambda time: f"{tmp_path}/{time}.nc", ConcatDim("time", [0]))
    actual = bake_pattern(pattern, tmp_path / "out", step(encoded))
    expected = xr.open_zarr(tmp_path / "expected.zarr", chunks=None)
    xr.testing.assert_identical(actual.b.drop_attrs(), expected.b.drop_attrs())
    assert actual.b.dtype == expected.b.dtype and actual.b.encoding["dtype"] == expected.b.encoding["dtype"]


def test_far_years_of_a_model_calendar(tmp_path: Path) -> None:
    year = 12000
    for i in range(2):
        time = [cftime.datetime(year + i, month, 1, calendar="noleap") for month in (1, 2)]
        dataset = xr.Dataset({"b": ("time", [i, i + 1.0])}, {"time": time})
        dataset.to_netcdf(tmp_path / f"{i}.nc", encoding={"time": {"units": f"days since {year + i:05d}-01-01"}})
    pattern = FilePattern(lambda time: f"{tmp_path}/{time}.nc", ConcatDim("time", [0, 1]))
    actual = bake_pattern(pattern, tmp_path / "out", open_kwargs={"use_cftime": True})
    raw = xr.open_zarr(tmp_path / "out" / "out.zarr", decode_times=False, chunks=None)
    days = cftime.num2date(raw.time.values, raw.time.units, raw.time.calendar)
    assert [d.year for d in days] == [year, year, year + 1, year + 1] and actual.sizes["time"] == 4


def test_standard_dates_that_are_decoded_with_cftime_are_stored(tmp_path: Path) -> None:
    actual = bake_pattern(write(tmp_path), tmp_path / "out", open_kwargs={"use_cftime": True})
    np.testing.assert_array_equal(actual.time, START + np.arange(6) * np.timedelta64(1, "D"))


def test_a_scalar_that_differs_is_repeated_along_each_input(tmp_path: Path) -> None:
    label = beam.MapTuple(lambda index, ds: (index, ds.assign_coords(h=float(key_of(index)[0][1]))))
    actual = bake_pattern(write(tmp_path), tmp_path / "out", label)
    np.testing.assert_array_equal(actual.h, [0, 0, 0, 1, 1, 1])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda ds: ds.rename(b="a/b"), ["'a/b' can't name an array", "rename"]),
        (lambda ds: ds.stack(z=("time", "y")), ["MultiIndex", "reset_index"]),
        (lambda ds: ds.assign(t=("time", np.array(["a", None, "b"], "O"))), ["'t' has missing values", "fillna"]),
    ],
)
def test_what_zarr_has_no_place_for_is_refused(change: Any, words: list[str], tmp_path: Path) -> None:
    with refused(*words):
        bake_pattern(write(tmp_path), tmp_path / "out", step(change))


def test_zeros_of_both_signs_are_the_same_coordinate(tmp_path: Path) -> None:
    zeros = [0.0, -0.0]
    sign = beam.MapTuple(lambda index, ds: (index, ds.assign_coords(y=[zeros[key_of(index)[0][1]], 1.0, 2.0, 3.0])))
    assert bake_pattern(write(tmp_path), tmp_path / "out", sign).sizes == {"time": 6, "y": 4}


def test_inputs_that_a_step_leaves_out_are_missed(tmp_path: Path) -> None:
    keep = beam.Filter(lambda item: key_of(item[0])[0][1] != 2)
    with pytest.raises(PatternError, match=r"1 of 3 inputs are missing"):
        bake_pattern(write(tmp_path, 3), tmp_path / "out", keep)


def test_two_datasets_of_one_index_are_refused(tmp_path: Path) -> None:
    twice = beam.FlatMap(lambda item: [item, item])
    with refused("'(b|y|time)'", "index of its own"):
        bake_pattern(write(tmp_path), tmp_path / "out", twice)


def test_lengths_that_the_pattern_states_must_hold(tmp_path: Path) -> None:
    write(tmp_path)
    pattern = FilePattern(lambda time: f"{tmp_path}/{time}.nc", ConcatDim("time", [0, 1], nitems_per_file=5))
    with pytest.raises(
        SchemaError, match=r"(?s)3 elements along 'time', the pattern says nitems_per_file=5.*0\.nc.*omit"
    ):
        bake_pattern(pattern, tmp_path / "out")


def test_a_step_may_index_anew(tmp_path: Path) -> None:
    """Days of one file as inputs of their own: the pattern's own count no longer holds."""

    def days(index: Index, dataset: xr.Dataset) -> list[tuple[Index, xr.Dataset]]:
        (dim,), file = index, key_of(index)[0][1]
        return [(Index({dim: type(index[dim])(3 * file + i)}), dataset.isel(time=[i])) for i in range(3)]

    actual = bake_pattern(write(tmp_path), tmp_path / "out", beam.FlatMapTuple(days))
    np.testing.assert_allclose(actual.b, np.arange(24).reshape(6, 4) / 10)


def test_pruning_keeps_as_many_as_each_dimension_has() -> None:
    pattern = FilePattern(lambda t, m: f"{t}{m}", ConcatDim("t", list(range(5))), ConcatDim("m", [0, 1]))
    with pruned(3):
        assert len(list(pattern.items())) == 6
