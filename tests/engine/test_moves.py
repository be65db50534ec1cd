"""Chunks that need no change become chunks of the store byte for byte; all else still gives what xarray gives."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr
import zarr

from bakehouse.errors import BakehouseError
from bakehouse.patterns import ConcatDim, FilePattern
from bakehouse.storage import Target, ranges
from bakehouse.writers.shards import read_index
from tests.engine.counted import counted
from tests.engine.files import along_time, bake, joined, read, written
from tests.engine.pipeline import NAME, bake_pattern
from tests.oracle import assert_same
from tests.support.http import Server
from tests.support.s3 import S3

ROWS, COLUMNS = 120, 150
DEFLATED = {"chunksizes": (1, ROWS, COLUMNS), "zlib": True, "complevel": 4, "shuffle": True}
STORED = ["bytes", "numcodecs.shuffle", "numcodecs.zlib"]


def steps(number: int, count: int = 4, names: str = "v", dtype: str = "f4") -> xr.Dataset:
    """Make values that differ everywhere, and compress."""
    time = np.arange(number * count, (number + 1) * count)
    values = np.add.outer(time, np.arange(ROWS * COLUMNS)).reshape(count, ROWS, COLUMNS).astype(dtype)
    fields = {name: (("time", "y", "x"), values + i, {"units": "K"}) for i, name in enumerate(names)}
    return xr.Dataset(fields, {"time": time, "y": np.arange(ROWS), "x": np.arange(COLUMNS)})


def deflated(folder: Path, datasets: Sequence[xr.Dataset], **changes: Any) -> FilePattern:
    each = {n: {**DEFLATED, "_FillValue": None, **changes} for n in datasets[0].data_vars}
    return written(folder, datasets, [each] * len(datasets))


def codecs_of(store: Path, name: str = "v") -> list[str]:
    codecs = json.loads((store / name / "zarr.json").read_text())["codecs"]
    inner = codecs[0]["configuration"]["codecs"] if codecs[0]["name"] == "sharding_indexed" else codecs
    return [codec["name"] for codec in inner]


def stored_chunks(folder: Path, count: int, name: str = "v") -> list[bytes]:
    """Take the chunks out of a store's shards, in order."""
    found: list[bytes] = []
    for path in sorted((folder / NAME / name / "c").glob("*/0/0"), key=lambda p: int(p.parts[-3])):
        data = path.read_bytes()
        found += [data[o : o + n] for o, n in read_index(data, count).tolist() if o != 2**64 - 1]
    return found


def source_chunks(folder: Path, files: int, name: str = "v") -> list[bytes]:
    """Read the chunks of files as HDF5 itself hands them out."""
    found: list[bytes] = []
    for number in range(files):
        with h5py.File(folder / f"{number}.nc") as file:
            dataset = file[name]
            found += [dataset.id.read_direct_chunk((i, 0, 0))[1] for i in range(dataset.shape[0])]
    return found


def test_chunks_of_a_shard_are_the_bytes_of_the_files(tmp_path: Path) -> None:
    pattern = deflated(tmp_path / "in", [steps(i) for i in range(3)])
    store = bake(pattern, tmp_path / "out", shards={"time": 6})
    assert codecs_of(tmp_path / "out" / NAME) == STORED
    assert stored_chunks(tmp_path / "out", 6) == source_chunks(tmp_path / "in", 3)
    assert_same(store, joined(read(tmp_path / "in", 0, 1, 2)))


def test_a_last_input_that_is_shorter_than_a_chunk_changes_no_other_chunk(tmp_path: Path) -> None:
    datasets = [steps(0), steps(1), steps(2).isel(time=[0, 1])]
    encoding = {"v": {**DEFLATED, "chunksizes": (4, ROWS, 50), "_FillValue": None}}
    pattern = written(tmp_path / "in", datasets, [encoding] * 3, unlimited_dims=["time"])
    store = bake(pattern, tmp_path / "out", shards=False)
    assert store.v.encoding["chunks"] == (4, ROWS, 50) and codecs_of(tmp_path / "out" / NAME) == STORED
    for number in (0, 1):
        with h5py.File(tmp_path / "in" / f"{number}.nc") as file:
            for column in range(3):
                stored = (tmp_path / "out" / NAME / f"v/c/{number}/0/{column}").read_bytes()
                assert stored == file["v"].id.read_direct_chunk((0, 0, 50 * column))[1]
    assert_same(store, xr.concat(datasets, "time"))


