"""What archives change from file to file without changing what values mean is handled, and said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from bakehouse.openers.describe import describe
from bakehouse.openers.xarray import open_dataset
from bakehouse.patterns import ConcatDim, FilePattern
from bakehouse.plan.types import Plan
from bakehouse.schema import DatasetSchema, merge_all
from bakehouse.storage import make_source
from tests.engine.pipeline import bake_pattern
from tests.oracle import assert_same, round_trip
from tests.plan.counted import calls
from tests.plan.samples import TIME, key, plan_of, schema_of, sea

Encoding = dict[str, Any]
packed = {"dtype": "i2", "_FillValue": -999}
CASES: dict[str, tuple[Encoding, Encoding]] = {
    "packing": (
        {**packed, "scale_factor": 0.5, "add_offset": 10.0},
        {**packed, "scale_factor": 0.25, "add_offset": -3.0},
    ),
    "packing_and_dtype": ({**packed, "scale_factor": 0.5}, {"dtype": "i4", "_FillValue": -9999, "scale_factor": 0.25}),
    "packed_in_one": ({**packed, "scale_factor": 0.5}, {"dtype": "f8", "_FillValue": np.nan}),
    "fill_differs": ({"dtype": "f4", "_FillValue": -999.0}, {"dtype": "f4", "_FillValue": 1e20}),
    "fill_in_one": ({"dtype": "f4", "_FillValue": -999.0}, {"dtype": "f4", "_FillValue": None}),
    "missing_value_in_one": (
        {"dtype": "f4", "missing_value": -999.0, "_FillValue": None},
        {"dtype": "f4", "_FillValue": None},
    ),
    "float32_and_float64": ({"dtype": "f4", "_FillValue": None}, {"dtype": "f8", "_FillValue": None}),
    "int_and_float": ({"dtype": "i2", "_FillValue": -1}, {"dtype": "f4", "_FillValue": None}),
    "big_endian_in_one": ({"dtype": ">f4", "_FillValue": None}, {"dtype": "<f4", "_FillValue": None}),
    "same": ({**packed, "scale_factor": 0.5}, {**packed, "scale_factor": 0.5}),
}
UNITS = (
    {"units": "hours since 2001-01-01", "dtype": "f8", "_FillValue": None},
    {"units": "days since 1990-01-01", "dtype": "i4"},
)


def fields(part: int) -> xr.Dataset:
    """Make a part whose values every case's packing holds exactly, missing ones among them."""
    values = np.array([[1.0, 2.0, 4.5], [30.0, 12.0, -0.5]]) * (part + 1)
    time = np.datetime64("2001-01-01", "ns") + np.arange(2 * part, 2 * part + 2) * np.timedelta64(1, "D")
    made = {name: ("time", np.round(values[0][:2]) if name == "int_and_float" else values[part, :2]) for name in CASES}
    dataset = xr.Dataset({**made, "event": ("time", time)}, {"time": time})
    for name, encoding in ((name, both[part]) for name, both in CASES.items()):
        gap = encoding.get("_FillValue", encoding.get("missing_value")) is not None
        dataset[name] = dataset[name].where(np.array([True, False])) if gap else dataset[name]
        dataset[name].attrs["long_name"] = "the same"
        dataset[name].attrs["history"] = f"written on day {part}"
    return dataset.assign_attrs(title="Sea", created=f"day {part}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("drift")
    for part in (0, 1):
        times = {"time": UNITS[part], "event": UNITS[part]}
        encoding = {name: both[part] for name, both in CASES.items()} | times
        fields(part).to_netcdf(made / f"{part}.nc", engine="h5netcdf", encoding=encoding)
    return made


@pytest.fixture(scope="module")
def baked(folder: Path) -> xr.Dataset:
    pattern = FilePattern(lambda time: f"{folder}/{time}.nc", ConcatDim("time", [0, 1]), file_type="netcdf4")
    return bake_pattern(pattern, folder / "out").load()


@pytest.fixture(scope="module")
def expected(folder: Path) -> xr.Dataset:
    parts = [xr.open_dataset(folder / f"{part}.nc").load() for part in (0, 1)]
    whole = xr.concat(
        parts,
        "time",
        join="exact",
        compat="equals",
        combine_attrs="drop_conflicts",
        data_vars="minimal",
        coords="different",
    )
    for variable in whole.variables.values():
        variable.encoding.clear()
    return round_trip(whole)


@pytest.fixture(scope="module")
def plan(folder: Path) -> Plan:
    opened = [open_dataset(make_source(str(folder / f"{part}.nc"), {}, {}).identified()) for part in (0, 1)]
    return plan_of(
        merge_all(
            DatasetSchema.of(key(i), describe(ds, f"{i}.nc", make_source(f"{i}.nc", {}, {}).identity, TIME))
            for i, ds in enumerate(opened)
        )
    )


@pytest.mark.parametrize("name", [*CASES, "event", "time"])
def test_values_are_those_that_xarray_decodes(name: str, baked: xr.Dataset, expected: xr.Dataset) -> None:
    assert_same(baked[[name]].drop_attrs(deep=False), expected[[name]].drop_attrs(deep=False))


def test_attributes_that_differ_are_dropped_and_all_else_is_as_xarray_has_it(
    baked: xr.Dataset, expected: xr.Dataset
) -> None:
    assert_same(baked, expected)
    assert baked.attrs == {"title": "Sea"}
    assert baked["packing"].attrs == {"long_name": "the same"}


@pytest.mark.parametrize(
    "note",
    [
        "'packing' is decoded and stored anew: add_offset and scale_factor differ between inputs",
        "'fill_differs' is decoded and stored anew: _FillValue differ between inputs",
        "'float32_and_float64' is stored as float64: its inputs have float32, float64",
        "'time' is decoded and stored anew: dtype and units differ between inputs",
        "attribute 'history' of 'packing' differs between inputs and was dropped",
        "attribute 'created' of the dataset differs between inputs and was dropped",
    ],
)
def test_what_was_decided_is_noted(note: str, plan: Plan) -> None:
    assert note in plan.template.notes


def test_what_does_not_drift_is_taken_as_it_is_stored(plan: Plan) -> None:
    assert {n for n, a in plan.template.arrays.items() if a.raw} == {"same", "big_endian_in_one"}
    assert not any("'same'" in note and "anew" in note for note in plan.template.notes)


def test_times_are_stored_in_the_coarsest_unit_that_holds_them(baked: xr.Dataset) -> None:
    assert baked["time"].encoding["units"] == "days since 2001-01-01"
    assert baked["time"].encoding["dtype"] == np.dtype("int64")


def own_names(count: int) -> DatasetSchema:
    """Describe inputs each of which has an attribute that no other has."""
    return schema_of(*(sea(i, 1).assign_attrs({f"step_{i}": i, "title": "Sea"}) for i in range(count)))


def test_attributes_that_one_input_alone_has_are_dropped_and_said() -> None:
    template = plan_of(own_names(3)).template
    assert template.attrs == {"title": "Sea"}
    assert template.notes == tuple(
        f"attribute 'step_{i}' of the dataset differs between inputs and was dropped" for i in range(3)
    )


def test_the_work_for_attributes_follows_the_number_of_inputs() -> None:
    work = [calls(plan_of, own_names(count)) for count in (100, 400)]
    assert work[1] < 5 * work[0]
