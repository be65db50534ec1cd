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
from bakehouse.openers.ranges import read_region
from bakehouse.openers.reference import is_library_asked
from bakehouse.openers.views import view_of
from bakehouse.patterns import Key
from bakehouse.plan.tasks import input_spans, repeated_spans
from bakehouse.plan.types import ArrayPlan, Axis, Part
from bakehouse.writers.encode import cf_encoding, encode, missing_value, stored_fill
from bakehouse.writers.gathered import Gathered
from bakehouse.writers.kept import KeptValues
from bakehouse.writers.packed import Packed
from bakehouse.writers.pieces import pieces
from bakehouse.writers.receipts import Taken
from bakehouse.writers.rounding import rounded

EXACT = 2**53
"""Whole numbers up to here are floats of 64 bits."""


@dataclass(frozen=True)
class Fragment:
    """One input's variables as references: what travels to the tasks.

    A `witness` is not written: what a published store has of it is compared with it.
    """

    key: Key
    url: str
    variables: Mapping[str, xr.Variable]
    witness: bool = False

    def __post_init__(self) -> None:
        """Pack the variables: most stages pass them on without a look."""
        object.__setattr__(self, "variables", Packed.of(self.variables))


@dataclass(frozen=True)
class Overlap:
    """Where a fragment meets a box: the region in the store, in the box, and in the fragment's variable."""

    fragment: Fragment
    store: tuple[Span, ...]
    box: tuple[slice, ...]
    source: tuple[slice, ...]


def belongs(array: ArrayPlan, fragment: Fragment) -> bool:
    """Say whether an array takes values from a fragment, or fill where the fragment lacks it."""
    there = array.fills or array.name in fragment.variables
    return there and all((d, p) in fragment.key for d, p in array.owner)


def overlaps(
    array: ArrayPlan, axes: Mapping[str, Axis], part: Part, fragments: Iterable[Fragment]
) -> Iterator[Overlap]:
    """Find the regions that fragments have in common with a box."""
    for fragment in fragments:
        if belongs(array, fragment):
            yield from _overlap(array, axes, part, fragment, input_spans(array, axes, dict(fragment.key)))


def repeats(array: ArrayPlan, axes: Mapping[str, Axis], part: Part, fragments: Iterable[Fragment]) -> Iterator[Overlap]:
    """Find the regions of a box that fragments hold once more, though they are taken from those before."""
    for fragment in fragments:
        if belongs(array, fragment) and array.name in fragment.variables:
            for region in repeated_spans(array, axes, dict(fragment.key)):
                yield from _overlap(array, axes, part, fragment, region)


def _overlap(
    array: ArrayPlan, axes: Mapping[str, Axis], part: Part, fragment: Fragment, region: tuple[Span, ...]
) -> Iterator[Overlap]:
    shared = [overlap(a, b) for a, b in zip(region, part.spans, strict=True)]
    if any(s is None for s in shared):
        return
    spans = tuple(s for s in shared if s is not None)
    key = dict(fragment.key)
    origins = [axes[d].spans[key[d]][0] - axes[d].skips.get(key[d], 0) if d in array.runs else 0 for d in array.dims]
    box = tuple(slice(a - p, b - p) for (a, b), (p, _) in zip(spans, part.spans, strict=True))
    source = tuple(
        slice(a - o, b - o) for (a, b), o, d in zip(spans, origins, array.dims, strict=True) if d not in array.expand
    )
    yield Overlap(fragment, spans, box, source)


def held_dtype(dtype: Any) -> Any:
    """Give the dtype that values of a stored dtype have in memory: text is objects."""
    return object if dtype.kind in "OTUS" else dtype


def assemble(
    array: ArrayPlan,
    axes: Mapping[str, Axis],
    part: Part,
    fragments: Iterable[Fragment],
    dtype: Any,
    asked: Mapping[str, Any],
    kept: KeptValues | None = None,
    room: Any = None,
) -> tuple[Any, list[Taken]]:
    """Give the stored values of a box, and where they came from; what a published version has is taken from there.

    Parameters
    ----------
    room
        A flat array that the values are put into, if not into memory of their own.

    Raises
    ------
    SchemaError
        If the inputs do not fill the box exactly once, or values do not fit the planned dtype.
    """
    lengths = [b - a for a, b in part.spans]
    out = np.empty(lengths, held_dtype(dtype)) if room is None else room[: math.prod(lengths)].reshape(lengths)
    taken: list[Taken] = []
    filled = kept.fill(array, axes, part, out) if kept else 0
    direct, gathered = asked.get("keepbits") is None, Gathered(array, asked)
    for found in overlaps(array, axes, part, fragments):
        for piece in pieces(array, found):
            if not (direct and (gathered.takes(piece) or _read_into(array, out, piece))):
                _put(array, out, piece, stored_values(array, piece, asked))
        if array.name in found.fragment.variables:
            taken.append(Taken(found.fragment.url, array.name, found.store))
        filled += math.prod(b - a for a, b in found.store)
    for piece, values in gathered.encoded():
        _put(array, out, piece, stored_values(array, piece, asked) if values is None else values)
    if filled != out.size:
        _refuse_filling(array, part, filled, out.size, [t.input for t in taken])
    for found in repeats(array, axes, part, fragments):
        for piece in pieces(array, found):
            _insist_repeated(array, out, piece, stored_values(array, piece, asked), taken)
    return out, taken