@pytest.mark.parametrize("lengths", [(4, 2, 4), (3, 4, 2), (4, 4, 5)])
def test_inputs_whose_chunks_are_their_own_lengths_share_none(lengths: Sequence[int], tmp_path: Path) -> None:
    starts = np.cumsum([0, *lengths])
    whole = steps(0, int(starts[-1]))
    datasets = [whole.isel(time=slice(a, a + n)) for a, n in zip(starts, lengths, strict=False)]
    each = [{"v": {**DEFLATED, "chunksizes": (n, ROWS, 50), "_FillValue": None}} for n in lengths]
    store = bake(written(tmp_path / "in", datasets, each), tmp_path / "out")
    assert store.v.encoding["chunks"][0] == 1
    assert_same(store, whole)


def test_only_one_chunk_is_held_while_chunks_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    read = ranges._read_range

    def reading(*args: Any) -> Any:
        data = Held(read(*args))
        held.append(Held.count)
        return data

    pattern = deflated(tmp_path / "in", [steps(i) for i in range(3)])
    monkeypatch.setattr(ranges, "_read_range", reading)
    bake_pattern(pattern, tmp_path / "out", shards={"time": 12})
    assert len(held) == 12
    assert max(held) <= 2  # the one that was read, and the one before it
    assert stored_chunks(tmp_path / "out", 12) == source_chunks(tmp_path / "in", 3)


class Held(bytes):
    """Bytes that are counted for as long as they are held."""

    count = 0

    def __new__(cls, data: bytes) -> Held:
        cls.count += 1
        return super().__new__(cls, data)

    def __del__(self) -> None:
        Held.count -= 1


def test_an_input_is_opened_once_for_each_object_that_it_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: Counter[str] = Counter()
    local = ranges.open_local
    pattern = deflated(tmp_path / "in", [steps(i) for i in range(3)])

    def counting(source: Any) -> Any:
        opened[Path(source.path).name] += 1
        return local(source)

    monkeypatch.setattr(ranges, "open_local", counting)
    bake_pattern(pattern, tmp_path / "out", shards={"time": 6})
    assert opened == {"0.nc": 1, "1.nc": 2, "2.nc": 1}


