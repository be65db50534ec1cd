"""pangeo-forge-recipes: pattern → open → store, on Beam's direct runner with two workers."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from common import arguments, changed, object_steps, opening
from numcodecs import Blosc
from pangeo_forge_recipes.patterns import pattern_from_file_sequence
from pangeo_forge_recipes.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr


def main() -> None:
    """Run the recipe."""
    spec, output = arguments()
    steps = spec["steps"]
    pattern = pattern_from_file_sequence(spec["files"], "time", nitems_per_file=steps)
    cache = f"{spec['scratch']}/cache" if spec.get("cache") else None
    kwargs = {key: value for key, value in opening(spec).items() if key != "engine"}
    codec = {"compressor": Blosc("zstd", 3, Blosc.SHUFFLE), **spec.get("pack", {})}
    chunks = {"time": object_steps(spec), **({"lat": spec["tile"], "lon": spec["tile"]} if spec.get("tile") else {})}
    recipe = (
        beam.Create(pattern.items())
        | OpenURLWithFSSpec(cache=cache)
        | OpenWithXarray(file_type=pattern.file_type, xarray_open_kwargs=kwargs, load=spec.get("load", False))
        | beam.MapTuple(lambda index, ds: (index, changed(ds, spec)))
        | StoreToZarr(
            store_name=Path(output).name,
            target_root=str(Path(output).parent),
            combine_dims=pattern.combine_dim_keys,
            target_chunks=chunks,
            encoding={name: codec for name in spec["variables"]},
        )
    )
    options = PipelineOptions(runner="DirectRunner", direct_running_mode=spec["mode"], direct_num_workers=2)
    with beam.Pipeline(options=options) as pipeline:
        pipeline | recipe
    import zarr

    zarr.consolidate_metadata(output)


if __name__ == "__main__":
    main()
