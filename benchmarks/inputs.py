"""Write a workload's inputs and say what they hold: ``inputs.py SPEC.json FOLDER``.

Runs in the peers' newest environment. The manifest that it leaves beside the inputs holds the reference that every
result is compared with: digests of what xarray reads from the inputs, one for each file and variable.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from check import digest, whole

POOL = 32
PACKED = {"dtype": "int16", "scale_factor": 0.01, "add_offset": 285.0, "_FillValue": np.int16(-32768)}


def values(spec: dict[str, Any], variable: int, first: int, changed: int) -> np.ndarray:
    """Give some time steps: a smooth field that moves, and noise; its last bits are zero, as in rounded archives."""
    rng = np.random.default_rng(variable)
    shape = (spec["lat"], spec["lon"])
    noise = rng.standard_normal((POOL, *shape), dtype="f4")
    lat, lon = np.linspace(-1.5, 1.5, shape[0], dtype="f4"), np.linspace(0, 6.28, shape[1], dtype="f4")
    out = np.empty((spec["steps"], *shape), "f4")
    for step in range(spec["steps"]):
        time = first + step
        smooth = 285 + 20 * np.cos(lat)[:, None] + 5 * np.sin(lon + np.float32(time / 58))[None] + variable + changed
        out[step] = smooth + np.roll(noise[time % POOL], time // POOL, axis=1)
    np.multiply(np.round(np.multiply(out, 4096, out=out), out=out), np.float32(1 / 4096), out=out)
    if spec.get("packed"):
        out[:, : shape[0] // 8, : shape[1] // 4] = np.nan
    return out


def since(spec: dict[str, Any]) -> str:
    """Give the day of the first step."""
    return spec.get("since", "2000-01-01")


def names(spec: dict[str, Any]) -> list[str]:
    """Name the variables."""
    return ["t", "a", "b", "c", "d"][: spec["variables"]] if spec["variables"] < 5 else list("abcde")


def dataset(spec: dict[str, Any], number: int, changed: int = 0) -> xr.Dataset:
    """Make one file's dataset."""
    first = number * spec["steps"]
    time = np.datetime64(since(spec), "ns") + np.arange(first, first + spec["steps"]) * np.timedelta64(1, "D")
    coords = {
        "time": ("time", time, {"standard_name": "time"}),
        "lat": ("lat", np.linspace(-90, 90, spec["lat"]), {"units": "degrees_north", "standard_name": "latitude"}),
        "lon": ("lon", np.linspace(0, 359, spec["lon"]), {"units": "degrees_east", "standard_name": "longitude"}),
    }
    variables = {
        name: (
            ("time", "lat", "lon"),
            values(spec, index, first, changed),
            {"units": "K", "long_name": f"field {name}"},
        )
        for index, name in enumerate(names(spec))
    }
    return xr.Dataset(variables, coords, {"title": "Benchmark"})


def encoding(spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Say how the files are compressed: zlib and a shuffle, one step a chunk."""
    chunk = (1, spec["lat"], spec["lon"])
    own = {"zlib": True, "complevel": 4, "shuffle": True, "chunksizes": chunk, **(PACKED if spec.get("packed") else {})}
    if not spec.get("packed"):
        own["_FillValue"] = None
    plain = {"_FillValue": None}
    time = {"units": f"days since {since(spec)}", "calendar": "standard", "dtype": "int64", "_FillValue": None}
    return {**{name: own for name in names(spec)}, "time": time, "lat": plain, "lon": plain}


def write_netcdf(spec: dict[str, Any], folder: Path, number: int, changed: int = 0) -> str:
    """Write one file; give its name."""
    path = folder / f"{number:05d}.nc"
    dataset(spec, number, changed).to_netcdf(path, engine="h5netcdf", encoding=encoding(spec))
    return path.name


def describe(spec: dict[str, Any], folder: Path, name: str) -> dict[str, Any]:
    """Digest what xarray reads from one input."""
    engine = {"engine": "cfgrib", "backend_kwargs": {"indexpath": ""}} if name.endswith(".grib2") else {}
    with xr.open_dataset(folder / name, **(engine or {"engine": "h5netcdf"})) as ds:
        held = ds.drop_vars([each for each in ds.coords if each not in ds.dims])
        doubled = {each: held[each] * 2 for each in spec.get("doubled", [])}
        held = held.assign(doubled)
        return {
            "steps": held.sizes["time"],
            "bytes": held.nbytes,
            "stored": (folder / name).stat().st_size,
            "dtypes": {each: held[each].dtype.str for each in held.data_vars},
            "digests": {each: digest(held[each].values) for each in held.data_vars},
            "time": [int(each) for each in held["time"].values.astype("datetime64[ns]").astype("int64")],
            "coords": {each: whole(held[each].values) for each in held.dims if each != "time"},
        }


def make(spec: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Write all files and give the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    write = write_netcdf
    if spec.get("packing"):
        from grib import write_grib as write
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(partial(write, spec, folder), range(spec["files"])))
        described = list(pool.map(partial(describe, spec, folder), found))
    if "changed" in spec:
        (folder / "changed").mkdir(exist_ok=True)
        name = write_netcdf(spec, folder / "changed", spec["changed"], changed=1)
    return {
        "folder": str(folder),
        "files": found,
        "variables": list(described[0]["dtypes"]),
        "decoded_bytes": sum(each["bytes"] for each in described),
        "stored_bytes": sum(each["stored"] for each in described),
        "spec": spec,
        "reference": described,
        **({"changed": describe(spec, folder / "changed", name)} if "changed" in spec else {}),
    }


if __name__ == "__main__":
    asked, where = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    manifest = make(asked, where)
    (where / "manifest.json").write_text(json.dumps(manifest))
