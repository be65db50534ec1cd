"""What does not follow what is stored is refused by name, and nothing is touched."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from bakehouse.errors import BakehouseError
from tests.lifecycle.larder import CUT, SHARDED, Larder, days, everything_in, make_larder, without_beam
from tests.oracle import assert_same


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Larder]:
    """Give archives that were baked once, by what their values are."""
    found = {}
    with without_beam():
        for name in ("plain", "packed", "noleap"):
            larder = make_larder(tmp_path_factory.mktemp(name))
            for start, steps in ((0, 2), (2, 3)):
                dataset, encoding = made(name, start, steps)
                larder.add(dataset, encoding=encoding)
            larder.bake()
            found[name] = larder
    return found


PACKED = {"sst": {"dtype": "int16", "scale_factor": 0.5, "add_offset": 0.0, "_FillValue": -999}}


def made(name: str, start: int, steps: int) -> tuple[xr.Dataset, dict[str, Any]]:
    dataset = days(start, steps)
    if name == "noleap":
        time = xr.date_range("2001-02-27", periods=start + steps, calendar="noleap", use_cftime=True)[start:]
        dataset = dataset.assign_coords(time=time)
    return dataset, PACKED if name == "packed" else {}


def assert_refused(larder: Larder, *words: str, changed: bool = False) -> None:
    """An update is refused in these words, says how to go on, and leaves everything as it was, byte for byte."""
    before, seen = everything_in(larder), larder.opened()
    with pytest.raises(BakehouseError) as caught:
        larder.update(changed)
    missing = [word for word in words if word not in str(caught.value)]
    assert not missing, f"{missing} not in:\n{caught.value}"
    assert caught.value.fix or "fix:" in str(caught.value)
    now = everything_in(larder)
    work = {key for key in now if ".work/" in key or key.endswith((".lock",))}
    assert {key: value for key, value in now.items() if key not in work or key in before} == before
    assert_same(larder.opened(), seen)


def shifted(dataset: xr.Dataset, hours: int) -> xr.Dataset:
    return dataset.assign_coords(time=dataset.time.values + np.timedelta64(hours, "h"))


def gregorian(dataset: xr.Dataset) -> xr.Dataset:
    return dataset.assign_coords(time=days(60, dataset.sizes["time"]).time.values)


CASES: dict[str, tuple[str, Callable[[], tuple[xr.Dataset, dict[str, Any]]], tuple[str, ...]]] = {
    "times that overlap": ("plain", lambda: (days(4, 3), {}), ("time", "2.nc", "2001-01-05")),
    "times that repeat the whole last input": (
        "plain",
        lambda: (days(2, 3), {}),
        ("time", "2.nc", "2001-01-05", "2001-01-03"),
    ),
    "times that precede": (
        "plain",
        lambda: (shifted(days(0, 2), -24 * 30), {}),
        ("time", "2.nc", "2001-01-05", "2000-12-02"),
    ),
    "times that turn round": (
        "plain",
        lambda: (days(5, 3).isel(time=[0, 2, 1]), {}),
        ("time", "2.nc", "2001-01-06", "2001-01-07"),
    ),
    "times that repeat within": ("plain", lambda: (days(5, 2).isel(time=[0, 0, 1]), {}), ("time", "2.nc")),
    "times finer than the store's units": (
        "plain",
        lambda: (shifted(days(5, 2), 6), {}),
        ("time", "2.nc", "days since 2001-01-01"),
    ),
    "other units": (
        "plain",
        lambda: (days(5, 2).assign(sst=days(5, 2).sst.assign_attrs(units="degC")), {}),
        ("sst", "units", '"K"', '"degC"', "2.nc"),
    ),
    "another packing": (
        "packed",
        lambda: (days(5, 2), {"sst": {**PACKED["sst"], "scale_factor": 0.25}}),
        ("sst", "scale_factor", "0.25", "0.5"),
    ),
    "no packing any more": ("packed", lambda: (days(5, 2), {}), ("sst", "scale_factor")),
    "another fill value": (
        "packed",
        lambda: (days(5, 2), {"sst": {**PACKED["sst"], "_FillValue": -1}}),
        ("sst", "_FillValue", "-999", "-1"),
    ),
    "another dtype": ("plain", lambda: (days(5, 2).astype("f8"), {}), ("sst", "float32", "float64")),
    "another calendar": (
        "noleap",
        lambda: (gregorian(days(5, 2)), {}),
        ("time", "2.nc", "cftime[noleap]", "datetime64"),
    ),
    "another grid": ("plain", lambda: (days(5, 2).assign_coords(lat=[10.0, 20.5]), {}), ("lat", "2.nc", "20.5")),
    "another length of a dimension": ("plain", lambda: (days(5, 2).isel(lat=[0]), {}), ("lat", "2.nc")),
    "a variable gone": ("plain", lambda: (days(5, 2).drop_vars("sst").assign(ice=days(5, 2).sst), {}), ("sst", "ice")),
    "a new variable": ("plain", lambda: (days(5, 2).assign(ice=days(5, 2).sst), {}), ("ice",)),
    "no concat dimension": ("plain", lambda: (days(5, 1).isel(time=0), {}), ("time", "2.nc")),
    "other dimensions": ("plain", lambda: (days(5, 2).transpose("lat", "time", "lon"), {}), ("sst",)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.usefixtures("at_once")
def test_what_does_not_fit_is_refused(baked: dict[str, Larder], case: str) -> None:
    kind, make, words = CASES[case]
    dataset, encoding = make()
    with another_input(baked[kind], dataset, encoding):
        assert_refused(baked[kind], *words)


@contextmanager
def another_input(larder: Larder, dataset: xr.Dataset, encoding: dict[str, Any]) -> Iterator[None]:
    """Let an archive have one more input for a while."""
    keys = larder.dims[0][2]
    larder.add(dataset, encoding=encoding)
    try:
        yield
    finally:
        larder.keep("time", keys)
        (larder.inputs / f"{len(keys)}.nc").unlink()


def test_a_pipeline_refuses_in_the_same_words(baked: dict[str, Larder]) -> None:
    with another_input(baked["plain"], days(4, 3), {}):
        assert_refused(baked["plain"], "time", "2.nc", "2001-01-05")


OPTIONS = {
    "chunks": ('target_chunks={"time": 3, "lat": 1}, shards=False', ("target_chunks", "'time': 3", "'time': 2")),
    "shards": (SHARDED, ("shards", "'time': 8", "False")),
    "encoding": (CUT + ', encoding={"sst": {"dtype": "float64"}}', ("encoding", "float64")),
    "format": (CUT + ", zarr_format=2", ("zarr_format=2", "zarr_format=3")),
    "attributes": (CUT + ', attrs={"edition": 2}', ("attrs", "edition")),
    "order": (CUT + ', order="sort"', ("order", "sort")),
}


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.usefixtures("at_once")
def test_other_options_are_refused(baked: dict[str, Larder], option: str) -> None:
    larder, (options, words) = baked["plain"], OPTIONS[option]
    recipe = larder.root / "feedstocks/sea/recipe.py"
    text = recipe.read_text()
    try:
        recipe.write_text(text.replace(CUT, options))
        with another_input(larder, days(5, 2), {}):
            assert_refused(larder, *words)
    finally:
        recipe.write_text(text)


@pytest.mark.usefixtures("at_once")
def test_another_input_at_an_old_position_is_refused(baked: dict[str, Larder]) -> None:
    larder = baked["plain"]
    keys = larder.dims[0][2]
    larder.write((7,), days(2, 3))
    try:
        larder.keep("time", [0, 7])
        assert_refused(larder, "7.nc", "1.nc", "'time': 1")
    finally:
        larder.keep("time", keys)


@pytest.mark.usefixtures("at_once")
def test_inputs_that_a_pattern_no_longer_has_at_its_end_stay(baked: dict[str, Larder]) -> None:
    larder = baked["plain"]
    keys, before = larder.dims[0][2], everything_in(larder)
    try:
        larder.keep("time", keys[:1])
        assert larder.update().status == "unchanged"
        assert everything_in(larder) == before
    finally:
        larder.keep("time", keys)


@pytest.mark.usefixtures("at_once")
def test_a_merge_dimension_that_grows_is_refused(tmp_path: Path) -> None:
    dims = [("time", "concat", [0]), ("variable", "merge", ["sst"])]
    larder = make_larder(tmp_path, dims=dims)
    larder.write((0, "sst"), days(0, 2))
    larder.write((0, "ice"), days(0, 2).rename(sst="ice"))
    larder.bake()
    larder.extend("variable", "ice")
    assert_refused(larder, "variable")


@pytest.mark.usefixtures("at_once")
def test_both_concat_dimensions_growing_at_once_is_refused(tmp_path: Path) -> None:
    dims = [("time", "concat", [0]), ("member", "concat", ["a"])]
    larder = make_larder(tmp_path, dims=dims)
    for time, member in itertools.product([0, 1], "ab"):
        larder.write((time, member), days(2 * time, 2, 1000 * ord(member)))
    larder.bake()
    larder.extend("time", 1)
    larder.extend("member", "b")
    assert_refused(larder, "time", "member")


@pytest.mark.usefixtures("at_once")
def test_part_of_a_new_position_is_refused(tmp_path: Path) -> None:
    dims = [("time", "concat", [0]), ("variable", "merge", ["sst", "ice"])]
    larder = make_larder(tmp_path, dims=dims)
    for number in (0, 1):
        larder.write((number, "sst"), days(2 * number, 2))
        larder.write((number, "ice"), days(2 * number, 2).rename(sst="ice"))
    larder.bake()
    (larder.inputs / "1-ice.nc").unlink()
    larder.extend("time", 1)
    assert_refused(larder, "1-ice.nc")


@pytest.mark.usefixtures("at_once")
def test_a_recipe_that_was_never_baked_is_refused(tmp_path: Path) -> None:
    larder = make_larder(tmp_path, days(0, 2))
    with pytest.raises(BakehouseError, match="nothing to update") as caught:
        larder.update()
    assert "bakehouse bake sea" in str(caught.value.fix)
    assert not larder.catalog.exists() and not larder.stores.exists()


@pytest.mark.parametrize("key", ["sst/c/0/0/0", "time/c/0"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
@pytest.mark.usefixtures("at_once")
def test_damage_at_the_tail_is_refused_and_not_built_on(tmp_path: Path, key: str, damage: str) -> None:
    larder = make_larder(tmp_path, days(0, 2), days(2, 3), options=SHARDED)
    larder.bake()
    larder.add(days(5, 2))
    path = larder.store / key
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(data[:-1] if damage == "cut" else bytes([data[0] ^ 1, *data[1:]]))
    before = everything_in(larder)
    with pytest.raises(BakehouseError) as caught:
        larder.update()
    assert key in str(caught.value) and "--refresh" in str(caught.value)
    now = everything_in(larder)
    assert {k: v for k, v in now.items() if k in before} == before
    assert not [k for k in now if k not in before and ".work/" not in k]


@pytest.mark.usefixtures("at_once")
def test_an_entry_whose_inputs_are_not_those_that_were_registered_is_refused(tmp_path: Path) -> None:
    larder = make_larder(tmp_path, days(0, 2))
    larder.bake()
    larder.add(days(2, 2))
    path = larder.stores / f"{larder.entry.version}.zarr.inputs.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    before = everything_in(larder)
    with pytest.raises(BakehouseError) as caught:
        larder.update()
    assert "inputs" in str(caught.value) and "--refresh" in str(caught.value)
    assert everything_in(larder) == before
