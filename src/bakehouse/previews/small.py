"""A small zarr store of the variables that have maps: a browser draws it while the dataset itself is large."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr
from zarr.codecs import GzipCodec

from bakehouse.previews.sample import FEW_STEPS, FRAME_CELLS, Sample, evenly, strides
from bakehouse.storage import Target
from bakehouse.writers.named import TargetStore

BIG_BYTES = 8_000_000
"""Variables with maps that are decoded in less need no smaller store."""
MOST_BYTES = 2**25
"""What the small store may hold when it is decoded."""


def is_big(dataset: xr.Dataset, samples: Sequence[Sample]) -> bool:
    """Say whether the variables with maps are together large enough to have a small store."""
    return sum(dataset[each.name].nbytes for each in samples) > BIG_BYTES


def small_dataset(samples: Sequence[Sample]) -> xr.Dataset:
    """Take fewer cells, and of many moments some: the same of all variables.

    Variables that were read at other moments than the first are left out. The attribute ``selected`` says which
    element of each dimension that is gone the values are of.
    """
    kept = [each for each in samples if each.frames is not None or each.map is not None]
    steps, moving = _common(kept)
    still = [each for each in kept if each.frames is None and not each.axes.time]
    cells = sum(math.prod(FRAME_CELLS) * _coarse(each, []).dtype.itemsize for each in moving) or 1
    chosen = [steps[n] for n in evenly(len(steps), max(min(FEW_STEPS, MOST_BYTES // cells), 1))] if steps else []
    arrays = {each.name: _coarse(each, chosen) for each in (*moving, *still)}
    chosen_of = {each.name: dict(each.fixed) for each in kept}
    return xr.Dataset({name: _said(_without_scalars(array), chosen_of[name]) for name, array in arrays.items()})


def _common(samples: Sequence[Sample]) -> tuple[list[int], list[Sample]]:
    """Find steps that variables have in common, all of those whose time is that of the first."""
    moving = [each for each in samples if each.frames is not None]
    if not moving:
        return [], []
    same = [each for each in moving if each.axes.time == moving[0].axes.time]
    common, kept = set(same[0].steps), [same[0]]
    for each in same[1:]:
        if len(both := common & set(each.steps)) >= min(len(common), 2):
            common, kept = both, [*kept, each]
    return sorted(common), kept


def _coarse(found: Sample, steps: Sequence[int]) -> xr.DataArray:
    if found.frames is None or not found.steps:
        array = found.map if found.map is not None else xr.DataArray()
        return array.isel(strides(array.sizes, found.axes, FRAME_CELLS))
    array = found.frames.isel({str(found.axes.time): [found.steps.index(step) for step in steps]})
    return array.isel(strides(array.sizes, found.axes, FRAME_CELLS)) if found.whole else array


def _said(array: xr.DataArray, selected: dict[str, int]) -> xr.DataArray:
    return array.assign_attrs(selected=selected) if selected else array


def _without_scalars(array: xr.DataArray) -> xr.DataArray:
    return array.drop_vars([name for name, each in array.coords.items() if each.ndim == 0])


def write_small(dataset: xr.Dataset, folder: Target) -> None:
    """Write a small store: one map per chunk, in codecs that every browser has."""
    gzip = (GzipCodec(level=6),)
    plain = dataset.drop_encoding()
    encoding = {
        str(name): {"compressors": gzip, "chunks": _chunks(str(name), plain)}
        for name, each in plain.variables.items()
        if each.dtype.kind in "fiubMm" and each.size
    }
    store = TargetStore(folder.store, target=folder)
    plain.to_zarr(store, mode="w", zarr_format=3, consolidated=True, encoding=encoding)


def _chunks(name: str, dataset: xr.Dataset) -> tuple[int, ...]:
    variable = dataset.variables[name]
    moving = name in dataset.data_vars and variable.ndim > 1 and np.prod(variable.shape[1:]) > 1
    time = moving and dataset[str(variable.dims[0])].dtype.kind in "MO" if moving else False
    return (1, *variable.shape[1:]) if time else variable.shape
