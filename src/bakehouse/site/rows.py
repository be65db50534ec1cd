"""The tables of a dataset's page: its variables, its dimensions, its layout."""

from __future__ import annotations

from typing import Any

from bakehouse.catalog.facts import Dimension, Facts, Variable
from bakehouse.catalog.words import human_bytes, plural
from bakehouse.site.words import moment, number, step

ORDER = ("data", "coordinate", "auxiliary", "bounds", "grid_mapping")
AXES = {"x": "x", "y": "y", "z": "vertical", "t": "time"}


def variables(facts: Facts) -> list[dict[str, Any]]:
    """Describe every array, the data first."""
    ordered = sorted(facts.variables, key=lambda each: (ORDER.index(each.role), each.name))
    return [_variable(each) for each in ordered]


def _variable(each: Variable) -> dict[str, Any]:
    return {
        "name": each.name,
        "role": each.role.replace("_", " "),
        "long_name": each.long_name,
        "standard_name": each.standard_name,
        "units": each.units,
        "dims": " × ".join(each.dims),
        "dtype": each.dtype,
        "stored": f"stored as {each.stored_dtype}" if each.stored_dtype != each.dtype else None,
        "range": f"{number(each.range[0], 4)} to {number(each.range[1], 4)}" if each.range else None,
        "finite": percent(each.finite_fraction),
        "cover": "of a sample" if each.statistics_cover == "sample" else None,
    }


def percent(fraction: float | None) -> str | None:
    """Write a part of a whole; never 100 % or 0 % where it is not exactly that.

    Examples
    --------
    >>> percent(1.0), percent(0.99999), percent(0.671), percent(0.00001), percent(None)
    ('100 %', '>99.9 %', '67.1 %', '<0.1 %', None)
    """
    if fraction is None:
        return None
    if 0 < fraction < 0.001:
        return "<0.1 %"
    return ">99.9 %" if 0.999 < fraction < 1 else f"{100 * fraction:.1f}".removesuffix(".0") + " %"


def dimensions(facts: Facts) -> list[dict[str, Any]]:
    """Describe every dimension: size, extent, step, regularity."""
    return [_dimension(name, dim, facts) for name, dim in facts.dims.items()]


def _dimension(name: str, dim: Dimension, facts: Facts) -> dict[str, Any]:
    regular = {True: "regular", False: "irregular", None: None}[dim.regular]
    return {
        "name": name,
        "size": f"{dim.size:,}",
        "axis": AXES.get(dim.axis or ""),
        "extent": _extent(dim, facts),
        "step": step(dim.step) or None,
        "regular": regular,
    }


def _extent(dim: Dimension, facts: Facts) -> str | None:
    if dim.values:
        shown = ", ".join(dim.values[:8])
        return f"{shown}, …" if len(dim.values) > 8 else shown
    if dim.start is None:
        return None
    ends = f"{moment(dim.start)} to {moment(dim.end)}"
    if dim.axis == "t":
        calendar = facts.time.calendar if facts.time else None
        plain = calendar in (None, "standard", "gregorian", "proleptic_gregorian")
        return ends if plain else f"{ends} ({calendar} calendar)"
    return f"{ends} {dim.units}" if dim.units and dim.units != "1" else ends


def layout(facts: Facts) -> list[dict[str, Any]]:
    """Describe how each data variable lies in the store; all arrays, where none is data."""
    data = [each for each in facts.variables if each.role == "data"] or list(facts.variables)
    return [
        {
            "name": each.name,
            "dims": " × ".join(each.dims),
            "shape": _sizes(each.shape) or "–",
            "chunks": _sizes(each.chunks) or "one value",
            "chunk_bytes": human_bytes(_chunk_bytes(each)),
            "shards": _sizes(each.shards) or "–",
            "objects": f"{each.objects:,}",
            "compressors": ", ".join(each.compressors) or "none",
            "bytes": human_bytes(each.bytes),
        }
        for each in data
    ]


def _sizes(sizes: tuple[int, ...]) -> str:
    return " × ".join(f"{size:,}" for size in sizes)


def _chunk_bytes(variable: Variable) -> float:
    items, chunk = 1, 1
    for size, part in zip(variable.shape, variable.chunks or variable.shape, strict=False):
        items, chunk = items * size, chunk * part
    return variable.bytes / items * chunk if items else 0


def size_words(facts: Facts | None) -> str | None:
    """Say how large a store is, and how well it is compressed."""
    if facts is None:
        return None
    decoded = human_bytes(facts.bytes_decoded)
    if not facts.bytes_stored:
        return f"{decoded} decoded"
    objects = f" in {plural(facts.objects, 'object')}" if facts.objects else ""
    return f"{human_bytes(facts.bytes_stored)}{objects} ({decoded} decoded)"
