"""Fill a planned box from the inputs that overlap it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from bakehouse.chunks import Span, overlap
from bakehouse.errors import BakehouseError, SchemaError
from bakehouse.openers.describe import raw_variable
from bakehouse.patterns import Key
from bakehouse.plan.tasks import input_spans
from bakehouse.plan.types import ArrayPlan, Axis, Part
from bakehouse.writers.encode import cf_encoding, encode
from bakehouse.writers.receipts import Taken


@dataclass(frozen=True)
class Fragment:
    """One input's variables as references: what travels to the tasks."""

    key: Key
    url: str
    variables: Mapping[str, xr.Variable]


@dataclass(frozen=True)
class Overlap:
    """Where a fragment meets a box: the region in the store, in the box, and in the fragment's variable."""

    fragment: Fragment
    store: tuple[Span, ...]
    box: tuple[slice, ...]
    source: tuple[slice, ...]


def belongs(array: ArrayPlan, fragment: Fragment) -> bool:
    """Say whether an array takes values from a fragment."""
    return array.name in fragment.variables and all((d, p) in fragment.key for d, p in array.owner)


def overlaps(
    array: ArrayPlan, axes: Mapping[str, Axis], part: Part, fragments: Iterable[Fragment]
) -> Iterator[Overlap]:
    """Find the regions that fragments have in common with a box."""
    for fragment in fragments:
        if not belongs(array, fragment):
            continue
        held = input_spans(array, axes, dict(fragment.key))
        shared = [overlap(a, b) for a, b in zip(held, part.spans, strict=True)]
        if any(s is None for s in shared):
            continue
        spans = tuple(s for s in shared if s is not None)
        box = tuple(slice(a - p, b - p) for (a, b), (p, _) in zip(spans, part.spans, strict=True))
        source = tuple(
            slice(a - h, b - h)
            for (a, b), (h, _), d in zip(spans, held, array.dims, strict=True)
            if d not in array.expand
        )
        yield Overlap(fragment, spans, box, source)


def assemble(
    array: ArrayPlan,
    axes: Mapping[str, Axis],
    part: Part,
    fragments: Iterable[Fragment],
    dtype: Any,
    asked: Mapping[str, Any],
) -> tuple[Any, list[Taken]]:
    """Give the stored values of a box, and where they came from.

    Raises
    ------
    SchemaError
        If the inputs do not fill the box exactly once, or values do not fit the planned dtype.
    """
    stored = object if dtype.kind in "OTUS" else dtype
    out = np.empty([b - a for a, b in part.spans], dtype=stored)
    taken, filled = [], 0
    for found in overlaps(array, axes, part, fragments):
        values = stored_values(array, found, asked)
        _put(array, out, found, values)
        taken.append(Taken(found.fragment.url, array.name, found.store))
        filled += math.prod(b - a for a, b in found.store)
    if filled != out.size:
        _refuse_filling(array, part, filled, out.size, [t.input for t in taken])
    return out, taken


def stored_values(array: ArrayPlan, found: Overlap, asked: Mapping[str, Any]) -> Any:
    """Read a region of a fragment as the store keeps it."""
    variable = found.fragment.variables[array.name]
    if array.raw is not None and (raw := raw_variable(variable)) is not None:
        return raw[0][found.source].values
    try:
        return encode(array.name, variable[found.source], cf_encoding(array, dict(asked))).values
    except BakehouseError as error:
        raise type(error)(error.message, found.fragment.url, error.cause, error.fix) from error


def decoded_values(array: ArrayPlan, found: Overlap) -> Any:
    """Read a region of a fragment as a reader sees it."""
    return found.fragment.variables[array.name][found.source].values


def _put(array: ArrayPlan, out: Any, found: Overlap, values: Any) -> None:
    """Copy a region into the box; a dtype that would lose values is refused."""
    region = out[found.box or ...]
    if out.dtype != object and not np.can_cast(values.dtype, out.dtype, "safe"):
        raise SchemaError(
            f"values of '{array.name}' have dtype {values.dtype}, the store has {out.dtype}",
            found.fragment.url,
            "this input differs from the others",
            f"convert in a preprocessing step: ds['{array.name}'].astype('{out.dtype}')",
        )
    if np.shape(values) != region.shape[len(array.expand) :]:
        raise SchemaError(
            f"'{array.name}' has shape {np.shape(values)} where {region.shape[len(array.expand) :]} was planned",
            found.fragment.url,
            "this input has another size than when it was surveyed",
            "run again",
        )
    region[...] = np.broadcast_to(values, region.shape)


def _refuse_filling(array: ArrayPlan, part: Part, filled: int, size: int, inputs: list[str]) -> None:
    """Say why a box is not filled exactly once."""
    twice = sorted({url for url in inputs if inputs.count(url) > 1})
    if twice:
        cause, fix = (
            f"more than one Dataset came with the index of {twice[0]}",
            "give every Dataset an index of its own",
        )
    else:
        cause, fix = "an input has another size than when it was surveyed", "run again"
    raise SchemaError(f"inputs fill {filled} of {size} elements of '{array.name}' at {part.spans}", None, cause, fix)