def test_chunks_of_inputs_that_lie_between_each_other_are_moved_to_their_places(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for time in range(2):
        whole = steps(time)
        for x, part in enumerate((slice(0, COLUMNS // 2), slice(COLUMNS // 2, None))):
            layout = {"v": {**DEFLATED, "chunksizes": (1, ROWS, COLUMNS // 2), "_FillValue": None}}
            whole.isel(x=part).to_netcdf(tmp_path / "in" / f"{time}{x}.nc", engine="h5netcdf", encoding=layout)
    dims = ConcatDim("time", [0, 1]), ConcatDim("x", [0, 1])
    pattern = FilePattern(lambda time, x: f"{tmp_path}/in/{time}{x}.nc", *dims)
    with counted() as work:
        chunks = {"time": 1, "y": ROWS, "x": COLUMNS // 2}
        store = bake_pattern(pattern, tmp_path / "out", target_chunks=chunks, shards={"time": 8, "x": COLUMNS})
    assert (work.decoded_bytes, work.encoded_chunks) == (0, 8 + 1 + 2)  # time, y and x
    assert_same(store, joined([steps(0), steps(1)]))


def test_changing_one_variable_costs_only_that_one(tmp_path: Path) -> None:
    pattern = deflated(tmp_path / "in", [steps(i, names="abcde") for i in range(2)])
    import apache_beam as beam

    def double(index: Any, ds: xr.Dataset) -> Any:
        return index, ds.assign(a=ds.a * 2).rename(e="f").assign_attrs(title="t")

    with counted() as work:
        store = bake_pattern(pattern, tmp_path / "out", beam.MapTuple(double))
    assert work.decoded_bytes == 2 * 4 * ROWS * COLUMNS * 4
    assert [codecs_of(tmp_path / "out" / NAME, n)[-1] for n in "abcdf"] == ["blosc", *["numcodecs.zlib"] * 4]
    inputs = [double(None, ds)[1] for ds in read(tmp_path / "in", 0, 1)]
    assert_same(store, joined(inputs))


def test_packed_integers_stay_as_their_producer_packed_them(tmp_path: Path) -> None:
    packing = {"dtype": "i2", "scale_factor": 0.5, "add_offset": 100.0, "_FillValue": -1}
    pattern = deflated(tmp_path / "in", [steps(i) for i in range(2)], **packing)
    store = bake(pattern, tmp_path / "out", target_chunks={"time": 1}, shards={"time": 8})
    assert stored_chunks(tmp_path / "out", 8) == source_chunks(tmp_path / "in", 2)
    assert_same(store, joined(read(tmp_path / "in", 0, 1)))


def test_a_checksum_at_the_end_of_chunks_is_checked_and_left_behind(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    steps(0).to_netcdf(tmp_path / "in" / "0.nc", engine="h5netcdf", encoding={"v": {**DEFLATED, "fletcher32": True}})
    store = bake(along_time(tmp_path / "in", 1), tmp_path / "out", shards={"time": 4})
    assert "fletcher32" not in " ".join(codecs_of(tmp_path / "out" / NAME))
    assert_same(store, joined(read(tmp_path / "in", 0)))


def test_a_chunk_with_a_filter_mask_and_one_that_was_never_written_are_encoded_anew(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path, layout = tmp_path / "in" / "0.nc", {"v": {**DEFLATED, "_FillValue": -9.0}}
    steps(0).to_netcdf(path, engine="h5netcdf", encoding=layout, unlimited_dims=["time"])
    with h5py.File(path, "a") as file:
        file["v"].id.write_direct_chunk((1, 0, 0), np.full((1, ROWS, COLUMNS), 7, "<f4").tobytes(), filter_mask=0b11)
        file["v"].resize((5, ROWS, COLUMNS))
        file["time"].resize((5,))
        file["time"][4] = 4
    with counted() as work:
        store = bake(along_time(tmp_path / "in", 1), tmp_path / "out", shards={"time": 5})
    assert work.encoded_chunks == 2 + 3
    assert float(store.v[1].min()) == float(store.v[1].max()) == 7
    assert_same(store, joined(read(tmp_path / "in", 0)))


def test_files_compressed_in_another_way_are_decoded_the_others_are_moved(tmp_path: Path) -> None:
    layouts = [{"v": {**DEFLATED, "complevel": level, "_FillValue": None}} for level in (4, 4, 9)]
    pattern = written(tmp_path / "in", [steps(i) for i in range(3)], layouts)
    with counted() as work:
        store = bake(pattern, tmp_path / "out", shards={"time": 12})
    assert stored_chunks(tmp_path / "out", 12)[:8] == source_chunks(tmp_path / "in", 2)
    assert work.encoded_chunks == 4 + 3
    assert_same(store, joined(read(tmp_path / "in", 0, 1, 2)))


def test_inputs_that_begin_inside_a_chunk_are_assembled(tmp_path: Path) -> None:
    layout = {**DEFLATED, "chunksizes": (2, ROWS, COLUMNS), "_FillValue": None}
    lengths = (4, 4, 3, 4)
    starts = [sum(lengths[:i]) for i in range(4)]
    inputs = [steps(0, 15).isel(time=slice(s, s + n)) for s, n in zip(starts, lengths, strict=True)]
    pattern = written(tmp_path / "in", inputs, [{"v": layout}] * 4)
    with counted() as work:
        store = bake(pattern, tmp_path / "out", target_chunks={"time": 2}, shards={"time": 8})
    assert codecs_of(tmp_path / "out" / NAME) == STORED
    assert work.encoded_chunks >= 3
    assert_same(store, joined(read(tmp_path / "in", 0, 1, 2, 3)))


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_objects_of_one_chunk_are_the_bytes_of_the_files(tmp_path: Path, zarr_format: int) -> None:
    pattern = deflated(tmp_path / "in", [steps(i) for i in range(2)])
    store = bake(pattern, tmp_path / "out", zarr_format=zarr_format, shards=False if zarr_format == 3 else None)
    lead, joint = ("c/", "/") if zarr_format == 3 else ("", ".")
    names = [f"{lead}{joint.join([str(i), '0', '0'])}" for i in range(8)]
    assert [(tmp_path / "out" / NAME / "v" / n).read_bytes() for n in names] == source_chunks(tmp_path / "in", 2)
    assert_same(store, joined(read(tmp_path / "in", 0, 1)))


def test_netcdf_c_reads_what_was_moved_into_zarr_2(tmp_path: Path) -> None:
    import netCDF4

    pattern = deflated(tmp_path / "in", [steps(0)])
    store = bake(pattern, tmp_path / "out", zarr_format=2)
    with netCDF4.Dataset(f"file://{tmp_path / 'out' / NAME}#mode=zarr,file") as read_by_c:
        np.testing.assert_array_equal(read_by_c["v"][...], store.v.values)


def test_uncompressed_files_are_moved_where_the_recipe_says_so(tmp_path: Path) -> None:
    options = {"engine": "scipy", "format": "NETCDF3_64BIT"}
    pattern = written(tmp_path / "in", [steps(i) for i in range(2)], **options)  # type: ignore[arg-type]
    compressed = bake(pattern, tmp_path / "a")
    assert codecs_of(tmp_path / "a" / NAME)[-1] == "blosc"
    with counted() as work:
        moved = bake(pattern, tmp_path / "b", codecs="source", target_chunks={"time": 4})
    assert codecs_of(tmp_path / "b" / NAME) == ["bytes"]
    assert work.encoded_chunks == 4  # two of time, one of y and one of x
    for store in (compressed, moved):
        assert_same(store, joined(read(tmp_path / "in", 0, 1)))


def test_chunks_of_a_zarr_store_are_moved(tmp_path: Path) -> None:
    for number in range(2):
        steps(number).to_zarr(
            tmp_path / f"{number}.zarr", encoding={"v": {"chunks": (1, ROWS, COLUMNS)}}, zarr_format=3
        )
    pattern = FilePattern(lambda time: str(tmp_path / f"{time}.zarr"), along_time(tmp_path, 2).combine_dims[0])
    with counted() as work:
        store = bake(pattern, tmp_path / "out", shards={"time": 8})
    assert codecs_of(tmp_path / "out" / NAME) == ["bytes", "zstd"]
    assert (work.decoded_bytes, work.encoded_chunks) == (0, 3)
    kept = [(tmp_path / f"{n}.zarr" / "v" / "c" / str(i) / "0" / "0").read_bytes() for n in range(2) for i in range(4)]
    assert stored_chunks(tmp_path / "out", 8) == kept
    expected = xr.concat([steps(0), steps(1)], "time")
    np.testing.assert_array_equal(store.v.values, expected.v.values)


def test_codecs_that_the_recipe_names_are_the_stores(tmp_path: Path) -> None:
    pattern = deflated(tmp_path / "in", [steps(0)])
    asked = {"v": {"compressors": [{"name": "gzip", "configuration": {"level": 1}}]}}
    store = bake(pattern, tmp_path / "out", encoding=asked)
    assert codecs_of(tmp_path / "out" / NAME) == ["bytes", "gzip"]
    assert codecs_of(tmp_path / "out" / NAME, "time")[-1] == "blosc"
    assert_same(store, joined(read(tmp_path / "in", 0)))


def test_naming_the_sources_own_codecs_moves_them_too(tmp_path: Path) -> None:
    pattern = deflated(tmp_path / "in", [steps(0)])
    named = [
        {"name": "numcodecs.shuffle", "configuration": {"elementsize": 4}},
        {"name": "numcodecs.zlib", "configuration": {"level": 4}},
    ]
    bake(pattern, tmp_path / "out", encoding={"v": {"compressors": named}}, shards={"time": 4})
    assert stored_chunks(tmp_path / "out", 4) == source_chunks(tmp_path / "in", 1)


def test_the_default_codec_is_used_where_moving_is_declined(tmp_path: Path) -> None:
    pattern = deflated(tmp_path / "in", [steps(0)])
    bake(pattern, tmp_path / "out", codecs="default")
    assert codecs_of(tmp_path / "out" / NAME) == ["bytes", "blosc"]


def test_a_store_is_no_larger_than_its_files(tmp_path: Path) -> None:
    for codecs in ("auto", "default"):
        pattern = deflated(tmp_path / codecs, [steps(i) for i in range(3)])
        bake(pattern, tmp_path / f"{codecs}-out", codecs=codecs)
        held = sum(map(len, source_chunks(tmp_path / codecs, 3)))
        stored = sum(p.stat().st_size for p in (tmp_path / f"{codecs}-out" / NAME / "v").rglob("*") if p.is_file())
        assert stored <= held + 4096


@pytest.mark.parametrize("keepbits", [3, 10])
def test_rounding_keeps_the_bits_that_it_says(tmp_path: Path, keepbits: int) -> None:
    dataset = steps(0)
    dataset.v[0, 0, :3] = [np.nan, np.inf, 1e20]
    pattern = deflated(tmp_path / "in", [dataset], _FillValue=1e20)
    store = bake(pattern, tmp_path / "out", encoding={"v": {"keepbits": keepbits}})
    expected = read(tmp_path / "in", 0)[0].v.values
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.isnan(store.v.values), np.isnan(expected))
    near, exact = store.v.values[finite], expected[finite]
    assert (np.abs(near - exact) <= 2.0 ** -(keepbits + 1) * np.abs(exact)).all()
    bits = near.view("u4") & ((1 << (23 - keepbits)) - 1)
    assert not bits.any()
    assert store.v.attrs["_QuantizeBitRoundNumberOfSignificantBits"] == keepbits


def test_rounding_what_has_no_bits_to_drop_is_refused(tmp_path: Path) -> None:
    pattern = deflated(tmp_path / "in", [steps(0, dtype="i4")])
    with pytest.raises(BakehouseError, match="only floats are rounded"):
        bake(pattern, tmp_path / "out", encoding={"v": {"keepbits": 3}})


def test_zarr_reads_moved_chunks_without_xarray(tmp_path: Path) -> None:
    pattern = deflated(tmp_path / "in", [steps(0)])
    bake(pattern, tmp_path / "out", shards={"time": 4})
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "out" / NAME, path="v")[...], steps(0).v.values)


def test_chunks_move_from_a_web_server_in_few_requests(http_server: Server, tmp_path: Path) -> None:
    deflated(http_server.folder, [steps(i) for i in range(3)])
    pattern = FilePattern(lambda time: http_server.address(f"{time}.nc"), along_time(tmp_path, 3).combine_dims[0])
    with counted() as work:
        bake_pattern(pattern, tmp_path / "out", shards={"time": 12})
    assert work.decoded_bytes == 0
    assert stored_chunks(tmp_path / "out", 12) == source_chunks(http_server.folder, 3)
    asked = Counter((r.method, r.path, r.range) for r in http_server.log)
    moved = {(r.path, r.range) for r in http_server.log if r.range not in (None, "bytes=0-0")}
    assert set(asked.values()) == {1}
    assert len(moved) == 3  # chunks of each file in one range
    assert len(asked) == 3 + 1 + 3 + 3  # is it there, what is it, headers, chunks; the comparison asks for nothing


def test_chunks_move_from_a_bucket(moto: S3, tmp_path: Path) -> None:
    deflated(tmp_path / "in", [steps(i) for i in range(2)])
    bucket = Target(moto.url, moto.fsspec_options)
    for number in range(2):
        bucket.put(f"{number}.nc", (tmp_path / "in" / f"{number}.nc").read_bytes())
    pattern = FilePattern(
        lambda time: f"{moto.url}/{time}.nc",
        along_time(tmp_path, 2).combine_dims[0],
        fsspec_open_kwargs=moto.fsspec_options,
    )
    with counted() as work:
        bake_pattern(pattern, tmp_path / "out", url_options=moto.fsspec_options, shards={"time": 8})
    assert work.decoded_bytes == 0
    assert stored_chunks(tmp_path / "out", 8) == source_chunks(tmp_path / "in", 2)
