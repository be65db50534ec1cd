"""Say what a store holds, as the xarray of this environment reads it: ``dump.py SPEC.json``.

Values go into an ``.npz`` file, the rest into a JSON document; neither side's packages are needed to compare them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import xarray as xr


def opened(spec):
    """Open a store or a set of references."""
    if not spec["references"]:
        return xr.open_dataset(spec["store"], engine="zarr", **spec["kwargs"])
    import fsspec

    options = {"fo": spec["store"], "remote_protocol": spec["remote"], "remote_options": spec["remote_options"]}
    mapper = fsspec.get_mapper("reference://", lazy=spec["store"].endswith(".parquet"), **options)
    if hasattr(__import__("zarr"), "storage") and not hasattr(__import__("zarr").storage, "FSStore"):
        from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper  # noqa: F401

        options |= {"asynchronous": True, "remote_options": {**spec["remote_options"], "asynchronous": True}}
        import zarr

        fs = fsspec.filesystem("reference", **options)
        mapper = zarr.storage.FsspecStore(fs, read_only=True, path="")
    return xr.open_dataset(mapper, engine="zarr", consolidated=False, chunks=None, **spec["kwargs"])


def plain(values):
    """Give values that a numpy file can hold without pickling."""
    if values.dtype.kind in "OUT":
        return np.array([str(each) for each in values.ravel()], "U").reshape(values.shape)
    return values


def attrs(of):
    """Give attributes as JSON can hold them."""
    return {name: json.loads(json.dumps(value, default=lambda v: np.asarray(v).tolist())) for name, value in of.items()}


def described(name, variable):
    """Describe a variable."""
    encoding = variable.encoding
    kind = type(variable.values.ravel()[0]).__name__ if variable.dtype.kind == "O" and variable.size else ""
    return {
        "dims": list(variable.dims),
        "shape": list(variable.shape),
        "dtype": kind or variable.dtype.str,
        "stored_dtype": str(np.dtype(encoding["dtype"])) if "dtype" in encoding else "",
        "chunks": list(encoding.get("chunks") or []),
        "packing": {key: str(encoding[key]) for key in ("scale_factor", "add_offset", "_FillValue") if key in encoding},
        "attrs": attrs(variable.attrs),
    }


def main():
    """Write down what there is."""
    spec = json.loads(Path(sys.argv[1]).read_text())
    out = Path(spec["out"])
    with opened(spec) as ds:
        found = {name: described(name, variable) for name, variable in ds.variables.items()}
        np.savez(out.with_suffix(".npz"), **{name: plain(variable.values) for name, variable in ds.variables.items()})
        whole = {"coords": sorted(map(str, ds.coords)), "attrs": attrs(ds.attrs), "variables": found}
    out.with_suffix(".json").write_text(json.dumps(whole))


if __name__ == "__main__":
    main()
