"""What is read of a variable for its previews: one map, some maps over time or a series at a point, within a limit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from bakehouse.catalog.roles import is_latitude, is_longitude
from bakehouse.previews.axes import Axes, find_axes
from bakehouse.previews.budget import LIMIT, Cost, chunks_of, cost_of
from bakehouse.previews.colours import is_cyclic

WHOLE_BYTES = 2**26
"""Variables that are smaller are read whole if the limit allows."""
MAP_CELLS = (1080, 1440)
FRAME_CELLS = (180, 360)
MOST_STEPS, FEW_STEPS = 365, 48
LINES, BANDS = 8, 12

Selection = dict[str, Any]


class Reader:
    """Reads of a dataset what a limit allows, and keeps account."""

    def __init__(self, dataset: xr.Dataset, limit: Cost = LIMIT, in_memory: bool = False) -> None:
        self.dataset, self.left, self.spent, self.in_memory = dataset, limit, Cost(), in_memory
        self.steps: dict[tuple[str, int], list[int]] = {}

    def read(self, name: str, selection: Selection, limit: Cost | None = None) -> xr.DataArray | None:
        """Read a selection; None if that costs more than what is left, or than a limit of its own."""
        cost = cost_of(self.dataset.variables[name], selection)
        if not (cost.fits(self.left) and cost.fits(limit or self.left)):
            return None
        self.left, self.spent = self.left - cost, self.spent + cost
        return self._bare(name).isel(selection).load()

    def _bare(self, name: str) -> xr.DataArray:
        """Leave coordinates behind that nothing shows: some are as large as the data."""
        array = self.dataset[name]
        shown = {str(key) for key, each in array.coords.items() if _is_shown(str(key), each)}
        return array.drop_vars([key for key in array.coords if key not in shown])


def _is_shown(name: str, coordinate: xr.DataArray) -> bool:
    variable, label = coordinate.variable, coordinate.ndim == 1 and coordinate.dtype.kind in "OSUT"
    place = is_latitude(variable, name) or is_longitude(variable, name)
    return coordinate.dims == (name,) or label or (place and coordinate.ndim <= 2)


@dataclass(frozen=True)
class Series:
    """Values along one dimension, the first of `values`; a second dimension has the members that are drawn as lines.

    `how` says what the values are of the variable, and `of` how many there would be along the dimension.
    """

    values: xr.DataArray
    how: str
    of: int


@dataclass(frozen=True)
class Sample:
    """What was read of one variable.

    Parameters
    ----------
    map
        One moment and level, with the latitudes and longitudes of its cells.
    frames, steps
        The same over time, time first, and which steps they are; of fewer cells unless the variable was read whole.
    series
        What is drawn as lines or, if it has two dimensions with many places, as an image.
    values
        All values that were read, in arrays.
    whole
        Whether that is every value of the variable.
    missed
        What was left out, and why.
    fixed
        The one place that was chosen along each dimension which is neither shown nor time.
    """

    name: str
    axes: Axes
    map: xr.DataArray | None = None
    frames: xr.DataArray | None = None
    steps: tuple[int, ...] = ()
    series: Series | None = None
    values: tuple[np.ndarray, ...] = field(default=(), repr=False)
    whole: bool = False
    missed: tuple[str, ...] = ()
    fixed: Mapping[str, int] = field(default_factory=dict)


def sample(reader: Reader, name: str, parts: int = 1) -> Sample:
    """Read what is needed to show a variable, of what is left for it and for `parts - 1` others."""
    axes, share = find_axes(reader.dataset, name), reader.left.share(parts)
    variable = reader.dataset.variables[name]
    small = variable.size * variable.dtype.itemsize <= WHOLE_BYTES
    if small and (whole := reader.read(name, {}, share)) is not None:
        inner = Reader(reader.dataset.assign({name: whole}), Cost(2**60, 2**60), in_memory=True)
        found = _shown(inner, name, axes, inner.left)
        return replace(found, values=(whole.values,), whole=True)
    return _shown(reader, name, axes, share)


def _shown(reader: Reader, name: str, axes: Axes, share: Cost) -> Sample:
    return _of_places(reader, name, axes, share) if axes.has_map else _of_lines(reader, name, axes, share)


def _of_places(reader: Reader, name: str, axes: Axes, share: Cost) -> Sample:
    variable = reader.dataset.variables[name]
    fixed, before, missed = _fixed(reader.dataset, name, axes), reader.spent, []
    found = _map(reader, name, axes, fixed, share)
    if found is None:
        missed.append(_too_much("a map at one time", variable, _at(fixed, axes, variable, -1)))
    used = reader.spent - before
    steps, frames = _frames(reader, name, axes, fixed, share - used) if axes.time else ((), None)
    shown = _with_members(reader, name, axes, fixed) if reader.in_memory and axes.time else frames
    series = _mean(shown, axes, variable) if shown is not None else None
    if axes.time and (series is None or series.values.shape[0] < min(series.of, FEW_STEPS)):
        series = _at_a_point(reader, name, axes, fixed, share - (reader.spent - before)) or series
        if series is None:
            missed.append(f"a series of '{name}' would need more chunks than previews may read")
    read = tuple(each.values for each in (found, frames) if each is not None)
    return Sample(name, axes, found, frames, tuple(steps), series, read, False, tuple(missed), fixed)


def _too_much(what: str, variable: xr.Variable, selection: Selection) -> str:
    cost = cost_of(variable, selection)
    return f"{what} would read {cost.bytes / 1e9:.2g} GB in {cost.chunks:,} chunks, more than previews may"


def _fixed(ds: xr.Dataset, name: str, axes: Axes) -> Selection:
    """Choose a place on every dimension that is neither shown nor time: the surface, the first of others."""
    free = {*axes.horizontal, axes.time}
    others = [str(dim) for dim in ds.variables[name].dims if dim not in free]
    return {dim: surface(ds, dim) if dim == axes.vertical else 0 for dim in others}


def surface(ds: xr.Dataset, dim: str) -> int:
    """Find the level next to the surface: the highest pressure, else the number that is nearest to 0."""
    if dim not in ds.variables or ds.variables[dim].dtype.kind not in "fiu" or not ds.sizes[dim]:
        return 0
    level = ds.variables[dim]
    pressure = "pressure" in str(level.attrs.get("standard_name", "")) or level.attrs.get("units") in ("hPa", "Pa")
    return int(np.nanargmax(level.values) if pressure else np.nanargmin(np.abs(level.values)))


def _at(fixed: Selection, axes: Axes, variable: xr.Variable, step: int) -> Selection:
    """Select one moment, every so many cells."""
    time = {axes.time: step % variable.sizes[axes.time]} if axes.time else {}
    return {**fixed, **time, **strides(variable.sizes, axes, MAP_CELLS)}


def strides(sizes: Mapping[Any, int], axes: Axes, most: tuple[int, int]) -> Selection:
    """Take every so many of the cells, so that there are no more than so many along each dimension."""
    if axes.layout == "cells":
        return {axes.horizontal[0]: slice(None, None, math.ceil(sizes[axes.horizontal[0]] / math.prod(most)))}
    pairs = zip(axes.horizontal, most, strict=True)
    return {dim: slice(None, None, math.ceil(sizes[dim] / cells)) for dim, cells in pairs}


def _map(reader: Reader, name: str, axes: Axes, fixed: Selection, share: Cost) -> xr.DataArray | None:
    """Read the last map that has values, of three; it may use the share of others, up to half of what is left."""
    variable, half = reader.dataset.variables[name], reader.left.share(2)
    limit = Cost(max(share.bytes, half.bytes), max(share.chunks, half.chunks))
    steps = variable.sizes[axes.time] if axes.time else 1
    found = None
    for step in dict.fromkeys((steps - 1, steps // 2, 0)):
        another = reader.read(name, _at(fixed, axes, variable, step), limit)
        found = another if another is not None else found
        if found is None or np.isfinite(found.values).any():
            break
    return None if found is None else found.transpose(*axes.horizontal)


def _frames(
    reader: Reader, name: str, axes: Axes, fixed: Selection, share: Cost
) -> tuple[list[int], xr.DataArray | None]:
    """Read maps of some moments, of all if the share allows; coarser ones unless the variable was read before."""
    variable, time = reader.dataset.variables[name], str(axes.time)
    cells = fixed if reader.in_memory else {**fixed, **strides(variable.sizes, axes, FRAME_CELLS)}
    steps = _steps(reader, variable, time, cells, share)
    found = reader.read(name, {**cells, time: steps}, share) if steps else None
    return ([], None) if found is None else (steps, found.transpose(time, *axes.horizontal))


def _steps(reader: Reader, variable: xr.Variable, time: str, cells: Selection, share: Cost) -> list[int]:
    """Choose steps that fit; those of an earlier variable, or every other of them, so that many have the same."""
    size, chunk = variable.sizes[time], chunks_of(variable)[variable.dims.index(time)]
    if reader.in_memory:
        return list(range(size))
    steps = reader.steps.get((time, chunk), [])
    while steps and not cost_of(variable, {**cells, time: steps}).fits(share):
        steps = steps[:-1][::-2][::-1] + steps[-1:] if len(steps) > 2 else []
    if not steps:
        one = cost_of(variable, {**cells, time: 0})
        many = min(share.bytes // max(one.bytes, 1), share.chunks // max(one.chunks, 1))
        steps = spread(size, chunk, min(many, FEW_STEPS), MOST_STEPS)
    return reader.steps.setdefault((time, chunk), steps) and steps


def spread(size: int, chunk: int, chunks: int, most: int) -> list[int]:
    """Choose steps evenly, in no more than a number of chunks; the last is always there.

    Examples
    --------
    >>> spread(10, 1, 100, 5), spread(100, 10, 3, 1000)[:3], spread(100, 1, 3, 1000)
    ([0, 2, 4, 7, 9], [0, 1, 2], [0, 50, 99])
    """
    if chunks < 1 or size < 1:
        return []
    there = math.ceil(size / chunk)
    if there <= chunks:
        return evenly(size, most)
    starts = [number * chunk for number in evenly(there, chunks)]
    inside = [[start + step for step in evenly(min(chunk, size - start), -(-FEW_STEPS // chunks))] for start in starts]
    return sorted({step for steps in inside for step in steps} | {size - 1})


def evenly(size: int, most: int) -> list[int]:
    """Choose no more than so many positions, from the first to the last."""
    return sorted({round(float(at)) for at in np.linspace(size - 1, 0, min(size, most))})


def _mean(frames: xr.DataArray, axes: Axes, variable: xr.Variable) -> Series | None:
    """Average over the area, cells of higher latitudes weighing less; None for what has no average."""
    if is_cyclic(frames) or "flag_values" in variable.attrs or "flag_meanings" in variable.attrs:
        return None
    weights = np.cos(np.radians(frames[axes.lat].astype("float64")).clip(-np.pi / 2, np.pi / 2)).fillna(0)
    mean = frames.where(np.isfinite(frames)).astype("float64").weighted(weights).mean(axes.horizontal)
    return Series(mean.transpose(axes.time, ...), "mean over the area", variable.sizes[str(axes.time)])


def _with_members(reader: Reader, name: str, axes: Axes, fixed: Selection) -> xr.DataArray | None:
    members = _members(reader.dataset.variables[name], axes)
    return reader.read(name, {dim: place for dim, place in fixed.items() if dim != members})


def _members(variable: xr.Variable, axes: Axes) -> str | None:
    """Name the dimension of a few members, such as scenarios, that are drawn as lines of their own."""
    others = [str(dim) for dim in variable.dims if dim not in (*axes.horizontal, axes.time, axes.vertical)]
    return others[0] if len(others) == 1 and 1 < variable.sizes[others[0]] <= LINES else None


def _at_a_point(reader: Reader, name: str, axes: Axes, fixed: Selection, share: Cost) -> Series | None:
    """Read the whole series of one cell, of the first of a few places that has values."""
    variable, best = reader.dataset.variables[name], None
    for part in (0.5, 0.3, 0.7, 0.15, 0.85):
        place = {dim: int(variable.sizes[dim] * part) for dim in axes.horizontal}
        found = reader.read(name, {**fixed, **place}, share)
        best = best if found is None else found
        if found is None or np.isfinite(found.values).any():
            break
    if best is None or best.size > 200_000 or not np.isfinite(best.values).any():
        return None
    where = words_of_place(float(best[axes.lat]), float(best[axes.lon]))
    return Series(best, f"at {where}", variable.sizes[str(axes.time)])


def words_of_place(lat: float, lon: float) -> str:
    """Write a place as people do.

    Examples
    --------
    >>> words_of_place(-12.34, 350.0)
    '12.3° S, 10.0° W'
    """
    lon = (lon + 180) % 360 - 180
    return f"{abs(lat):.1f}° {'N' if lat >= 0 else 'S'}, {abs(lon):.1f}° {'E' if lon >= 0 else 'W'}"


def _of_lines(reader: Reader, name: str, axes: Axes, share: Cost) -> Sample:
    """Read what has no places on the globe: along time or the longest dimension, and across one more."""
    variable = reader.dataset.variables[name]
    dims = _shown_dims(variable, axes)
    fixed = {str(dim): surface(reader.dataset, str(dim)) if dim == axes.vertical else 0 for dim in variable.dims}
    fixed |= {axes.time: variable.sizes[axes.time] - 1} if axes.time else {}
    shown = {dim: evenly(variable.sizes[dim], most) for dim, most in zip(dims, (10_000, 1_000), strict=False)}
    if len(dims) == 2 and variable.sizes[dims[1]] <= BANDS or not _is_a_scale(reader.dataset, dims[1:]):
        shown |= {dim: evenly(variable.sizes[dim], LINES) for dim in dims[1:]}
    selection = {**fixed, **shown}
    found = reader.read(name, selection, share) if dims else None
    if found is None:
        missed = (_too_much("a series", variable, selection),) if dims else ()
        return Sample(name, axes, missed=missed)
    series = Series(found.transpose(*dims), "", variable.sizes[dims[0]])
    return Sample(name, axes, series=series, values=(found.values,))


def _shown_dims(variable: xr.Variable, axes: Axes) -> tuple[str, ...]:
    plane = [str(d) for d in variable.dims if d not in (axes.time, axes.vertical) and variable.sizes[d] > BANDS]
    if len(plane) > 1:  # such as a map projection's, whose places on the globe nothing says
        return plane[-1], plane[-2]
    longest = sorted((str(d) for d in variable.dims if variable.sizes[d] > 1), key=lambda dim: -variable.sizes[dim])
    first = [dim for dim in (axes.time,) if dim in longest]
    second = [dim for dim in (axes.vertical,) if dim in longest]
    return tuple(dict.fromkeys([*first, *second, *longest]))[:2] if first else tuple(longest[:2])


def _is_a_scale(ds: xr.Dataset, dims: tuple[str, ...]) -> bool:
    """Say whether places along a dimension are numbers, so that neighbours have to do with each other."""
    return all(dim in ds.variables and ds.variables[dim].dtype.kind in "fiuM" for dim in dims)
