"""w2: the values stay, their compression changes. w8: one variable of five changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.workloads.base import Peer, Size, Target, Workload, object_recipe, python_recipe, recoded, scaled
from benchmarks.workloads.concat import HANDWRITTEN, STORES

FLOOR = "pread + libdeflate + blosc, 2 threads"
DOUBLE = "    | beam.MapTuple(lambda index, ds: (index, ds.assign(a=ds.a * 2)))\n"
PACK = {"dtype": "int16", "scale_factor": 0.01, "add_offset": 285.0, "_FillValue": -32768}
GRID = {"lat": 1024, "lon": 1024}


def workloads(scale: float) -> list[Workload]:
    """Give the three variants of w2, and w8."""
    size, third, fifth = (scaled(24, steps, 1, scale) for steps in (24, 8, 5))
    return [
        recode("w2-float32", "float32", size, {"variables": 1}, "t"),
        recode("w2-int16", "packed int16", size, {"variables": 1, "packed": True}, "t"),
        recode("w2-variables", "3 variables of float32", third, {"variables": 3}, "tab"),
        computed(fifth),
    ]


def packing(peer: Peer) -> Peer:
    """Let tools unpack and pack again that don't get packed integers right as they are."""
    if peer.script not in ("pangeo_forge", "xarray_beam_store"):
        return peer
    return replace(peer, options={**peer.options, "pack": PACK})


def recode(name: str, what: str, size: Size, more: dict[str, Any], variables: str) -> Workload:
    """Give one variant: from zlib-4 to blosc-zstd-3, both with a shuffle."""
    itemsize = 2 if more.get("packed") else 4
    return Workload(
        id=name,
        title=f"Another compression: {what}",
        note="From zlib-4 to blosc-zstd-3, both with a shuffle; one step a chunk, one chunk an object, for all.",
        inputs={"files": size.files, "steps": size.steps, **GRID, **more},
        options={"chunks": 1, "codec": "blosc"},
        meta=object_recipe(name),
        recipe=python_recipe(size.files, f"shards=False, {recoded(variables, itemsize)}"),
        peers=(
            *(packing(peer) if itemsize == 2 else peer for peer in STORES),
            *HANDWRITTEN,
            Peer(FLOOR, "transcode", "floor"),
        ),
        targets=(Target("packaged", 3), Target(FLOOR, 1.25, at_most=True, plus_s=2)),
    )


def computed(size: Size) -> Workload:
    """Give w8."""
    return Workload(
        id="w8",
        title="One variable of five is computed",
        note="A step of the recipe doubles one variable; the others stay. One step a chunk, one chunk an object, for "
        "all. Peers encode with blosc-zstd-3 and shuffle.",
        inputs={"files": size.files, "steps": size.steps, **GRID, "variables": 5, "doubled": ["a"]},
        options={"chunks": 1, "codec": "blosc"},
        meta=object_recipe("w8"),
        recipe=python_recipe(size.files, "shards=False", step=DOUBLE),
        peers=STORES,
        targets=(Target("packaged", 3),),
    )
