"""Integers with a `missing_value` that they can't hold: nothing equals it, and readers see what the source shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from tests.engine.files import bake, read, refused, written
from tests.plan.samples import sea

CASES = [
    ("i2", np.float32(1e20)),
    ("i1", np.int16(-999)),
    ("u1", np.int16(-1)),
    ("i2", np.float64(-3.5)),
    ("i2", np.float64(-3.0)),
    ("i4", np.float32(np.inf)),
]


def counts(start: int, dtype: str, missing: Any) -> xr.Dataset:
    """Make two days of integers, one of which is what -3.5 would be cut to."""
    values = np.array([[1, -3, 3], [4, 5, 6]]).astype(dtype)
    return sea(start).assign(n=(("time", "lon"), values, {"missing_value": missing}))


@pytest.mark.parametrize(("dtype", "missing"), CASES, ids=str)
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_it_stays_as_it_is(dtype: str, missing: Any, zarr_format: int, tmp_path: Path) -> None:
    pattern = written(tmp_path, [counts(0, dtype, missing), counts(2, dtype, missing)])
    actual = bake(pattern, tmp_path / "out", zarr_format=zarr_format)
    expected = xr.concat(read(tmp_path, 0, 1), "time")
    assert actual.n.dtype == expected.n.dtype and actual.n.encoding["dtype"] == np.dtype(dtype)
    np.testing.assert_array_equal(actual.n, expected.n)
    assert actual.n.encoding["missing_value"] == missing


def test_it_can_not_stand_where_inputs_lack_the_variable(tmp_path: Path) -> None:
    pattern = written(tmp_path, [counts(0, "i2", np.float32(1e20)), sea(2)])
    with refused("'n'", "no value that means missing", "_FillValue"):
        bake(pattern, tmp_path / "out", missing_variables="fill")
