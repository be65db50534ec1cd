"""Maps that become time series: inputs are cut into tiles, each decoded once, within the memory that a run may use."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given
from hypothesis import strategies as st

from bakehouse.bake.finish import compared
from bakehouse.context import Context, using
from bakehouse.openers.opened import Opened
from bakehouse.openers.reference import library_reads
from bakehouse.openers.tiles import Rooms, tiled
from bakehouse.openers.tiling import Tiling
from bakehouse.storage import Source, Target
from bakehouse.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr
from tests.engine.counted import counted
from tests.engine.files import along_time, bake, joined, read, written
from tests.engine.pipeline import NAME, bake_pattern, run_pipeline
from tests.oracle import assert_same
from tests.support.s3 import S3

MB = 2**20
STEPS, ROWS, COLUMNS = 16, 96, 128
FIELD_BYTES = STEPS * ROWS * COLUMNS * 4
MAPS = {"v": {"chunksizes": (1, ROWS, COLUMNS), "zlib": True, "complevel": 1, "shuffle": True}}
SERIES = {"time": 4 * STEPS, "y": 8, "x": 16}


def maps(number: int) -> xr.Dataset:
    """Make a file of maps whose values differ everywhere."""
    time = np.arange(number * STEPS, (number + 1) * STEPS)
    values = np.arange(STEPS * ROWS * COLUMNS, dtype="f4").reshape(STEPS, ROWS, COLUMNS) + 1e6 * number
    return xr.Dataset({"v": (("time", "y", "x"), values)}, {"time": time})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written(tmp_path / "in", [maps(i) for i in range(4)], [MAPS] * 4)
    return tmp_path


def pattern_of(folder: Path) -> Any:
    return along_time(folder / "in", 4)


@pytest.mark.parametrize("shards", [False, {"y": 24, "x": 64}])
def test_every_source_chunk_is_decoded_once(folder: Path, shards: Any) -> None:
    with counted() as work:
        store = bake(pattern_of(folder), folder / "out", target_chunks=SERIES, shards=shards, memory_bytes=MB)
    assert work.decoded_bytes == 4 * FIELD_BYTES
    assert zarr.open_array(folder / "out" / NAME, path="v").chunks == (4 * STEPS, 8, 16)
    assert_same(store, joined(read(folder / "in", 0, 1, 2, 3)))


def test_with_room_for_all_nothing_is_cut(folder: Path) -> None:
    with counted() as work:
        store = bake(pattern_of(folder), folder / "out", target_chunks=SERIES)
    assert work.decoded_bytes == 4 * FIELD_BYTES
    assert not list((folder / "out").rglob("tiles"))
    assert_same(store, joined(read(folder / "in", 0, 1, 2, 3)))


def test_a_pipeline_cuts_on_the_disk_that_its_workers_share(folder: Path) -> None:
    context = Context(
        Target(str(folder / "out")), "run", prefix=NAME, memory_bytes=MB, level="full", scratch=str(folder / "scratch")
    )
    with using(context), counted() as work:
        bake_pattern_in_context(pattern_of(folder))
    assert work.decoded_bytes == 4 * FIELD_BYTES
    assert len(list((folder / "scratch").iterdir())) == 8  # each input's tiles, and those that the library cut


def test_every_value_is_compared_after_a_run_that_compared_a_few_inputs(tmp_path: Path) -> None:
    pattern = written(tmp_path / "in", [maps(i) for i in range(6)], [MAPS] * 6)
    target, found = Target(str(tmp_path / "out")), []
    for level in ("sampled", "full"):
        with using(Context(target, level, prefix=NAME, memory_bytes=MB, level=level, scratch=str(tmp_path / level))):
            bake_pattern_in_context(pattern)
        (checks,) = (tmp_path / "out").rglob("checks")
        found.append(compared(Target(str(checks))))
    every = 6 * STEPS * (ROWS * COLUMNS + 1)
    assert found[0] < every and found[1] == every


def bake_pattern_in_context(pattern: Any) -> None:
    run_pipeline(
        beam.Create(pattern.items())
        | OpenURLWithFSSpec()
        | OpenWithXarray(file_type=pattern.file_type)
        | StoreToZarr(store_name=NAME, combine_dims=pattern.combine_dim_keys, target_chunks=SERIES, shards=False)
    )


def test_what_a_recipe_computes_is_cut_too(folder: Path) -> None:
    def double(index: Any, ds: xr.Dataset) -> Any:
        return index, ds * 2

    store = bake_pattern(pattern_of(folder), folder / "out", beam.MapTuple(double), target_chunks=SERIES, shards=False)
    np.testing.assert_array_equal(store.v.values, 2 * joined(read(folder / "in", 0, 1, 2, 3)).v.values)


def test_series_become_maps(tmp_path: Path) -> None:
    series = {"v": {"chunksizes": (STEPS, 8, 16), "zlib": True, "complevel": 1, "shuffle": True}}
    pattern = written(tmp_path / "in", [maps(i) for i in range(2)], [series] * 2)
    with counted() as work:
        store = bake(
            pattern, tmp_path / "out", target_chunks={"time": 1, "y": ROWS, "x": COLUMNS}, shards=False, memory_bytes=MB
        )
    assert work.decoded_bytes == 2 * FIELD_BYTES
    assert_same(store, joined(read(tmp_path / "in", 0, 1)))


@st.composite
def tilings(draw: Any) -> tuple[tuple[int, ...], tuple[int, ...], int, tuple[Any, ...]]:
    """Draw a shape, lengths of tiles, rows to read at once, and a region with slices, positions and lists of them."""
    shape = tuple(draw(st.lists(st.integers(1, 9), min_size=1, max_size=3)))
    lengths = tuple(draw(st.integers(1, n)) for n in shape)
    key: list[Any] = []
    for n in shape:
        start = draw(st.integers(0, n - 1))
        options = [slice(start, draw(st.integers(start, n))), slice(None, None, 2), start, np.array([start, 0, n - 1])]
        key.append(draw(st.sampled_from(options)))
    return shape, lengths, draw(st.integers(1, 9)), tuple(key)


ROOMS = Rooms()


@given(tilings())
def test_any_region_of_any_tiling_is_the_region_of_the_variable(drawn: Any) -> None:
    shape, lengths, step, key = drawn
    values = np.arange(np.prod(shape), dtype="<i4").reshape(shape)
    variable = xr.Variable([f"d{i}" for i in range(len(shape))], values)
    with tempfile.TemporaryDirectory() as folder:
        tiling = Tiling(Target(folder), "a", shape, lengths, "<i4")
        made = tiled(variable, Opened(Source("a.nc", "a.nc"), ""), "v", tiling, step, ROOMS)
        np.testing.assert_array_equal(made[key].values, variable[key].values)
        with library_reads():
            np.testing.assert_array_equal(made[key].values, variable[key].values)


def test_memory_is_used_again_until_it_is_let_go() -> None:
    rooms = Rooms()
    with rooms.of((2, 3), "<f4") as first, rooms.of((2, 3), "<f4") as other:
        assert not np.shares_memory(first, other)
    with rooms.of((3,), "<f8") as again:
        assert np.shares_memory(again, first)
    rooms.clear()
    with rooms.of((2, 3), "<f4") as new:
        assert not any(np.shares_memory(new, each) for each in (first, other))


def test_tiles_lie_in_a_bucket_where_workers_share_no_disk(moto: S3) -> None:
    bucket = Target(moto.url, moto.fsspec_options)
    values = np.arange(60, dtype="<f4").reshape(6, 10)
    variable = xr.Variable(("time", "x"), values)
    tiling = Tiling(bucket.child("staging"), "a", (6, 10), (4, 3), "<f4")
    made = tiled(variable, Opened(Source("a.nc", "a.nc"), ""), "v", tiling)
    np.testing.assert_array_equal(made[1:5, 2:9].values, values[1:5, 2:9])
    assert len([key for key, _ in bucket.list() if not key.endswith("done")]) == 8


BOUND = 5 * 2**28
PROJECT = "title: T\nbakeries: {local: {runner: direct, target: stores, workers: 2}}\n"
META = """
title: Series
provenance: {license: CC0-1.0, providers: [{name: Nobody, roles: [producer]}]}
maintainers: [{name: Nobody}]
recipes:
  - id: series
    recipe: files_to_zarr
    with:
      pattern: {url: "https://example.org/{time}.nc", concat: {time: {keys: [0, 1, 2, 3]}}}
      store: {chunks: {time: 96, y: 64, x: 64}}
