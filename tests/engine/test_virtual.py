"""Virtual stores read as xarray reads their inputs: through fsspec, kerchunk's engine and the engine's own reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import apache_beam as beam
import fsspec
import numpy as np
import pytest
import xarray as xr
import zarr.storage

from bakehouse.errors import BakehouseError
from bakehouse.patterns import ConcatDim, FilePattern
from bakehouse.storage import Target
from bakehouse.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr
from bakehouse.writers.references import ReferenceView
from tests.engine.files import joined, read, written
from tests.engine.gribs import write_grib
from tests.engine.pipeline import NAME, run_pipeline
from tests.oracle import assert_same
from tests.support.http import Server
from tests.support.s3 import S3

FORMATS = ["kerchunk-json", "kerchunk-parquet"]
READERS = ["own", "kerchunk", "fsspec"]


def refer(pattern: FilePattern, folder: Path, format: str, steps: Any = None, **options: Any) -> Path:
    """Bake references to all variables but the smallest, and give the store's folder."""
    recipe = (
        beam.Create(pattern.items()) | OpenURLWithFSSpec() | OpenWithXarray(file_type=pattern.file_type)
    )  # fmt: skip
    if steps:
        recipe = recipe | "Step" >> beam.MapTuple(lambda index, ds: (index, steps(ds)))
    said = {"inline_bytes": 0, "format": format, "target_root": str(folder), **options}
    run_pipeline(recipe | StoreToZarr(store_name=NAME, combine_dims=pattern.combine_dim_keys, **said))
    return folder / NAME


def opened(store: Path, reader: str) -> xr.Dataset:
    if reader == "own":
        return xr.open_zarr(ReferenceView(Target(str(store))).zarr_store, consolidated=True, chunks=None).load()
    lazy = not (store / "refs.json").exists()
    place, said = str(store if lazy else store / "refs.json"), {"remote_protocol": "file"} if lazy else {}
    if reader == "kerchunk":
        return xr.open_dataset(place, engine="kerchunk", chunks=None, storage_options=said).load()
    fs = fsspec.filesystem("reference", fo=place, asynchronous=True, remote_options={"asynchronous": True}, **said)
    return xr.open_zarr(zarr.storage.FsspecStore(fs, read_only=True, path=""), consolidated=False, chunks=None).load()


def sea(number: int, steps: int = 2, **attrs: Any) -> xr.Dataset:
    """Make fields of four kinds, some of them missing."""
    rng = np.random.default_rng(number)
    values = rng.integers(0, 1000, (steps, 6, 8)).astype("f4")
    values[0, :2, :3] = np.nan
    made = {
        "sst": (("time", "lat", "lon"), values, {"units": "K"}),
        "ice": (("time", "lat", "lon"), values / 100, {"units": "1", **attrs}),
        "depth": (("lat", "lon"), np.arange(48.0).reshape(6, 8), {"units": "m"}),
    }
    time = np.datetime64("2001-01-01", "ns") + (number * steps + np.arange(steps)) * np.timedelta64(1, "D")
    coords = {"time": time, "lat": np.linspace(-60, 60, 6), "lon": np.linspace(0, 315, 8)}
    return xr.Dataset(made, coords)


PACKED = {"dtype": "i2", "scale_factor": 0.01, "add_offset": 5.0, "_FillValue": -9999}
DEFLATED = {"zlib": True, "complevel": 4, "shuffle": True}
HDF5 = [
    {"sst": {**DEFLATED, "chunksizes": (1, 3, 8)}, "ice": {**PACKED, **DEFLATED, "chunksizes": (1, 6, 8)}},
    {"sst": {"chunksizes": (2, 4, 5), "fletcher32": True}, "ice": {**PACKED, "chunksizes": (1, 5, 3)}},
    {"sst": {"zlib": True, "chunksizes": (1, 6, 8)}, "depth": {**DEFLATED, "dtype": ">f8", "chunksizes": (4, 4)}},
    {},
]


@pytest.mark.parametrize(("encoding", "format"), zip(HDF5, FORMATS * 2, strict=True))
def test_references_to_netcdf4_read_as_the_inputs(encoding: dict[str, Any], format: str, tmp_path: Path) -> None:
    pattern = written(tmp_path / "in", [sea(i) for i in range(3)], [encoding] * 3)
    store = refer(pattern, tmp_path, format)
    expected = joined(read(tmp_path / "in", 0, 1, 2))
    for reader in READERS:
        assert_same(opened(store, reader), expected)


@pytest.mark.parametrize(("unlimited", "format"), [(["time"], FORMATS[0]), ([], FORMATS[1])])
def test_references_to_netcdf3_of_any_length_read_as_the_inputs(
    unlimited: list[str], format: str, tmp_path: Path
) -> None:
    pattern = written(
        tmp_path / "in",
        [sea(0, 4), sea(2, 2), sea(2, 3).assign_coords(time=sea(0, 3).time + np.timedelta64(90, "D"))],
        format="NETCDF3_64BIT",
        engine="scipy",
        unlimited_dims=unlimited,
    )
    store = refer(pattern, tmp_path, format)
    expected = joined(read(tmp_path / "in", 0, 1, 2))
    for reader in READERS:
        assert_same(opened(store, reader), expected)


