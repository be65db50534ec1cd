"""w6: a store's life, from its first bake to one that is cut short."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.workloads.base import Peer, Target, Workload, files_to_zarr, sharded
from benchmarks.workloads.concat import STORES

FILES, FIRST, CHANGED = 24, 20, 7
LAT, LON = 385, 720
BY_HAND = Peer(
    "xarray append_dim and region, told what changed",
    "xarray_dask",
    "handwritten",
    options={"scheduler": "threads", "by_hand": True},
)


def declared(name: str, files: int, options: Mapping[str, Any]) -> str:
    """Spell the recipe with the inputs that there are."""
    return files_to_zarr(name, files, sharded("t", options["shards"], LAT, LON))


def workloads(scale: float) -> list[Workload]:
    """Give w6."""
    steps = max(2, round(90 * scale))
    options = {"chunks": 1, "shards": min(30, steps), "codec": "blosc"}
    return [
        Workload(
            id="w6",
            title="A store's life",
            note="The sum of: 20 files; 4 more; 1 of them changed upstream; nothing new; all 24 into another place, "
            "killed when half of it is written, and done again. After each stage the store is compared with "
            "the inputs. Peers write everything anew. Somebody reads ours all the while; those looks are compared too.",
            inputs={"files": FILES, "steps": steps, "lat": LAT, "lon": LON, "variables": 1, "changed": CHANGED},
            options=options,
            meta=declared("w6", FILES, options),
            peers=(*STORES[:1], *STORES[2:4], BY_HAND),
            targets=(Target("packaged", 5),),
            ours="lifecycle",
        )
    ]
