"""w7: w1 from an S3 server that is far away."""

from __future__ import annotations

from benchmarks.workloads.base import Peer, Target, Workload, files_to_zarr, scaled, sharded
from benchmarks.workloads.concat import FORGE

LATENCY_S = 0.05
THREADS = {"scheduler": "threads"}
CLUSTER = {"scheduler": "distributed"}
PEERS = (
    Peer("xarray + s3fs + dask threads + zarrs", "xarray_dask", options=THREADS | {"remote": "files"}),
    Peer("xarray + simplecache + dask threads + zarrs", "xarray_dask", options=THREADS | {"remote": "simplecache"}),
    Peer("xarray + simplecache + dask distributed", "xarray_dask", options=CLUSTER | {"remote": "simplecache"}),
    Peer(f"{FORGE} + s3fs", "pangeo_forge", environment="zarr2", options={"mode": "in_memory"}),
    Peer(f"{FORGE} + s3fs + cache", "pangeo_forge", environment="zarr2", options={"mode": "in_memory", "cache": True}),
)


def workloads(scale: float) -> list[Workload]:
    """Give w7."""
    size = scaled(20, 90, 30, scale)
    return [
        Workload(
            id="w7",
            title="Concatenate netCDF4 files from S3, 50 ms away",
            note="As w1, from an S3 server on this machine that answers each request 50 ms later, any number of them "
            "at once; it shares the two cores. The store is on the local disk.",
            inputs={"files": size.files, "steps": size.steps, "lat": 385, "lon": 720, "variables": 1},
            options={"chunks": 1, "shards": size.shard, "codec": "blosc"},
            meta=files_to_zarr("w7", size.files, sharded("t", size.shard, 385, 720)),
            peers=PEERS,
            targets=(Target("packaged", 6),),
            latency_s=LATENCY_S,
        )
    ]
