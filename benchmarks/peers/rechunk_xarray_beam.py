"""xarray-beam: DatasetToChunks, Rechunk, ChunksToZarr."""

from __future__ import annotations

import apache_beam as beam
import xarray_beam as xb
from apache_beam.options.pipeline_options import PipelineOptions
from common import arguments, encoding, open_all, without_encoding


def main() -> None:
    """Run the pipeline."""
    spec, output = arguments()
    ds = without_encoding(open_all(spec, {}))
    source = {"time": spec["steps"], "lat": -1, "lon": -1}
    target = {"time": spec["chunks"], "lat": spec["tile"], "lon": spec["tile"]}
    chosen = {name: {"compressors": said["compressors"]} for name, said in encoding(ds, spec).items()}
    options = PipelineOptions(runner="DirectRunner", direct_running_mode=spec["mode"], direct_num_workers=2)
    with beam.Pipeline(options=options) as pipeline:
        (
            pipeline
            | xb.DatasetToChunks(ds, chunks=source)
            | xb.Rechunk(ds.sizes, source, target, itemsize=4, max_mem=2 * spec["max_mem"])
            | xb.ChunksToZarr(output, template=xb.make_template(ds), zarr_chunks=target, zarr_format=3, encoding=chosen)
        )


if __name__ == "__main__":
    main()
