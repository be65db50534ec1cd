"""Inputs that are not there: what stands in their gaps, and what it takes to tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bakehouse.errors import PatternError
from bakehouse.openers.describe import describe
from bakehouse.openers.times import extent_of
from bakehouse.plan.gaps import Absent, with_gaps
from bakehouse.schema import DatasetSchema, Identity
from tests.plan.counted import calls
from tests.plan.samples import TIME, key, schema_of, sea


def with_holes(times: pd.DatetimeIndex, missing: set[int]) -> tuple[DatasetSchema, list[Absent]]:
    """Describe inputs of one time each, some of which are not there."""
    like = describe(sea(0, 1), "0.nc", Identity(1, "e"), TIME)
    stamps = times.values.astype("datetime64[ns]")
    inputs = {
        key(i): frozenset([replace(like, url=f"{i}.nc", extents=(("time", extent_of(stamps[i : i + 1])),))])
        for i in range(len(times))
        if i not in missing
    }
    return DatasetSchema(inputs), [Absent(key(i), f"{i}.nc", (("time", len(times), None),)) for i in sorted(missing)]


@pytest.mark.parametrize("frequency", ["D", "6h", "MS", "2MS"])
@pytest.mark.parametrize("missing", [{1}, {3, 4, 5, 9}, {2, 4, 6, 8, 10}])
def test_gaps_have_the_times_that_their_inputs_would_have(frequency: str, missing: set[int]) -> None:
    times = pd.date_range("2001-01-01T12:00", periods=12, freq=frequency)
    schema, _ = with_gaps(*with_holes(times, missing), TIME, "ocean/daily")
    assert sorted(schema.inputs) == [key(i) for i in range(12)]
    for i in missing:
        (stand_in,) = schema.inputs[key(i)]
        (told,) = dict(stand_in.extents)["time"].values
        assert np.datetime64(int(told), "ns") == times[i].to_datetime64()


@pytest.mark.parametrize("frequency", ["D", "MS"])
def test_the_work_for_gaps_follows_the_number_of_inputs(frequency: str) -> None:
    few, many = (pd.date_range("1801-01-01", periods=n, freq=frequency) for n in (200, 800))
    work = [calls(with_gaps, *with_holes(t, set(range(1, len(t) - 1, 5))), TIME, "ocean/daily") for t in (few, many)]
    assert work[1] < 5 * work[0]


@pytest.mark.parametrize("steps", [1, 2])
def test_a_gap_in_a_coordinate_that_stands_still_is_refused(steps: int) -> None:
    still = [sea(0, steps).assign_coords(time=np.full(steps, 4.0)) for _ in range(4)]
    inputs = {k: found for k, found in schema_of(*still).inputs.items() if k != key(2)}
    absent = [Absent(key(2), "2.nc", (("time", 4, steps),))]
    with pytest.raises(PatternError, match=r"(?s)time=2 is not there.*can't be told.*2\.nc.*no regular step.*take"):
        with_gaps(DatasetSchema(inputs), absent, TIME, "ocean/daily")


def test_an_input_that_ends_in_a_missing_time_tells_no_step() -> None:
    parts = [sea(2 * i) for i in range(5)]
    parts[4] = parts[4].assign_coords(time=[parts[4].time.values[0], np.datetime64("NaT")])
    inputs = {k: found for k, found in schema_of(*parts).inputs.items() if k != key(1)}
    schema, _ = with_gaps(DatasetSchema(inputs), [Absent(key(1), "1.nc", (("time", 5, 2),))], TIME, "ocean/daily")
    (stand_in,) = schema.inputs[key(1)]
    told = [np.datetime64(int(t), "ns") for t in dict(stand_in.extents)["time"].values]
    np.testing.assert_array_equal(told, parts[1].time.values)
