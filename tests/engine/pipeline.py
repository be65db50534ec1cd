"""Run a pipeline as a user of the library does, without a project around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apache_beam as beam
import xarray as xr
from apache_beam.options.pipeline_options import PipelineOptions

from bakehouse.transforms import LabelNewDims, OpenURLWithFSSpec, OpenWithXarray, StoreToZarr

NAME = "out.zarr"


def run_pipeline(recipe: Any, **options: Any) -> None:
    """Run a recipe in this process, on two threads."""
    flags = {"runner": "DirectRunner", "direct_running_mode": "in_memory", "direct_num_workers": 2, **options}
    with beam.Pipeline(options=PipelineOptions(flags=[], **flags)) as pipeline:
        pipeline | recipe


def bake_pattern(
    pattern: Any,
    folder: Path,
    *steps: Any,
    open_kwargs: dict[str, Any] | None = None,
    url_options: dict[str, Any] | None = None,
    **store: Any,
) -> xr.Dataset:
    """Bake a pattern into a folder and open the store."""
    recipe = (
        beam.Create(pattern.items())
        | OpenURLWithFSSpec(open_kwargs=url_options)
        | OpenWithXarray(file_type=pattern.file_type, xarray_open_kwargs=open_kwargs)
        | LabelNewDims(pattern)
    )
    for number, step in enumerate(steps):
        recipe = recipe | f"Step{number}" >> step
    run_pipeline(
        recipe | StoreToZarr(store_name=NAME, combine_dims=pattern.combine_dim_keys, target_root=str(folder), **store)
    )
    return xr.open_zarr(folder / NAME, chunks=None, consolidated=True)
