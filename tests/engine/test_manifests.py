"""Manifests of netCDF3, zarr and GRIB sources: regions and single chunks are what xarray reads through the library."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bakehouse.errors import SourceError
from bakehouse.manifests import Manifest
from bakehouse.openers.codecs import decode
from bakehouse.openers.fetch import fetch, locate, shard_index
from bakehouse.openers.opened import Opened, open_raw
from bakehouse.openers.ranges import read_region
from bakehouse.openers.reference import ReferenceArray, library_reads
from bakehouse.openers.xarray import open_dataset
from bakehouse.storage import make_source
from tests.engine.gribs import write_grib
from tests.support.http import Server

SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)


def opened_at(place: str, engine: str, **kwargs: Any) -> Opened:
    said = (
        {"backend_kwargs": {"indexpath": ""}}
        if engine == "cfgrib"
        else {"consolidated": False}
        if engine == "zarr"
        else {}
    )
    return Opened(make_source(place, {}, {}).identified(), engine, {**said, **kwargs})


def reference(opened: Opened, name: str) -> ReferenceArray:
    return ReferenceArray(opened, name, open_raw(opened).variables[name])


def manifest(opened: Opened, name: str) -> Manifest:
    found = reference(opened, name).manifest()
    assert not isinstance(found, str), found
    return found


def assert_read_as_the_library_does(opened: Opened, name: str, spans: Any = None) -> None:
    """Compare a region, and every chunk that holds a part of it, with what the library gives."""
    found = manifest(opened, name)
    spans = tuple(spans or [(0, n) for n in found.shape])
    with library_reads():
        expected = open_raw(opened).variables[name].values
    whole = tuple(slice(a, b) for a, b in spans)
    np.testing.assert_array_equal(read_region(opened.source, found, spans), expected[whole])
    grid = list(itertools.product(*(range(n) for n in found.lengths.shape)))
    for index, data in zip(grid, fetch(opened.source, found, grid), strict=True):
        place = tuple(slice(i * c, i * c + c) for i, c in zip(index, found.chunks, strict=True))
        inside = tuple(slice(0, n) for n in expected[place].shape)
        assert_chunk(found, data, expected[place], inside)


def assert_chunk(found: Manifest, data: Any, expected: Any, inside: tuple[slice, ...]) -> None:
    if data is None:
        np.testing.assert_array_equal(expected, np.full(expected.shape, found.fill))
        return
    data = decode(found.filters, data, found.chunk_bytes)
    np.testing.assert_array_equal(np.frombuffer(data, found.dtype).reshape(found.chunks)[inside], expected)


@st.composite
def netcdf3(draw: Any) -> tuple[xr.Dataset, str, bool]:
    """Draw variables of all kinds, along a record dimension or not, and a flavour of the format."""
    sizes = {"t": draw(st.integers(1, 5)), "y": draw(st.integers(1, 4)), "x": draw(st.integers(1, 4))}
    made = {}
    for i in range(draw(st.integers(1, 4))):
        dims = draw(st.sampled_from([("t",), ("t", "x"), ("y", "x"), ("t", "y", "x"), ("x",), ()]))
        dtype = draw(st.sampled_from(["i1", "i2", "i4", "f4", "f8"]))
        shape = [sizes[d] for d in dims]
        made[f"v{i}"] = (dims, np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype) + i, {"n": "a" * i})
    flavour = draw(st.sampled_from(["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"]))
    return xr.Dataset(made, attrs={"title": "abc"}), flavour, draw(st.booleans())


@SAME_FOLDER
@given(made=netcdf3(), data=st.data())
def test_any_region_of_any_netcdf3_file(made: tuple[xr.Dataset, str, bool], data: Any, tmp_path: Path) -> None:
    dataset, flavour, records = made
    unlimited = ["t"] if records and "t" in dataset.dims else []
    path = tmp_path / f"{data.draw(st.uuids())}.nc"
    dataset.to_netcdf(path, format=flavour, engine="netcdf4", unlimited_dims=unlimited)  # type: ignore[arg-type]
    opened = opened_at(str(path), "netcdf4" if flavour.endswith("DATA") else "scipy")
    for name, variable in dataset.variables.items():
        spans = [
            (a, data.draw(st.integers(a + 1, n))) for n in variable.shape for a in [data.draw(st.integers(0, n - 1))]
        ]
        assert_read_as_the_library_does(opened, str(name), spans)


def test_a_netcdf3_file_is_indexed_by_its_header_alone(http_server: Server) -> None:
    values = np.random.default_rng(0).standard_normal((20, 300, 300)).astype("f4")
    dataset = xr.Dataset({"v": (("t", "y", "x"), values)})
    dataset.to_netcdf(http_server.folder / "a.nc", format="NETCDF3_CLASSIC", unlimited_dims=["t"])
    from bakehouse.openers.index import manifest_of

    opened = opened_at(f"{http_server.url}/a.nc", "scipy")
    before = sum(r.bytes for r in http_server.log)
    found = manifest_of(opened, "v", values.shape)
    assert not isinstance(found, str)
    np.testing.assert_array_equal(read_region(opened.source, found, ((3, 5), (0, 300), (0, 300))), values[3:5])
    assert sum(r.bytes for r in http_server.log) - before < 2 * 360_000 + 2**20


def test_text_in_netcdf3_is_left_to_the_library(tmp_path: Path) -> None:
    xr.Dataset({"s": ("x", np.array([b"ab", b"cd"]))}).to_netcdf(tmp_path / "a.nc", format="NETCDF3_CLASSIC")
    assert "text" in str(reference(opened_at(str(tmp_path / "a.nc"), "scipy"), "s").manifest())


V2 = [
    {"compressor": None},
    {"compressor": numcodecs.Blosc("zstd", 3, 1)},
    {"compressor": numcodecs.Zlib(4), "filters": [numcodecs.Shuffle(4)]},
    {"compressor": numcodecs.GZip(1), "dtype": ">i4"},
    {"compressor": numcodecs.Zstd(1), "dimension_separator": "/", "fill_value": 7},
]
V3: list[dict[str, Any]] = [
    {"compressors": None},
    {"compressors": zarr.codecs.BloscCodec(cname="lz4", shuffle="bitshuffle")},
    {"compressors": [zarr.codecs.ZstdCodec(level=1), zarr.codecs.Crc32cCodec()], "shards": (4, 6)},
    {"compressors": zarr.codecs.GzipCodec(), "serializer": zarr.codecs.BytesCodec(endian="big")},
    {"shards": (8, 3), "chunk_key_encoding": {"name": "v2", "separator": "."}, "fill_value": 7},
]


def write_zarr(path: Path, zarr_format: int, **options: Any) -> None:
    """Write half of an array, and leave the rest out."""
    group = zarr.open_group(path, mode="w", zarr_format=zarr_format)  # type: ignore[arg-type]
    said: dict[str, Any] = {"shape": (11, 7), "chunks": (2, 3), "dtype": "i4", "fill_value": 0, **options}
    if separator := said.pop("dimension_separator", None):
        said["chunk_key_encoding"] = {"name": "v2", "separator": separator}
    if "compressor" in said:
        said["compressors"] = said.pop("compressor")
    if zarr_format == 3:
        said["dimension_names"] = ("y", "x")
    array = group.create_array("deep/v", **said)
    if zarr_format == 2:
        array.attrs["_ARRAY_DIMENSIONS"] = ["y", "x"]
    array[:5, 2:] = np.random.default_rng(0).integers(0, 99, (5, 5))


@pytest.mark.parametrize(("zarr_format", "options"), [*((2, o) for o in V2), *((3, o) for o in V3)])
@SAME_FOLDER
@given(data=st.data())
def test_any_region_of_any_zarr_array(zarr_format: int, options: dict[str, Any], data: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    if not path.exists():
        write_zarr(path, zarr_format, **options)
    spans = [(a, data.draw(st.integers(a + 1, n))) for n in (11, 7) for a in [data.draw(st.integers(0, n - 1))]]
    assert_read_as_the_library_does(opened_at(str(path), "zarr", group="deep"), "v", spans)


@pytest.mark.parametrize("shape", [(0,), (3, 0)])
def test_an_empty_zarr_array_whose_chunks_have_no_length(shape: tuple[int, ...], tmp_path: Path) -> None:
    made = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2).create_array("v", shape=shape, dtype="i4")
    made.attrs["_ARRAY_DIMENSIONS"] = ["y", "x"][-len(shape) :]
    metadata = tmp_path / "a.zarr" / "v" / ".zarray"
    metadata.write_text(json.dumps(json.loads(metadata.read_text()) | {"chunks": shape}))
    opened = opened_at(str(tmp_path / "a.zarr"), "zarr")
    assert_read_as_the_library_does(opened, "v")
    assert open_dataset(opened.source, "zarr", {"consolidated": False}).v.load().shape == shape


def test_zarr_over_http_fetches_only_the_chunks_that_are_wanted(http_server: Server) -> None:
    group = zarr.open_group(http_server.folder / "a.zarr", mode="w")
    lengths: Any = {"shape": (8, 50, 50), "chunks": (1, 50, 50), "shards": (4, 50, 50)}
    made = group.create_array("v", **lengths, dtype="f4", compressors=None, dimension_names=("t", "y", "x"))
    values = np.random.default_rng(0).standard_normal((8, 50, 50)).astype("f4")
    made[:] = values
    zarr.consolidate_metadata(http_server.folder / "a.zarr")
    opened = opened_at(f"{http_server.url}/a.zarr", "zarr", consolidated=True)
    found = manifest(opened, "v")
    before = sum(r.bytes for r in http_server.log)
    np.testing.assert_array_equal(read_region(opened.source, found, ((3, 5), (0, 50), (0, 50))), values[3:5])
    indexes = 2 * (16 * 4 + 4)
    assert sum(r.bytes for r in http_server.log) - before == 2 * 10_000 + indexes


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"order": "F"}, "Fortran"), ({"filters": [numcodecs.Delta("i4")]}, "delta"), ({"dtype": "U3"}, "dtype")],
)
def test_what_needs_the_zarr_library_is_said(options: dict[str, Any], reason: str, tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    made = group.create_array("v", **{"shape": (4, 4), "chunks": (2, 2), "dtype": "i4", **options})
    made.attrs["_ARRAY_DIMENSIONS"] = ["y", "x"]
    assert reason in str(reference(opened_at(str(tmp_path / "a.zarr"), "zarr"), "v").manifest())


def test_a_damaged_shard_index_is_refused(tmp_path: Path) -> None:
    write_zarr(tmp_path / "a.zarr", 3, shards=(4, 6))
    shard = tmp_path / "a.zarr" / "deep" / "v" / "c" / "0" / "0"
    shard.write_bytes(shard.read_bytes()[:-1] + b"\0")
    opened = opened_at(str(tmp_path / "a.zarr"), "zarr", group="deep")
    with pytest.raises(Exception, match="index of shard .* is damaged"):
        read_region(opened.source, manifest(opened, "v"), ((0, 4), (0, 4)))


@pytest.mark.parametrize("filters", [None, [numcodecs.Shuffle(4)]])
@pytest.mark.parametrize("compressors", [None, numcodecs.Zlib(1)])
def test_a_chunk_that_lacks_rows_is_refused(filters: Any, compressors: Any, tmp_path: Path) -> None:
    codecs: Any = {"dtype": "i4", "filters": filters, "compressors": compressors}
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    made = group.create_array("v", shape=(8, 7), chunks=(3, 7), **codecs)
    made.attrs["_ARRAY_DIMENSIONS"] = ["y", "x"]
    made[:] = np.arange(56).reshape(8, 7)
    short = zarr.create_array(tmp_path / "short.zarr", shape=(1, 7), chunks=(1, 7), zarr_format=2, **codecs)
    short[:] = 1
    opened = opened_at(str(tmp_path / "a.zarr"), "zarr")
    assert_read_as_the_library_does(opened, "v")
    for row, spans in ((1, ((3, 6), (0, 7))), (1, ((0, 8), (0, 7))), (2, ((6, 8), (0, 7)))):
        (tmp_path / "a.zarr" / "v" / f"{row}.0").write_bytes((tmp_path / "short.zarr" / "0.0").read_bytes())
        with pytest.raises(SourceError, match=rf"chunk \({row}, 0\) .* can't be decoded"):
            read_region(opened.source, manifest(opened, "v"), spans)


@pytest.mark.parametrize("place", ["start", "end"])
@pytest.mark.parametrize("far", [False, True])
def test_a_shard_that_is_cut_is_refused(place: str, far: bool, http_server: Server) -> None:
    store = http_server.folder / "a.zarr"
    lengths: Any = {"shape": (4, 6), "chunks": (2, 3), "shards": {"shape": (4, 6), "index_location": place}}
    made = zarr.open_group(store, mode="w").create_array(
        "v", **lengths, dtype="i4", compressors=None, dimension_names=("y", "x")
    )
    made[:] = np.arange(24).reshape(4, 6)
    zarr.consolidate_metadata(store)
    opened = opened_at(f"{http_server.url}/a.zarr" if far else str(store), "zarr", consolidated=True)
    shard = store / "v" / "c" / "0" / "0"
    found, data = manifest(opened, "v"), shard.read_bytes()
    for length in (3, 70, len(data) - 1):
        shard.write_bytes(data[:length])
        for read in (
            lambda: read_region(opened.source, found, ((0, 4), (0, 6))),
            lambda: locate(opened.source, found, "https://example.org/a.zarr"),
        ):
            shard_index.cache_clear()
            with pytest.raises(SourceError, match="shard 'v/c/0/0'"):
                read()


GRIBS: list[tuple[str, dict[str, Any]]] = [
    ("t2m", {}),
    ("t2m", {"edition": 1, "missing": True}),
    ("t2m", {"packing": "grid_ccsds", "missing": True}),
    ("t", {"names": ("t", "u"), "levels": (850, 500)}),
    ("u", {"names": ("t", "u"), "levels": (850, 500), "edition": 1}),
    ("t2m", {"days": 1, "packing": "grid_second_order"}),
    ("t2m", {"jScansPositively": 1, "latitudeOfFirstGridPointInDegrees": 52, "latitudeOfLastGridPointInDegrees": 60}),
]


@pytest.mark.parametrize(("name", "options"), GRIBS)
@SAME_FOLDER
@given(data=st.data())
def test_any_region_of_any_grib_file(name: str, options: dict[str, Any], data: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.grib"
    if not path.exists():
        write_grib(path, **options)
    opened = opened_at(str(path), "cfgrib")
    shape = manifest(opened, name).shape
    spans = [(a, data.draw(st.integers(a + 1, n))) for n in shape for a in [data.draw(st.integers(0, n - 1))]]
    assert_read_as_the_library_does(opened, name, spans)


def test_grib_messages_that_are_not_there_read_as_missing(tmp_path: Path) -> None:
    write_grib(tmp_path / "a.grib", days=2, names=("t",), levels=(850,))
    write_grib(tmp_path / "b.grib", days=1, names=("t",), levels=(500,))
    (tmp_path / "c.grib").write_bytes((tmp_path / "a.grib").read_bytes() + (tmp_path / "b.grib").read_bytes())
    opened = opened_at(str(tmp_path / "c.grib"), "cfgrib")
    assert (manifest(opened, "t").lengths == 0).sum() == 1
    assert_read_as_the_library_does(opened, "t")


def test_coordinates_of_grib_are_left_to_the_library(tmp_path: Path) -> None:
    write_grib(tmp_path / "a.grib")
    assert "headers" in str(reference(opened_at(str(tmp_path / "a.grib"), "cfgrib"), "latitude").manifest())
