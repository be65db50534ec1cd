"""w5: a thousand small files become few objects."""

from __future__ import annotations

from benchmarks.workloads.base import Peer, Target, Workload, files_to_zarr, sharded
from benchmarks.workloads.concat import STORES

LAT, LON = 144, 288
LOOP = "a loop over the files with h5py"


def small_files(scale: float) -> dict[str, int]:
    """Say what the files hold: one step of four variables each."""
    return {"files": max(6, round(1000 * scale)), "steps": 1, "lat": LAT, "lon": LON, "variables": 4}


def workloads(scale: float) -> list[Workload]:
    """Give w5."""
    inputs = small_files(scale)
    shard = min(50, inputs["files"])
    return [
        Workload(
            id="w5",
            title="Many small files become one store",
            note="One step of four variables a file; objects hold 50 steps: shards of 50 chunks, or one chunk of 50 "
            "steps where a tool has no shards (zarr 2). Peers encode with blosc-zstd-3 and shuffle.",
            inputs=inputs,
            options={"chunks": 1, "shards": shard, "codec": "blosc"},
            meta=files_to_zarr("w5", inputs["files"], sharded("tabc", shard, LAT, LON)),
            peers=(*STORES, Peer(LOOP, "h5py_loop", "floor")),
            targets=(Target("packaged", 6), Target(LOOP, 1.5, at_most=True)),
        )
    ]
