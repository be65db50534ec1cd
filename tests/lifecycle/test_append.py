"""An update appends what is new: the store is then what a bake from scratch makes, and what xarray makes."""

from __future__ import annotations

import itertools
import math
import struct
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cftime
import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bake.kitchen import stamps
from tests.lifecycle.larder import (
    CUT,
    SHARDED,
    Larder,
    assert_untouched,
    days,
    everything,
    make_larder,
    objects_of,
    without_beam,
)
from tests.oracle import assert_same, round_trip

ABSENT = 2**64 - 1


def assert_appended(larder: Larder, afresh: Path) -> None:
    """The store is what xarray makes of the inputs, for readers of either kind, and what a bake from scratch makes."""
    wanted = larder.expected()
    assert_same(larder.opened(), wanted)
    assert_same(larder.opened(consolidated=False), wanted)
    anew = larder.afresh(afresh)
    (anew.root / "feedstocks/sea/recipe.py").write_text(
        (larder.root / "feedstocks/sea/recipe.py").read_text().replace(str(larder.inputs), str(anew.inputs))
    )
    anew.bake()
    assert_same(larder.opened(), anew.opened())
    assert set(objects_of(larder.store)) == set(objects_of(anew.store))


def chunks_of(store: Path, name: str, key: str, data: bytes) -> dict[tuple[int, ...], tuple[int, bytes]]:
    """Find the inner chunks of a shard: by their place in the array, their offsets and bytes."""
    array = zarr.open_array(store / name, mode="r")
    grid = [s // c for s, c in zip(array.shards or array.chunks, array.chunks, strict=True)]
    count = math.prod(grid)
    start = len(data) - 16 * count - 4
    entries = struct.unpack(f"<{2 * count}Q", data[start:-4])
    corner = [int(part) for part in key.partition("/c/")[2].split("/")]
    found = {}
    for number, place in enumerate(itertools.product(*map(range, grid))):
        offset, length = entries[2 * number : 2 * number + 2]
        if offset != ABSENT:
            at = tuple(g * n + p for g, n, p in zip(grid, corner, place, strict=True))
            found[at] = (offset, data[offset : offset + length])
    return found


def assert_old_bytes_stay(
    store: Path, old: Mapping[str, bytes], made: Mapping[str, tuple[int, int]], ends: Mapping[str, int]
) -> None:
    """What lies wholly before the old end is not touched; in shards that grow, old chunks stay where they were."""
    now, stamped = objects_of(store), stamps(store)
    for key, data in old.items():
        name = key.partition("/c/")[0]
        array = zarr.open_array(store / name, mode="r")
        lengths = array.shards or array.chunks
        first = int(key.partition("/c/")[2].split("/")[0])
        if (first + 1) * lengths[0] <= ends[name]:
            assert stamped[key] == made[key], f"{key} was written again"
        if array.shards:
            for place, (offset, chunk) in chunks_of(store, name, key, data).items():
                assert now[key][offset : offset + len(chunk)] == chunk, f"{key}: chunk {place} moved"
                if (place[0] + 1) * array.chunks[0] <= ends[name]:
                    assert chunks_of(store, name, key, now[key])[place] == (offset, chunk)


def options_of(chunk: int, shard: int | None, zarr_format: int) -> str:
    shards = f'{{"time": {chunk * shard}, "lat": 2}}' if shard else False
    return f'target_chunks={{"time": {chunk}, "lat": 1}}, shards={shards}, zarr_format={zarr_format}'


def grow(root: Path, first: Sequence[int], later: Sequence[Sequence[int]], options: str) -> None:
    """Bake inputs of some lengths and append others, checking after each update."""
    larder, day = make_larder(root, options=options), 0
    for number, lengths in enumerate([first, *later]):
        larder.add(*(days(day + sum(lengths[:i]), n) for i, n in enumerate(lengths)))
        if number == 0:
            larder.bake()
        else:
            old, made = objects_of(larder.store), stamps(larder.store)
            outcome = larder.update()
            assert (outcome.status, outcome.added) == ("updated", f"time {day} → {day + sum(lengths)}")
            if "zarr_format=2" not in options:
                assert_old_bytes_stay(larder.store, old, made, {"sst": day, "time": day, "lat": 2, "lon": 3})
        day += sum(lengths)
    assert_appended(larder, root / "afresh")


CASES = [
    pytest.param([2], [[1]], (2, None, 3), id="a new chunk"),
    pytest.param([2, 1], [[1], [2, 2]], (2, None, 3), id="a tail chunk that is filled up"),
    pytest.param([3], [[3, 1], [1]], (2, None, 2), id="zarr v2"),
    pytest.param([2, 1], [[2], [1], [9]], (2, 4, 3), id="into a shard, chunk by chunk, and beyond it"),
    pytest.param([4, 4], [[3]], (2, 4, 3), id="a full shard"),
    pytest.param([1], [[1], [1], [1], [1]], (3, 2, 3), id="a chunk that is written again and again"),
]


@pytest.mark.parametrize(("first", "later", "layout"), CASES)
@pytest.mark.usefixtures("at_once")
def test_what_is_appended_is_what_a_bake_from_scratch_makes(
    tmp_path: Path, first: list[int], later: list[list[int]], layout: tuple[int, int | None, int]
) -> None:
    grow(tmp_path, first, later, options_of(*layout))


lengths = st.lists(st.integers(1, 5), min_size=1, max_size=3)
layouts = st.tuples(st.integers(1, 4), st.sampled_from([None, 1, 2, 3]), st.just(3)) | st.tuples(
    st.integers(1, 4), st.none(), st.just(2)
)


def _any_alignment(first: list[int], later: list[list[int]], layout: tuple[int, int | None, int]) -> None:
    with tempfile.TemporaryDirectory() as folder, without_beam():
        grow(Path(folder), first, later, options_of(*layout))


@settings(max_examples=5)
@given(lengths, st.lists(lengths, min_size=1, max_size=3), layouts)
def test_any_alignment_appends_the_same(
    first: list[int], later: list[list[int]], layout: tuple[int, int | None, int]
) -> None:
    _any_alignment(first, later, layout)


@pytest.mark.nightly
@settings(max_examples=150)
@given(lengths, st.lists(lengths, min_size=1, max_size=4), layouts)
def test_any_alignment_appends_the_same_many_times(
    first: list[int], later: list[list[int]], layout: tuple[int, int | None, int]
) -> None:
    _any_alignment(first, later, layout)


@pytest.mark.parametrize("options", [CUT, SHARDED, CUT + ", zarr_format=2"], ids=["chunks", "shards", "v2"])
@pytest.mark.usefixtures("at_once")
def test_updating_twice_is_updating_once_and_a_bake_finds_nothing_to_do(tmp_path: Path, options: str) -> None:
    larder = make_larder(tmp_path, days(0, 2), days(2, 3), options=options)
    larder.bake()
    larder.add(days(5, 2))
    larder.update()
    before = everything(larder)
    assert larder.update().status == "unchanged"
    assert_untouched(larder, before)
    assert larder.bake().status == "unchanged"
    assert_untouched(larder, before)
    assert larder.verify().status == "verified"
    (first,), change = larder.entry.previous, larder.entry.change
    assert change and (change.since, first.change) == (first.version, None)
    assert change.said[0] == "time: 2 time steps added, 7 now, ends at 2001-01-07 instead of 2001-01-05"
    assert "added in place: the objects that were there are as they were" in change.said
    assert any(text.startswith("inputs: 2 → 3 files, ") for text in change.said)


@pytest.mark.usefixtures("at_once")
def test_an_update_without_new_inputs_does_nothing(tmp_path: Path) -> None:
    larder = make_larder(tmp_path, days(0, 2), days(2, 3))
    larder.bake()
    before = everything(larder)
    assert larder.update().status == "unchanged"
    assert_untouched(larder, before)


def test_a_pipeline_appends_too(tmp_path: Path) -> None:
    larder = make_larder(tmp_path, days(0, 2), days(2, 3), options=SHARDED)
    larder.bake()
    larder.add(days(5, 2))
    old, made = objects_of(larder.store), stamps(larder.store)
    assert larder.update().status == "updated"
    assert_old_bytes_stay(larder.store, old, made, {"sst": 5, "time": 5, "lat": 2, "lon": 3})
    assert_appended(larder, tmp_path / "afresh")
    before = everything(larder)
    assert larder.update().status == "unchanged"
    assert_untouched(larder, before)
    assert larder.verify().status == "verified"


# What the inputs are


def packed(start: int, steps: int) -> tuple[xr.Dataset, dict[str, Any]]:
    encoding = {"dtype": "int16", "scale_factor": 0.5, "add_offset": 10.0, "_FillValue": -999}
    dataset = days(start, steps)
    return dataset.assign(sst=dataset.sst.where(dataset.sst % 5 != 0)), {"sst": encoding}


def text(start: int, steps: int) -> tuple[xr.Dataset, dict[str, Any]]:
    words = np.array([["day " + "long " * (start + i)] * 2 for i in range(steps)], object)
    return days(start, steps).assign(word=(("time", "lat"), words)), {}


def noleap(start: int, steps: int) -> tuple[xr.Dataset, dict[str, Any]]:
    time = xr.date_range("2001-02-27", periods=start + steps, calendar="noleap", use_cftime=True)[start:]
    assert isinstance(time[0], cftime.DatetimeNoLeap)
    return days(start, steps).assign_coords(time=time), {}


def own_units(start: int, steps: int) -> tuple[xr.Dataset, dict[str, Any]]:
    dataset = days(start, steps)
    dataset.time.encoding = {}
    return dataset, {"time": {"units": f"hours since 200{1 - start % 2}-01-0{1 + start}", "dtype": "int32"}}


def with_bounds(start: int, steps: int) -> tuple[xr.Dataset, dict[str, Any]]:
    dataset = days(start, steps)
    edges = np.stack([dataset.time.values, dataset.time.values + np.timedelta64(1, "D")], 1)
    dataset["time_bnds"] = (("time", "nv"), edges)
    dataset.time.attrs["bounds"] = "time_bnds"
    return dataset.assign(mask=(("lat", "lon"), np.eye(2, 3))), {}


def falling(start: int, steps: int) -> tuple[xr.Dataset, dict[str, Any]]:
    dataset = days(start, steps)
    return dataset.assign_coords(
        time=np.datetime64("2001-01-01", "ns")
        - (dataset.time.values - dataset.time.values[0])
        - np.timedelta64(start, "D")
    ), {}


def without_coordinate(start: int, steps: int) -> tuple[xr.Dataset, dict[str, Any]]:
    return days(start, steps).drop_vars("time"), {}


KINDS = [packed, text, noleap, own_units, with_bounds, falling, without_coordinate]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("options", [SHARDED, CUT + ", zarr_format=2"], ids=["shards", "v2"])
@pytest.mark.usefixtures("at_once")
def test_all_kinds_of_values_are_appended(tmp_path: Path, kind: Any, options: str) -> None:
    larder = make_larder(tmp_path, options=options)
    for steps in ([0, 2], [2, 3]):
        dataset, encoding = kind(*steps)
        larder.add(dataset, encoding=encoding)
    larder.bake()
    for steps in ([5, 2], [7, 1]):
        dataset, encoding = kind(*steps)
        larder.add(dataset, encoding=encoding)
        assert larder.update().status == "updated"
        assert_same(larder.opened(), larder.expected())
    assert_appended(larder, tmp_path / "afresh")


# What the pattern is


@pytest.mark.usefixtures("at_once")
def test_every_variable_of_a_merge_dimension_grows(tmp_path: Path) -> None:
    dims = [("time", "concat", [0, 1]), ("variable", "merge", ["sst", "ice"])]
    larder = make_larder(tmp_path, dims=dims, options=SHARDED)

    def write(number: int, start: int, steps: int) -> None:
        larder.write((number, "sst"), days(start, steps))
        larder.write((number, "ice"), days(start, steps, 1000).rename(sst="ice"))

    write(0, 0, 2)
    write(1, 2, 3)
    larder.bake()
    write(2, 5, 2)
    larder.extend("time", 2)
    assert larder.update().status == "updated"
    assert_appended(larder, tmp_path / "afresh")
    assert set(larder.opened().data_vars) == {"sst", "ice"}


@pytest.mark.parametrize("grows", ["time", "member"])
@pytest.mark.usefixtures("at_once")
def test_either_of_two_concat_dimensions_grows(tmp_path: Path, grows: str) -> None:
    dims = [("time", "concat", [0, 1]), ("member", "concat", ["a", "b"])]
    larder = make_larder(tmp_path, dims=dims, options='target_chunks={"time": 2, "member": 2}, shards={"time": 4}')

    def write(time: int, member: str) -> None:
        larder.write((time, member), days(2 * time, 2, 1000 * ord(member)))

    for time, member in itertools.product([0, 1], "ab"):
        write(time, member)
    larder.bake()
    for time, member in [(2, "a"), (2, "b")] if grows == "time" else [(0, "c"), (1, "c")]:
        write(time, member)
    larder.extend(grows, 2 if grows == "time" else "c")
    assert larder.update().status == "updated"
    assert_appended(larder, tmp_path / "afresh")
    assert larder.update().status == "unchanged"


@pytest.mark.usefixtures("at_once")
def test_a_dimension_that_no_file_has_grows(tmp_path: Path) -> None:
    larder = make_larder(
        tmp_path, dims=[("member", "concat", [3, 7])], options='target_chunks={"member": 2}, shards=False'
    )
    for member in (3, 7, 8):
        larder.write((member,), days(0, 2, 1000 * member))
    larder.bake()
    larder.extend("member", 8)
    assert larder.update().status == "updated"
    assert_appended(larder, tmp_path / "afresh")
    assert list(larder.opened().member.values) == [3, 7, 8]


@pytest.mark.usefixtures("at_once")
def test_repeated_elements_are_dropped_where_an_append_begins_as_anywhere_else(tmp_path: Path) -> None:
    larder = make_larder(tmp_path, days(0, 3), days(2, 3), options=CUT + ', order="drop_duplicates"')
    larder.bake()
    larder.add(days(4, 3))
    assert larder.update().status == "updated"
    found = larder.opened()
    assert list(found.time.dt.day.values) == [1, 2, 3, 4, 5, 6, 7]
    assert_same(found, _round(days(0, 7)))


@pytest.mark.usefixtures("at_once")
def test_inputs_that_were_sorted_stay_where_they_are(tmp_path: Path) -> None:
    larder = make_larder(tmp_path, days(3, 2), days(0, 3), options=CUT + ', order="sort"')
    larder.bake()
    larder.add(days(5, 3))
    assert larder.update().status == "updated"
    assert_same(larder.opened(), _round(days(0, 8)))


@pytest.mark.usefixtures("at_once")
def test_a_variable_that_new_inputs_lack_is_filled_where_the_recipe_says_so(tmp_path: Path) -> None:
    both = [days(s, n).assign(ice=days(s, n, 0.5).sst) for s, n in ((0, 2), (2, 3))]
    larder = make_larder(tmp_path, *both, options=CUT + ', missing_variables="fill"')
    larder.bake()
    larder.add(days(5, 2))
    assert larder.update().status == "updated"
    found = larder.opened()
    assert_same(found[["sst"]], _round(days(0, 7)))
    assert np.isnan(found.ice.values[5:]).all() and (found.ice.values[:5] == days(0, 5, 0.5).sst.values).all()


@pytest.mark.usefixtures("at_once")
def test_a_recipe_whose_text_lists_its_inputs_grows_with_it(tmp_path: Path) -> None:
    larder = make_larder(tmp_path, days(0, 2), days(2, 3))
    larder.bake()
    larder.add(days(5, 2))
    path = larder.root / "feedstocks/sea/recipe.py"
    path.write_text(path.read_text() + "\n# until 2001-01-07\n")
    assert larder.update().status == "updated"
    assert_same(larder.opened(), larder.expected())
    assert (larder.update().status, larder.bake().status) == ("unchanged", "unchanged")


def _round(dataset: xr.Dataset) -> xr.Dataset:
    return round_trip(dataset)
