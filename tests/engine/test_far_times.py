"""Times more than 292 years from 1970, too many nanoseconds for 64 bits, are ordered and stored as others are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from bakehouse.openers.times import extent_of
from bakehouse.plan.gaps import Absent, with_gaps
from bakehouse.storage import Target
from bakehouse.transforms.absent import gap_fragments
from tests.engine.files import bake, refused, written
from tests.oracle import assert_same, round_trip
from tests.plan.samples import TIME, key, plan_of, schema_of
from tests.writers.direct import opened, prepared_for, stored

SECONDS = xr.coders.CFDatetimeCoder(time_unit="s")
LISTED = [("1400",), ("1500",), ("1990",), ("2000",)]


def years(*found: str, value: float = 0.0) -> xr.Dataset:
    """Make one element per year, in seconds."""
    time = np.array([f"{year}-01-01" for year in found], "datetime64[s]")
    return xr.Dataset({"v": (("time", "x"), np.full((len(found), 3), value))}, {"time": time})


def baked(root: Path, parts: list[xr.Dataset], units: list[str], **options: Any) -> xr.Dataset:
    """Bake parts that are decoded to seconds, and read the store so."""
    pattern = written(root / "in", parts, [{"time": {"units": each, "dtype": "i8"}} for each in units])
    bake(pattern, root, open_kwargs={"decode_times": SECONDS}, **options)
    with xr.open_zarr(root / "out.zarr", decode_times=SECONDS, chunks=None) as found:
        return found.load()


def assert_along(actual: xr.Dataset, parts: list[xr.Dataset]) -> None:
    """Insist on the times and values that xarray itself joins."""
    whole = xr.concat(parts, "time", data_vars="minimal", coords="minimal", compat="override", join="override")
    np.testing.assert_array_equal(actual.time, whole.time)
    np.testing.assert_array_equal(actual.v, whole.v)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2)], ids=str)
@pytest.mark.parametrize("same", [True, False], ids=["same units", "own units"])
def test_far_inputs_are_sorted(order: tuple[int, ...], same: bool, tmp_path: Path) -> None:
    parts = [years(*LISTED[n], value=n) for n in order]
    units = [f"days since {1400 if same else 1400 + n}-01-01" for n in order]
    actual = baked(tmp_path, parts, units, order="sort")
    assert_along(actual, sorted(parts, key=lambda ds: ds.v.values[0, 0]))
    assert actual.time.encoding["units"].startswith("days since ")


@pytest.mark.parametrize("policy", ["error", "any", "sort", "drop_duplicates"])
def test_far_inputs_that_rise_are_stored_by_every_policy(policy: str, tmp_path: Path) -> None:
    parts = [years(f"{1000 + 200 * n}", f"{1100 + 200 * n}", value=n) for n in range(3)]
    assert_along(baked(tmp_path, parts, ["days since 1000-01-01"] * 3, order=policy), parts)


def test_far_elements_that_repeat_are_left_out(tmp_path: Path) -> None:
    parts = [years("0900", "1300", "1600"), years("1600", "2000")]
    actual = baked(tmp_path, parts, ["days since 0900-01-01"] * 2, order="drop_duplicates")
    assert_along(actual, [parts[0], parts[1].isel(time=slice(1, None))])


def test_far_inputs_out_of_order_are_refused(tmp_path: Path) -> None:
    with refused("'time' runs backwards between inputs", "0.nc", "2000-01-01", "1.nc", "1400-01-01", "order='sort'"):
        baked(tmp_path, [years("1990", "2000"), years("1400", "1500")], ["days since 1400-01-01"] * 2)


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
@pytest.mark.parametrize(
    ("found", "direction"),
    [((1400, 1500, 1990, 2000), 1), ((2300, 1990, -500), -1), ((1500, 1500), 0), ((1, 12000, 1990), 0)],
    ids=str,
)
def test_extents_of_times_compare_as_the_times_do(found: tuple[int, ...], direction: int, unit: str) -> None:
    times = (np.array(found) - 1970).astype("datetime64[Y]").astype(f"datetime64[{unit}]")
    near = np.datetime64("2000-01-02", unit)
    for each, other in ((times, near), (times - times[0], near - near)):
        extent = extent_of(each, every=True)
        assert (extent.direction, extent.unit) == (direction, "days")
        limit: Any = extent_of(np.array([other]).astype(f"{each.dtype.kind}8[ns]")).first
        assert [n > limit for n in extent.values] == [t > other for t in each]
        assert (extent.first, extent.last) == (extent.values[0], extent.values[-1])


def test_a_far_time_that_is_missing_is_no_end() -> None:
    extent = extent_of(np.array(["1400-01-01", "NaT"], "datetime64[s]"))
    assert extent.last is None and extent.first is not None and extent.direction != 1


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_far_durations_are_stored(unit: str, tmp_path: Path) -> None:
    ages = np.array([0, 300, 9000]) * np.timedelta64(365 * 86_400, "s").astype(f"timedelta64[{unit}]")
    dataset = years("2000", "2001", "2002").assign(age=("time", ages))
    assert_same(opened(stored([dataset], Target(str(tmp_path)))).load(), round_trip(dataset))


@pytest.mark.parametrize("step", ["D", "M"])
def test_a_gap_between_far_inputs_has_its_own_time(step: str) -> None:
    times = (np.datetime64("1400-01", step) + np.arange(5)).astype("datetime64[s]")
    schema = schema_of(*(years("2000").assign_coords(time=times[i : i + 1]) for i in range(5)))
    there = replace(schema, inputs={k: found for k, found in schema.inputs.items() if k != key(2)})
    filled, _ = with_gaps(there, [Absent(key(2), "2.nc")], TIME, "sea")
    (gap,) = gap_fragments(filled, plan_of(filled).template.arrays)
    np.testing.assert_array_equal(gap.variables["time"].values, times[2:3])
    ((_, extent),) = next(iter(filled.inputs[key(2)])).extents
    assert extent.shown[0][:10] == str(times[2])[:10]


def test_units_that_hold_no_such_time_are_refused_by_name(tmp_path: Path) -> None:
    with refused("'time' can't be stored", "nanoseconds since 1000-01-01"):
        prepared_for(
            [years("1000")], Target(str(tmp_path)), encoding={"time": {"units": "nanoseconds since 1000-01-01"}}
        )
