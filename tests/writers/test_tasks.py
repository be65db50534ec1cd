"""A task writes whole objects and a receipt of them, and finds every value that is not its source's."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
import zarr.codecs

from bakehouse.errors import SchemaError, VerifyError
from bakehouse.storage import Target
from bakehouse.writers.receipts import read_receipts
from bakehouse.writers.tasks import write_task
from tests.oracle import assert_same, round_trip
from tests.plan.samples import sea
from tests.writers.direct import changed, compare_all, fragments_of, opened, prepared_for, stored, write_all


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(str(tmp_path / "out"))


def whole(datasets: list[xr.Dataset], **options: Any) -> xr.Dataset:
    combined = xr.concat(
        datasets,
        "time",
        data_vars="minimal",
        coords="different",
        compat="equals",
        join="exact",
        combine_attrs="identical",
    )
    return round_trip(combined, options.get("zarr_format", 3), options.get("encoding"))


THREE = [sea(0, 3), sea(3, 2), sea(5, 4)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"zarr_format": 2},
        {"target_chunks": {"time": 2, "lat": 1}, "shards": False},
        {"target_chunks": {"time": 2, "lat": -1, "lon": 2}, "shards": {"time": 4, "lon": -1}},
        {"target_chunks": {"time": 100}},
        {"target_chunks": {"time": -1}, "zarr_format": 2},
        {"encoding": {"sst": {"dtype": "f8"}}},
        {"encoding": {"sst": {"dtype": "i2", "scale_factor": 0.5, "add_offset": 10.0, "_FillValue": -999}}},
        {"encoding": {"sst": {"compressors": (zarr.codecs.GzipCodec(level=1),)}}},
        {"encoding": {"sst": {"compressors": None, "chunks": (1, 2, 3), "shards": (3, 2, 3)}}},
        {"memory_bytes": 1},
    ],
)
def test_the_store_is_what_xarray_writes(target: Target, options: dict[str, Any]) -> None:
    prepared = stored(THREE, target, **options)
    assert_same(opened(prepared).load(), whole(THREE, **options))
    assert_same(opened(prepared, consolidated=False).load(), whole(THREE, **options))


def test_attributes_that_the_recipe_asks_for_are_in_the_root(target: Target) -> None:
    found = opened(stored(THREE, target, attrs={"title": "Sea", "levels": np.array([1, 2]), "since": np.float32(0.5)}))
    assert found.attrs == {"title": "Sea", "levels": [1, 2], "since": 0.5}


def test_asked_chunks_shards_and_codecs_are_in_the_arrays(target: Target) -> None:
    codecs = (zarr.codecs.BloscCodec(cname="lz4", clevel=1, shuffle="shuffle", typesize=4),)
    prepared = stored(
        THREE,
        target,
        target_chunks={"time": 2, "lat": -1},
        shards={"time": 6},
        encoding={"sst": {"compressors": codecs}},
    )
    group = zarr.open_group(prepared.store.url, mode="r")
    sst, lat = group["sst"], group["lat"]
    assert isinstance(sst, zarr.Array) and isinstance(lat, zarr.Array)
    assert (sst.chunks, sst.shards, sst.compressors) == ((2, 2, 3), (6, 2, 3), codecs)
    assert lat.compressors != codecs


def test_a_receipt_names_every_object_with_its_size_and_digest(target: Target) -> None:
    prepared = stored(THREE, target, target_chunks={"time": 2}, shards=False)
    receipts = read_receipts(prepared.work)
    assert set(receipts) == {task.id for task in prepared.plan.tasks}
    written = {o.key: o for r in receipts.values() for o in r.objects}
    data = {key: prepared.store.get(key) or b"" for key, _ in prepared.store.list() if not key.endswith("zarr.json")}
    assert {k: (o.size_bytes, o.sha256) for k, o in written.items()} == {
        k: (len(v), hashlib.sha256(v).hexdigest()) for k, v in data.items()
    }
    assert len(written) == prepared.plan.objects


def test_a_receipt_names_where_values_came_from(target: Target) -> None:
    prepared = stored(THREE, target)
    taken = {(t.input, t.array, t.region) for r in read_receipts(prepared.work).values() for t in r.sources}
    assert {t for t in taken if t[1] == "sst"} == {
        ("0.nc", "sst", ((0, 3), (0, 2), (0, 3))),
        ("1.nc", "sst", ((3, 5), (0, 2), (0, 3))),
        ("2.nc", "sst", ((5, 9), (0, 2), (0, 3))),
    }
    assert {t[0] for t in taken if t[1] == "lat"} == {"0.nc"}


def test_objects_that_hold_only_fill_values_are_written_too(target: Target) -> None:
    empty = [ds.assign(sst=ds.sst.where(False), zero=ds.time.astype("i8") * 0) for ds in THREE]
    prepared = stored(empty, target, target_chunks={"time": 1, "lat": 1}, shards=False)
    keys = {key for key, _ in prepared.store.list()}
    assert {f"sst/c/{t}/{y}/0" for t in range(9) for y in range(2)} <= keys
    assert {f"zero/c/{t}" for t in range(9)} <= keys


def test_writing_a_task_again_gives_the_same_bytes(target: Target) -> None:
    prepared = prepared_for(THREE, target, target_chunks={"time": 2})
    write_all(prepared, THREE)
    before = {k: prepared.store.get(k) for k, _ in prepared.store.list()} | {
        k: prepared.work.get(k) for k, _ in prepared.work.list()
    }
    write_all(prepared, THREE[:])
    assert before == {k: prepared.store.get(k) for k, _ in prepared.store.list()} | {
        k: prepared.work.get(k) for k, _ in prepared.work.list()
    }


def test_every_value_is_compared(target: Target) -> None:
    prepared = prepared_for(THREE, target)
    write_all(prepared, THREE)
    assert compare_all(prepared, THREE) == 9 * 2 * 3 + 9 + 2 + 3


def test_a_value_that_differs_is_named_with_its_place_and_its_input(target: Target) -> None:
    prepared = stored(THREE, target)
    changed(prepared, "sst", (4, 1, 2), -7.0)
    with pytest.raises(VerifyError) as caught:
        compare_all(prepared, THREE)
    message = str(caught.value)
    assert (
        "'sst' at {'time': 4, 'lat': 1, 'lon': 2}: the store has -7.0, its source has 41.0 (1 of 12 values differ)"
        in message
    )
    assert caught.value.where == "1.nc"


@pytest.mark.parametrize(("name", "at", "value"), [("time", (0,), 99), ("lat", (1,), 3.0)])
def test_a_coordinate_that_differs_is_found(target: Target, name: str, at: tuple[int, ...], value: Any) -> None:
    prepared = stored(THREE, target)
    changed(prepared, name, at, value)
    with pytest.raises(VerifyError, match=f"'{name}' at"):
        compare_all(prepared, THREE)


def test_nan_in_place_of_a_value_and_the_reverse_are_found(target: Target) -> None:
    gaps = [ds.assign(sst=ds.sst.where(ds.lon > 0)) for ds in THREE]
    for at, value in (((0, 0, 0), 5.0), ((0, 0, 1), np.nan)):
        prepared = stored(gaps, target)
        changed(prepared, "sst", at, value)
        with pytest.raises(VerifyError, match="'sst' at {'time': 0, 'lat': 0"):
            compare_all(prepared, gaps)


def test_text_that_differs_is_found(target: Target) -> None:
    named = [ds.assign(station=("time", np.array(["a", "été", "b", "c"], "O")[: ds.sizes["time"]])) for ds in THREE]
    prepared = stored(named, target)
    assert opened(prepared).station.values.tolist() == ["a", "été", "b", "a", "été", "a", "été", "b", "c"]
    changed(prepared, "station", (1,), "ete")
    with pytest.raises(VerifyError, match="the store has ete, its source has été"):
        compare_all(prepared, named)


@pytest.mark.parametrize("how", ["missing", "truncated", "garbled", "empty"])
def test_a_damaged_object_is_named(target: Target, how: str) -> None:
    # Blosc's decoder is not safe against damaged bytes; gzip's is.
    prepared = stored(THREE, target, encoding={"sst": {"compressors": (zarr.codecs.GzipCodec(),)}})
    key = next(key for key, _ in prepared.store.list() if key.startswith("sst/c"))
    data = prepared.store.get(key) or b""
    if how == "missing":
        prepared.store.delete([key])
    else:
        prepared.store.put(
            key, {"truncated": data[: len(data) // 2], "garbled": bytes(255 - b for b in data), "empty": b""}[how]
        )
    with pytest.raises(VerifyError, match="'sst'"):
        compare_all(prepared, THREE)


def test_inputs_that_do_not_fill_a_store_are_refused(target: Target) -> None:
    prepared = prepared_for(THREE, target)
    task = next(t for t in prepared.plan.tasks if any(p.array == "sst" for p in t.parts))
    with pytest.raises(SchemaError, match=r"inputs fill 42 of 54 elements of 'sst'"):
        write_task(prepared, task, fragments_of(THREE[:1]) + fragments_of(THREE)[2:])
    assert read_receipts(prepared.work) == {}


def test_an_input_of_another_size_than_was_surveyed_is_refused(target: Target) -> None:
    prepared = prepared_for(THREE, target)
    shorter = [THREE[0], THREE[1].isel(time=[0]), THREE[2]]
    with pytest.raises(SchemaError, match="1.nc"):
        write_all(prepared, shorter)


def test_an_input_of_another_dtype_than_was_surveyed_is_refused(target: Target) -> None:
    prepared = prepared_for(THREE, target)
    other = [THREE[0], THREE[1].astype("f8"), THREE[2]]
    with pytest.raises(SchemaError, match=r"'sst' have dtype float64, the store has float32") as caught:
        write_all(prepared, other)
    assert caught.value.where == "1.nc"


# xarray warns of integers without a fill value, which is what is tested.
quiet = pytest.mark.filterwarnings("ignore:saving variable")
BAD_ENCODINGS = [
    ({"dtype": "i1"}, sea(0, 3) * 10, "130"),
    ({"dtype": "u1"}, sea(0, 3) - 5, "-5"),
    ({"dtype": "i2", "scale_factor": 1e-4}, sea(0, 3), "4.0"),
    ({"dtype": "i2"}, sea(0, 3).where(sea(0, 3).lon > 0), "nan"),
    ({"dtype": "i2", "_FillValue": 3}, sea(0, 3), "3"),
    ({"_FillValue": 3.0}, sea(0, 3), "3"),
]


@quiet
@pytest.mark.parametrize(("encoding", "dataset", "shown"), BAD_ENCODINGS)
def test_values_that_an_encoding_can_not_hold_are_refused(
    target: Target, encoding: dict[str, Any], dataset: xr.Dataset, shown: str
) -> None:
    prepared = prepared_for([dataset], target, encoding={"sst": encoding})
    with pytest.raises(SchemaError, match="'sst'") as caught:
        write_all(prepared, [dataset])
    assert shown in caught.value.message and caught.value.where == "0.nc"
    assert read_receipts(prepared.work) == {} or "sst" not in {
        o.key.split("/")[0] for r in read_receipts(prepared.work).values() for o in r.objects
    }


def test_times_that_an_encoding_can_not_hold_are_refused(target: Target) -> None:
    hourly = sea(0, 3).assign_coords(time=sea(0, 3).time + np.timedelta64(90, "m"))
    prepared = prepared_for([hourly], target, encoding={"time": {"units": "days since 2001-01-01", "dtype": "i4"}})
    with pytest.raises(SchemaError, match="times of 'time' can't be stored exactly") as caught:
        write_all(prepared, [hourly])
    assert "minutes" in str(caught.value.cause)


@pytest.mark.parametrize("unit", ["ns", "us"])
@pytest.mark.parametrize("units", ["days since 0001-01-01", "hours since 1700-01-01", "minutes since 2000-01-01"])
def test_times_more_than_292_years_from_their_reference_date_are_stored(target: Target, units: str, unit: str) -> None:
    ancient = np.array(["1690-01-01", "1700-01-01T06", "2200-01-01T12"], f"datetime64[{unit}]")
    wide = sea(0, 3).assign_coords(time=ancient)
    dtype = "f8" if units.startswith("days") else "i8"
    found = opened(stored([wide], target, encoding={"time": {"units": units, "dtype": dtype}}))
    np.testing.assert_array_equal(found.time.values, ancient)
    assert found.time.encoding["units"] == units


def test_a_prepared_store_knows_what_is_done() -> None:
    prepared = prepared_for(THREE, Target("/nowhere"))
    assert replace(prepared, done=frozenset(["x"])).done == {"x"}
    assert prepared.store.url == f"/nowhere/{prepared.plan.version}.zarr"
    assert prepared.task(prepared.plan.tasks[0].id) is prepared.plan.tasks[0]
