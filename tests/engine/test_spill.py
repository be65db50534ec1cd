"""Arrays in staging, against numpy."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from xarray.core import indexing

from bakehouse.errors import StorageError
from bakehouse.openers import spill as module
from bakehouse.openers.spill import SpilledArray, spill
from bakehouse.storage import Target

SHAPE = (30, 12, 15)
DIMS = ("time", "lat", "lon")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(module, "ROW_BYTES", 4 * 12 * 15 * 8)
    yield


def spilled(values: Any, folder: Path) -> xr.Variable:
    variable = spill(xr.Variable(DIMS, values), Target(str(folder)))
    assert isinstance(variable._data, indexing.LazilyIndexedArray)
    assert isinstance(variable._data.array, SpilledArray)
    return variable


def keys(size: int) -> Any:
    """Draw what an axis may be indexed with."""
    places = st.integers(-size, size - 1)
    steps = st.sampled_from([1, 2, 7, -1, -3])
    slices = st.builds(slice, st.none() | places, st.none() | places, steps)
    return places | slices | st.lists(places, max_size=5).map(lambda found: np.array(found, int))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: Any) -> tuple[Any, xr.Variable]:
    values = np.random.default_rng(0).random(SHAPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROW_BYTES", 4 * 12 * 15 * 8)
        return values, spilled(values, tmp_path_factory.mktemp("staging"))


@given(data=st.data())
def test_every_region_is_what_it_was(data: Any, whole: tuple[Any, xr.Variable]) -> None:
    values, variable = whole
    key = tuple(data.draw(keys(n)) for n in SHAPE)
    xr.testing.assert_identical(variable[key].load(), xr.Variable(DIMS, values)[key])


@pytest.mark.parametrize(
    "dtype", ["float32", ">i2", "bool", "complex64", "datetime64[ns]", "timedelta64[s]", "S5", "U3"]
)
def test_every_dtype_survives(dtype: str, tmp_path: Path) -> None:
    values = (
        (np.arange(np.prod(SHAPE)) % 97).reshape(SHAPE).astype("int64" if dtype[0] in "dt" else dtype).astype(dtype)
    )
    read = spilled(np.repeat(values, 4, axis=0), tmp_path).values
    assert read.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(read, np.repeat(values, 4, axis=0))


def test_equal_arrays_are_spilled_once_whatever_their_order_in_memory(tmp_path: Path) -> None:
    values = np.random.default_rng(1).random(SHAPE)
    for each in (values, values.copy(), np.asfortranarray(values)):
        np.testing.assert_array_equal(spilled(each, tmp_path).values, values)
    (folder,) = tmp_path.iterdir()
    stamps = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    spilled(values, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == stamps
    spilled(values + 1, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_what_was_spilled_in_part_is_spilled_anew(tmp_path: Path) -> None:
    values = np.random.default_rng(1).random(SHAPE)
    spilled(values, tmp_path)
    max(tmp_path.glob("*/*"), key=lambda path: int(path.name)).unlink()
    np.testing.assert_array_equal(spilled(values, tmp_path).values, values)


@pytest.mark.parametrize("dtype", ["float64", "datetime64[ns]"])
def test_long_coordinates_that_index_a_dimension_are_spilled(dtype: str, tmp_path: Path) -> None:
    coordinate = xr.Dataset(coords={"x": ("x", np.arange(5000).astype(dtype), {"units": "m"})}).variables["x"]
    moved = spill(coordinate, Target(str(tmp_path)))
    assert isinstance(moved._data, indexing.LazilyIndexedArray)
    xr.testing.assert_identical(moved.load(), coordinate.to_base_variable())


def test_small_arrays_lazy_ones_and_text_stay(tmp_path: Path) -> None:
    for data in (np.zeros((2, 3, 4)), np.full(SHAPE, "text", object)):
        variable = xr.Variable(DIMS, data)
        assert spill(variable, Target(str(tmp_path))) is variable
    lazy = spilled(np.zeros(SHAPE), tmp_path)
    assert spill(lazy, Target(str(tmp_path))) is lazy


def test_a_block_that_is_gone_is_named(tmp_path: Path) -> None:
    variable = spilled(np.zeros(SHAPE), tmp_path)
    next(tmp_path.glob("*/3")).unlink()
    assert variable[:12].values.shape == (12, 12, 15)
    with pytest.raises(StorageError, match=r"spilled block [0-9a-f]{64}/3 is gone"):
        variable[12].values  # noqa: B018 - reading is what fails


def test_spilling_and_reading_hold_a_block_and_no_copy_of_the_array(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROW_BYTES", 2**20)
    values = np.random.default_rng(2).random((64, 256, 128))  # 16 MiB
    spilled(values[:8], tmp_path)
    tracemalloc.start()
    try:
        variable = spilled(values, tmp_path)
        spilling = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        variable[32:48].values  # noqa: B018 - reading is what is measured
        reading = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert spilling < 6 * 2**20
    assert reading < values.nbytes / 4 + 6 * 2**20
