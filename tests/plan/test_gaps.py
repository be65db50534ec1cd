"""Inputs that are not there: what stands in their gaps, and what it takes to tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bakehouse.openers.describe import describe
from bakehouse.openers.times import extent_of
from bakehouse.plan.gaps import Absent, with_gaps
from bakehouse.schema import DatasetSchema, Identity
from tests.plan.counted import calls
from tests.plan.samples import TIME, key, sea


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
