"""Names of `pangeo_forge_recipes.writers` that need another body on zarr 3, or that mix values silently."""

from __future__ import annotations

from typing import Any

import xarray as xr
import zarr
from pangeo_forge_recipes.types import CombineOp, Index
from zarr.abc.store import Store

from bakehouse.compat.fsstore import Candidate, FSStore

__all__ = ["consolidate_dimension_coordinates", "consolidate_metadata", "store_dataset_fragment"]


def consolidate_metadata(store: Any) -> Any:
    """Gather all metadata in the store's root, unless a bake does it when it publishes.

    Parameters
    ----------
    store
        What `StoreToZarr` gives.
    """
    if isinstance(store, FSStore) and not isinstance(store, Candidate):
        zarr.consolidate_metadata(store)
    return store


def consolidate_dimension_coordinates(store: Any) -> Any:
    """Rewrite the coordinates of dimensions as one chunk each, unless they are laid out in long chunks by a bake.

    Parameters
    ----------
    store
        What `StoreToZarr` gives.
    """
    if isinstance(store, Store) and not isinstance(store, Candidate):
        group = zarr.open_group(store, mode="r+", use_consolidated=False)
        for name, found in list(group.arrays()):
            if _dims(found) == (name,) and found.chunks != found.shape:
                _in_one_chunk(group, name, found)
    return store


def _dims(array: Any) -> tuple[str, ...]:
    said = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS", ())
    return tuple(said)


def _in_one_chunk(group: Any, name: str, found: Any) -> None:
    values, attrs = found[...], dict(found.attrs)
    names = {"dimension_names": found.metadata.dimension_names} if found.metadata.zarr_format == 3 else {}
    group.create_array(
        name, data=values, chunks=values.shape, fill_value=found.fill_value, attributes=attrs, overwrite=True, **names
    )


def store_dataset_fragment(item: tuple[Index, xr.Dataset], target_store: Any) -> Any:
    """Write an indexed Dataset into its region of a store, encoded as the store says, whatever its file did.

    Parameters
    ----------
    item
        The Dataset, with an index that says where it begins along each concat dimension.
    target_store
        A store whose metadata is there.

    Raises
    ------
    ValueError
        If its region does not align with the store's chunks.
    """
    index, dataset = item
    region = {
        dim.name: slice(position.value, position.value + dataset.sizes[dim.name])
        for dim, position in index.items()
        if dim.operation is CombineOp.CONCAT
    }
    dataset = dataset.drop_indexes(list(dataset.indexes)).drop_encoding()  # xarray leaves indexes out of regions
    stored = dataset.drop_vars([name for name in map(str, dataset.variables) if not _is_mine(name, dataset, index)])
    shared = [str(n) for n, v in stored.variables.items() if not set(v.dims) & set(region)]
    if shared:
        whole = stored.drop_vars([name for name in map(str, stored.variables) if name not in shared])
        whole.to_zarr(target_store, mode="r+", consolidated=False)
    stored = stored.drop_vars(shared)
    if stored.variables:
        wanted = {dim: span for dim, span in region.items() if dim in stored.dims}
        stored.to_zarr(target_store, region=wanted, consolidated=False)
    return target_store


def _is_mine(name: str, dataset: xr.Dataset, index: Index) -> bool:
    """Say whether this fragment writes a variable: what inputs share comes from the first that has it."""
    along = {dim.name for dim in index if dim.operation is CombineOp.CONCAT} & set(dataset[name].dims)
    merged = [position.value for dim, position in index.items() if dim.operation is CombineOp.MERGE]
    others = [p.value for d, p in index.items() if d.operation is CombineOp.CONCAT and d.name not in along]
    return (name not in dataset.coords or not any(merged)) and (bool(along) or not any(others))
