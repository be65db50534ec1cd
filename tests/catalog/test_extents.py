from __future__ import annotations

import cftime
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakehouse.catalog.extents import bounding_box, duration_step, iso_text, regular_step, time_range

LAT = [np.array([-10.0, 20.0])]


@pytest.mark.parametrize(
    ("lon", "west", "east"),
    [
        ([0.5, 1.5, 2.5], 0.5, 2.5),
        ([225, 270, 315], -135, -45),
        ([170, 175, 180, 185, 190], 170, -170),
        ([-180, -170, -160], -180, -160),
        ([160, 170, 180], 160, 180),
        ([350, 355, 0, 5], -10, 5),
        ([42], 42, 42),
        (np.arange(0, 360, 30), -180, 180),
        (np.arange(-180, 180, 0.25), -180, 180),
        (np.linspace(-180, 180, 73), -180, 180),
        (np.arange(0.125, 360, 0.25, dtype="float32"), -180, 180),
        (np.arange(0, 300, 30), 0, -90),
    ],
)
def test_longitudes_of_any_convention_give_the_shortest_arc(lon: list[float], west: float, east: float) -> None:
    assert bounding_box(LAT, [np.array(lon, dtype="float64")]) == (west, -10, east, 20)


@given(st.floats(-180, 180), st.lists(st.floats(0, 170), min_size=1, max_size=20), st.sampled_from([-360, 0, 360]))
def test_the_box_holds_every_longitude_and_is_as_wide_as_they_are(
    start: float, offsets: list[float], turn: int
) -> None:
    lon = np.array(offsets) + start
    west, _, east, _ = bounding_box(LAT, [lon + turn]) or (0, 0, 0, 0)
    assert -180 <= west <= 180 and -180 <= east <= 180
    assert (east - west) % 360 == pytest.approx(np.ptp(lon), abs=1e-4)
    beyond = (lon - west) % 360
    assert np.all((beyond <= (east - west) % 360 + 1e-4) | (beyond >= 360 - 1e-4))


def test_a_curvilinear_grid_across_the_antimeridian() -> None:
    lon, lat = np.meshgrid(np.arange(165.0, 195.0, 1), np.arange(-20.0, -10.0, 1))
    wrapped = (lon + 0.3 * lat + 180) % 360 - 180
    west, south, east, north = bounding_box([lat], [wrapped]) or (0, 0, 0, 0)
    assert (south, north) == (-20, -11)
    assert west == pytest.approx(159, abs=1e-6) and east == pytest.approx(-169.3, abs=1e-6)


def test_a_curvilinear_grid_around_the_globe() -> None:
    lon, lat = np.meshgrid(np.arange(0, 360, 2.0), np.arange(-78.0, 90, 1))
    assert bounding_box([lat], [(lon + lat / 10) % 360]) == (-180, -78, 180, 89)


@pytest.mark.parametrize(
    ("lats", "lons"),
    [([[np.nan]], [[0.0]]), ([[0.0]], [[np.nan]]), ([[1000.0]], [[0.0]]), ([[0.0]], [[1e20]]), ([[]], [[]])],
)
def test_what_is_no_place_on_earth_gives_no_box(lats: list[list[float]], lons: list[list[float]]) -> None:
    assert bounding_box([np.array(each) for each in lats], [np.array(each) for each in lons]) is None


def test_missing_positions_are_left_out() -> None:
    assert bounding_box([np.array([0.0, np.nan, 2.0])], [np.array([10.0, np.nan, 12.0])]) == (10, 0, 12, 2)


def test_a_time_range_is_first_to_last_whatever_the_order() -> None:
    values = np.array(["2001-01-01", "NaT", "1999-06-01T12:30:00.5"], "M8[ns]")
    found = time_range(values, "standard")
    assert found and (found.start, found.end, found.calendar) == (
        "1999-06-01T12:30:00.5Z",
        "2001-01-01T00:00:00Z",
        "standard",
    )


def test_dates_of_other_calendars_keep_their_own_days() -> None:
    dates = [cftime.datetime(2000, 2, 30, calendar="360_day"), cftime.datetime(2001, 2, 30, calendar="360_day")]
    found = time_range(np.array(dates), None)
    assert found and (found.start, found.calendar) == ("2000-02-30T00:00:00Z", "360_day")


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_dates_beyond_nanoseconds_are_written(text: str) -> None:
    assert iso_text(np.datetime64(text[:-1], "s")) == text


def test_nothing_but_nat_has_no_range() -> None:
    assert time_range(np.array(["NaT"], "M8[ns]"), None) is None


@pytest.mark.parametrize(
    ("first", "step", "expected"),
    [("2000-01-31", "1D", "P1D"), ("2000-01-01", "6h", "PT6H"), ("2000-01-01", "30min", "PT30M"),
     ("2000-01-01", "36h", "P1DT12H"),
     ("2000-01-01", "MS", "P1M"), ("2000-01-01", "3MS", "P3M"), ("2000-01-01", "YS", "P1Y"),
     ("2000-01-01", "ME", "P1M"),
     ("2000-01-01", "30D", "P30D"), ("2000-01-01", "1s", "PT1S")],
)  # fmt: skip
def test_regular_times_have_an_iso_duration(first: str, step: str, expected: str) -> None:
    import pandas as pd

    assert duration_step(pd.date_range(first, periods=14, freq=step).values) == expected


def test_mid_month_times_are_monthly_and_gaps_are_not_regular() -> None:
    months = [cftime.datetime(2000, month, 16, calendar="360_day") for month in (1, 2, 3)]
    assert duration_step(np.array(months)) == "P1M"
    assert duration_step(np.array(["2000-01-01", "2000-01-02", "2000-01-04"], "M8[s]")) is None
    assert duration_step(np.array(["2000-01-01", "2000-01-01"], "M8[s]")) is None
    assert duration_step(np.array(["2000-01-01"], "M8[s]")) is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_steps_are_found_to_the_precision_of_the_numbers(dtype: str) -> None:
    assert regular_step(np.arange(89.875, -90, -0.25).astype(dtype)) == -0.25
    assert regular_step(np.linspace(0, 359.9, 3600).astype(dtype)) == pytest.approx(0.1, rel=1e-5)
    assert regular_step(np.array([0, 1, 3], dtype)) is None
    assert regular_step(np.array([1], dtype)) is None
    assert regular_step(np.array([1, 1, 1], dtype)) is None
