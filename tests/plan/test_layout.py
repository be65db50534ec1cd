"""Chunks are what the recipe asks for, exactly; what it leaves out keeps the sources' chunks."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakehouse.plan.layout import CHUNK_BYTES, SHARD_BYTES, lay_out
from bakehouse.plan.types import ArrayPlan, Axis, StoreOptions, Template


def array(
    shape: dict[str, int], source: dict[str, int] | None = None, name: str = "a", dtype: str = "float32"
) -> ArrayPlan:
    chunks = tuple((source or {}).get(d) for d in shape)
    return ArrayPlan(
        name,
        tuple(shape),
        tuple(shape.values()),
        dtype,
        False,
        (),
        (),
        None,
        "",
        chunks,
        tuple(d for d in shape if d == "t"),
    )


def template(*arrays: ArrayPlan, zarr_format: int = 3) -> Template:
    sizes = {d: n for a in arrays for d, n in zip(a.dims, a.shape, strict=True)}
    axes = {"t": Axis("t", {0: (0, sizes["t"])})} if "t" in sizes else {}
    return Template({a.name: a for a in arrays}, {}, axes, sizes, zarr_format)


def laid_out(what: ArrayPlan, zarr_format: int = 3, **options: Any) -> ArrayPlan:
    return lay_out(template(what, zarr_format=zarr_format), StoreOptions("s", **options)).arrays[what.name]


shapes = st.dictionaries(st.sampled_from("tyx"), st.integers(1, 5000), max_size=3)


@given(shapes, st.data())
def test_asked_lengths_are_exact_and_shards_hold_whole_chunks(shape: dict[str, int], data: st.DataObject) -> None:
    source = {d: data.draw(st.integers(1, n)) for d, n in shape.items() if data.draw(st.booleans())}
    asked = {
        d: data.draw(st.one_of(st.just(-1), st.integers(1, n))) for d, n in shape.items() if data.draw(st.booleans())
    }
    found = laid_out(array(shape, source), target_chunks=asked)
    for dim, length in zip(found.dims, found.chunks, strict=True):
        assert dim not in asked or length == (shape[dim] if asked[dim] == -1 else asked[dim])
        assert length >= 1
        assert dim not in source or dim in asked or length % source[dim] == 0 or length == shape[dim]
    if found.shards:
        assert all(shard % chunk == 0 for shard, chunk in zip(found.shards, found.chunks, strict=True))
        assert math.prod(found.shards) * 4 <= max(SHARD_BYTES, math.prod(found.chunks) * 4)


@given(shapes)
def test_a_source_without_chunks_is_cut_to_a_good_size(shape: dict[str, int]) -> None:
    assert math.prod(laid_out(array(shape)).chunks) * 4 <= CHUNK_BYTES


def test_the_sources_chunks_stay() -> None:
    assert laid_out(array({"t": 30, "y": 720, "x": 1440}, {"t": 1, "y": 360, "x": 720})).chunks == (1, 360, 720)


def test_small_source_chunks_grow_by_whole_chunks() -> None:
    assert laid_out(array({"t": 4000}, {"t": 1})).chunks == (16384,)
    assert laid_out(array({"t": 4000, "y": 50}, {"t": 1, "y": 10})).chunks == (328, 50)


def test_a_chunk_may_be_longer_than_what_there_is_of_a_dimension_that_grows() -> None:
    assert laid_out(array({"t": 3, "y": 5}), target_chunks={"t": 30, "y": 30}).chunks == (30, 5)


@pytest.mark.parametrize(
    ("options", "shards"),
    [
        ({"shards": False}, None),
        ({"shards": {"t": 6}}, (6, 5)),
        ({"shards": {"t": -1}}, (12, 5)),
        ({"shards": {"t": -1, "y": -1}}, (12, 10)),
        ({"zarr_format": 2}, None),
        ({"zarr_format": 2, "shards": False}, None),
        ({"encoding": {"a": {"shards": None}}}, None),
        ({"encoding": {"a": {"shards": (4, 10)}}}, (4, 10)),
        ({"encoding": {"a": {"shards": (4, 10)}}, "shards": {"t": 6}}, (4, 10)),
    ],
)
def test_shards_are_what_is_asked_for(options: dict[str, Any], shards: tuple[int, ...] | None) -> None:
    found = laid_out(array({"t": 11, "y": 10}), target_chunks={"t": 2, "y": 5}, **options)
    assert (found.chunks, found.shards) == ((2, 5), shards)


def test_an_encoding_may_set_the_chunks_of_one_array() -> None:
    two = template(array({"t": 10, "y": 8}), array({"t": 10, "y": 8}, name="b"))
    found = lay_out(two, StoreOptions("s", target_chunks={"t": 5}, encoding={"b": {"chunks": (2, -1)}}, shards=False))
    assert {n: a.chunks for n, a in found.arrays.items()} == {"a": (5, 8), "b": (2, 8)}


def test_scalars_have_neither_chunks_nor_shards() -> None:
    found = laid_out(array({}), target_chunks={})
    assert (found.chunks, found.shards) == ((), None)


def test_laying_out_changes_nothing_else() -> None:
    before = array({"t": 10, "y": 8})
    assert replace(laid_out(before), chunks=(), shards=None) == before


@pytest.mark.parametrize("of", [np.int64, np.uint8])
def test_lengths_of_an_encoding_may_be_numbers_of_numpy(of: Any) -> None:
    small = array({"t": 8, "x": 6})
    found = laid_out(small, encoding={"a": {"chunks": of(2), "shards": of(4)}})
    assert (found.chunks, found.shards) == ((2, 2), (4, 4))
    assert {type(n) for n in (*found.chunks, *(found.shards or ()))} == {int}
    assert found == laid_out(small, encoding={"a": {"chunks": 2, "shards": 4}})
