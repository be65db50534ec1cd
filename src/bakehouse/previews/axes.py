"""Which of a variable's dimensions lie where: on the globe, along a vertical, in time; by the CF conventions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import xarray as xr

from bakehouse.catalog.roles import axis_of, is_latitude, is_longitude, is_time

Layout = Literal["grid", "curved", "cells", "none"]
FEW_CELLS = 500
"""Places on one dimension that are fewer are stations, more are the cells of a mesh."""


@dataclass(frozen=True)
class Axes:
    """The dimensions of one variable by what they are for.

    Parameters
    ----------
    layout
        How places lie: a ``grid`` has a dimension of latitudes and one of longitudes, a ``curved`` one has both on two
        dimensions, ``cells`` have both on one.
    horizontal
        The dimensions that places lie along: those of a grid from south to north, then from west to east.
    lat, lon
        The coordinates that say where.
    time, vertical
        The dimensions of time and height, if there are any.
    """

    layout: Layout = "none"
    horizontal: tuple[str, ...] = ()
    lat: str | None = None
    lon: str | None = None
    time: str | None = None
    vertical: str | None = None

    @property
    def has_map(self) -> bool:
        """Say whether a map can be drawn."""
        return self.layout != "none"


def find_axes(ds: xr.Dataset, name: str) -> Axes:
    """Find the axes of a variable.

    Examples
    --------
    >>> ds = xr.Dataset({"sst": (("y", "x"), [[1.0]]), "nav_lat": (("y", "x"), [[5.0]])})
    >>> ds = ds.assign(nav_lon=(("y", "x"), [[7.0]]))
    >>> find_axes(ds, "sst").layout
    'curved'
    """
    variable = ds.variables[name]
    along = {str(dim): _axis_along(ds, str(dim)) for dim in variable.dims}
    time = next((dim for dim, axis in along.items() if axis == "t"), None)
    vertical = next((dim for dim, axis in along.items() if axis == "z"), None)
    for lat, lon in _places(ds, variable):
        if found := _layout(ds, lat, lon):
            layout, horizontal = found
            return Axes(layout, horizontal, lat, lon, time, vertical if vertical not in horizontal else None)
    return Axes(time=time, vertical=vertical)


def _axis_along(ds: xr.Dataset, dim: str) -> str | None:
    """Find a dimension's axis by the coordinate of its name, or else by the only moments along it."""
    if dim in ds.variables and ds.variables[dim].ndim == 1:
        return axis_of(ds.variables[dim], dim)
    moments = [name for name, each in ds.variables.items() if each.dims == (dim,) and is_time(each)]
    return "t" if len(moments) == 1 else None


def _places(ds: xr.Dataset, variable: xr.Variable) -> list[tuple[str, str]]:
    """Pair latitudes and longitudes that a variable's values lie at; those on most dimensions first."""
    fitting = {str(n): v for n, v in ds.variables.items() if 1 <= v.ndim <= 2 and set(v.dims) <= set(variable.dims)}
    lats = [name for name, each in fitting.items() if is_latitude(each, name)]
    lons = [name for name, each in fitting.items() if is_longitude(each, name)]
    pairs = [(lat, lon) for lat in lats for lon in lons if fitting[lat].ndim == fitting[lon].ndim]
    return sorted(pairs, key=lambda pair: (-fitting[pair[0]].ndim, pair))


def _layout(ds: xr.Dataset, lat: str, lon: str) -> tuple[Layout, tuple[str, ...]] | None:
    ys, xs = (tuple(map(str, ds.variables[name].dims)) for name in (lat, lon))
    if len(ys) == 2:
        return ("curved", ys) if set(ys) == set(xs) else None
    if ys != xs:
        return "grid", (*ys, *xs)
    stations = "featureType" in ds.attrs or ds.sizes[ys[0]] < FEW_CELLS
    return None if stations else ("cells", ys)
