"""Which colormap suits a variable, and between which limits: told by names and units, then by the values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bakehouse.catalog.preview import Colormap

if TYPE_CHECKING:
    import xarray as xr

ANOMALIES = ("anomal", "departure", "tendency", "difference", "bias", "increment", "vorticity", "divergence", "trend")
ABOUT_OTHERS = ("error", "err", "uncertainty", "stdev", "std", "count", "number", "flag", "quality", "mask", "status")
SIGNED = ("eastward", "northward", "upward", "downward")
FLOWS = frozenset(("u", "v", "w", "u10", "v10", "uo", "vo", "wo", "uas", "vas", "ua", "va", "ugos", "vgos"))
TEMPERATURES = frozenset(("k", "kelvin", "degc", "deg_c", "celsius", "degree_celsius", "degrees_celsius", "°c", "degk"))
WATER = ("precipitation", "rain", "humidity", "snow", "moisture", "runoff", "vapo", "cloud", "salinity", "ice")
TURN = {"degree": 360.0, "degrees": 360.0, "degrees_true": 360.0, "rad": 2 * np.pi, "radian": 2 * np.pi}
ROBUST = (2, 98)
"""Percentiles between which the colours run; what lies beyond has the colour of the end."""


@dataclass(frozen=True)
class Colours:
    """A colormap and the values at its ends."""

    cmap: Colormap
    low: float
    high: float


def colours_for(variable: xr.DataArray, values: np.ndarray) -> Colours | None:
    """Choose colours for a variable by what it is, and limits by the values that were read; None without values.

    Examples
    --------
    >>> import xarray as xr
    >>> anomaly = xr.DataArray([-1.0, 3.0], attrs={"long_name": "temperature anomaly", "units": "K"})
    >>> found = colours_for(anomaly, anomaly.values)
    >>> found.cmap, -found.low == found.high
    ('RdBu_r', True)
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return None
    low, high = (float(f"{edge:.5g}") for edge in np.percentile(finite.astype("float64"), ROBUST))
    cmap = colormap_for(variable, low, high)
    if cmap == "twilight":
        return Colours(cmap, *_turn(variable, low))
    if cmap == "RdBu_r":
        most = max(abs(low), abs(high)) or 1.0
        return Colours(cmap, -most, most)
    return Colours(cmap, *_apart(low, high))


def colormap_for(variable: xr.DataArray, low: float, high: float) -> Colormap:
    """Choose a colormap: cyclic for directions, diverging where 0 has a meaning, else sequential."""
    if is_cyclic(variable):
        return "twilight"
    words, units = _words(variable), _units(variable)
    if _has(words, ANOMALIES):
        return "RdBu_r"
    if _has(words, (*SIGNED, "velocity")) or str(variable.name).lower() in FLOWS:
        return "RdBu_r" if low < 0 else "viridis"
    if units in TEMPERATURES or _has(words, ("temperature",)):
        return "plasma"
    if _has(words, WATER):
        return "YlGnBu"
    return "RdBu_r" if low < 0 < high and min(-low, high) > 0.3 * max(-low, high) else "viridis"


def is_cyclic(variable: xr.DataArray) -> bool:
    """Say whether values are angles that begin again after a full turn."""
    return _units(variable) in TURN and _has(_words(variable), ("direction", "phase", "azimuth", "aspect"))


def is_secondary(variable: xr.DataArray) -> bool:
    """Say whether a variable is about another one: errors, counts, flags, departures."""
    return _has(_words(variable), (*ANOMALIES, *ABOUT_OTHERS)) or "flag_meanings" in variable.attrs


def _units(variable: xr.DataArray) -> str:
    return str(variable.attrs.get("units", "")).strip().lower()


def _words(variable: xr.DataArray) -> list[str]:
    names = (variable.attrs.get("standard_name"), variable.attrs.get("long_name"), variable.name)
    return [word for name in names if name is not None for word in re.split(r"[^a-z0-9]+", str(name).lower())]


def _has(words: list[str], stems: tuple[str, ...]) -> bool:
    return any(word.startswith(stems) for word in words)


def _turn(variable: xr.DataArray, low: float) -> tuple[float, float]:
    turn = TURN[_units(variable)]
    return (-turn / 2, turn / 2) if low < 0 else (0.0, turn)


def _apart(low: float, high: float) -> tuple[float, float]:
    """Keep limits apart where all values are the same."""
    if high > low:
        return low, high
    margin = abs(low) * 0.01 or 0.5
    return low - margin, high + margin
