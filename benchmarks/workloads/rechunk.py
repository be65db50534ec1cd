"""w3: maps become time series."""

from __future__ import annotations

from benchmarks.workloads.base import Peer, Target, Workload, files_to_zarr, scaled

GIB = 2**30
TILE = 64
BEAM = {"mode": "in_memory"}
PEERS = (
    Peer("rechunker (source already zarr)", "rechunk_rechunker", environment="zarr2", source="zarr"),
    Peer("xarray + dask threads + zarrs", "rechunk_dask", options={"scheduler": "threads"}),
    Peer("xarray + dask P2P + zarrs", "rechunk_dask", options={"scheduler": "distributed"}),
    Peer("cubed (source already zarr)", "rechunk_cubed", source="zarr"),
    Peer("Beam: pangeo-forge-recipes, load=True", "pangeo_forge", environment="zarr2", options=BEAM | {"load": True}),
    Peer("Beam: xarray-beam", "rechunk_xarray_beam", options=BEAM),
)


def workloads(scale: float) -> list[Workload]:
    """Give w3."""
    size = scaled(24, 24, 1, scale)
    total = size.files * size.steps
    return [
        Workload(
            id="w3",
            title="Rechunk maps to time series",
            note=f"From chunks of one map to chunks of {total} × {TILE} × {TILE}, each an object. Tools that take a "
            "bound on memory are told half a GiB for each of two workers. All encode with blosc-zstd-3 and shuffle.",
            inputs={"files": size.files, "steps": size.steps, "lat": 1024, "lon": 1024, "variables": 1},
            options={"chunks": total, "tile": TILE, "codec": "blosc", "max_mem": GIB // 2},
            meta=files_to_zarr(
                "w3", size.files, f"{{chunks: {{time: {total}, lat: {TILE}, lon: {TILE}}}, shards: false}}"
            ),
            peers=PEERS,
            targets=(Target("rechunker", 1.5), Target("Beam", 10)),
            bound_bytes=GIB,
        )
    ]
