"""Refer to the chunks of many files as one virtual store; nothing is copied."""

from __future__ import annotations

from typing import Any

from bakehouse.meta.parameters import OpenSpec, Parameters, PatternSpec, VirtualStoreSpec


class FilesToVirtual(Parameters):
    """Which files there are, how they are opened, and how references to them are stored."""

    pattern: PatternSpec
    open: OpenSpec = OpenSpec()
    store: VirtualStoreSpec = VirtualStoreSpec()


def recipe(p: FilesToVirtual) -> Any:
    """Pattern → open → references.

    A concat dimension that no file has gets the pattern's keys as its coordinate.
    """
    import apache_beam as beam

    from bakehouse.transforms import LabelNewDims, OpenURLWithFSSpec, OpenWithXarray, StoreToZarr

    pattern = p.pattern.to_file_pattern()
    return (
        beam.Create(pattern.items())
        | OpenURLWithFSSpec(open_kwargs=pattern.fsspec_open_kwargs)
        | OpenWithXarray(file_type=pattern.file_type, xarray_open_kwargs=p.open.to_kwargs())
        | LabelNewDims(pattern)
        | StoreToZarr(
            store_name=p.store.name or "store.zarr",
            combine_dims=pattern.combine_dim_keys,
            **p.store.model_dump(exclude={"name"}, exclude_none=True),
        )
    )
