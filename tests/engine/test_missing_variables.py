"""Variables, attributes and dimensions that appear or disappear midway: refused, or stored as fill and noted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cftime
import numpy as np
import pytest
import xarray as xr

from bakehouse.patterns import ConcatDim, FilePattern, MergeDim
from tests.bake.kitchen import make_kitchen
from tests.engine.files import bake, joined, read, refused, written
from tests.engine.pipeline import bake_pattern
from tests.oracle import assert_same
from tests.plan.samples import plan_of, schema_of, sea

VALUES: dict[str, tuple[Any, dict[str, Any]]] = {
    "float32": (np.array([0.5, 1.5], "f4"), {"_FillValue": None}),
    "float64 with a fill of its own": (np.array([0.5, np.nan]), {"_FillValue": -999.0}),
    "float32 with a missing value": (np.array([0.5, np.nan], "f4"), {"_FillValue": None, "missing_value": 1e20}),
    "packed": (np.array([0.5, 1.0], "f4"), {"dtype": "i2", "scale_factor": 0.5, "_FillValue": -999}),
    "date": (np.array(["2001-01-01", "1999-05-05T12"], "M8[ns]"), {"dtype": "i4", "units": "hours since 1990-01-01"}),
    "text": (np.array(["a", "été"], "O"), {}),
}


def part(start: int, name: str | None = None, values: Any = None, attrs: Any = None) -> xr.Dataset:
    """Make two days, with or without a variable `w`."""
    dataset = sea(start)
    return dataset if name is None else dataset.assign({name: ("time", values, attrs or {})})


def filled(datasets: Sequence[xr.Dataset], name: str, missing: Any) -> list[xr.Dataset]:
    """Give every dataset the variable, made of a missing value where it lacks it."""
    like = next(ds[name] for ds in datasets if name in ds)
    return [ds if name in ds else ds.assign({name: (like.dims, np.full(like.shape, missing, like.dtype), like.attrs)})
            for ds in datasets]  # fmt: skip


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("there", [(0, 1), (2,), (1, 3)], ids=str)
def test_a_variable_that_some_inputs_lack_is_fill_there(kind: str, there: tuple[int, ...], tmp_path: Path) -> None:
    values, encoding = VALUES[kind]
    made = [part(2 * i, "w", values, {"long_name": "w"}) if i in there else part(2 * i) for i in range(4)]
    pattern = written(tmp_path, made, [{"w": encoding} if i in there else {} for i in range(4)])
    options: Any = {"missing_variables": "fill", "target_chunks": {"time": 3}, "shards": False}
    actual = bake(pattern, tmp_path / "out", **options).load()
    missing = {"date": np.datetime64("NaT"), "text": ""}.get(kind, np.nan)
    assert_same(actual, joined(filled(read(tmp_path, 0, 1, 2, 3), "w", missing)))


def test_packed_values_stay_packed_where_they_are_there(tmp_path: Path) -> None:
    values, encoding = VALUES["packed"]
    pattern = written(tmp_path, [part(0, "w", values), part(2)], [{"w": encoding}, {}])
    actual = bake(pattern, tmp_path / "out", missing_variables="fill")
    assert (actual.w.encoding["dtype"], actual.w.encoding["scale_factor"]) == (np.dtype("i2"), 0.5)
    raw = xr.open_zarr(tmp_path / "out" / "out.zarr", decode_cf=False)
    np.testing.assert_array_equal(raw.w, [1, 2, -999, -999])


@pytest.mark.parametrize("dtype", ["i2", "i4", "u1", "bool"])
def test_values_that_have_no_way_to_be_missing_are_refused(dtype: str, tmp_path: Path) -> None:
    pattern = written(tmp_path, [part(0, "w", np.array([0, 1], dtype)), part(2)])
    with refused("'w'", "no value that means missing", "encoding={'w': {'_FillValue': …}}"):
        bake(pattern, tmp_path / "out", missing_variables="fill")


def test_packed_values_without_a_fill_are_refused(tmp_path: Path) -> None:
    encoding = {"dtype": "i2", "scale_factor": 0.5, "_FillValue": None}
    pattern = written(tmp_path, [part(0, "w", np.array([0.5, 1.0])), part(2)], [{"w": encoding}, {}])
    with refused("'w'", "no value that means missing"):
        bake(pattern, tmp_path / "out", missing_variables="fill")


def test_integers_are_filled_with_what_the_recipe_gives(tmp_path: Path) -> None:
    pattern = written(tmp_path, [part(0), part(2, "w", np.array([3, 4], "i4"))])
    encoding = {"w": {"_FillValue": -1}}
    actual = bake(pattern, tmp_path / "out", missing_variables="fill", encoding=encoding).load()
    np.testing.assert_array_equal(actual.w, [np.nan, np.nan, 3, 4])
    assert actual.w.encoding["dtype"] == np.dtype("i4")
    with refused("'w'", "-1", "would be read as nan"):
        odd = written(tmp_path / "odd", [part(0), part(2, "w", np.array([3, -1], "i4"))])
        bake(odd, tmp_path / "other", missing_variables="fill", encoding=encoding)


def test_model_dates_are_refused(tmp_path: Path) -> None:
    dates = [cftime.datetime(2001, 2, d, calendar="360_day") for d in (29, 30)]
    pattern = written(tmp_path, [part(0, "w", dates), part(2)])
    with refused("'w' (cftime[360_day])", "no value that means missing"):
        bake(pattern, tmp_path / "out", missing_variables="fill")


def test_by_default_it_is_refused(tmp_path: Path) -> None:
    pattern = written(tmp_path, [part(0), part(2, "w", [1.0, 2.0]), part(4)])
    with refused("'w' is missing in 2 of 3 inputs", "0.nc", "lacks it", "1.nc", "has it", "missing_variables='fill'"):
        bake(pattern, tmp_path / "out")


def test_what_does_not_run_along_time_is_taken_from_the_inputs_that_have_it(tmp_path: Path) -> None:
    mask = (("lat", "lon"), np.ones((2, 3), "i1"))
    pattern = written(tmp_path, [sea(0).drop_vars("lat"), sea(2).assign(mask=mask), sea(4)])
    actual = bake(pattern, tmp_path / "out", missing_variables="fill").load()
    expected = joined([sea(0), sea(2), sea(4)]).assign(mask=mask)
    assert_same(actual, expected)


def test_a_concat_coordinate_can_not_be_made_up(tmp_path: Path) -> None:
    pattern = written(tmp_path, [sea(0), sea(2).drop_vars("time")])
    with refused("'time' is missing in 1 of 2 inputs", "1.nc", "assign_coords(time="):
        bake(pattern, tmp_path / "out", missing_variables="fill")


def test_a_variable_that_gains_a_new_dimension(tmp_path: Path) -> None:
    made = [xr.Dataset({"a": ("x", [1.0, 2.0])}), xr.Dataset({"a": ("x", [3.0, 4.0]), "w": ("x", [5.0, 6.0])})]
    actual = bake(written(tmp_path, made), tmp_path / "out", missing_variables="fill").load()
    np.testing.assert_array_equal(actual.w, [[np.nan, np.nan], [5, 6]])
    np.testing.assert_array_equal(actual.a, [[1, 2], [3, 4]])


def test_a_merged_variable_that_some_inputs_lack(tmp_path: Path) -> None:
    for i in (0, 1):
        sea(2 * i).to_netcdf(tmp_path / f"a{i}.nc")
        other = sea(2 * i).rename(sst="b")
        (other.assign(w=other.b + 1) if i else other).to_netcdf(tmp_path / f"b{i}.nc")
    pattern = FilePattern(
        lambda time, v: f"{tmp_path}/{v}{time}.nc", ConcatDim("time", [0, 1]), MergeDim("v", ["a", "b"])
    )
    actual = bake(pattern, tmp_path / "out", missing_variables="fill").load()
    both = xr.concat([sea(0), sea(2)], "time", data_vars="minimal")
    np.testing.assert_array_equal(actual.w, (both.sst + 1).where(both.time >= sea(2).time[0]))
    np.testing.assert_array_equal(actual.sst, both.sst)


def test_the_place_is_noted_and_is_in_the_entry(tmp_path: Path) -> None:
    made = [part(2 * i, "w", [0.5, 1.5]) if i in (1, 4) else part(2 * i) for i in range(6)]
    notes = plan_of(schema_of(*made), missing_variables="fill").template.notes
    assert notes == (
        "'w' is missing in 4 of 6 inputs and stored as fill there: "
        "time 0:2 (2001-01-01T00:00:00.000000000 to 2001-01-02T00:00:00.000000000) of 0.nc; "
        "time 4:8 (2001-01-05T00:00:00.000000000 to 2001-01-08T00:00:00.000000000) of 2.nc to 3.nc; "
        "time 10:12 (2001-01-11T00:00:00.000000000 to 2001-01-12T00:00:00.000000000) of 5.nc",
    )
    kitchen = make_kitchen(tmp_path, 'missing_variables="fill", target_chunks={"time": 1}, shards=False')
    part(0, "w", [0.5, 1.5]).to_netcdf(tmp_path / "new.nc", engine="h5netcdf")
    (tmp_path / "new.nc").replace(kitchen.inputs / "0.nc")
    kitchen.bake()
    said = [note.message for note in kitchen.entry.notes]
    assert any(m.startswith("'w' is missing in 2 of 3 inputs and stored as fill there: time 2:6") for m in said), said
    np.testing.assert_array_equal(xr.open_zarr(kitchen.store).w, [0.5, 1.5, *[np.nan] * 4])


def test_a_pipeline_writes_objects_that_no_input_has_values_for(tmp_path: Path) -> None:
    pattern = written(tmp_path, [part(0, "w", [0.5, 1.5]), part(2), part(4)])
    options: Any = {"missing_variables": "fill", "target_chunks": {"time": 1}, "shards": False}
    actual = bake_pattern(pattern, tmp_path / "out", **options).load()
    assert_same(actual, joined(filled(read(tmp_path, 0, 1, 2), "w", np.nan)))
    assert len(list((tmp_path / "out" / "out.zarr" / "w" / "c").iterdir())) == 6


@pytest.mark.parametrize("where", [0, 1, 2])
def test_an_attribute_that_appears_or_disappears_midway_is_dropped_and_noted(where: int, tmp_path: Path) -> None:
    made = [sea(2 * i, comment="x") if i == where else sea(2 * i) for i in range(3)]
    pattern = written(tmp_path, made)
    assert "comment" not in bake(pattern, tmp_path / "out").sst.attrs
    note = "attribute 'comment' of 'sst' differs between inputs and was dropped"
    assert plan_of(schema_of(*made)).template.notes == (note,)
    with refused("'comment' of 'sst'", '"x"', "none", f"{where}.nc"):
        bake(pattern, tmp_path / "other", combine_attrs="identical")


@pytest.mark.parametrize("name", ["units", "standard_name", "positive", "cell_methods"])
def test_an_attribute_that_changes_the_meaning_must_not_disappear(name: str, tmp_path: Path) -> None:
    bare = sea(2, **{name: "m"})
    del bare.sst.attrs[name]
    with refused(f"'{name}' of 'sst'", '"m"', "none", "0.nc", "1.nc"):
        bake(written(tmp_path, [sea(0, **{name: "m"}), bare]), tmp_path / "out")


@pytest.mark.parametrize("policy", ["error", "fill"])
def test_a_dimension_that_appears_midway_is_refused(policy: str, tmp_path: Path) -> None:
    pattern = written(tmp_path, [sea(0), sea(2).expand_dims(depth=[5.0], axis=1)])
    words = (
        "'sst' has different dimensions",
        "0.nc",
        "('time', 'lat', 'lon')",
        "1.nc",
        "('time', 'depth', 'lat', 'lon')",
    )
    with refused(*words):
        bake(pattern, tmp_path / "out", missing_variables=policy)
