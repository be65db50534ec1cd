"""Hypothesis strategies: archives that xarray can combine exactly."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import xarray as xr
from hypothesis import strategies as st

from tests.archives import Archive, CombineDim
from tests.oracle import Key
from tests.whole import Draw, Format, Whole, positions, small

FORMATS = [
    Format("NETCDF4", "netcdf4"),
    Format("NETCDF4", "h5netcdf"),
    Format("NETCDF4_CLASSIC", "netcdf4"),
    Format("NETCDF3_64BIT", "netcdf4"),
]


@st.composite
def archives(draw: Draw, max_inputs: int = 8) -> Archive:
    """Draw a small archive of netCDF files and the options of the store that is baked from it.

    Drawn are

    - formats: netCDF4 (written by netCDF4 and by h5netcdf), netCDF4 classic, netCDF3; chunks, zlib, shuffle,
      fletcher32 and contiguous variables; unlimited dimensions;
    - 0 to 2 concat dims and 0 to 2 merge dims in any order, up to `max_inputs` files. A concat dim is *existing*
      (files have it, with unequal lengths of 1 to 3), *scalar* (files have a scalar coordinate of its name) or *new*
      (only the pattern knows it; its keys are text or integers);
    - the coordinate of an existing concat dim: none, integers, floats, dates, cftime dates (noleap, 360_day) or text;
      of a scalar one: all of these but none. Numbers and dates rise or fall strictly through all files. Dates may
      have units that differ from file to file, and bounds;
    - 0 to 2 other dimensions of 1 to 4 elements, with or without coordinate, the same in all files;
    - 0 to 2 non-dimension coordinates over any of these dimensions, scalars among them. Along a concat dim their
      values are all different; otherwise they are the same in all files;
    - 1 to 2 data variables for each combination of merge keys, over any of these dimensions in any order. The first
      has all concat dims. One without a concat dim is the same in all files. Perhaps a scalar `crs` in every file;
    - dtypes float32, float64, int16, int32, bool, text, dates, integers packed with scale_factor and add_offset (of
      either float type) and _FillValue, integers with _FillValue; in netCDF4 also uint8 and int64. Floats hold NaN,
      infinities, -0.0 and extreme numbers, stored with NaN, a number or nothing as _FillValue;
    - attributes of the dataset and of variables (text, integers, floats, lists of them), the same in all files;
    - target chunks (some dims, -1 among them), shards that are multiples of them (zarr v3), zarr format 2 and 3, a
      float32 encoding for a float64 variable, attributes for the store.

    Not drawn: packing that differs between files, attributes that differ, values that overlap or repeat along a concat
    coordinate, groups, character arrays, timedeltas, `_Unsigned`, variables that some files lack. Values
    follow from a drawn seed.
    """
    form = draw(st.sampled_from(FORMATS))
    dims = draw(_combine_dims(max_inputs))
    lengths = {d.name: draw(_lengths(d)) for d in dims if d.operation == "concat"}
    static = {name: draw(small(4)) for name in draw(st.sampled_from([(), ("y",), ("y", "x")]))}
    existing = [d.name for d in dims if d.kind == "existing"]
    unlimited = tuple(existing[:1]) if draw(st.booleans()) else ()
    sizes = {d: sum(n) for d, n in lengths.items()} | static
    whole = Whole(draw, form, dims, sizes, unlimited, np.random.default_rng(draw(st.integers(0, 2**32 - 1))))
    owners = whole.fill(static)
    inputs = {key: _slice(whole.dataset(), key, dims, lengths, owners) for key in positions(dims)}
    return Archive(
        dims=tuple(dims),
        inputs=inputs,
        engine=form.engine,
        format=form.name,
        encoding=whole.encoding,
        own_encoding=whole.own_units(inputs),
        chunks={d: draw(small(3)) for d in sizes},
        unlimited=unlimited,
        store=whole.store_options(),
    )


def _lengths(dim: CombineDim) -> st.SearchStrategy[list[int]]:
    """Draw how many elements the files have along a concat dim."""
    count = len(dim.keys)
    return st.lists(small(3), min_size=count, max_size=count) if dim.kind == "existing" else st.just([1] * count)


@st.composite
def _combine_dims(draw: Draw, max_inputs: int) -> list[CombineDim]:
    often = [("t",), ("t", "v"), ("t", "m"), ("t", "m", "v"), ("t", "v", "w")]
    names = draw(st.sampled_from([*often, *often, ("v",), ("v", "w"), ()]))
    dims: list[CombineDim] = []
    for name in names:
        room = max_inputs // math.prod(len(d.keys) for d in dims)
        kind = "merge" if name in "vw" else draw(st.sampled_from(["existing", "existing", "scalar", "new"]))
        count = min(draw(st.sampled_from([2, 2, 1] if kind == "merge" else [2, 3, 2, 3, 1])), max(1, room))
        text = kind in ("merge", "new") and draw(st.booleans())
        dims.append(CombineDim(name, kind, tuple(f"{name}{i}" if text else 10 * i for i in range(count))))
    return list(draw(st.permutations(dims)))


def _slice(
    full: xr.Dataset, key: Key, dims: list[CombineDim], lengths: Mapping[str, list[int]], owners: Mapping[str, Key]
) -> xr.Dataset:
    """Cut the file at a position out of the whole dataset."""
    here = dict(key)
    dataset = full.drop_vars([n for n, owner in owners.items() if not set(owner) <= set(key)])
    for dim in dims:
        if dim.operation == "concat" and dim.name in dataset.dims:
            start = sum(lengths[dim.name][: here[dim.name]])
            stop = start + lengths[dim.name][here[dim.name]]
            dataset = dataset.isel({dim.name: slice(start, stop) if dim.kind == "existing" else start})
    return dataset.copy(deep=True)
