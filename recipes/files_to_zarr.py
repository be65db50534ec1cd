"""Concatenate or merge many files into one zarr store."""

from __future__ import annotations

from typing import Any

from bakehouse.meta.parameters import OpenSpec, Parameters, PatternSpec, StoreSpec


class FilesToZarr(Parameters):
    """Which files there are, how they are opened, and what the store looks like."""

    pattern: PatternSpec
    open: OpenSpec = OpenSpec()
    store: StoreSpec = StoreSpec()


def recipe(p: FilesToZarr) -> Any:
    """Pattern → open → store.

    A concat dimension that no file has gets the pattern's keys as its coordinate.
    """
    import apache_beam as beam

    from bakehouse.transforms import LabelNewDims, OpenURLWithFSSpec, OpenWithXarray, StoreToZarr

    pattern = p.pattern.to_file_pattern()
    store = p.store.model_dump(exclude={"name", "chunks"}, exclude_none=True)
    return (
        beam.Create(pattern.items())
        | OpenURLWithFSSpec(open_kwargs=pattern.fsspec_open_kwargs)
        | OpenWithXarray(file_type=pattern.file_type, xarray_open_kwargs=p.open.to_kwargs())
        | LabelNewDims(pattern)
        | StoreToZarr(
            store_name=p.store.name or "store.zarr",
            combine_dims=pattern.combine_dim_keys,
            target_chunks=p.store.chunks,
            **store,
        )
    )
