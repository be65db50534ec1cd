"""What the peers' scripts share: each is run as ``script.py SPEC.json OUTPUT`` in a peer's environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def arguments() -> tuple[dict[str, Any], str]:
    """Give the specification and the output's path."""
    return json.loads(Path(sys.argv[1]).read_text()), sys.argv[2]


def opening(spec: dict[str, Any]) -> dict[str, Any]:
    """Say how files are opened: packed integers stay packed, unless the tool has to unpack and `pack` them again."""
    if spec.get("engine") == "cfgrib":
        return {"engine": "cfgrib", "backend_kwargs": {"indexpath": ""}}
    packed = spec.get("packed") and not spec.get("pack")
    return {"engine": "h5netcdf", **({"mask_and_scale": False} if packed else {})}


def open_all(spec: dict[str, Any], chunks: dict[str, int] | None) -> Any:
    """Open all files as one lazy dataset, as xarray's documentation advises for many files of one kind."""
    import xarray as xr

    ds = xr.open_mfdataset(
        reachable(spec), combine="nested", concat_dim="time", data_vars="minimal", coords="minimal",
        compat="override", join="override", chunks=chunks, **opening(spec),
    )  # fmt: skip
    return changed(ds, spec)


def reachable(spec: dict[str, Any]) -> list[Any]:
    """Give the files as xarray opens them: paths; or open files of s3fs; or local copies, all fetched at once."""
    if spec.get("remote") == "simplecache":
        import fsspec

        cached = [f"simplecache::{url}" for url in spec["files"]]
        return fsspec.open_local(cached, simplecache={"cache_storage": f"{spec['scratch']}/cache"})
    if spec.get("remote"):
        import s3fs

        system = s3fs.S3FileSystem()
        return [system.open(url, block_size=8 * 2**20, cache_type="background") for url in spec["files"]]
    return spec["files"]


def changed(ds: Any, spec: dict[str, Any]) -> Any:
    """Do what the workload's recipe does to a dataset."""
    return ds.assign({name: ds[name] * 2 for name in spec.get("doubled", [])})


def use_zarrs() -> None:
    """Let zarr-python encode with zarrs."""
    import zarr

    zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"})


def object_steps(spec: dict[str, Any]) -> int:
    """Give the time steps of one object."""
    return spec.get("shards") or spec["chunks"]


def encoding(ds: Any, spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Give xarray's encoding for zarr v3: chunks, shards, and blosc-zstd-3 with a shuffle."""
    import numpy as np
    from zarr.codecs import BloscCodec

    def one(array: Any) -> dict[str, Any]:
        rest = array.shape[1:]
        pack = spec.get("pack", {})
        itemsize = np.dtype(pack.get("dtype", array.dtype)).itemsize
        codec = BloscCodec(cname="zstd", clevel=3, shuffle="shuffle", typesize=itemsize)
        shards = {"shards": (spec["shards"], *rest)} if spec.get("shards") else {}
        chunks = (spec["chunks"], *(min(spec.get("tile", length), length) for length in rest))
        return {"chunks": chunks, **shards, "compressors": (codec,), **pack}

    return {name: one(ds[name]) for name in ds.data_vars}


def without_encoding(ds: Any) -> Any:
    """Forget how the files were encoded, but for the units of time: a store has an encoding of its own."""
    time = {key: ds["time"].encoding[key] for key in ("units", "calendar") if key in ds["time"].encoding}
    ds = ds.drop_encoding()
    ds["time"].encoding.update(time)
    return ds


def template(spec: dict[str, Any], output: str, codecs: Any = None) -> dict[str, Any]:
    """Make a store with all coordinates and no data by hand, from what h5py reads; give the arrays by name."""
    import h5py
    import numpy as np
    import zarr
    from zarr.codecs import BloscCodec

    root = zarr.create_group(output, zarr_format=3)
    with h5py.File(spec["files"][0]) as first:
        for name in ("lat", "lon"):
            array = root.create_array(name, data=first[name][:], dimension_names=(name,))
            array.attrs.update(attributes(first[name]))
        shapes = {
            name: (first[name].shape[1:], first[name].dtype, attributes(first[name])) for name in spec["variables"]
        }
        said = attributes(first["time"])
    times = []
    for path in spec["files"]:
        with h5py.File(path) as file:
            times.append(file["time"][:])
    time = np.concatenate(times)
    root.create_array("time", data=time, dimension_names=("time",)).attrs.update(said)
    made = {}
    for name, (rest, dtype, attrs) in shapes.items():
        chosen = codecs or (BloscCodec(cname="zstd", clevel=3, shuffle="shuffle", typesize=dtype.itemsize),)
        fill = attrs.pop("_FillValue", None)
        made[name] = root.create_array(
            name, shape=(len(time), *rest), dtype=dtype, chunks=(spec["chunks"], *rest), compressors=chosen,
            shards=(spec["shards"], *rest) if spec.get("shards") else None, dimension_names=("time", "lat", "lon"),
            fill_value=0 if fill is None else fill,
        )  # fmt: skip
        made[name].attrs.update(attrs | ({} if fill is None else {"_FillValue": filled(fill, dtype)}))
    zarr.consolidate_metadata(output)
    return made


def attributes(variable: Any) -> dict[str, Any]:
    """Give a variable's attributes without those that HDF5 keeps for itself, as JSON knows them."""
    import numpy as np

    own = ("CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_NCProperties")
    said = {key: value for key, value in variable.attrs.items() if key not in own}
    plain = {
        key: value[0] if isinstance(value, np.ndarray) and value.size == 1 else value for key, value in said.items()
    }
    return {
        key: value.decode() if isinstance(value, bytes) else value.item() if isinstance(value, np.generic) else value
        for key, value in plain.items()
    }


def filled(value: Any, dtype: Any) -> Any:
    """Spell a fill value as xarray does in zarr v3: floats in base64, integers as they are."""
    import base64
    import struct

    return value if dtype.kind != "f" else base64.standard_b64encode(struct.pack("<d", value)).decode()
