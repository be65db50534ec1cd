"""w1: many files along time, nothing changed."""

from __future__ import annotations

from benchmarks.workloads.base import Peer, Target, Workload, files_to_zarr, scaled, sharded

FORGE = "pangeo-forge-recipes"
STORES = (
    Peer(f"{FORGE}, in_memory", "pangeo_forge", environment="zarr2", options={"mode": "in_memory"}),
    Peer(f"{FORGE}, multi_processing", "pangeo_forge", environment="zarr2", options={"mode": "multi_processing"}),
    Peer("xarray + dask threads + zarrs", "xarray_dask", options={"scheduler": "threads"}),
    Peer("xarray + dask distributed", "xarray_dask", options={"scheduler": "distributed"}),
    Peer("xarray-beam, in_memory", "xarray_beam_store", options={"mode": "in_memory"}),
    Peer("xarray-beam, multi_processing", "xarray_beam_store", options={"mode": "multi_processing"}),
)  # fmt: skip
HANDWRITTEN = (
    Peer("h5py + zarrs, 2 processes", "h5py_zarrs", "handwritten"),
    Peer("hidefix + zarrs", "hidefix_zarrs", "handwritten"),
)
COPY = Peer("plain copy of the files", "copy_files", "floor")
MOVE = Peer("pread + write of the same chunks", "move_chunks", "floor")


def workloads(scale: float) -> list[Workload]:
    """Give w1."""
    size = scaled(40, 180, 30, scale)
    return [
        Workload(
            id="w1",
            title="Concatenate netCDF4 files, nothing changed",
            note="Chunks of one step stay; objects hold 30 steps: shards of 30 chunks, or one chunk of 30 steps where "
            "a tool has no shards (zarr 2). Peers encode with blosc-zstd-3 and shuffle, which is faster than zlib-4.",
            inputs={"files": size.files, "steps": size.steps, "lat": 385, "lon": 720, "variables": 1},
            options={"chunks": 1, "shards": size.shard, "codec": "blosc"},
            meta=files_to_zarr("w1", size.files, sharded("t", size.shard, 385, 720)),
            peers=(*STORES, *HANDWRITTEN, COPY, MOVE),
            targets=(
                Target("packaged", 8),
                Target("handwritten", 3),
                Target("plain copy", 1.5, at_most=True, plus_s=2),
            ),
        )
    ]
