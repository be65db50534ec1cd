"""Floats that are rounded to fewer bits: what is missing stays so, and no other value becomes missing or infinite."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from bakehouse.errors import VerifyError
from bakehouse.storage import Target
from tests.plan.samples import sea
from tests.writers.direct import compare_all, opened, prepared_for, stored, write_all

KEEP = 5


def holed() -> xr.Dataset:
    """Make a dataset with missing values."""
    dataset = sea(0, 2)
    dataset.sst[0, 0, :2] = np.nan
    return dataset


def insist_near(store: xr.Dataset, dataset: xr.Dataset, name: str = "sst") -> None:
    """Insist on the same missing values, and on the relative error that is promised."""
    near, exact = store[name].values, dataset[name].values
    np.testing.assert_array_equal(np.isnan(near), np.isnan(exact))
    np.testing.assert_allclose(near, exact, rtol=2.0 ** -(KEEP + 1))


@pytest.mark.parametrize(
    "asked",
    [
        {"_FillValue": 1e20},
        {"missing_value": 1e20},
        {"_FillValue": 1e20, "missing_value": 1e20},
        {"_FillValue": -9999.0, "dtype": "float32"},
        {"_FillValue": -9999.0, "dtype": "float32", "scale_factor": 0.01},
    ],
)
def test_what_the_recipe_has_stand_for_missing_is_not_rounded(tmp_path: Path, asked: dict[str, Any]) -> None:
    store = stored([holed()], Target(str(tmp_path)), encoding={"sst": {"keepbits": KEEP, **asked}})
    insist_near(opened(store), holed())


def test_what_the_sources_have_stand_for_missing_is_a_value_where_the_recipe_asks_for_another(tmp_path: Path) -> None:
    dataset = holed()
    dataset.sst.encoding["_FillValue"] = np.float32(1e20)
    store = stored([dataset], Target(str(tmp_path)), encoding={"sst": {"keepbits": KEEP, "_FillValue": 1e10}})
    insist_near(opened(store), holed())


def test_comparing_sees_missing_values_that_a_reader_takes_for_numbers(tmp_path: Path) -> None:
    said, done = ({"sst": {"keepbits": KEEP, "_FillValue": fill}} for fill in (1e20, 1e10))
    prepared = replace(prepared_for([holed()], Target(str(tmp_path)), encoding=said), asked=done)
    write_all(prepared, [holed()])
    with pytest.raises(VerifyError, match=r"the store has 10000000000.0, its source has nan \(2 of 12 values differ\)"):
        compare_all(prepared, [holed()])


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_no_value_becomes_infinite(tmp_path: Path, dtype: str) -> None:
    dataset = sea(0, 2).astype(dtype)
    most = np.finfo(dtype).max
    dataset.sst[0] = [[most, -most, most * 0.97], [np.inf, -np.inf, np.nan]]
    store = stored([dataset], Target(str(tmp_path)), encoding={"sst": {"keepbits": KEEP}})
    np.testing.assert_array_equal(np.isinf(opened(store).sst), np.isinf(dataset.sst))
    insist_near(opened(store), dataset)


def test_no_value_becomes_missing(tmp_path: Path) -> None:
    dataset = holed()
    dataset.sst[1, 0] = [-1000.0, -999.0, -1001.0]
    store = stored([dataset], Target(str(tmp_path)), encoding={"sst": {"keepbits": KEEP, "_FillValue": -992.0}})
    insist_near(opened(store), dataset)


def test_a_scalar_is_rounded(tmp_path: Path) -> None:
    dataset = sea(0, 2).assign(height=np.float32(1.2345678))
    store = stored([dataset], Target(str(tmp_path)), encoding={"height": {"keepbits": KEEP}})
    assert opened(store).height.values == 1.25
