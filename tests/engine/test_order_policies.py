"""Inputs out of order, overlapping and repeating: what each policy makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cftime
import numpy as np
import pytest
import xarray as xr

from bakehouse.errors import RecipeError
from bakehouse.meta.shared import load_shared_recipe, parameters_class, shared_recipes
from bakehouse.patterns import CombineOp, ConcatDim, Dimension, FilePattern, MergeDim
from bakehouse.transforms import StoreToZarr
from tests.bake.kitchen import make_kitchen
from tests.engine.files import bake, joined, read, refused, written
from tests.engine.pipeline import bake_pattern
from tests.oracle import assert_same
from tests.plan.samples import plan_of, schema_of, sea


def days(*numbers: int, offset: float = 0.0) -> xr.Dataset:
    """Make one element per day, whose values follow from the day."""
    time = np.datetime64("2001-01-01", "ns") + np.array(numbers) * np.timedelta64(1, "D")
    values = np.array(numbers, "f8")[:, None] + np.arange(3) / 10 + offset
    return xr.Dataset({"v": (("time", "x"), values, {"units": "m"})}, {"time": time, "x": [1.0, 2.0, 3.0]})


SHUFFLED = (days(4, 5), days(0, 1, 2), days(3))


def test_inputs_out_of_order_are_refused(tmp_path: Path) -> None:
    words = ("'time' runs backwards between inputs", "0.nc", "2001-01-06", "1.nc", "2001-01-01", "order='sort'")
    with refused(*words):
        bake(written(tmp_path, SHUFFLED), tmp_path / "out")


@pytest.mark.parametrize("chunk", [1, 2, 4])
def test_whole_inputs_are_sorted(chunk: int, tmp_path: Path) -> None:
    pattern = written(tmp_path, SHUFFLED)
    actual = bake(pattern, tmp_path / "out", order="sort", target_chunks={"time": chunk}, shards=False)
    assert_same(actual.load(), joined(read(tmp_path, 1, 2, 0)))


def test_inputs_that_fall_are_sorted_falling(tmp_path: Path) -> None:
    pattern = written(tmp_path, [days(2, 1), days(5, 4, 3), days(0)])
    actual = bake(pattern, tmp_path / "out", order="sort")
    assert_same(actual.load(), joined(read(tmp_path, 1, 0, 2)))


def test_scalar_times_are_sorted(tmp_path: Path) -> None:
    pattern = written(tmp_path, [days(n).isel(time=0) for n in (2, 0, 1)])
    actual = bake(pattern, tmp_path / "out", order="sort")
    expected = joined([part.expand_dims("time") for part in read(tmp_path, 1, 2, 0)])
    assert_same(actual.load(), expected)


def test_what_was_sorted_is_noted() -> None:
    notes = plan_of(schema_of(sea(4), sea(0), sea(2)), order="sort").template.notes
    assert notes == ("inputs lie along 'time' in its order, not the pattern's; 3 moved: 1.nc, 2.nc, 0.nc",)
    assert plan_of(schema_of(sea(0), sea(2)), order="sort").template.notes == ()


@pytest.mark.parametrize("second", [(1, 3), (1, 2), (2, 5), (0, 1, 2)], ids=str)
def test_inputs_that_interleave_can_not_be_sorted(second: tuple[int, ...], tmp_path: Path) -> None:
    pattern = written(tmp_path, [days(4, 6), days(0, 2), days(*second)])
    with refused("'time'", "between inputs", "1.nc", "2.nc", "2001-01-03", "order='sort' moves whole inputs"):
        bake(pattern, tmp_path / "out", order="sort")


OVERLAPPING = {
    "one element": ((0, 1, 2), (2, 3, 4)),
    "several": ((0, 1, 2), (1, 2, 3)),
    "a whole input": ((0, 1, 2), (1, 2), (3, 4)),
    "the same input twice": ((0, 1, 2), (0, 1, 2), (3,)),
    "the end of two inputs": ((0, 1), (2,), (1, 2, 3)),
    "each the one before": ((0, 1), (1, 2), (2, 3), (3, 4)),
    "falling": ((4, 3, 2), (2, 1, 0)),
    "single elements": ((0,), (0,), (1,), (1,), (2,)),
}


@pytest.mark.parametrize("case", OVERLAPPING)
@pytest.mark.parametrize("chunk", [1, 3])
def test_elements_that_repeat_the_end_of_the_input_before_are_left_out(case: str, chunk: int, tmp_path: Path) -> None:
    parts = OVERLAPPING[case]
    pattern = written(tmp_path, [days(*part) for part in parts])
    actual = bake(pattern, tmp_path / "out", order="drop_duplicates", target_chunks={"time": chunk}).load()
    expected = joined(read(tmp_path, *range(len(parts)))).drop_duplicates("time")
    assert_same(actual, expected)


def test_a_pipeline_sends_repeated_elements_to_where_they_are_compared(tmp_path: Path) -> None:
    odd = days(1, 2, 3, 4)
    odd["v"][1, 2] = 7.5
    options: Any = {"order": "drop_duplicates", "target_chunks": {"time": 1}, "shards": False}
    with refused("'v' at {'time': 2, 'x': 2} is 7.5", "1.nc repeats"):
        bake_pattern(written(tmp_path / "odd", [days(0, 1, 2), odd]), tmp_path / "one", **options)
    actual = bake_pattern(written(tmp_path / "in", [days(0, 1, 2), days(1, 2, 3, 4)]), tmp_path / "two", **options)
    assert_same(actual.load(), joined(read(tmp_path / "in", 0, 1)).drop_duplicates("time"))


@pytest.mark.parametrize("case", OVERLAPPING)
def test_elements_that_repeat_are_refused_by_default(case: str, tmp_path: Path) -> None:
    with refused("coordinate 'time'", "between inputs", ".nc", "2001-01-0", "order='drop_duplicates'"):
        bake(written(tmp_path, [days(*part) for part in OVERLAPPING[case]]), tmp_path / "out")


@pytest.mark.parametrize("kind", ["noleap", "number"])
def test_other_coordinates_that_repeat(kind: str, tmp_path: Path) -> None:
    def at(*numbers: int) -> xr.Dataset:
        values: Any = np.array(numbers) / 4
        if kind == "noleap":
            values = [cftime.datetime(2001, 2, 27 + n, calendar="noleap") if n < 2 else
                      cftime.datetime(2001, 3, n - 1, calendar="noleap") for n in numbers]  # fmt: skip
        return days(*numbers).assign_coords(time=values)

    pattern = written(tmp_path, [at(0, 1, 2), at(1, 2, 3), at(3, 4)])
    actual = bake(pattern, tmp_path / "out", order="drop_duplicates").load()
    assert_same(actual, joined([part.isel(time=keep) for part, keep in zip(
        read(tmp_path, 0, 1, 2), (slice(None), slice(2, None), slice(1, None)), strict=True)]))  # fmt: skip


def test_repeated_elements_with_other_values_are_refused(tmp_path: Path) -> None:
    odd = days(1, 2, 3)
    odd["v"][1, 2] = 7.5
    pattern = written(tmp_path, [days(0, 1, 2), odd])
    with refused(
        "'v' at {'time': 2, 'x': 2} is 7.5", "2.2 in the input before", "1 of ", "1.nc repeats", "0.nc", "isel"
    ):
        bake(pattern, tmp_path / "out", order="drop_duplicates")
    assert not list((tmp_path / "out" / "out.zarr").glob("zarr.json"))


@pytest.mark.parametrize("at", [0, 1])
def test_missing_values_repeat_as_missing_values(at: int, tmp_path: Path) -> None:
    parts = [days(0, 1, 2), days(2, 3)]
    for part in parts:
        part["v"] = part["v"].where(part["time"] != np.datetime64("2001-01-03"))
    pattern = written(tmp_path, parts)
    actual = bake(pattern, tmp_path / "out", order="drop_duplicates").load()
    assert_same(actual, joined(read(tmp_path, 0, 1)).drop_duplicates("time"))
    parts[at]["v"][-1 if at == 0 else 0, 0] = 1.0
    with refused("'v' at {'time': 2, 'x': 0}", "nan", "1.0"):
        bake(written(tmp_path / "new", parts), tmp_path / "other", order="drop_duplicates")


def test_repeated_elements_that_are_packed_otherwise_are_compared_as_stored_anew(tmp_path: Path) -> None:
    encodings = [{"v": {"dtype": "i2", "scale_factor": s, "_FillValue": -999}} for s in (0.1, 0.07)]
    pattern = written(tmp_path, [days(0, 1, 2).round(1), days(2, 3).round(1)], encodings)
    with refused("'v' at {'time': 2", "1.nc repeats", "0.nc"):
        bake(pattern, tmp_path / "out", order="drop_duplicates")
    halves = [days(0, 1, 2) * 0 + 0.5, days(2, 3) * 0 + 0.5]
    encodings = [{"v": {"dtype": "i2", "scale_factor": s, "_FillValue": -999}} for s in (0.5, 0.25)]
    actual = bake(written(tmp_path / "in", halves, encodings), tmp_path / "new", order="drop_duplicates").load()
    np.testing.assert_array_equal(actual.v, np.full((4, 3), 0.5))


def test_elements_that_repeat_along_two_dimensions_are_compared_wherever_they_meet(tmp_path: Path) -> None:
    def tile(rows: tuple[int, ...], columns: tuple[int, ...]) -> xr.Dataset:
        values = np.array(rows)[:, None] * 10.0 + np.array(columns)
        return xr.Dataset({"v": (("y", "x"), values)}, {"y": np.array(rows), "x": np.array(columns)})

    rows, columns = ((0, 1, 2), (2, 3)), ((0, 1), (1, 2, 3))
    for i, r in enumerate(rows):
        for j, c in enumerate(columns):
            tile(r, c).to_netcdf(tmp_path / f"{i}{j}.nc")
    pattern = FilePattern(lambda y, x: f"{tmp_path}/{y}{x}.nc", ConcatDim("y", [0, 1]), ConcatDim("x", [0, 1]))
    options: Any = {"order": "drop_duplicates", "target_chunks": {"y": 2, "x": 1}, "shards": False}
    actual = bake(pattern, tmp_path / "out", **options).load()
    xr.testing.assert_identical(actual, tile((0, 1, 2, 3), (0, 1, 2, 3)))
    for i, j, at in ((0, 1, (1, 0)), (1, 0, (0, 0)), (1, 1, (0, 0)), (1, 1, (1, 0)), (1, 1, (0, 2))):
        odd = tile(rows[i], columns[j])
        odd["v"][at] = -1
        odd.to_netcdf(tmp_path / f"odd{i}{j}{at}.nc")
        urls = {(y, x): f"{tmp_path}/{y}{x}.nc" for y in (0, 1) for x in (0, 1)} | {
            (i, j): f"{tmp_path}/odd{i}{j}{at}.nc"
        }
        other = FilePattern(lambda y, x, urls=urls: urls[y, x], ConcatDim("y", [0, 1]), ConcatDim("x", [0, 1]))
        with refused("'v' at", "-1.0", f"odd{i}{j}{at}.nc repeats"):
            bake(other, tmp_path / f"out{i}{j}{at}", **options)


def test_merged_variables_repeat_together(tmp_path: Path) -> None:
    for i, part in enumerate(((0, 1, 2), (2, 3))):
        days(*part).to_netcdf(tmp_path / f"v{i}.nc")
        days(*part, offset=100).rename(v="w").to_netcdf(tmp_path / f"w{i}.nc")
    pattern = FilePattern(
        lambda time, n: f"{tmp_path}/{n}{time}.nc", ConcatDim("time", [0, 1]), MergeDim("n", ["v", "w"])
    )
    actual = bake(pattern, tmp_path / "out", order="drop_duplicates").load()
    whole = days(0, 1, 2, 3)
    xr.testing.assert_identical(actual, whole.assign(w=days(0, 1, 2, 3, offset=100).v))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (((0, 1, 2), (1, 3)), ()),
        (((0, 2, 4), (1, 2, 4, 5)), ()),
        (((0, 1, 2, 3), (1, 2)), ()),
        (((2, 3), (0, 1, 2)), ()),
        (((0, 1, 2), (2, 1)), ()),
    ],
    ids=str,
)
def test_overlaps_that_are_no_repeats_are_refused(
    parts: tuple[tuple[int, ...], ...], words: tuple[str, ...], tmp_path: Path
) -> None:
    with refused("coordinate 'time'", "0.nc", "1.nc", "2001-01-0", "repeat the end of the input before"):
        bake(written(tmp_path, [days(*part) for part in parts]), tmp_path / "out", order="drop_duplicates")


def test_labels_that_repeat_are_refused(tmp_path: Path) -> None:
    parts = [days(0).assign_coords(time=[name]) for name in ("historical", "future", "historical")]
    with refused("'time' repeats between inputs", "0.nc", "2.nc", "'historical'"):
        bake(written(tmp_path, parts), tmp_path / "out")


@pytest.mark.parametrize("asked", [{"order": "any"}, {"check_order": False}])
def test_any_order_stores_inputs_as_they_come(asked: dict[str, Any], tmp_path: Path) -> None:
    pattern = written(tmp_path, [days(4, 5), days(0, 1), days(0, 1)])
    actual = bake(pattern, tmp_path / "out", **asked).load()
    assert_same(actual, joined(read(tmp_path, 0, 1, 2)))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"order": "sorted"}, "order is 'sorted'.*did you mean 'sort'"),
        ({"order": True}, "order is True.*known: any, drop_duplicates, error, sort"),
        ({"missing_variables": "filll"}, "missing_variables is 'filll'.*did you mean 'fill'"),
        ({"combine_attrs": "override"}, "combine_attrs is 'override'.*drop_conflicts, identical"),
        ({"coordinate_tolerance": -1.0}, "coordinate_tolerance is -1.0"),
        ({"coordinate_tolerance": {"lat": float("inf")}}, "coordinate_tolerance of 'lat' is inf"),
        ({"coordinate_tolerance": {"lat": "1e-6"}}, "coordinate_tolerance of 'lat' is '1e-6'"),
        ({"coordinate_tolerance": True}, "coordinate_tolerance is True"),
    ],
)
def test_a_policy_that_does_not_exist(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError, match=f"(?s){words}"):
        StoreToZarr([Dimension("time", CombineOp.CONCAT)], "x.zarr", **asked)


def test_what_was_left_out_is_in_the_entry(tmp_path: Path) -> None:
    kitchen = make_kitchen(tmp_path, 'order="drop_duplicates"')
    sea(1, 4).to_netcdf(tmp_path / "new.nc", engine="h5netcdf")
    first = xr.load_dataset(kitchen.inputs / "0.nc").isel(time=[1]).sst.values
    with xr.open_dataset(tmp_path / "new.nc") as part:
        part.load()
    part["sst"][0] = first[0]
    part.to_netcdf(kitchen.inputs / "2.nc", engine="h5netcdf")
    kitchen.bake()
    (note,) = [n.message for n in kitchen.entry.notes if "left out" in n.message]
    assert note.startswith("elements along 'time' that repeat those before them were left out: 1 from 2001-01-02")
    assert "2.nc" in note
    assert xr.open_zarr(kitchen.store).sizes["time"] == 6
    assert kitchen.entry.provenance.options["order"] == "drop_duplicates"


def test_a_feedstock_asks_for_policies_in_yaml() -> None:
    module = load_shared_recipe(shared_recipes(Path(__file__).parents[2])["files_to_zarr"])
    asked = {
        "pattern": {"url": "https://example.org/{time}.nc", "concat": {"time": {"keys": [0, 1]}}},
        "store": {"order": "sort", "missing_variables": "fill", "coordinate_tolerance": {"x": 1e-6}},
    }
    parameters = parameters_class(module).model_validate(asked)
    store = module.recipe(parameters)._parts[-1]
    assert (store.order, store.missing_variables) == ("sort", "fill")
    assert store.coordinate_tolerance == {"x": 1e-6}
