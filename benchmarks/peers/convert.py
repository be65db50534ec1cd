"""Turn inputs into a zarr 2 store with the same chunks: ``convert.py MANIFEST.json ZARR``.

For tools that read nothing else.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import xarray as xr
from numcodecs import Blosc


def main() -> None:
    """Write the store."""
    manifest, output = json.loads(Path(sys.argv[1]).read_text()), sys.argv[2]
    files = [f"{manifest['folder']}/{name}" for name in manifest["files"]]
    ds = xr.open_mfdataset(files, combine="nested", concat_dim="time", engine="h5netcdf", chunks={"time": 1})
    ds = ds.drop_encoding()
    chunk = {name: (1, *ds[name].shape[1:]) for name in ds.data_vars}
    codec = Blosc("zstd", 3, Blosc.SHUFFLE)
    ds.to_zarr(
        output,
        encoding={name: {"chunks": chunk[name], "compressor": codec} for name in ds.data_vars},
        consolidated=True,
    )


if __name__ == "__main__":
    main()