def _read_into(array: ArrayPlan, out: Any, found: Overlap) -> bool:
    """Decode a region straight into the box, where the source's manifest says how; say whether it could be done."""
    variable = found.fragment.variables.get(array.name)
    view = view_of(variable) if variable is not None and array.raw is not None else None
    manifest = view.reference.manifest() if view and not is_library_asked() else "nothing to index"
    if view is None or isinstance(manifest, str) or manifest.dtype.newbyteorder("=") != out.dtype.newbyteorder("="):
        return False
    spans, region = view.spans(found.source), out[found.box or ...]
    gained = tuple(i for i, d in enumerate(array.dims) if d in array.expand)
    fits = all(0 <= a < b <= n for (a, b), n in zip(spans, manifest.shape, strict=True))
    if not fits or any(region.shape[i] != 1 for i in gained):
        return False
    region = np.expand_dims(region.squeeze(gained), tuple(view.fixed)) if region.ndim else region
    read_region(view.reference.place, manifest, spans, region)
    return True


def stored_values(array: ArrayPlan, found: Overlap, asked: Mapping[str, Any]) -> Any:
    """Read a region of a fragment as the store keeps it."""
    variable = found.fragment.variables.get(array.name)
    if variable is None:
        return np.full(_lengths(found), stored_fill(array, asked))
    if array.raw is not None and (raw := raw_variable(variable)) is not None:
        return rounded(array, raw[0][found.source].values, asked)
    try:
        encoded = encode(array.name, variable[found.source], cf_encoding(array, dict(asked))).values
        return rounded(array, encoded, asked)
    except BakehouseError as error:
        raise type(error)(error.message, found.fragment.url, error.cause, error.fix) from error


def decoded_values(array: ArrayPlan, found: Overlap) -> Any:
    """Read a region of a fragment as a reader sees it."""
    variable = found.fragment.variables.get(array.name)
    return np.full(_lengths(found), missing_value(array.dtype)) if variable is None else variable[found.source].values


def _lengths(found: Overlap) -> list[int]:
    return [s.stop - s.start for s in found.source]


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
    _insist_exact(array.name, values, out.dtype, found.fragment.url)
    region[...] = np.broadcast_to(values, region.shape)


def _insist_exact(name: str, values: Any, dtype: Any, url: str) -> None:
    """Refuse whole numbers that the floats of other inputs do not hold."""
    if dtype.kind != "f" or values.dtype.kind not in "iu" or values.dtype.itemsize < 8:
        return
    large = values[(values > EXACT) | (values < -EXACT)] if values.dtype.kind == "i" else values[values > EXACT]
    lost = next((int(v) for v in large if int(float(v)) != int(v)), None)
    if lost is not None:
        raise SchemaError(
            f"values of '{name}' can't be stored as {dtype}: {lost} would be read as {int(float(lost))}",
            url,
            "other inputs have floats, which hold whole numbers up to 2**53",
            f"convert in a preprocessing step: ds['{name}'].astype('int64') where it is float, or astype(str)",
        )


def _insist_repeated(array: ArrayPlan, out: Any, found: Overlap, values: Any, taken: list[Taken]) -> None:
    """Insist that elements which an input repeats are the ones that are kept."""
    kept = out[found.box or ...]
    again = np.broadcast_to(values, kept.shape)
    same = np.asarray((kept == again) | ((kept != kept) & (again != again)))
    if same.all():
        return
    at = tuple(int(i) for i in np.argwhere(~same)[0])
    place = tuple(a + i for (a, _), i in zip(found.store, at, strict=True))
    first = next((t.input for t in taken if all(a <= p < b for p, (a, b) in zip(place, t.region, strict=True))), None)
    where = dict(zip(array.dims, place, strict=True))
    raise SchemaError(
        f"'{array.name}' at {where} is {again[at]} where it repeats, but {kept[at]} in the input before "
        f"({int((~same).sum())} of {same.size} repeated values differ)",
        f"{found.fragment.url} repeats {first or 'what the store has'}",
        "order='drop_duplicates' leaves out only elements whose values are all the same",
        f"choose between them in a preprocessing step, for example ds.isel({array.runs[0]}=slice(n, None))",
    )


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
