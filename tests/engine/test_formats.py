"""Every input format gives the store that xarray would write from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from bakehouse.patterns import ConcatDim, FilePattern
from tests.engine.pipeline import bake_pattern
from tests.oracle import assert_same, round_trip
from tests.support.http import Server


def sea(start: int, steps: int = 2) -> xr.Dataset:
    """Make a small dataset whose values follow from its position."""
    time = np.datetime64("2001-01-01", "ns") + np.arange(start, start + steps) * np.timedelta64(1, "D")
    values = (np.arange(steps * 12).reshape(steps, 3, 4) + 100 * start).astype("f4")
    return xr.Dataset(
        {"sst": (("time", "lat", "lon"), values, {"units": "K"})},
        {"time": time, "lat": [10.0, 20.0, 30.0], "lon": [0.0, 90.0, 180.0, 270.0]},
    )


def pattern(template: str, file_type: str) -> FilePattern:
    return FilePattern(lambda time: template.format(time), ConcatDim("time", [0, 2, 4]), file_type=file_type)


def whole() -> xr.Dataset:
    return round_trip(
        xr.concat([sea(0), sea(2), sea(4)], "time", data_vars="minimal", coords="different", compat="equals")
    )


@pytest.mark.parametrize(
    ("file_type", "form"),
    [("netcdf3", "NETCDF3_64BIT"), ("netcdf3", "NETCDF3_CLASSIC"), ("netcdf4", "NETCDF4"), ("unknown", "NETCDF4")],
)
@pytest.mark.parametrize("where", ["local", "http"])
def test_netcdf_is_read_from_disk_and_over_http(
    file_type: str, form: str, where: str, http_server: Server, tmp_path: Path
) -> None:
    for start in (0, 2, 4):
        sea(start).to_netcdf(http_server.folder / f"{start}.nc", format=form, engine="netcdf4", unlimited_dims=["time"])
    root = http_server.url if where == "http" else str(http_server.folder)
    actual = bake_pattern(pattern(root + "/{}.nc", file_type), tmp_path / "out")
    assert_same(actual.load(), whole())


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("where", ["local", "http"])
def test_zarr_is_read_from_disk_and_over_http(
    zarr_format: int, where: str, http_server: Server, tmp_path: Path
) -> None:
    for start in (0, 2, 4):
        sea(start).to_zarr(http_server.folder / f"{start}.zarr", zarr_format=zarr_format)
    root = http_server.url if where == "http" else str(http_server.folder)
    actual = bake_pattern(pattern(root + "/{}.zarr", "zarr"), tmp_path / "out")
    assert_same(actual.load(), whole())


def test_a_file_that_is_not_what_the_pattern_says_is_read_as_what_it_is(tmp_path: Path) -> None:
    for start in (0, 2, 4):
        sea(start).to_netcdf(tmp_path / f"{start}.nc", format="NETCDF3_64BIT" if start else "NETCDF4")
    assert_same(bake_pattern(pattern(f"{tmp_path}/{{}}.nc", "netcdf4"), tmp_path / "out").load(), whole())


def test_grib_messages_are_read(tmp_path: Path) -> None:
    import iris_sample_data

    source = Path(iris_sample_data.path) / "polar_stereo.grib2"
    one = FilePattern(lambda step: str(source), ConcatDim("step", [0]), file_type="grib")
    actual = bake_pattern(one, tmp_path)
    expected = xr.open_dataset(source, engine="cfgrib", backend_kwargs={"indexpath": ""}).load()
    np.testing.assert_array_equal(
        actual[list(expected.data_vars)[0]].values.squeeze(), expected[list(expected.data_vars)[0]].values
    )
    assert actual.sizes["step"] == 1


def test_big_endian_values_are_stored_in_native_order(tmp_path: Path) -> None:
    for start in (0, 2, 4):
        sea(start).to_netcdf(tmp_path / f"{start}.nc", engine="h5netcdf", encoding={"sst": {"dtype": ">f4"}})
    assert_same(bake_pattern(pattern(f"{tmp_path}/{{}}.nc", "netcdf4"), tmp_path / "out").load(), whole())
