"""What planning reads, and what baking holds in memory: counted, not timed."""

from __future__ import annotations

import json
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
import xarray as xr

from bakehouse.context import Context, using
from bakehouse.openers.xarray import open_dataset
from bakehouse.patterns import FilePattern, pattern_from_file_sequence
from bakehouse.storage import Target, make_source
from bakehouse.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr
from bakehouse.writers import pieces
from bakehouse.writers.publish import save_candidate
from benchmarks.memory import measure
from tests.engine.pipeline import run_pipeline
from tests.support.http import Server
from tests.writers.direct import compare_all, prepared_for, write_all

MB = 2**20
STEPS, ROWS, COLUMNS = 8, 250, 250


def write_files(folder: Path, count: int) -> list[Path]:
    """Write files of 2 MB of noise each."""
    rng = np.random.default_rng(0)
    paths = []
    for i in range(count):
        values = rng.standard_normal((STEPS, ROWS, COLUMNS)).astype("f4")
        dataset = xr.Dataset({"v": (("time", "y", "x"), values)}, {"time": np.arange(i * STEPS, (i + 1) * STEPS)})
        paths.append(folder / f"{i:03d}.nc")
        dataset.to_netcdf(
            paths[-1], engine="h5netcdf", encoding={"v": {"chunksizes": (1, ROWS, COLUMNS), "shuffle": True}}
        )
    return paths


def double(item: Any) -> Any:
    """Compute eagerly, as a recipe's own step may."""
    index, dataset = item
    return index, dataset * 2


def recipe_of(pattern: FilePattern, *steps: Any) -> Any:
    recipe = beam.Create(pattern.items()) | OpenURLWithFSSpec() | OpenWithXarray(file_type=pattern.file_type)
    for step in steps:
        recipe = recipe | beam.Map(step)
    return recipe | StoreToZarr(
        store_name="x.zarr", combine_dims=pattern.combine_dim_keys, target_chunks={"time": 4}, shards=False
    )


def context_of(folder: Path, mode: str = "bake") -> Context:
    return Context(Target(str(folder)), "run", mode=mode, memory_bytes=2**23, level="sampled")


@pytest.mark.parametrize("steps", [(), (double,)], ids=["untouched", "computed"])
def test_planning_reads_headers_and_no_data(steps: Any, http_server: Server, tmp_path: Path) -> None:
    paths = write_files(http_server.folder, 3)
    pattern = pattern_from_file_sequence([f"{http_server.url}/{path.name}" for path in paths], "time")
    with using(context_of(tmp_path / "out", "plan")) as context:
        run_pipeline(recipe_of(pattern, *steps))
    fetched = http_server.sent_bytes()
    assert fetched < 0.35 * sum(path.stat().st_size for path in paths)
    plan = json.loads(context.notebook.get("run.json") or b"")["plan"]
    assert plan["dims"] == {"time": 3 * STEPS, "y": ROWS, "x": COLUMNS}
    assert sorted(p.name for p in (tmp_path / "out").rglob("*") if p.is_file()) == ["run.json"]


