"""Dimensions and variables of a store in the words of STAC's datacube extension (version 2.3)."""

from __future__ import annotations

import calendar
import re
from typing import Any

from bakehouse.catalog.facts import Dimension, Facts, Variable

EPSG_4326_NAMES = frozenset(("longitude", "latitude"))
GEOGRAPHIC_UNITS = re.compile(r"^degrees?_?(north|south|east|west|[nesw])$", re.IGNORECASE)
DATA_TYPES = frozenset(
    ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64")
)
ISO_CALENDARS = frozenset(("standard", "gregorian", "proleptic_gregorian"))
_DATE = re.compile(r"^(-?\d{4,})-(\d\d)-(\d\d)(T.*Z)$")


def cube_fields(facts: Facts) -> dict[str, Any]:
    """Give ``cube:dimensions`` and ``cube:variables``; no name is in both, as the extension asks."""
    dimensions = {name: _dimension(dim, facts) for name, dim in facts.dims.items()}
    variables = {each.name: _variable(each) for each in facts.variables if each.name not in dimensions}
    return {"cube:dimensions": dimensions, "cube:variables": variables}


def _dimension(dim: Dimension, facts: Facts) -> dict[str, Any]:
    """Choose the extension's object; grid positions and unknown projections are additional dimensions."""
    if dim.axis == "t" and isinstance(dim.start, str) and isinstance(dim.end, str):
        return _temporal(dim, facts)
    if dim.values:
        return {"type": "other", "values": list(dim.values)}
    if not isinstance(dim.start, int | float) or not isinstance(dim.end, int | float):
        return {"type": "other", "extent": [0, max(dim.size - 1, 0)], "step": 1, "description": "position, from 0"}
    step = abs(dim.step) if isinstance(dim.step, int | float) else None
    measured = {"extent": [dim.start, dim.end], "step": step, **({"unit": dim.units} if dim.units else {})}
    return {**_kind(dim, facts.crs), **measured}


def _temporal(dim: Dimension, facts: Facts) -> dict[str, Any]:
    """Describe times; dates of a calendar that ISO 8601 does not know are told in words too."""
    calendar_name = facts.time.calendar if facts.time else "standard"
    own = f"{calendar_name} calendar, from {dim.start} to {dim.end}"
    return {
        "type": "temporal",
        "extent": [rfc3339(str(dim.start)), rfc3339(str(dim.end))],
        "step": dim.step,
        **({} if calendar_name in ISO_CALENDARS else {"description": own}),
    }


def _kind(dim: Dimension, crs: str | None) -> dict[str, Any]:
    if dim.axis == "z":
        return {"type": "spatial", "axis": "z"}
    if dim.axis in ("x", "y") and _is_geographic(dim):
        return {"type": "spatial", "axis": dim.axis, "reference_system": 4326}
    if dim.axis in ("x", "y") and crs:
        return {"type": "spatial", "axis": dim.axis, "reference_system": crs}
    return {"type": "other"}


def _is_geographic(dim: Dimension) -> bool:
    return dim.standard_name in EPSG_4326_NAMES or (
        dim.standard_name is None and bool(GEOGRAPHIC_UNITS.match(dim.units or ""))
    )


def _variable(variable: Variable) -> dict[str, Any]:
    said = {"description": variable.long_name or variable.standard_name, "unit": variable.units}
    nodata = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}.get(str(variable.fill_value), variable.fill_value)
    numeric = isinstance(nodata, int | float) or nodata in ("nan", "inf", "-inf")
    return {
        "type": "data" if variable.role == "data" else "auxiliary",
        "dimensions": list(variable.dims),
        "data_type": variable.dtype if variable.dtype in DATA_TYPES else "other",
        **({"nodata": nodata} if numeric and variable.role == "data" else {}),
        **{key: text for key, text in said.items() if text},
    }


def rfc3339(text: str | None) -> str | None:
    """Turn a date of any calendar into one that exists in everyone's: the day is cut to the month's last.

    Years that RFC 3339 cannot write give None, which STAC reads as open.

    Examples
    --------
    >>> rfc3339("2001-02-30T12:00:00Z"), rfc3339("12000-01-01T00:00:00Z")
    ('2001-02-28T12:00:00Z', None)
    """
    found = _DATE.match(text or "")
    if not found or not 1 <= int(found[1]) <= 9999:
        return None
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    return f"{year:04d}-{month:02d}-{min(day, calendar.monthrange(year, month)[1]):02d}{found[4]}"
