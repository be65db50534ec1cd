"""xarray-beam: DatasetToChunks, then ChunksToZarr, on Beam's direct runner with two workers."""

from __future__ import annotations

import apache_beam as beam
import xarray_beam as xb
from apache_beam.options.pipeline_options import PipelineOptions
from common import arguments, encoding, object_steps, open_all, without_encoding


def main() -> None:
    """Run the pipeline."""
    spec, output = arguments()
    steps = object_steps(spec)
    ds = without_encoding(open_all(spec, {}))
    chosen = {
        name: {key: value for key, value in said.items() if key not in ("chunks", "shards")}
        for name, said in encoding(ds, spec).items()
    }
    shards = {"time": spec["shards"]} if spec.get("shards") else None
    options = PipelineOptions(runner="DirectRunner", direct_running_mode=spec["mode"], direct_num_workers=2)
    with beam.Pipeline(options=options) as pipeline:
        (
            pipeline
            | xb.DatasetToChunks(ds, chunks={"time": steps})
            | xb.ChunksToZarr(
                output,
                template=xb.make_template(ds),
                zarr_chunks={"time": spec["chunks"]},
                zarr_shards=shards,
                zarr_format=3,
                encoding=chosen,
            )
        )


if __name__ == "__main__":
    main()
