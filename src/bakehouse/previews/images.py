"""Which images a variable gets, and how each says in words what it shows; they are drawn when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from bakehouse.previews import draw
from bakehouse.previews.axes import Axes
from bakehouse.previews.colours import Colours, colours_for
from bakehouse.previews.outline import coastlines
from bakehouse.previews.places import Extent, Spot, extent_of, spots_of_cells, spots_of_grid
from bakehouse.previews.sample import BANDS, Sample, Series
from bakehouse.previews.words import Words, map_sentence, moment_of, place_in, series_sentence, title_of, units_of


@dataclass(frozen=True)
class Image:
    """An image that can be drawn, and what it shows."""

    draw: Callable[[], bytes]
    alt: str


@dataclass(frozen=True)
class Images:
    """All images of one variable."""

    name: str
    colours: Colours | None
    map: Image | None = None
    series: Image | None = None
    thumbnail: Image | None = None


def images_of(dataset: xr.Dataset, found: Sample) -> Images:
    """Find out what to draw of a variable."""
    variable = dataset[found.name]
    read = [each.values.ravel() for each in (found.frames, found.map) if each is not None]
    read = read or ([found.series.values.values.ravel()] if found.series else [])
    colours = colours_for(variable, np.concatenate(read)) if read else None
    series, card = _series(variable, found.axes, found.series, colours) if found.series else (None, None)
    if found.map is None or colours is None or (places := _places(found)) is None:
        return Images(found.name, colours, None, series, card)
    words = Words(title_of(variable), units_of(variable), place_in(found.map))
    alt = map_sentence(words, found.map.values)
    drawn = (found.map.values, *places, colours, coastlines())
    image = Image(partial(draw.draw_map, *drawn, words), alt)
    return Images(found.name, colours, image, series, Image(partial(draw.draw_thumbnail, *drawn), alt))


def _places(found: Sample) -> tuple[Spot, Extent] | None:
    shown, axes = found.map, found.axes
    if shown is None:
        return None
    along = [dim for dim in axes.horizontal]
    lat, lon = (_in_order(shown.coords[str(name)], along) for name in (axes.lat, axes.lon))
    extent = extent_of(lat, lon)
    if extent is None:
        return None
    return (spots_of_grid if axes.layout == "grid" else spots_of_cells)(lat, lon), extent


def _in_order(coordinate: xr.DataArray, dims: list[str]) -> np.ndarray:
    return np.asarray(coordinate.transpose(*(dim for dim in dims if dim in coordinate.dims)).values)


def _series(
    variable: xr.DataArray, axes: Axes, series: Series, colours: Colours | None
) -> tuple[Image | None, Image | None]:
    """Say how a series is drawn, on the page and on a card."""
    values = series.values
    if not np.isfinite(values.values).any():
        return None, None
    words, along = _series_words(variable, axes, series), scale_of(values, str(values.dims[0]))
    alt = series_sentence(values, series.how, words)
    if values.ndim == 2 and colours and _is_section(values, second := str(values.dims[1])):
        across = scale_of(values, second)
        drawn: Callable[..., bytes] = partial(draw.draw_section, along, across, values.values, colours, words)
        return Image(drawn, alt), Image(partial(drawn, card=True), alt)
    words = replace(words, across="")
    members = range(values.shape[1]) if values.ndim == 2 else ()
    lines = [(_member(values, str(values.dims[1]), n), values.values[:, n]) for n in members] or [("", values.values)]
    drawn = partial(draw.draw_lines, along, lines, words)
    return Image(drawn, alt), Image(partial(drawn, card=True), alt)


def _series_words(variable: xr.DataArray, axes: Axes, series: Series) -> Words:
    values, title = series.values, title_of(variable)
    dims, said = [str(dim) for dim in values.dims], [place_in(series.values)]
    if values.shape[0] < series.of:
        said.append(f"{values.shape[0]:,} of {series.of:,} {'moments' if dims[0] == axes.time else 'values'}")
    return Words(
        f"{title}, {series.how}" if series.how else title,
        units_of(variable),
        " · ".join(each for each in said if each),
        _label(values, dims[0]),
        _label(values, dims[1]) if dims[1:] else "",
        bool(dims[1:] and dims[1] in values.coords and _is_downward(values[dims[1]])),
    )


def _is_section(values: xr.DataArray, second: str) -> bool:
    numbers = second in values.coords and values[second].dtype.kind in "fiuM"
    return numbers and values.sizes[second] > BANDS


def scale_of(values: xr.DataArray, dim: str) -> np.ndarray:
    """Give the numbers or moments that lie along a dimension; positions where there are none.

    Dates of other calendars stand where the year is as far gone as in theirs.
    """
    found = np.asarray(values[dim].values) if dim in values.coords else np.arange(values.sizes[dim])
    if found.dtype.kind == "M":
        return found.astype("datetime64[s]")
    if found.dtype == object and len(found) and all(hasattr(each, "calendar") for each in found):
        return np.array([_as_moment(each) for each in found])
    return found if found.dtype.kind in "fiu" else np.arange(len(found))


def _as_moment(date: Any) -> np.datetime64:
    start = date.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    part = (date - start) / (start.replace(year=date.year + 1) - start)
    first, last = (np.datetime64(f"{date.year + n:04d}-01-01", "s") for n in (0, 1))
    return np.datetime64(first + np.timedelta64(round(part * (last - first).astype(int)), "s"))


def _label(values: xr.DataArray, dim: str) -> str:
    if dim not in values.coords:
        return dim
    units = units_of(values[dim])
    return f"{title_of(values[dim])} [{units}]" if units else title_of(values[dim])


def _is_downward(coordinate: xr.DataArray) -> bool:
    """Say whether greater values lie lower: depths and pressures."""
    if said := coordinate.attrs.get("positive"):
        return str(said).lower() == "down"
    words = f"{coordinate.attrs.get('standard_name', '')} {coordinate.name}"
    return "depth" in words or "pressure" in words or coordinate.attrs.get("units") in ("hPa", "Pa")


def _member(values: xr.DataArray, dim: str, number: int) -> str:
    """Name one member: by its label or number, by a text along the dimension, or by its position."""
    texts = [str(n) for n, each in values.coords.items() if each.dims == (dim,) and each.dtype.kind in "OSUT"]
    name = dim if dim in values.coords else texts[0] if texts else None
    if name is None:
        return f"{dim} {number}"
    value = values[name].values[number]
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else moment_of(value)
    return text[:24] if values[name].dtype.kind in "OSUT" else f"{dim} {text}"[:24]
