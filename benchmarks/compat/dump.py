"""Say what a store holds, as the xarray of this environment reads it: ``dump.py SPEC.json``.

Values go into an ``.npz`` file, the rest into a JSON document; neither side's packages are needed to compare them.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import xarray as xr


def opened(spec):
    """Open a store, or a set of references: by the reader of kerchunk, or as its folder tells."""
    store = Path(spec["store"])
    if not spec["references"]:
        return xr.open_dataset(store, engine="zarr")
    if store.suffix == ".kerchunk":
        store = next((each for each in store.iterdir() if each.name.startswith("refs")), store)
    from kerchunk.xarray_backend import KerchunkBackend  # by class: a name makes xarray import every reader there is

    options = {"remote_protocol": spec["remote"], "remote_options": {"anon": False}}
    return xr.open_dataset(str(store), engine=KerchunkBackend, storage_options=options)


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
        "chunks": clipped(encoding.get("chunks") or (), variable.shape),
        "packing": {key: str(encoding[key]) for key in ("scale_factor", "add_offset", "_FillValue") if key in encoding},
        "attrs": attrs(variable.attrs),
    }


def clipped(chunks, shape):
    """Give the size of a chunk; what sticks out of the array does not count."""
    return [min(chunk, size) for chunk, size in zip(chunks, shape, strict=False)]


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
    os._exit(0)  # eccodes and pyproj each bring a PROJ, and crash on the way out
