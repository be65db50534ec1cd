"""What is read of an input at once: pieces that meet exactly once and cut no chunk."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from xarray.backends.common import BackendArray
from xarray.core.indexing import LazilyIndexedArray

from bakehouse.openers.spill import spill
from bakehouse.plan.types import ArrayPlan
from bakehouse.storage import Target
from bakehouse.writers import pieces as module
from bakehouse.writers.assemble import Fragment, Overlap
from bakehouse.writers.pieces import pieces, source_chunks

LIMIT = 64


@pytest.fixture(autouse=True, scope="module")
def small_pieces() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PIECE_BYTES", LIMIT)
        yield


class Chunked(BackendArray):
    """Stands for an array in a file that says how it is chunked; it is never read."""

    def __init__(self, values: Any, chunks: Any) -> None:
        self.shape, self.dtype, self.chunks = values.shape, values.dtype, chunks


def overlap_of(variable: xr.Variable, start: int, stop: int, at: int, chunks: tuple[int, ...]) -> Any:
    """Let rows start:stop of an input lie at `at` in the store."""
    shape = (at + stop - start, *variable.shape[1:])
    spans = ((at, shape[0]), *((0, n) for n in shape[1:]))
    box = tuple(slice(0, b - a) for a, b in spans)
    source = (slice(start, stop), *(slice(0, n) for n in shape[1:]))
    none = (None,) * variable.ndim
    plan = ArrayPlan("v", tuple(map(str, variable.dims)), shape, "int32", False, (), (), None, "", none, chunks=chunks)
    return plan, Overlap(Fragment((), "v.nc", {"v": variable}), spans, box, source)


@given(data=st.data())
def test_pieces_tile_an_overlap_and_cut_no_chunk(data: Any) -> None:
    rows, columns = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 9))
    start = data.draw(st.integers(0, rows - 1))
    stop, at = data.draw(st.integers(start + 1, rows)), data.draw(st.integers(0, 20))
    length, stored = data.draw(st.none() | st.integers(1, 12)), data.draw(st.none() | st.integers(1, 12))
    values = np.arange(rows * columns, dtype="i4").reshape(rows, columns)
    variable = xr.Variable(("time", "lat"), values)
    if length:
        variable._data = LazilyIndexedArray(Chunked(values, {"time": length, "lat": columns}))
    plan, found = overlap_of(variable, start, stop, at, (stored or 1, columns))
    cut = list(pieces(plan, found, stored is not None))

    spans = [piece.store[0] for piece in cut]
    assert [spans[0][0], spans[-1][1]] == [at, at + stop - start]
    assert all(left[1] == right[0] for left, right in pairwise(spans))
    for left in spans[:-1]:
        assert (left[1] - at + start) % (length or 1) == 0
        assert left[1] % (stored or 1) == 0
    common = math.lcm(length or 1, stored or 1)
    assert all(
        (b - a) * columns * 4 < LIMIT + (common + max(1, LIMIT // (columns * 4))) * columns * 4 for a, b in spans
    )
    out = np.zeros((stop - start, columns), "i4")
    for piece in cut:
        out[piece.box] += values[piece.source]
    np.testing.assert_array_equal(out, values[start:stop])


def test_a_dimension_that_the_input_lacks_is_not_cut() -> None:
    variable = xr.Variable(("lat",), np.arange(40, dtype="i4"))
    spans = ((3, 4), (0, 40))
    plan = ArrayPlan(
        "v",
        ("time", "lat"),
        (9, 40),
        "int32",
        False,
        (),
        (),
        None,
        "",
        (None, None),
        ("time",),
        ("time",),
        chunks=(1, 1),
    )
    cut = list(
        pieces(
            plan, Overlap(Fragment((), "v.nc", {"v": variable}), spans, (slice(0, 1), slice(0, 40)), (slice(0, 40),))
        )
    )
    assert [p.store for p in cut] == [((3, 4), (0, 16)), ((3, 4), (16, 32)), ((3, 4), (32, 40))]
    assert [p.box for p in cut] == [(slice(0, 1), slice(a, b)) for a, b in ((0, 16), (16, 32), (32, 40))]
    assert [p.source for p in cut] == [(slice(0, 16),), (slice(16, 32),), (slice(32, 40),)]


def test_an_input_that_lacks_the_variable_is_cut_anywhere() -> None:
    plan, found = overlap_of(xr.Variable(("time", "lat"), np.zeros((9, 8), "i4")), 0, 9, 0, (9, 8))
    lacking = Overlap(Fragment((), "v.nc", {}), found.store, found.box, found.source)
    assert [p.store[0] for p in pieces(plan, lacking)] == [(0, 2), (2, 4), (4, 6), (6, 8), (8, 9)]


@pytest.mark.parametrize("shape", [(), (1,), (4, 4)], ids=str)
def test_what_is_small_is_not_cut(shape: tuple[int, ...]) -> None:
    variable = xr.Variable(("time", "lat")[: len(shape)], np.zeros(shape, "i4"))
    spans = tuple((0, n) for n in shape)
    found = Overlap(Fragment((), "v.nc", {"v": variable}), spans, (), tuple(slice(0, n) for n in shape))
    plan = ArrayPlan("v", ("time", "lat")[: len(shape)], shape, "int32", False, (), (), None, "", (), chunks=shape)
    assert list(pieces(plan, found)) == [found]


def test_lazy_arrays_say_what_is_read_at_once(tmp_path: Any) -> None:
    values = np.zeros((50, 1000), "f8")
    spilled = spill(xr.Variable(("time", "lat"), values), Target(str(tmp_path)))
    assert source_chunks(spilled) == {"time": 50, "lat": 1000}
    assert source_chunks(xr.Variable(("time", "lat"), values).chunk({"time": 20})) == {"time": 20, "lat": 1000}
    assert source_chunks(xr.Variable(("time", "lat"), values)) is None
