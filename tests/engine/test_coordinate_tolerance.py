"""Coordinates that differ between inputs: bit by bit refused, within a stated tolerance taken from the first input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from bakehouse.patterns import ConcatDim, FilePattern, MergeDim
from bakehouse.plan.tolerance import COMPARED
from tests.bake.kitchen import make_kitchen
from tests.engine.files import bake, joined, read, refused, written
from tests.oracle import assert_same
from tests.plan.samples import plan_of, schema_of, sea


def moved(start: int, by: Any, name: str = "lat") -> xr.Dataset:
    """Make two days whose coordinate is moved."""
    dataset = sea(start)
    return dataset.assign_coords({name: dataset[name] + by})


def long(start: int, at: int = 0, by: float = 0.0) -> xr.Dataset:
    """Make two days along 180 latitudes, one of which is moved."""
    lat = np.arange(180.0) - 89.5
    lat[at] += by
    return xr.Dataset({"v": (("time", "lat"), np.ones((2, 180)))}, {"time": sea(start).time, "lat": lat})


@pytest.mark.parametrize("name", ["lat", "lon"])
def test_a_difference_in_the_last_bit_is_refused(name: str, tmp_path: Path) -> None:
    other = sea(2)
    odd = other.assign_coords({name: np.nextafter(other[name].values, 1000)})
    with refused(f"'{name}' differs between inputs", "0.nc", "1.nc", f"{name}[", "coordinate_tolerance"):
        bake(written(tmp_path, [sea(0), odd]), tmp_path / "out")


@pytest.mark.parametrize("at", [0, 100, 179])
def test_the_place_and_both_values_are_named(at: int, tmp_path: Path) -> None:
    pattern = written(tmp_path, [long(0), long(2), long(4, at, 0.25)])
    words = ("0.nc", f"lat[{at}] = {at - 89.5}", "2.nc", f"lat[{at}] = {at - 89.25}", "the largest difference is 0.25")
    with refused(*words):
        bake(pattern, tmp_path / "out")


@pytest.mark.parametrize("tolerance", [1e-6, {"lat": 1e-6}, {"lat": 1e-6, "lon": 0}], ids=str)
def test_what_is_within_the_tolerance_is_taken_from_the_first_input(tolerance: Any, tmp_path: Path) -> None:
    pattern = written(tmp_path, [sea(0), moved(2, 5e-7), moved(4, [-1e-7, 9e-7])])
    actual = bake(pattern, tmp_path / "out", coordinate_tolerance=tolerance).load()
    first, *others = read(tmp_path, 0, 1, 2)
    assert_same(actual, joined([first, *(other.assign_coords(lat=first.lat) for other in others)]))


@pytest.mark.parametrize("tolerance", [1e-6, {"lat": 1e-6}], ids=str)
def test_what_is_beyond_it_is_refused_with_the_largest_difference(tolerance: Any, tmp_path: Path) -> None:
    pattern = written(tmp_path, [sea(0), moved(2, 5e-7), moved(4, [0, 0.5])])
    words = ("'lat' differs", "0.nc", "lat[1] = 20.0", "2.nc", "lat[1] = 20.5", "largest difference is 0.5", "1e-06")
    with refused(*words):
        bake(pattern, tmp_path / "out", coordinate_tolerance=tolerance)


def test_a_tolerance_of_one_coordinate_says_nothing_of_others(tmp_path: Path) -> None:
    pattern = written(tmp_path, [sea(0), moved(2, 1e-7, "lon")])
    with refused("'lon' differs"):
        bake(pattern, tmp_path / "out", coordinate_tolerance={"lat": 1e-6})


@pytest.mark.parametrize("by", [0.25, -0.25])
@pytest.mark.parametrize("start", [0.0, 0.1, 0.125, 0.25, 0.375, 1000.0])
def test_a_difference_equal_to_the_tolerance_is_within_it(by: float, start: float) -> None:
    """Whichever side of a rounding step the values lie on."""
    lat = np.array([start, start + 1], "f4").astype("f8")
    schema = schema_of(sea(0).assign_coords(lat=lat), sea(2).assign_coords(lat=lat + by))
    assert plan_of(schema, coordinate_tolerance=0.25).template.sizes["lat"] == 2


@pytest.mark.parametrize("by", [np.nextafter(0.25, 1), np.nextafter(-0.25, -1)])
def test_the_next_number_beyond_the_tolerance_is_not(by: float) -> None:
    schema = schema_of(sea(0).assign_coords(lat=[0.0, 1.0]), sea(2).assign_coords(lat=[by, 1.0]))
    with refused("'lat' differs", "lat[0] = 0.0", f"lat[0] = {float(by)}"):
        plan_of(schema, coordinate_tolerance=0.25)


def test_differences_do_not_add_up(tmp_path: Path) -> None:
    """Each is within the tolerance of the one before, the last is not of the first."""
    pattern = written(tmp_path, [moved(2 * i, 0.75 * i) for i in range(3)])
    with refused("'lat' differs", "0.nc", "2.nc", "largest difference is 1.5"):
        bake(pattern, tmp_path / "out", coordinate_tolerance=1.0)


def test_two_sides_of_the_first_input_may_be_further_apart(tmp_path: Path) -> None:
    pattern = written(tmp_path, [sea(0), moved(2, 0.75), moved(4, -0.75)])
    np.testing.assert_array_equal(bake(pattern, tmp_path / "out", coordinate_tolerance=1.0).lat, sea(0).lat)


def test_single_precision_beside_double(tmp_path: Path) -> None:
    single = sea(2).assign_coords(lat=(sea(2).lat + 0.1).astype("f4"))
    pattern = written(tmp_path, [moved(0, 0.1), single])
    with refused("'lat' differs"):
        bake(pattern, tmp_path / "out")
    actual = bake(pattern, tmp_path / "new", coordinate_tolerance=1e-5)
    np.testing.assert_array_equal(actual.lat, sea(0).lat + 0.1)
    assert actual.lat.dtype == np.dtype("f8")


def curved(start: int, by: float = 0.0, hole: bool = True) -> xr.Dataset:
    """Make two days on a curvilinear grid that is undefined in a corner."""
    lat = np.arange(6.0).reshape(2, 3) + by
    lat[0, 0] = np.nan if hole else 0.0
    return xr.Dataset(
        {"v": (("time", "y", "x"), np.ones((2, 2, 3)))}, {"time": sea(start).time, "lat": (("y", "x"), lat)}
    )


def test_undefined_corners_of_a_curvilinear_grid(tmp_path: Path) -> None:
    pattern = written(tmp_path, [curved(0), curved(2, 1e-7)])
    actual = bake(pattern, tmp_path / "out", coordinate_tolerance=1e-6)
    np.testing.assert_array_equal(actual.lat, curved(0).lat)
    with refused("'lat' differs", "lat[0, 0] = nan", "lat[0, 0] = 0.0", "largest difference is inf"):
        odd = written(tmp_path / "odd", [curved(0), curved(2, hole=False)])
        bake(odd, tmp_path / "other", coordinate_tolerance=1e-6)


def test_bounds_are_compared_as_coordinates_are(tmp_path: Path) -> None:
    def bounded(start: int, by: float) -> xr.Dataset:
        dataset = moved(start, by)
        edges = np.stack([dataset.lat - 5, dataset.lat + 5], axis=1)
        dataset.lat.attrs["bounds"] = "lat_bnds"
        return dataset.assign(lat_bnds=(("lat", "nv"), edges))

    pattern = written(tmp_path, [bounded(0, 0), bounded(2, 1e-7)])
    actual = bake(pattern, tmp_path / "out", coordinate_tolerance=1e-6)
    np.testing.assert_array_equal(actual.lat_bnds, bounded(0, 0).lat_bnds)
    with refused("'lat_bnds' differs"):
        bake(pattern, tmp_path / "other", coordinate_tolerance={"lat": 1e-6})


def test_data_without_time_is_no_coordinate_unless_it_is_named(tmp_path: Path) -> None:
    def depths(start: int, by: float) -> xr.Dataset:
        return sea(start).assign(depth=(("lat", "lon"), np.ones((2, 3)) + by))

    pattern = written(tmp_path, [depths(0, 0), depths(2, 1e-7)])
    with refused("'depth' differs", "depth[0, 0] = 1.0", "1.0000001"):
        bake(pattern, tmp_path / "out", coordinate_tolerance=1e-6)
    actual = bake(pattern, tmp_path / "new", coordinate_tolerance={"depth": 1e-6})
    np.testing.assert_array_equal(actual.depth, np.ones((2, 3)))


def test_merged_variables_on_almost_the_same_grid(tmp_path: Path) -> None:
    for i in (0, 1):
        sea(2 * i).to_netcdf(tmp_path / f"a{i}.nc")
        moved(2 * i, 1e-7).rename(sst="b").to_netcdf(tmp_path / f"b{i}.nc")
    pattern = FilePattern(
        lambda time, v: f"{tmp_path}/{v}{time}.nc", ConcatDim("time", [0, 1]), MergeDim("v", ["a", "b"])
    )
    with refused("'lat' differs", "a0.nc", "b0.nc", "1e-07"):
        bake(pattern, tmp_path / "out")
    actual = bake(pattern, tmp_path / "new", coordinate_tolerance=1e-6).load()
    both = xr.concat([sea(0), sea(2)], "time", data_vars="minimal")
    assert_same(actual, both.assign(b=both.sst))


def test_a_scalar_that_differs_within_the_tolerance_does_not_gain_a_dimension(tmp_path: Path) -> None:
    pattern = written(tmp_path, [sea(2 * i).assign_coords(height=2.0 + i * 1e-9) for i in range(2)])
    assert bake(pattern, tmp_path / "out").height.dims == ("time",)
    assert bake(pattern, tmp_path / "new", coordinate_tolerance=1e-6).height.dims == ()


def test_a_coordinate_that_is_not_there(tmp_path: Path) -> None:
    with refused("coordinate_tolerance names a variable 'latt'", "did you mean 'lat'?"):
        bake(written(tmp_path, [sea(0), sea(2)]), tmp_path / "out", coordinate_tolerance={"latt": 1e-6})


def test_grids_of_more_points_than_are_compared(tmp_path: Path) -> None:
    def wide(start: int, by: float) -> xr.Dataset:
        lat = np.full((COMPARED // 256 + 1, 256), float(by))
        return xr.Dataset({"v": ("time", [1.0, 2.0])}, {"time": sea(start).time, "lat": (("y", "x"), lat)})

    pattern = written(tmp_path, [wide(0, 0), wide(2, 1e-7)])
    with refused("'lat' differs", "0.0", "1e-07", "0.nc", "1.nc", f"up to {COMPARED} numbers"):
        bake(pattern, tmp_path / "out", coordinate_tolerance=1e-6)


def test_it_is_noted_and_is_in_the_entry(tmp_path: Path) -> None:
    notes = plan_of(schema_of(sea(0), moved(2, 0.25), moved(4, -0.5), sea(6)), coordinate_tolerance=1.0).template.notes
    assert notes == (
        "'lat' of 2 inputs differs by up to 0.5, within the tolerance of 1; it is taken from input time=0 (0.nc)",
    )
    kitchen = make_kitchen(tmp_path, "coordinate_tolerance={'lat': 1}")
    moved(0, 0.25).to_netcdf(tmp_path / "new.nc", engine="h5netcdf")
    (tmp_path / "new.nc").replace(kitchen.inputs / "0.nc")
    kitchen.bake()
    said = [note.message for note in kitchen.entry.notes]
    assert any(m.startswith("'lat' of 2 inputs differs by up to 0.25, within the tolerance of 1") for m in said), said
    np.testing.assert_array_equal(xr.open_zarr(kitchen.store).lat, [10.25, 20.25])
    assert kitchen.entry.provenance.options["coordinate_tolerance"] == {"lat": 1}
