"""w4: virtual stores, which say where the chunks of the inputs lie."""

from __future__ import annotations

from benchmarks.workloads.base import Peer, Target, Workload, files_to_virtual
from benchmarks.workloads.small_files import small_files

JSON = {"suffix": ".json"}
PEERS = (
    Peer("kerchunk, 2 processes", "references_kerchunk", options=JSON),
    Peer("VirtualiZarr, 2 processes → JSON", "references_virtualizarr", options=JSON | {"processes": 2}),
    Peer("VirtualiZarr, 1 process → JSON", "references_virtualizarr", options=JSON | {"processes": 1}),
    Peer("VirtualiZarr, 2 processes → Icechunk", "references_virtualizarr", options={"suffix": ".ic", "processes": 2}),
)
ONE = (
    Peer("kerchunk", "references_kerchunk", options=JSON),
    Peer("VirtualiZarr → JSON", "references_virtualizarr", options=JSON | {"processes": 1}),
    Peer("VirtualiZarr → Icechunk", "references_virtualizarr", options={"suffix": ".ic", "processes": 1}),
)


def workloads(scale: float) -> list[Workload]:
    """Give w4a and w4b."""
    many, chunks = small_files(scale), max(100, round(100_000 * scale))
    one = {"files": 1, "steps": chunks, "lat": 16, "lon": 16, "variables": 1, "since": "1900-01-01"}
    return [
        Workload(
            id="w4a",
            title="References to many small files",
            note="One step of four variables a file. Every value is read through the references.",
            inputs=many,
            options={},
            meta=files_to_virtual("w4a", many["files"]),
            peers=PEERS,
            targets=(Target("packaged", 15),),
        ),
        Workload(
            id="w4b",
            title="References to one file of many chunks",
            note=f"{chunks:,} chunks of 16 × 16 elements. Every value is read through the references.",
            inputs=one,
            options={},
            meta=files_to_virtual("w4b", 1),
            peers=ONE,
            targets=(Target("packaged", 5),),
        ),
    ]
