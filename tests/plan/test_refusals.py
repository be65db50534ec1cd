"""Inputs that can't be combined without changing what their data mean are refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cftime
import numpy as np
import pytest
import xarray as xr

from bakehouse.errors import BakehouseError, ChunkAlignmentError, PatternError, SchemaError
from bakehouse.schema import DatasetSchema, merge_all
from tests.plan.samples import TIME, grid_of, key, plan_of, schema_of, sea


def refusal(schema: DatasetSchema, dims: dict[str, str] | None = None, **options: Any) -> BakehouseError:
    with pytest.raises(BakehouseError) as caught:
        plan_of(schema, dims or TIME, **options)
    assert caught.value.fix or "fix:" in str(caught.value.cause)
    assert options or "ocean/daily" in str(caught.value.where)
    return caught.value


def says(error: BakehouseError, *words: str) -> None:
    missing = [word for word in words if word not in str(error)]
    assert not missing, f"{missing} not in:\n{error}"


def test_a_pattern_without_inputs() -> None:
    error = refusal(DatasetSchema())
    assert isinstance(error, PatternError)
    says(error, "no inputs")


def test_a_hole_in_a_grid_of_two_dimensions() -> None:
    dims = {"time": "concat", "m": "concat"}
    places = {(t, m): sea(2 * t).expand_dims(m=[float(m)]) for t in (0, 1) for m in (0, 1) if (t, m) != (1, 0)}
    error = refusal(grid_of(dims, places), dims)
    assert isinstance(error, PatternError)
    says(error, "1 of 4 inputs are missing", "{'m': 0, 'time': 1}")


def test_a_gap_along_a_single_dimension() -> None:
    schema = grid_of(TIME, {(0,): sea(0), (2,): sea(4), (3,): sea(6)})
    says(refusal(schema), "1 of 4 inputs are missing", "{'time': 1}")


def test_two_inputs_under_one_index() -> None:
    schema = schema_of(sea(0)).merge(DatasetSchema({key(0): schema_of(sea(0), sea(2)).inputs[key(1)]}))
    error = refusal(schema)
    assert isinstance(error, PatternError)
    says(error, "same index", "0.nc", "1.nc", "'time': 0")


def test_inputs_that_are_indexed_by_other_dimensions_than_the_store_combines() -> None:
    says(
        refusal(schema_of(sea(0)), {"time": "concat", "variable": "merge"}),
        "['time']",
        "['time', 'variable']",
        "combine_dim_keys",
    )


def test_a_variable_that_goes_missing_midway() -> None:
    wind = sea(0).assign(wind=("time", [1.0, 2.0]))
    error = refusal(schema_of(wind, sea(2), sea(4)))
    assert isinstance(error, SchemaError)
    says(
        error,
        "'wind'",
        "missing in 2 of 3 inputs",
        "input time=1 (1.nc) lacks it",
        "input time=0 (0.nc) has it",
        "drop_vars('wind'",
    )


def test_a_variable_that_appears_midway() -> None:
    says(
        refusal(schema_of(sea(0), sea(2).assign(wind=("time", [1.0, 2.0])))),
        "'wind'",
        "(0.nc) lacks it",
        "(1.nc) has it",
    )


def test_dimensions_in_another_order() -> None:
    error = refusal(schema_of(sea(0), sea(2).transpose("lat", "time", "lon")))
    says(error, "'sst'", "0.nc", "('time', 'lat', 'lon')", "1.nc", "('lat', 'time', 'lon')", "transpose")


def test_other_sizes_of_a_dimension() -> None:
    error = refusal(schema_of(sea(0).drop_vars("lat"), sea(2).drop_vars("lat").isel(lat=[0])))
    says(error, "dimension 'lat'", "0.nc", "lat of length 2", "1.nc", "lat of length 1", "regrid")


def test_another_unit() -> None:
    error = refusal(schema_of(sea(0), sea(2), sea(4, units="degC")))
    says(error, "'units' of 'sst'", "(0.nc)", '"K"', "(2.nc)", '"degC"', "convert")


def test_a_unit_that_only_one_input_has() -> None:
    bare = sea(2)
    del bare["sst"].attrs["units"]
    says(refusal(schema_of(sea(0), bare)), "'units' of 'sst'", '"K"', "none", "(1.nc)")


def saying(nitems: int | None, *datasets: xr.Dataset) -> DatasetSchema:
    """Describe inputs of a pattern that says how many elements each brings."""
    expects = (("time", len(datasets), nitems),)
    inputs = schema_of(*datasets).inputs
    return DatasetSchema({k: frozenset(replace(i, expects=expects) for i in found) for k, found in inputs.items()})


@pytest.mark.parametrize("nitems", [1, 2])
@pytest.mark.parametrize("empty", [0, 1, 2])
def test_an_input_without_elements_where_the_pattern_says_how_many(nitems: int, empty: int) -> None:
    inputs = [sea(nitems * i, 0 if i == empty else nitems) for i in range(3)]
    error = refusal(saying(nitems, *inputs))
    says(error, f"({empty}.nc)", "no elements along 'time'", f"nitems_per_file={nitems}", "omit", "take the input out")
    assert plan_of(saying(None, *inputs)).template.sizes["time"] == 2 * nitems


def test_an_input_without_the_dimension_is_one_element_of_it() -> None:
    scalars = [sea(i, 1).isel(time=0) for i in range(3)]
    assert plan_of(saying(1, *scalars)).template.sizes["time"] == 3
    says(refusal(saying(2, *scalars)), "an input has 1 elements", "nitems_per_file=2", "(0.nc)")


@pytest.mark.parametrize("name", ["lat", "lon"])
def test_another_grid(name: str) -> None:
    other = sea(2)
    error = refusal(schema_of(sea(0), other.assign_coords({name: other[name] + 0.5})))
    says(
        error,
        f"'{name}' differs between inputs",
        "(0.nc)",
        str(float(sea(0)[name][0])),
        "(1.nc)",
        str(float(sea(0)[name][0]) + 0.5),
        "regrid",
    )


def test_a_field_without_time_that_differs() -> None:
    def masked(start: int, value: float) -> xr.Dataset:
        return sea(start).assign(mask=(("lat", "lon"), np.full((2, 3), value)))

    says(
        refusal(schema_of(masked(0, 1.0), masked(2, 2.0))),
        "'mask' differs",
        "1.0",
        "2.0",
        "(0.nc)",
        "(1.nc)",
        "expand_dims",
    )


def merged(change: Callable[[xr.Dataset], xr.Dataset]) -> DatasetSchema:
    dims = {"time": "concat", "variable": "merge"}
    wind = {t: sea(2 * t).rename(sst="wind") for t in (0, 1)}
    places = {(t, v): sea(2 * t) if v == 0 else change(wind[t]) for t in (0, 1) for v in (0, 1)}
    return grid_of(dims, places)


MERGE = {"time": "concat", "variable": "merge"}


def test_merged_variables_on_another_grid() -> None:
    error = refusal(merged(lambda ds: ds.assign_coords(lat=ds.lat + 1)), MERGE)
    says(error, "'lat' differs", "(0-0.nc)", "10.0, 20.0", "(0-1.nc)", "11.0, 21.0")


def test_merged_variables_on_other_times() -> None:
    error = refusal(merged(lambda ds: ds.assign_coords(time=ds.time + np.timedelta64(6, "h"))), MERGE)
    says(error, "'time' differs", "2001-01-01T00:00", "(0-0.nc)", "2001-01-01T06:00", "(0-1.nc)")


def test_merged_inputs_of_other_lengths() -> None:
    error = refusal(merged(lambda ds: ds.isel(time=[0])), MERGE)
    says(error, "different lengths along 'time'", "(0-0.nc) has 2", "(0-1.nc) has 1")


def test_a_variable_in_two_merged_inputs() -> None:
    error = refusal(merged(lambda ds: ds.rename(wind="sst")), MERGE)
    says(error, "'sst' is in more than one merged input", "0-0.nc", "1-1.nc", "drop_vars('sst')")


@pytest.mark.parametrize(
    ("starts", "problem", "values"),
    [
        ((2, 0), "", ()),
        ((0, 4, 2), "runs backwards", ("2001-01-06", "2001-01-03", "(1.nc)", "(2.nc)")),
        ((4, 6, 0), "runs backwards", ("2001-01-08", "2001-01-01", "(1.nc)", "(2.nc)")),
        ((0, 1), "repeats", ("up to 2001-01-02", "from 2001-01-02", "(0.nc)", "(1.nc)")),
        ((0, 0), "runs backwards", ("2001-01-02", "2001-01-01")),
    ],
)
def test_times_that_run_backwards_or_repeat_between_inputs(
    starts: tuple[int, ...], problem: str, values: tuple[str, ...]
) -> None:
    error = refusal(schema_of(*(sea(start) for start in starts)))
    says(error, "'time'", problem, *values, "order of time")


def test_single_times_in_falling_order_are_accepted_but_not_a_turn() -> None:
    plan_of(schema_of(sea(5, 1), sea(3, 1), sea(1, 1)))
    says(
        refusal(schema_of(sea(5, 1), sea(3, 1), sea(4, 1))),
        "'time' runs backwards",
        "2001-01-04",
        "2001-01-05",
        "(1.nc)",
        "(2.nc)",
    )


@pytest.mark.parametrize("where", [0, 1, 2])
def test_times_that_turn_round_within_any_input(where: int) -> None:
    inputs = [sea(5 * i, 3) for i in range(3)]
    inputs[where] = inputs[where].isel(time=[0, 2, 1])
    says(refusal(schema_of(*inputs)), "'time'", "turns round within an input", f"({where}.nc)", "sortby('time')")


@pytest.mark.parametrize("where", [0, 1])
def test_times_that_repeat_within_any_input(where: int) -> None:
    inputs = [sea(0), sea(2)]
    inputs[where] = inputs[where].isel(time=[0, 0, 1])
    says(refusal(schema_of(*inputs)), "'time'", "repeats", f"({where}.nc)", "drop_duplicates('time')")


def test_an_input_that_falls_among_inputs_that_rise() -> None:
    says(
        refusal(schema_of(sea(0), sea(2).isel(time=[1, 0]))),
        "'time'",
        "runs backwards",
        "from 2001-01-04",
        "to 2001-01-03",
        "(1.nc)",
        "rises",
    )


@pytest.mark.parametrize("at", [0, 1, -1])
@pytest.mark.parametrize("kind", ["time", "number"])
def test_a_coordinate_with_missing_values(at: int, kind: str) -> None:
    odd = sea(3, 3)
    values: Any = odd.time.values.copy() if kind == "time" else np.arange(3, 6, dtype="f8")
    values[at] = np.datetime64("NaT") if kind == "time" else np.nan
    first = sea(0, 3) if kind == "time" else sea(0, 3).assign_coords(time=np.arange(3.0))
    says(refusal(schema_of(first, odd.assign_coords(time=values))), "'time'", "(1.nc)")


def test_order_is_not_checked_where_the_recipe_says_so() -> None:
    assert plan_of(schema_of(sea(4), sea(0), sea(0)), order="any").template.sizes["time"] == 6


def calendar(name: str, start: int) -> xr.Dataset:
    days = cftime.num2date(
        np.arange(start, start + 2), "days since 2001-01-01", calendar=name, only_use_cftime_datetimes=True
    )
    return sea(0).assign_coords(time=days)


def test_another_calendar() -> None:
    error = refusal(schema_of(calendar("noleap", 0), calendar("360_day", 2)))
    says(
        error,
        "'time' has different kinds of values",
        "cftime[noleap]",
        "(0.nc)",
        "cftime[360_day]",
        "(1.nc)",
        "one calendar",
    )


def test_calendar_objects_among_datetimes() -> None:
    says(
        refusal(schema_of(sea(0), calendar("noleap", 400))),
        "'time' has different kinds of values",
        "datetime64[ns]",
        "cftime[noleap]",
    )


def test_text_among_numbers() -> None:
    texts = sea(2).assign(sst=(("time", "lat", "lon"), np.full((2, 2, 3), "a", "O"), {"units": "K"}))
    says(refusal(schema_of(sea(0), texts)), "'sst' has different kinds of values", "float32", "string")


def test_a_concat_dimension_that_only_some_inputs_have() -> None:
    error = refusal(schema_of(sea(0), sea(2).isel(time=0, drop=True)))
    says(
        error,
        "some inputs have the concat dimension 'time'",
        "time of length 2",
        "(1.nc) has no time",
        "expand_dims('time')",
    )


def test_every_reason_is_given_at_once() -> None:
    other = sea(2, units="degC")
    error = refusal(schema_of(sea(0), other.assign_coords(lat=other.lat + 1).assign(extra=("time", [1, 2]))))
    assert re.match(r"3 reasons", error.message)
    says(error, "'units' of 'sst'", "'lat' differs", "'extra' is missing", "(0.nc)", "(1.nc)", "fix:")


def test_any_differing_attribute_where_the_recipe_wants_them_identical() -> None:
    a, b = sea(0, comment="x"), sea(2, comment="y")
    says(refusal(schema_of(a, b), combine_attrs="identical"), "'comment' of 'sst'", '"x"', '"y"', "(0.nc)", "(1.nc)")
    plan = plan_of(schema_of(a, b))
    assert plan.template.notes == ("attribute 'comment' of 'sst' differs between inputs and was dropped",)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"target_chunks": {"tme": 2}}, ["'tme'", "did you mean 'time'?"]),
        ({"target_chunks": {"time": 0}}, ["chunk length 0 for 'time'", "-1"]),
        (
            {"target_chunks": {"time": 2}, "shards": {"time": 3}},
            ["'sst'", "3 elements along 'time'", "chunks have 2", "multiple of 2", "4"],
        ),
        ({"target_chunks": {"time": 2}, "shards": {"tiem": 4}}, ["'tiem'", "did you mean 'time'?"]),
        ({"shards": {"time": 0}}, ["length 0 for 'time'"]),
        ({"zarr_format": 2, "shards": {"time": 2}}, ["zarr format 2 has no shards", "zarr_format=3"]),
        ({"zarr_format": 2, "encoding": {"sst": {"shards": (2, 2, 3)}}}, ["zarr format 2 has no shards"]),
        ({"encoding": {"sst": {"chunks": (0, 1, 1)}}}, ["chunk length 0 for 'time'", "'sst'"]),
        ({"encoding": {"sst": {"chunks": (1, 1)}}}, ["'sst'", "2 chunk lengths", "('time', 'lat', 'lon')"]),
        (
            {"encoding": {"sst": {"chunks": (2, 1, 1), "shards": (3, 1, 1)}}},
            ["'sst'", "3 elements along 'time'", "chunks have 2"],
        ),
        (
            {"encoding": {"sst": {"chunks": (2, 1, 1), "shards": (4, 1)}}},
            ["'sst'", "2 shard lengths", "('time', 'lat', 'lon')"],
        ),
        ({"encoding": {"sst ": {"dtype": "f4"}}}, ["encoding", "'sst '", "did you mean 'sst'?"]),
        ({"encoding": {"sst": {"dtyp": "f4"}}}, ["encoding of 'sst'", "'dtyp'", "did you mean 'dtype'?"]),
    ],
)
def test_chunks_and_encodings_that_do_not_fit(options: dict[str, Any], words: list[str]) -> None:
    error = refusal(schema_of(sea(0, 4), sea(4, 4)), **options)
    assert isinstance(error, ChunkAlignmentError | SchemaError)
    says(error, *words)


def test_a_plan_does_not_depend_on_the_order_in_which_inputs_are_met() -> None:
    parts = [schema_of(sea(0), sea(2), sea(4))] + [schema_of(sea(0), sea(2)), schema_of(sea(0))]
    found = {key: value for schema in parts for key, value in schema.inputs.items()}
    forwards = merge_all(DatasetSchema({k: found[k]}) for k in sorted(found))
    backwards = merge_all(DatasetSchema({k: found[k]}) for k in sorted(found, reverse=True))
    assert list(forwards.inputs) != list(backwards.inputs)
    assert plan_of(forwards) == plan_of(backwards)