@pytest.mark.parametrize(
    ("options", "format"), [({"zarr_format": 2}, FORMATS[1]), ({"zarr_format": 3, "shards": (2, 6, 8)}, FORMATS[0])]
)
def test_references_to_zarr_read_as_the_inputs(options: dict[str, Any], format: str, tmp_path: Path) -> None:
    shards = options.pop("shards", None)
    encoding: Any = {"chunks": (1, 3, 8), **({"shards": shards} if shards else {})}
    for i in range(2):
        sea(i).to_zarr(tmp_path / "in" / f"{i}.zarr", encoding={"sst": encoding, "ice": encoding}, **options)
    pattern = FilePattern(lambda time: f"{tmp_path}/in/{time}.zarr", ConcatDim("time", [0, 1]), file_type="zarr")
    store = refer(pattern, tmp_path, format)
    for reader in READERS:
        assert_same(opened(store, reader), joined([xr.open_zarr(tmp_path / "in" / f"{i}.zarr") for i in range(2)]))


@pytest.mark.parametrize("format", FORMATS)
def test_references_to_grib_read_as_the_inputs(format: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for i in range(2):
        write_grib(tmp_path / "in" / f"{i}.grib", first=f"2020-01-0{1 + 3 * i}", missing=True)
    pattern = FilePattern(lambda time: f"{tmp_path}/in/{time}.grib", ConcatDim("time", [0, 1]), file_type="grib")
    store = refer(pattern, tmp_path, format)
    inputs = [
        xr.open_dataset(tmp_path / "in" / f"{i}.grib", engine="cfgrib", backend_kwargs={"indexpath": ""}).load()
        for i in range(2)
    ]
    expected = xr.concat(inputs, "time")
    for reader in READERS:
        actual = opened(store, reader)
        np.testing.assert_array_equal(actual.t2m.values, expected.t2m.values)
        np.testing.assert_array_equal(actual.valid_time.values, expected.valid_time.values)


def test_references_over_http_name_the_inputs_by_their_urls(http_server: Server, tmp_path: Path) -> None:
    encoding = {"sst": {**DEFLATED, "chunksizes": (1, 3, 8)}}
    written(http_server.folder / "a b", [sea(i) for i in range(2)], [encoding] * 2)
    pattern = FilePattern(lambda time: f"{http_server.url}/a%20b/{time}.nc", ConcatDim("time", [0, 1]))
    store = refer(pattern, tmp_path, "kerchunk-json")
    refs = json.loads((store / "refs.json").read_text())["refs"]
    assert refs["sst/0.0.0"][0] == f"{http_server.url}/a%20b/0.nc"
    expected = joined(read(http_server.folder / "a b", 0, 1))
    for reader in READERS:
        assert_same(opened(store, reader), expected)


def test_small_variables_are_held_as_values(tmp_path: Path) -> None:
    pattern = written(tmp_path / "in", [sea(i) for i in range(2)])
    refs = json.loads((refer(pattern, tmp_path, "kerchunk-json", inline_bytes=500) / "refs.json").read_text())["refs"]
    assert isinstance(refs["depth/0.0"], str) and refs["depth/0.0"].startswith("base64:")
    assert isinstance(refs["sst/0.0.0"], list)


def test_chunks_that_were_never_written_read_as_in_the_input(tmp_path: Path) -> None:
    import h5py

    pattern = written(tmp_path / "in", [sea(i) for i in range(2)])
    for i in range(2):
        with h5py.File(tmp_path / "in" / f"{i}.nc", "a") as file:
            made = file.create_dataset("new", shape=(2, 6, 8), chunks=(1, 3, 8), dtype="f4", fillvalue=3.5)
            made[:1, :3] = 1
            for axis, dim in enumerate(("time", "lat", "lon")):
                made.dims[axis].attach_scale(file[dim])
    store = refer(pattern, tmp_path, "kerchunk-json")
    for reader in READERS:
        assert_same(opened(store, reader), joined(read(tmp_path / "in", 0, 1)))


def refused(pattern: FilePattern, tmp_path: Path, **options: Any) -> str:
    with pytest.raises(Exception) as caught:
        refer(pattern, tmp_path, "kerchunk-json", **options)
    assert not list((tmp_path / NAME).glob("refs.json"))
    return str(caught.value)


def test_packing_that_differs_is_refused_with_both_values(tmp_path: Path) -> None:
    encodings: list[Any] = [{"ice": PACKED}, {"ice": {**PACKED, "scale_factor": 0.02}}]
    said = refused(written(tmp_path / "in", [sea(0), sea(1)], encodings), tmp_path)
    assert "'ice' can't be referred to" in said
    assert "0.nc) has scale_factor 0.01" in said and "1.nc) has scale_factor 0.02" in said
    assert "bake a native store" in said


def test_codecs_that_differ_are_refused_with_both_values(tmp_path: Path) -> None:
    encodings: list[Any] = [{"sst": {**DEFLATED, "chunksizes": (1, 6, 8)}}, {"sst": {"chunksizes": (1, 6, 8)}}]
    said = refused(written(tmp_path / "in", [sea(0), sea(1)], encodings), tmp_path)
    assert "'sst' can't be referred to" in said and "shuffle" in said and "no filters" in said


def test_only_the_level_of_a_compressor_may_differ(tmp_path: Path) -> None:
    encodings: list[Any] = [{"sst": {**DEFLATED, "complevel": n, "chunksizes": (1, 6, 8)}} for n in (1, 9)]
    store = refer(written(tmp_path / "in", [sea(0), sea(1)], encodings), tmp_path, "kerchunk-json")
    assert_same(opened(store, "fsspec"), joined(read(tmp_path / "in", 0, 1)))


def test_inputs_that_end_inside_a_chunk_are_refused(tmp_path: Path) -> None:
    encodings = [{"sst": {**DEFLATED, "chunksizes": (2, 6, 8)}}] * 2
    pattern = written(tmp_path / "in", [sea(0, 3), sea(1, 3)], encodings)
    said = refused(pattern, tmp_path)
    assert "'sst' can't be referred to" in said and "0 to 3 of 6" in said and "chunks of 2 along time" in said


def test_a_last_input_may_end_inside_a_chunk(tmp_path: Path) -> None:
    encodings = [{"sst": {**DEFLATED, "chunksizes": (2, 6, 8)}}] * 2
    pattern = written(tmp_path / "in", [sea(0, 4), sea(4, 3).assign_coords(time=sea(2, 3).time)], encodings)
    store = refer(pattern, tmp_path, "kerchunk-json")
    assert_same(opened(store, "fsspec"), joined(read(tmp_path / "in", 0, 1)))


def test_what_a_step_computes_is_refused(tmp_path: Path) -> None:
    pattern = written(tmp_path / "in", [sea(0), sea(1)])
    said = refused(pattern, tmp_path, steps=lambda ds: ds.assign(sst=ds.sst * 2))
    assert "'sst' can't be referred to" in said and "computes" in said


def test_all_reasons_are_said_at_once(tmp_path: Path) -> None:
    encodings: list[Any] = [{"ice": PACKED}, {"ice": {**PACKED, "scale_factor": 0.02}, "sst": {"zlib": True}}]
    said = refused(written(tmp_path / "in", [sea(0), sea(1)], encodings), tmp_path)
    assert "'ice' can't be referred to" in said and "'sst' can't be referred to" in said


@pytest.mark.parametrize("options", [{"target_chunks": {"time": 2}}, {"shards": {"time": 2}}, {"zarr_format": 3}])
def test_options_that_references_can_not_follow_are_refused(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(BakehouseError, match="virtual store|zarr v2"):
        StoreToZarr([], NAME, format="kerchunk-json", **options)


def test_references_to_a_bucket_are_written_to_a_bucket(s3: S3, tmp_path: Path) -> None:
    for i in range(2):
        sea(i).to_netcdf(tmp_path / f"{i}.nc", encoding={"sst": {**DEFLATED, "chunksizes": (1, 3, 8)}})
        s3.store().put(f"in/{i}.nc", (tmp_path / f"{i}.nc").read_bytes())
    url = f"{s3.url}/in/{{}}.nc"
    pattern = FilePattern(lambda time: url.format(time), ConcatDim("time", [0, 1]))
    recipe = (
        beam.Create(pattern.items())
        | OpenURLWithFSSpec(open_kwargs=s3.fsspec_options)
        | OpenWithXarray()
        | StoreToZarr([d for d in pattern.combine_dims], NAME, str(tmp_path), format="kerchunk-json", inline_bytes=0)
    )
    run_pipeline(recipe)
    refs = json.loads((tmp_path / NAME / "refs.json").read_text())
    assert refs["refs"]["sst/1.0.0"][0] == url.format(0)
    assert not any(word in json.dumps(refs) for word in (s3.key, s3.secret))
    expected = joined(read(tmp_path, 0, 1))
    own = ReferenceView(Target(str(tmp_path / NAME)), s3.fsspec_options).zarr_store
    assert_same(xr.open_zarr(own, chunks=None).load(), expected)
    said = {"remote_protocol": "s3", "remote_options": s3.fsspec_options}
    plain = xr.open_dataset(str(tmp_path / NAME / "refs.json"), engine="kerchunk", storage_options=said)
    assert_same(plain.load(), expected)
