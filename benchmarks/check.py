"""Compare a result with its inputs' reference: ``check.py MANIFEST.json RESULT``; the last line says why not.

Runs in the peers' newest environment, so what wrote the result has no part in the comparison. A result is a zarr store
of either format, a kerchunk document or folder, an Icechunk repository, or a folder of copied inputs.
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

PIECE_BYTES = 3 * 10**9


def whole(values: np.ndarray) -> str:
    """Give the digest of an array."""
    return hashlib.sha256(np.ascontiguousarray(values).data.cast("B")).hexdigest()


def digest(values: np.ndarray) -> str:
    """Give the digest of decoded values; every NaN is the same NaN."""
    if values.dtype.kind == "f" and (nan := np.isnan(values)).any():
        values = np.where(nan, values.dtype.type("nan"), values)
    return whole(values)


def open_result(path: Path, manifest: dict[str, Any]) -> xr.Dataset:
    """Open what a contestant wrote."""
    if path.suffix == ".json" or path.suffix in (".parquet", ".parq"):
        return xr.open_dataset(str(path), engine="kerchunk", chunks=None)
    if (path / "snapshots").is_dir():
        return _open_icechunk(path, manifest)
    return xr.open_zarr(path, chunks=None)


def _open_icechunk(path: Path, manifest: dict[str, Any]) -> xr.Dataset:
    import icechunk

    prefix = f"file://{manifest['folder']}/"
    config = icechunk.RepositoryConfig.default()
    config.set_virtual_chunk_container(
        icechunk.VirtualChunkContainer(prefix, icechunk.local_filesystem_store(manifest["folder"]))
    )
    repo = icechunk.Repository.open(
        icechunk.local_filesystem_storage(str(path)), config, authorize_virtual_chunk_access={prefix: None}
    )
    return xr.open_zarr(repo.readonly_session("main").store, chunks=None, consolidated=False)


def problems(ds: xr.Dataset, manifest: dict[str, Any]) -> Iterator[str]:
    """Yield every way in which a result is not what the inputs hold."""
    reference = manifest["reference"]
    dtypes, coords = reference[0]["dtypes"], reference[0]["coords"]
    if set(dtypes) - set(ds.variables):
        yield f"variables are {sorted(ds.data_vars)}, not {sorted(dtypes)}"
        return
    times = [each for part in reference for each in part["time"]]
    found = ds["time"].values.astype("datetime64[ns]").astype("int64").tolist()
    if found != times:
        yield f"{len(found)} times from {found[:1]} to {found[-1:]} are not the {len(times)} of the inputs"
        return
    yield from (f"coordinate {name} differs" for name, said in coords.items() if whole(ds[name].values) != said)
    for name, dtype in dtypes.items():
        yield from _differing(ds[name], np.dtype(dtype), [(each["steps"], each["digests"][name]) for each in reference])


def _differing(array: xr.DataArray, dtype: np.dtype, parts: list[tuple[int, str]]) -> Iterator[str]:
    """Read as many parts at once as fit, since a chunk may span them."""
    array = array.transpose("time", *[dim for dim in array.dims if dim != "time"])
    if array.dtype != dtype and array.dtype.kind != dtype.kind:
        yield f"{array.name} is {array.dtype}, not {dtype}"
        return
    step_bytes = array.dtype.itemsize * int(np.prod(array.shape[1:]))
    start = 0
    while parts:
        held, steps = [], 0
        while parts and (not held or (steps + parts[0][0]) * step_bytes <= PIECE_BYTES):
            held.append(parts.pop(0))
            steps += held[-1][0]
        values = array[start : start + steps].values.astype(dtype, copy=False)
        at = 0
        for length, said in held:
            if digest(values[at : at + length]) != said:
                yield f"{array.name} differs from its input in time steps {start + at} to {start + at + length}"
                return
            at += length
        start += steps


def check_copies(path: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Yield the copied inputs that are not what they were."""
    for name in manifest["files"]:
        if (path / name).read_bytes() != (Path(manifest["folder"]) / name).read_bytes():
            yield f"{name} differs"


def main(manifest: dict[str, Any], path: Path) -> str | None:
    """Give the first problem, if there is one."""
    warnings.simplefilter("ignore")
    if path.is_dir() and (path / manifest["files"][0]).exists():
        return next(check_copies(path, manifest), None)
    import zarr

    try:
        zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"})
        return next(problems(open_result(path, manifest), manifest), None)
    except Exception:  # what zarrs does not know, zarr-python may
        zarr.config.set({"codec_pipeline.path": "zarr.core.codec_pipeline.BatchedCodecPipeline"})
        return next(problems(open_result(path, manifest), manifest), None)


if __name__ == "__main__":
    if found := main(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])):
        sys.exit(f"CheckError: {found}")
