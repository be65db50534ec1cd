"""Many small files in miniature: how often a bake opens, decodes and encodes, counted per input."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
import xarray as xr

from bakehouse.context import using
from bakehouse.openers import forms
from bakehouse.openers.hdf5 import known, values
from bakehouse.openers.opened import close_all
from bakehouse.openers.xarray import open_dataset
from bakehouse.patterns import Index, pattern_from_file_sequence
from bakehouse.storage import make_source
from bakehouse.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr, unchecked
from bakehouse.writers import assemble, gathered, packed
from tests.engine.pipeline import NAME, run_pipeline
from tests.engine.test_cost import context_of, recipe_of

COUNT, SHAPE = 12, (1, 30, 40)
STAGES, WORKERS = 3, 2
"""Stages that ask what is to be compared, and threads that each have their own."""


def write_days(folder: Path) -> list[str]:
    """Write files of one day and four variables each."""
    paths = [folder / f"{day:02d}.nc" for day in range(COUNT)]
    for day, path in enumerate(paths):
        data = {n: (("time", "y", "x"), np.full(SHAPE, day, "f4")) for n in "abcd"}
        time = np.datetime64("2000-01-01", "ns") + np.arange(day, day + 1) * np.timedelta64(1, "D")
        packing = {n: {"chunksizes": SHAPE, "zlib": True, "_FillValue": None} for n in "abcd"}
        xr.Dataset(data, {"time": time, "y": range(30), "x": range(40)}).to_netcdf(
            path, engine="h5netcdf", encoding={**packing, "time": {"units": "days since 2000-01-01"}}
        )
    return [str(path) for path in paths]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count calls of what costs most for each input."""
    found: Counter[str] = Counter()

    def count(module: Any, name: str, label: str) -> None:
        held = getattr(module, name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            found[label] += 1
            return held(*args, **kwargs)

        monkeypatch.setattr(module, name, counting)

    count(known, "read_header", "headers")
    count(values, "open_path", "opened to compare")
    count(gathered, "encode", "encoded together")
    count(assemble, "encode", "encoded alone")
    decode = xr.conventions.decode_cf_variables

    def decoding(variables: Any, *args: Any, **kwargs: Any) -> Any:
        found["decoded whole"] += len(variables) == 7
        return decode(variables, *args, **kwargs)

    monkeypatch.setattr(xr.conventions, "decode_cf_variables", decoding)
    return found


def test_the_library_reads_one_header_of_many_that_are_alike_and_opens_each_input_once_to_compare_it(
    tmp_path: Path, calls: Counter[str]
) -> None:
    pattern = pattern_from_file_sequence(write_days(tmp_path), "time")
    close_all()
    calls.clear()
    with using(context_of(tmp_path / "out")):
        run_pipeline(recipe_of(pattern), direct_num_workers=1)
    assert calls.pop("decoded whole") <= 2  # the first input, and what was written
    objects_of_time, rows_and_columns = COUNT // 4, 2
    expected = {"headers": 1, "opened to compare": COUNT, "encoded together": objects_of_time}
    assert dict(calls) == {**expected, "encoded alone": rows_and_columns}


def _changed_in_place(index: Index, dataset: xr.Dataset) -> tuple[Index, xr.Dataset]:
    dataset["a"].load()
    dataset["b"].attrs["history"] = dataset["b"].attrs.get("history", "") + "seen once;"
    dataset.attrs["history"] = dataset.attrs.get("history", "") + "seen once;"
    dataset["c"].encoding.clear()
    del dataset["d"]
    return index, dataset


def test_times_are_decoded_as_each_recipe_asks_though_inputs_are_decoded_once(
    tmp_path: Path, calls: Counter[str]
) -> None:
    paths = write_days(tmp_path)
    forms._forms.clear()
    for asked in (
        {"use_cftime": True},
        {"use_cftime": False},
        {"decode_times": xr.coders.CFDatetimeCoder(time_unit="s")},
    ):
        calls.clear()
        for path in paths:
            with xr.open_dataset(path, engine="h5netcdf", **asked) as expected:
                calls["decoded whole"] -= 1
                found = open_dataset(make_source(path, {}, {}).identified(), open_kwargs=asked)
                xr.testing.assert_identical(found.load(), expected.load())
                assert found.time.dtype == expected.time.dtype
        assert calls["decoded whole"] == 1


def test_what_a_recipe_does_to_one_input_in_place_is_not_done_to_the_next(tmp_path: Path) -> None:
    paths = write_days(tmp_path)
    pattern = pattern_from_file_sequence(paths, "time")
    close_all()
    forms._forms.clear()
    opening = beam.Create(pattern.items()) | OpenURLWithFSSpec() | OpenWithXarray()
    store = StoreToZarr(store_name=NAME, combine_dims=pattern.combine_dim_keys, target_root=str(tmp_path))
    run_pipeline(opening | beam.MapTuple(_changed_in_place) | store, direct_num_workers=1)
    found = xr.open_zarr(tmp_path / NAME, chunks=None)
    opened = [_changed_in_place(Index(), xr.open_dataset(path, engine="h5netcdf"))[1] for path in paths]
    xr.testing.assert_identical(found.load(), xr.concat(opened, "time", data_vars="minimal", coords="minimal"))


def test_a_plan_is_sampled_and_variables_are_pickled_once_however_many_inputs_and_tasks_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each stage that works out anew what all its elements share would take a square of time."""
    pattern = pattern_from_file_sequence(write_days(tmp_path), "time")
    found: Counter[str] = Counter()
    held, dumps = unchecked.sample_tasks, packed.pickle.dumps

    def sampled(*args: Any) -> Any:
        found["sampled"] += 1
        return held(*args)

    def dumped(variables: Any, protocol: int) -> bytes:
        found["pickled whole"] += len(variables) == 7
        return dumps(variables, protocol)

    monkeypatch.setattr(unchecked, "sample_tasks", sampled)
    monkeypatch.setattr(packed, "pickle", SimpleNamespace(**{**vars(packed.pickle), "dumps": dumped}))
    context = replace(context_of(tmp_path / "out"), memory_bytes=2**12, level="full")
    with using(context):
        run_pipeline(recipe_of(pattern))
    assert json.loads(context.notebook.get("run.json") or b"")["plan"]["tasks"] >= COUNT
    assert found["pickled whole"] == COUNT
    assert 1 <= found["sampled"] <= STAGES * WORKERS
