"""What planning reads, and what baking holds in memory: counted, not timed."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
import xarray as xr

from bakehouse.context import Context, using
from bakehouse.patterns import FilePattern, pattern_from_file_sequence
from bakehouse.storage import Target
from bakehouse.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr
from tests.engine.pipeline import run_pipeline
from tests.support.http import Server

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


def peak_of_baking(folder: Path, count: int) -> int:
    pattern = pattern_from_file_sequence([str(p) for p in write_files(folder, count)], "time")
    tracemalloc.start()
    try:
        with using(context_of(folder / "out")):
            run_pipeline(recipe_of(pattern, double), direct_num_workers=1)  # two threads peak together by chance
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_dataset_though_the_recipe_computes_eagerly(tmp_path: Path) -> None:
    (tmp_path / "warm").mkdir(), (tmp_path / "few").mkdir(), (tmp_path / "many").mkdir()
    peak_of_baking(tmp_path / "warm", 4)  # imports and caches are paid for once
    few, many = peak_of_baking(tmp_path / "few", 8), peak_of_baking(tmp_path / "many", 32)
    assert many < 1.15 * few
    assert many < 0.5 * 32 * STEPS * ROWS * COLUMNS * 4
