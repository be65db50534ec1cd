"""What images say: titles, moments, and a sentence for who can't see them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from bakehouse.catalog.extents import iso_text

CELSIUS = frozenset(("degc", "deg_c", "celsius", "degree_c", "degrees_c", "degree_celsius", "degrees_celsius"))
PURE = frozenset(("1", "-", "none", "unitless", "dimensionless"))
EXPONENT = re.compile(r"(?<![0-9][eE])(?<=[A-Za-z])(?:\^|\*\*)?(-?\d)(?!\d)")
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Words:
    """The texts of one image."""

    title: str
    units: str
    when: str = ""
    along: str = ""
    across: str = ""
    downward: bool = False


def title_of(variable: xr.DataArray) -> str:
    """Give the name that people know a variable by, as one line."""
    standard = str(variable.attrs.get("standard_name", "")).replace("_", " ")
    named = str(variable.attrs.get("long_name", "")).strip() or standard or str(variable.name)
    text = " ".join(named.split())
    return text[:1].upper() + text[1:200]


def units_of(variable: xr.DataArray) -> str:
    """Give a variable's units as people write them; those of pure numbers are not said.

    Examples
    --------
    >>> units_of(xr.DataArray(attrs={"units": "kg m-2 s**-1"})), units_of(xr.DataArray(attrs={"units": "degree_C"}))
    ('kg m⁻² s⁻¹', '°C')
    """
    text = " ".join(str(variable.attrs.get("units", "")).split())[:60]
    if text.lower() in CELSIUS:
        return "°C"
    if text.lower().startswith(("degree", "degrees")) and text.lower() not in ("degree", "degrees"):
        return "°"
    return "" if text.lower() in PURE else EXPONENT.sub(lambda found: found[1].translate(RAISED), text)


def moment_of(value: Any) -> str:
    """Write a moment: its day, and its time unless that is the day's begin or middle.

    Examples
    --------
    >>> moment_of(np.datetime64("2001-02-03T00:00")), moment_of(np.datetime64("2001-02-03T06:30"))
    ('2001-02-03', '2001-02-03 06:30')
    """
    if isinstance(value, np.ndarray):
        value = value[()]
    if (isinstance(value, np.datetime64) and np.isnat(value)) or value is None:
        return ""
    if not isinstance(value, np.datetime64) and not hasattr(value, "calendar"):
        return str(value)
    day, _, clock = iso_text(value).rstrip("Z").partition("T")
    return day if clock[:5] in ("00:00", "12:00") else f"{day} {clock[:5]}"


def place_in(shown: xr.DataArray) -> str:
    """Say where on its other dimensions something was chosen: what single coordinates say, moments first.

    Examples
    --------
    >>> place_in(xr.DataArray(1.0, coords={"depth": 0.5, "time": np.datetime64("2001-02-03")}))
    '2001-02-03 · depth 0.5'
    """
    single = [each for name, each in shown.coords.items() if each.ndim == 0 and str(name) not in ("lat", "lon")]
    single.sort(key=lambda each: not _is_moment(each))
    return " · ".join(text for each in single if (text := _place_along(each)))


def _place_along(coordinate: xr.DataArray) -> str:
    if _is_moment(coordinate):
        return moment_of(coordinate.values)
    value: Any = coordinate.values[()]
    if coordinate.dtype.kind in "fiu":
        return f"{coordinate.name} {value:.4g} {units_of(coordinate)}".strip()
    return " ".join((value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).split())[:40]


def _is_moment(coordinate: xr.DataArray) -> bool:
    return coordinate.dtype.kind == "M" or hasattr(coordinate.values[()], "calendar")


def range_of(values: np.ndarray, units: str) -> str:
    """Say between which values the finite ones lie.

    Examples
    --------
    >>> range_of(np.array([1.0, np.nan, 2.5]), "K")
    'from 1 to 2.5 K'
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return "without any value"
    return f"from {float(finite.min()):.4g} to {float(finite.max()):.4g} {units}".strip()


def map_sentence(words: Words, values: np.ndarray) -> str:
    """Describe a map."""
    grey = "" if np.isfinite(values).all() else "; grey where there is no value"
    return f"Map of {_quoted(words)}: {range_of(values, words.units)}{grey}."


def series_sentence(values: xr.DataArray, how: str, words: Words) -> str:
    """Describe a series, or a section of two dimensions."""
    first = str(values.dims[0])
    over = f", over {words.across}" if words.across else ""
    span = ""
    if first in values.coords and values[first].dtype.kind in "fiuMO":
        span = f" from {_place_at(values[first], 0)} to {_place_at(values[first], -1)}"
    return f"Series of {_quoted(words)}{span}{over}: {range_of(values.values, words.units)}."


def _place_at(coordinate: xr.DataArray, position: int) -> str:
    value = coordinate.values[position]
    return f"{value:.4g} {units_of(coordinate)}".strip() if coordinate.dtype.kind in "fiu" else moment_of(value)


def _quoted(words: Words) -> str:
    return f"“{words.title}”{f' ({words.when})' if words.when else ''}"
