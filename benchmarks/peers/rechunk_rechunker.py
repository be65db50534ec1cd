"""rechunker, on dask's threads."""

from __future__ import annotations

import dask
import zarr
from common import arguments
from numcodecs import Blosc
from rechunker import rechunk


def main() -> None:
    """Rechunk the source store."""
    spec, output = arguments()
    source = zarr.open_group(spec["source"], mode="r")
    target = (spec["chunks"], spec["tile"], spec["tile"])
    plan = rechunk(
        source,
        {name: target if name in spec["variables"] else None for name in source},
        spec["max_mem"],
        output,
        target_options={name: {"compressor": Blosc("zstd", 3, Blosc.SHUFFLE)} for name in spec["variables"]},
        temp_store=f"{spec['scratch']}/temporary.zarr",
        executor="dask",
    )
    with dask.config.set(scheduler="threads", num_workers=2):
        plan.execute()
    zarr.consolidate_metadata(output)


if __name__ == "__main__":
    main()
