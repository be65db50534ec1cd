"""Store one zarr store, or several end to end, in other chunks."""

from __future__ import annotations

from typing import Any

from bakehouse.meta.parameters import InputUrl, OpenSpec, Parameters, PatternSpec, StoreSpec


class Rechunk(Parameters):
    """Which stores there are, and the chunks, shards and codecs of the new one."""

    source: InputUrl | PatternSpec
    open: OpenSpec = OpenSpec()
    store: StoreSpec = StoreSpec()

    @property
    def pattern(self) -> PatternSpec:
        """Give the pattern of the sources; a URL stands for a pattern of one."""
        return PatternSpec(url=self.source) if isinstance(self.source, str) else self.source


def recipe(p: Rechunk) -> Any:
    """Pattern → open as zarr → store in the chunks that are asked for."""
    import apache_beam as beam

    from bakehouse.transforms import LabelNewDims, OpenURLWithFSSpec, OpenWithXarray, StoreToZarr

    pattern = p.pattern.to_file_pattern()
    store = p.store.model_dump(exclude={"name", "chunks"}, exclude_none=True)
    return (
        beam.Create(pattern.items())
        | OpenURLWithFSSpec(open_kwargs=pattern.fsspec_open_kwargs)
        | OpenWithXarray(file_type="zarr", xarray_open_kwargs=p.open.to_kwargs())
        | LabelNewDims(pattern)
        | StoreToZarr(
            store_name=p.store.name or "store.zarr",
            combine_dims=pattern.combine_dim_keys,
            target_chunks=p.store.chunks,
            **store,
        )
    )