"""


def _limit() -> None:
    """Limit what the process may hold; stacks of threads count in full, though little of them is used."""
    resource.setrlimit(resource.RLIMIT_STACK, (MB, MB))
    resource.setrlimit(resource.RLIMIT_DATA, (BOUND, BOUND))


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform != "linux", reason="limits what a process may map, as only Linux does")
def test_more_data_than_the_process_may_hold_is_rechunked(tmp_path: Path) -> None:
    values = np.add.outer(np.arange(2048), np.arange(2048)).astype("f4")
    layout = {"v": {"chunksizes": (1, 2048, 2048), "zlib": True, "complevel": 1, "shuffle": True}}
    for number in range(4):
        fields = np.stack([values + step for step in range(24 * number, 24 * number + 24)])
        dataset = xr.Dataset({"v": (("time", "y", "x"), fields)}, {"time": np.arange(24 * number, 24 * number + 24)})
        dataset.to_netcdf(tmp_path / f"{number}.nc", engine="h5netcdf", encoding=layout)
    feedstock = tmp_path / "feedstocks" / "series"
    feedstock.mkdir(parents=True)
    (tmp_path / "meta.yaml").write_text(PROJECT)
    (feedstock / "meta.yaml").write_text(META)
    mirrored = {**os.environ, "BAKEHOUSE_URL_MAP": f"https://example.org/={tmp_path}/"}
    command = [sys.executable, "-m", "bakehouse", "bake", "series", "--sampled"]
    done = subprocess.run(command, cwd=tmp_path, env=mirrored, capture_output=True, text=True, preexec_fn=_limit)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 96 * values.nbytes > 1.1 * BOUND
    (store,) = (tmp_path / "stores").glob("series/series/*.zarr")
    found = zarr.open_array(store, path="v")
    for step in (0, 50, 95):
        np.testing.assert_array_equal(found[step], values + step)
