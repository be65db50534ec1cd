"""How much memory a bake takes, as its inputs grow: it must not.

Writes netCDF4 files of equal size and chunking to a temporary folder, bakes 1, 2 and 4 GB of them (decoded) with
``bakehouse bake`` in a process of its own, verification included, and prints the peak resident memory of that process
and all below it. Two recipes are measured: `lazy`, which leaves the data alone, and `eager`, whose preprocessing step
computes ``ds * 2`` in memory.

    python -m benchmarks.memory                          # 1, 2 and 4 GB: about ten minutes on two cores
    python -m benchmarks.memory --gigabytes 0.25 0.5 1 --recipes eager --workers 1

The last column is the peak as a multiple of the smallest size's: 1 means flat. Linux only: it reads ``/proc``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process_tree import resident

GIGABYTE = 10**9
STEPS, ROWS, COLUMNS = 4, 1000, 1000
FILE_BYTES = STEPS * ROWS * COLUMNS * 4
POLL_S = 0.02

PROJECT = """\
title: Memory
bakeries: {local: {target: stores, workers: %(workers)d}}
"""
META = """\
title: Memory
provenance: {license: CC0-1.0, providers: [{name: Nobody, roles: [producer]}]}
maintainers: [{name: Nobody}]
recipes: [{id: %(name)s, object: "recipe:recipe"}]
"""
RECIPE = """\
import apache_beam as beam
from bakehouse.patterns import pattern_from_file_sequence
from bakehouse.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr

paths = [f"%(inputs)s/{number:05d}.nc" for number in range(%(count)d)]
pattern = pattern_from_file_sequence(paths, "time")
recipe = (
    beam.Create(pattern.items())
    | OpenURLWithFSSpec()
    | OpenWithXarray(file_type=pattern.file_type)
    %(step)s| StoreToZarr(store_name="memory.zarr", combine_dims=pattern.combine_dim_keys)
)
"""
STEP_OF = {"lazy": "", "eager": "| beam.MapTuple(lambda index, ds: (index, ds * 2))\n    "}


@dataclass(frozen=True)
class Measured:
    """One bake: decoded size of its inputs, peak resident memory of all its processes, duration."""

    recipe: str
    input_bytes: int
    peak_bytes: int
    duration_s: float


def write_inputs(folder: Path, gigabytes: float) -> int:
    """Write files of 16 MB (decoded) each that compress well; give their number."""
    import numpy as np
    import xarray as xr

    count = max(1, round(gigabytes * GIGABYTE / FILE_BYTES))
    ramp = np.add.outer(np.arange(ROWS), np.arange(COLUMNS)).astype("f4")
    for number in range(count):
        time = np.arange(number * STEPS, (number + 1) * STEPS)
        values = ramp + time[:, None, None].astype("f4")
        dataset = xr.Dataset({"sst": (("time", "lat", "lon"), values, {"units": "K"})}, {"time": time})
        chunks = {"chunksizes": (1, ROWS, COLUMNS), "compression": "gzip", "compression_opts": 1, "shuffle": True}
        dataset.to_netcdf(folder / f"{number:05d}.nc", engine="h5netcdf", encoding={"sst": chunks})
    return count


def write_project(folder: Path, inputs: Path, count: int, recipe: str, workers: int) -> None:
    """Write a project with one feedstock that bakes the first `count` inputs."""
    feedstock = folder / "feedstocks" / recipe
    feedstock.mkdir(parents=True)
    said = {"name": recipe, "inputs": inputs, "count": count, "step": STEP_OF[recipe], "workers": workers}
    (folder / "meta.yaml").write_text(PROJECT % said)
    (feedstock / "meta.yaml").write_text(META % said)
    (feedstock / "recipe.py").write_text(RECIPE % said)


def bake(folder: Path, recipe: str) -> tuple[int, float]:
    """Bake in a process of its own; give the peak in bytes and the duration in seconds."""
    started = time.monotonic()
    command = [sys.executable, "-m", "bakehouse", "bake", recipe]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.extend(process.stdout or ()))
        reader.start()
        peak = 0
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(POLL_S)
        reader.join()
    if process.returncode:
        raise RuntimeError("".join(said))
    return peak, time.monotonic() - started


def measure(
    folder: Path, gigabytes: Sequence[float], recipes: Sequence[str] = ("lazy", "eager"), workers: int = 2
) -> Iterator[Measured]:
    """Write inputs once, and bake the first of them in every size with every recipe."""
    inputs = folder / "inputs"
    inputs.mkdir()
    write_inputs(inputs, max(gigabytes))
    for recipe in recipes:
        for size in gigabytes:
            count = max(1, round(size * GIGABYTE / FILE_BYTES))
            with tempfile.TemporaryDirectory(dir=folder) as project:
                write_project(Path(project), inputs, count, recipe, workers)
                peak, duration = bake(Path(project), recipe)
            yield Measured(recipe, count * FILE_BYTES, peak, duration)


def main() -> None:
    """Measure what the command line asks for, and print a table."""
    parser = argparse.ArgumentParser(description="Peak memory of baking inputs of growing size.")
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[1, 2, 4], help="decoded sizes of the inputs")
    parser.add_argument("--recipes", nargs="+", choices=STEP_OF, default=list(STEP_OF))
    parser.add_argument("--workers", type=int, default=2, help="threads of the local bakery")
    asked = parser.parse_args()
    first: dict[str, int] = {}
    print(f"{'recipe':8}{'input GB':>10}{'peak MB':>10}{'seconds':>10}{'× first':>10}")
    with tempfile.TemporaryDirectory(prefix="bakehouse-memory-") as folder:
        for found in measure(Path(folder), asked.gigabytes, asked.recipes, asked.workers):
            ratio = found.peak_bytes / first.setdefault(found.recipe, found.peak_bytes)
            gigabytes, megabytes = found.input_bytes / GIGABYTE, found.peak_bytes / 10**6
            print(
                f"{found.recipe:8}{gigabytes:10.2f}{megabytes:10.0f}{found.duration_s:10.1f}{ratio:10.2f}", flush=True
            )


if __name__ == "__main__":
    main()
