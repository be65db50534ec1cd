"""cubed, on two threads; it fills arrays, so the store and its coordinates are made by hand."""

from __future__ import annotations

import cubed
import zarr
from common import arguments
from zarr.codecs import BloscCodec

DIMENSIONS = ("time", "lat", "lon")
OWN = ("_ARRAY_DIMENSIONS", "_FillValue")


def main() -> None:
    """Rechunk every variable of the source store."""
    spec, output = arguments()
    blosc = {"name": "blosc", "configuration": {"cname": "zstd", "clevel": 3, "shuffle": "shuffle"}}
    bounds = {"work_dir": spec["scratch"], "allowed_mem": spec["max_mem"], "reserved_mem": 0, "zarr_compressor": blosc}
    limits = cubed.Spec(**bounds, executor_name="threads", executor_options={"max_workers": 2})
    source = zarr.open_group(spec["source"], mode="r")
    root = zarr.create_group(output, zarr_format=3)
    for name in spec["variables"]:
        array = cubed.from_zarr(spec["source"], path=name, spec=limits)
        series = cubed.rechunk(array, (spec["chunks"], spec["tile"], spec["tile"]))
        attrs = {key: value for key, value in source[name].attrs.items() if key not in OWN}
        target = root.create_array(
            name, shape=series.shape, dtype=series.dtype, chunks=series.chunksize, dimension_names=DIMENSIONS,
            compressors=BloscCodec(cname="zstd", clevel=3, shuffle="shuffle"), attributes=attrs,
        )  # fmt: skip
        cubed.store([series], [target])
    for name in ("time", "lat", "lon"):
        made = root.create_array(name, data=source[name][:], dimension_names=(name,))
        made.attrs.update({key: value for key, value in source[name].attrs.items() if key not in OWN})
    zarr.consolidate_metadata(output)


if __name__ == "__main__":
    main()
