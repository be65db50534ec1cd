"""cubed, on two threads; it writes arrays, so coordinates and names of dimensions are added afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import cubed
import zarr
from common import arguments


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
        cubed.to_zarr(series, output, path=name)
        complete(Path(output) / name / "zarr.json", dict(source[name].attrs))
    for name in ("time", "lat", "lon"):
        made = root.create_array(name, data=source[name][:], dimension_names=(name,))
        made.attrs.update({key: value for key, value in source[name].attrs.items() if key != "_ARRAY_DIMENSIONS"})
    zarr.consolidate_metadata(output)


def complete(document: Path, attrs: dict) -> None:
    """Add to an array's document what cubed does not write."""
    said = json.loads(document.read_text())
    said["dimension_names"] = attrs.pop("_ARRAY_DIMENSIONS")
    said["attributes"] = {key: value for key, value in attrs.items() if key != "_FillValue"}
    document.write_text(json.dumps(said))


if __name__ == "__main__":
    main()
