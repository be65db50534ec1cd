"""w9: GRIB2 messages, materialised and virtual."""

from __future__ import annotations

from benchmarks.workloads.base import Peer, Target, Workload, files_to_virtual, files_to_zarr, scaled

LAT, LON = 361, 720
CFGRIB = {"engine": "cfgrib"}
STORES = (
    Peer("cfgrib + xarray + dask threads + zarrs", "xarray_dask", options=CFGRIB | {"scheduler": "threads"}),
    Peer("cfgrib + xarray + dask distributed", "xarray_dask", options=CFGRIB | {"scheduler": "distributed"}),
)
KERCHUNK = Peer("kerchunk scan_grib, 2 processes", "references_grib", options={"suffix": ".json"})


def workloads(scale: float) -> list[Workload]:
    """Give both packings, each materialised and virtual."""
    return [make(scale, packing, virtual) for virtual in (False, True) for packing in ("simple", "ccsds")]


def make(scale: float, packing: str, virtual: bool) -> Workload:
    """Give one workload."""
    files = scaled(20, 10, 1, scale).files
    steps = max(2, round(200 * scale / files))
    name = f"w9-{packing}" + ("-virtual" if virtual else "")
    store = f"{{shards: false, encoding: {{t: {{chunks: [1, {LAT}, {LON}]}}}}}}"
    how = (
        "Every value is read through the references." if virtual else "One step a chunk, one chunk an object, for all."
    )
    return Workload(
        id=name,
        title=f"GRIB2 messages ({packing} packing), {'virtual' if virtual else 'materialised'}",
        note=f"{files * steps} messages. {how} Nobody may use an index from before.",
        inputs={
            "files": files, "steps": steps, "lat": LAT, "lon": LON, "variables": 1,
            "packing": f"grid_{packing}",
        },
        options={"chunks": 1, "codec": "blosc"},
        meta=files_to_virtual(name, files, "grib2") if virtual else files_to_zarr(name, files, store, "grib2"),
        peers=(KERCHUNK,) if virtual else STORES,
        targets=(Target("packaged", 3 if virtual else 2),),
    )  # fmt: skip