def peak_of_baking(folder: Path, count: int, *steps: Any) -> int:
    folder.mkdir()
    pattern = pattern_from_file_sequence([str(p) for p in write_files(folder, count)], "time")
    with traced() as peak, using(context_of(folder / "out")):
        run_pipeline(recipe_of(pattern, *steps), direct_num_workers=1)  # two threads peak together by chance
        return peak()


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """Count the bytes that Python and numpy hold; give a function that tells the peak."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "steps", [pytest.param((), marks=pytest.mark.nightly), (double,)], ids=["untouched", "computed"]
)
def test_memory_does_not_grow_with_the_dataset_though_the_recipe_computes_eagerly(steps: Any, tmp_path: Path) -> None:
    peak_of_baking(tmp_path / "warm", 3, *steps)  # imports and caches are paid for once
    few, many = peak_of_baking(tmp_path / "few", 6, *steps), peak_of_baking(tmp_path / "many", 20, *steps)
    assert many < 1.15 * few
    assert many < 0.5 * 20 * STEPS * ROWS * COLUMNS * 4


@pytest.mark.parametrize("chunks", [None, (1, 256, 256)], ids=["contiguous", "chunked"])
def test_a_task_holds_its_objects_and_a_piece_of_an_input(
    chunks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", MB)
    values = np.add.outer(np.arange(64), np.add.outer(np.arange(256), np.arange(256))).astype("f4")  # 16 MB
    dataset = xr.Dataset({"v": (("time", "y", "x"), values)}, {"time": np.arange(64)})
    dataset.to_netcdf(tmp_path / "0.nc", engine="h5netcdf", encoding={"v": {"chunksizes": chunks}})
    source = [open_dataset(make_source(str(tmp_path / "0.nc"), {}, {}))]
    prepared = prepared_for(source, Target(str(tmp_path / "out")), shards={"time": -1}, target_chunks={"time": 4})
    assert [part.size_bytes for task in prepared.plan.tasks for part in task.parts if part.array == "v"] == [16 * MB]
    save_candidate(prepared)
    with traced() as peak:
        write_all(prepared, source)
        assert peak() < 16 * MB + 8 * MB
    with traced() as peak:
        compare_all(prepared, source)
        assert peak() < 12 * MB


@pytest.mark.nightly
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads sizes of processes from /proc")
@pytest.mark.parametrize("recipe", ["lazy", "eager"])
def test_a_bake_takes_the_same_memory_whatever_the_size_of_its_inputs(recipe: str, tmp_path: Path) -> None:
    first, *others = [found.peak_bytes for found in measure(tmp_path, [0.25, 0.5, 1], [recipe])]
    assert max(others) < 1.15 * first, (first, others)


def test_two_requests_survey_a_small_input(http_server: Server, tmp_path: Path) -> None:
    paths = write_small(http_server.folder, 5)
    pattern = pattern_from_file_sequence([f"{http_server.url}/{path.name}" for path in paths], "time")
    with using(context_of(tmp_path / "out", "plan")):
        run_pipeline(recipe_of(pattern))
    asked = [Counter(r.method for r in http_server.requests(f"/{path.name}")) for path in paths]
    assert sum(each["HEAD"] for each in asked) == len(paths)
    assert sum(each["GET"] for each in asked) == len(paths) + 1  # one byte to see that the server serves ranges
    assert http_server.sent_bytes() < sum(path.stat().st_size for path in paths) + 10


def test_inputs_are_asked_for_at_the_same_time(http_server: Server, tmp_path: Path) -> None:
    paths = write_small(http_server.folder, 8)
    met: list[int] = []
    gate = threading.Barrier(4, timeout=20)
    answer = http_server.fault_for

    def waiting(path: str, method: str) -> Any:
        if method == "HEAD":
            met.append(gate.wait())  # answers come only if four questions are open at once
        return answer(path, method)

    http_server.fault_for = waiting  # type: ignore[method-assign]
    pattern = pattern_from_file_sequence([f"{http_server.url}/{path.name}" for path in paths], "time")
    recipe = beam.Create(pattern.items()) | OpenURLWithFSSpec(max_concurrency=4)
    with using(context_of(tmp_path / "out")):
        run_pipeline(recipe)
    assert len(met) == len(paths)


def write_small(folder: Path, count: int) -> list[Path]:
    """Write files of a few kB, as many archives have them."""
    paths = [folder / f"small{i}.nc" for i in range(count)]
    for i, path in enumerate(paths):
        values = np.zeros((1, 4, 5), "f4")
        made = xr.Dataset(
            {n: (("time", "y", "x"), values) for n in "abcd"}, {"time": [i], "y": range(4), "x": range(5)}
        )
        made.to_netcdf(path, engine="h5netcdf", encoding={n: {"chunksizes": (1, 4, 5), "zlib": True} for n in "abcd"})
    return paths
