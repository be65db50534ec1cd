"""Inputs that are not there: how long their gaps are, and which coordinates lie in them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from bakehouse.errors import PatternError
from bakehouse.patterns import Key
from bakehouse.plan.base import Base
from bakehouse.schema import DatasetSchema, Extent, Identity, InputSchema

Expects = tuple[tuple[str, int, int | None], ...]
Held = tuple[Extent | None, int]
"""The extent of a position along a dimension, and its length."""


@dataclass(frozen=True, order=True)
class Absent:
    """An input that is not there, and what its pattern says of each dimension (as in `InputSchema`)."""

    key: Key
    url: str
    expects: Expects = ()


def with_gaps(
    schema: DatasetSchema, absent: Iterable[Absent], dims: Mapping[str, str], label: str, base: Base | None = None
) -> tuple[DatasetSchema, list[str]]:
    """Put stand-ins of fill where inputs are not there; those at the end of a concat dim are left out instead.

    Returns
    -------
    tuple
        The schema with the gaps, and notes for people.

    Raises
    ------
    PatternError
        If the length of a gap, or the coordinate within it, can't be told.
    """
    there = {*schema.inputs, *(base.by_key if base else ())}
    missing = sorted(gap for gap in set(absent) if gap.key not in there)
    if not missing:
        return schema, []
    along = _gap_dim(missing, there, dims, label)
    last = max((dict(key)[along] for key in there), default=-1)
    late = [gap for gap in missing if dict(gap.key)[along] > last]
    gaps = [gap for gap in missing if dict(gap.key)[along] <= last]
    notes = [f"{_named(late)} at the end of '{along}' not there yet, and left out"] if late else []
    notes += [f"{_named(gaps)} not there: fill stands in the gap"] if gaps else []
    held = _held(schema, along, base)
    stand_ins = {gap.key: frozenset([_stand_in(gap, along, held, label)]) for gap in gaps}
    inputs = {key: frozenset(_ending(i, along, last + 1) for i in found) for key, found in schema.inputs.items()}
    return replace(schema, inputs={**inputs, **stand_ins}), notes


def as_published(schema: DatasetSchema, base: Base) -> DatasetSchema:
    """Cut what the pattern expects down to a published version's inputs, and add the gaps that it has."""
    used = {d for a in base.arrays.values() for d in a.dims if d not in a.expand}
    ends = {d: 1 + max(dict(known.key)[d] for known in base.inputs) for d, _ in base.inputs[0].key}
    inputs = {key: frozenset(_all_ending(i, ends) for i in found) for key, found in schema.inputs.items()}
    for known in base.gaps:
        sizes = tuple((d, b - a) for d, (a, b) in known.spans if d in used)
        stand_in = InputSchema(known.url, Identity(), sizes, (), extents=known.extents, gap=True)
        inputs.setdefault(known.key, frozenset([stand_in]))
    return replace(schema, inputs=inputs)


def _all_ending(found: InputSchema, ends: Mapping[str, int]) -> InputSchema:
    for along, count in ends.items():
        found = _ending(found, along, count)
    return found


def _named(gaps: list[Absent]) -> str:
    first = gaps[0].url
    return f"input {first} is" if len(gaps) == 1 else f"{len(gaps)} inputs ({first}, …) are"


def _gap_dim(missing: list[Absent], there: set[Key], dims: Mapping[str, str], label: str) -> str:
    """Choose the concat dim along which inputs are missing: the one with the most positions."""
    concat = [d for d, op in dims.items() if op == "concat"]
    if not concat or not there:
        raise PatternError(
            f"{_named(missing)} not there",
            label,
            "no other input tells what would stand in the gap",
            "take it out of the pattern",
        )
    return max(concat, key=lambda d: len({dict(key)[d] for key in there}))


def _held(schema: DatasetSchema, along: str, base: Base | None) -> dict[int, Held]:
    """Give extent and length of every position along a dimension, from the first input there."""
    held: dict[int, Held] = {}
    is_new = base is not None and all(along in a.expand for a in base.arrays.values() if along in a.dims)
    for known in base.inputs if base else ():
        start, stop = dict(known.spans)[along]
        held.setdefault(dict(known.key)[along], (dict(known.extents).get(along), 0 if is_new else stop - start))
    for key in sorted(schema.inputs):
        found = next(iter(schema.inputs[key]))
        held.setdefault(dict(key)[along], (dict(found.extents).get(along), dict(found.sizes).get(along, 0)))
    return held


def _ending(found: InputSchema, along: str, count: int) -> InputSchema:
    """Make the pattern end where the last input is that is there."""
    expects = tuple((d, min(n, count) if d == along else n, each) for d, n, each in found.expects)
    return replace(found, expects=expects)


def _stand_in(gap: Absent, along: str, held: Mapping[int, Held], label: str) -> InputSchema:
    position = dict(gap.key)[along]
    if position in held:  # another input of the same position is there: it has the coordinate
        extent, length = held[position]
    else:
        length = _length(gap, along, position, held, label)
        extent = _extent(gap, along, position, length, held, label)
    sizes = ((along, length),) if length else ()
    return InputSchema(gap.url, Identity(), sizes, (), extents=((along, extent),) if extent else (), gap=True)


def _length(gap: Absent, along: str, position: int, held: Mapping[int, Held], label: str) -> int:
    """Give the length of a gap: what the pattern says; 0 for one element of a new dimension; what all others have."""
    said = next((n for d, _, n in gap.expects if d == along), None)
    lengths = {n for _, n in held.values()}
    if said is not None:
        return 0 if lengths == {0} else said
    if len(lengths) == 1 and (lengths <= {0, 1} or _fits(position, lengths, held)):
        return lengths.pop()
    raise PatternError(
        f"input {along}={position} is not there, and how many elements it would have can't be told",
        f"{label}: {gap.url}",
        f"the others have {', '.join(map(str, sorted(lengths)[:5]))} elements along '{along}'",
        "say it in the pattern: nitems_per_file; or take the input out of the pattern",
    )


def _fits(position: int, lengths: set[int], held: Mapping[int, Held]) -> bool:
    """Say whether a gap of the length that all others have is just as long as the coordinate leaves free."""
    line = _line(held)
    step = _step(line)
    around = _around(position, line)
    if step is None or around is None:
        return False
    (left, before, _), (right, after, _) = around
    return bool((right - left - 1) * next(iter(lengths)) == round((after.first - before.last) / step) - 1)


def _extent(gap: Absent, along: str, position: int, length: int, held: Mapping[int, Held], label: str) -> Extent | None:
    """Give the coordinate within a gap, where all others follow one step, or one day of every month."""
    line = _line(held)
    if not line:
        return None
    values = _by_step(position, max(length, 1), line) or _by_month(position, max(length, 1), line)
    if values is None:
        raise PatternError(
            f"input {along}={position} is not there, and its values of '{along}' can't be told",
            f"{label}: {gap.url}",
            f"the values of '{along}' in the other inputs follow no regular step",
            "take the input out of the pattern",
        )
    template = line[0][1]
    shown = (_show(values[0], template), _show(values[-1], template))
    return Extent(values[0], values[-1], 1 if values[-1] >= values[0] else -1, shown, template.unit, tuple(values))


Line = list[tuple[int, Any, int]]
"""Positions with their extent, whose ends are numbers, and their length."""


def _line(held: Mapping[int, Held]) -> Line:
    """List the positions whose coordinate is a number, in order."""
    found = [(p, e, max(n, 1)) for p, (e, n) in sorted(held.items()) if e is not None]
    return [each for each in found if not isinstance(each[1].first, str) and each[1].first is not None]


def _around(position: int, line: Line) -> tuple[tuple[int, Any, int], tuple[int, Any, int]] | None:
    left = [each for each in line if each[0] < position]
    right = [each for each in line if each[0] > position]
    return (left[-1], right[0]) if left and right else None


def _steps(line: Line) -> Iterator[Any]:
    for _, extent, length in line:
        if length > 1:
            yield (extent.last - extent.first) / (length - 1)
    for (left, before, _), (right, after, _) in pairwise(line):
        if right == left + 1:
            yield after.first - before.last


def _step(line: Line) -> Any:
    """Give the step that all values share; None if there is none."""
    steps = list(_steps(line))
    if not steps or any(not math.isclose(step, steps[0], rel_tol=1e-9) for step in steps):
        return None
    return int(steps[0]) if float(steps[0]).is_integer() and isinstance(line[0][1].first, int) else steps[0]


def _by_step(position: int, length: int, line: Line) -> list[Any] | None:
    step, around = _step(line), _around(position, line)
    if step is None or around is None:
        return None
    (left, before, _), (right, after, _) = around
    free = (after.first - before.last) / step - 1
    if not math.isclose(free, (right - left - 1) * length, rel_tol=1e-9):
        return None
    start: Any = before.last + step * (1 + (position - left - 1) * length)
    return [start + step * i for i in range(length)]


def _by_month(position: int, length: int, line: Line) -> list[Any] | None:
    """Follow one day and time of every month, as monthly files of one value do; only for times of numpy's calendar."""
    if length != 1 or any(n != 1 or e.unit is None or not isinstance(e.first, int) for _, e, n in line):
        return None
    times = {p: _time(e.first) for p, e, _ in line}
    if any(str(t)[:19] != e.shown[0][:19] for t, (_, e, _) in zip(times.values(), line, strict=True)):
        return None
    months = {p: t.astype("datetime64[M]") for p, t in times.items()}
    offsets = {times[p] - months[p].astype("datetime64[ns]") for p in times}
    rates = {((months[b] - months[a]).astype(int), b - a) for a, b in pairwise(sorted(times))}
    if len(offsets) != 1 or len({m / n for m, n in rates}) != 1:
        return None
    anchor, per = min(times), next(iter(rates))
    month = months[anchor] + np.timedelta64((position - anchor) * per[0] // per[1], "M")
    return [int((month.astype("datetime64[ns]") + offsets.pop()).astype("int64"))]


def _show(value: Any, like: Extent) -> str:
    """Show a value as the coordinate's others are."""
    is_time = like.unit is not None and isinstance(value, int)
    if is_time and str(_time(like.first))[:19] == like.shown[0][:19]:
        return str(_time(value))
    if is_time:
        return str(np.datetime64(int(value), "us")).replace("T", " ")
    return str(value)


def _time(nanoseconds: Any) -> Any:
    return np.datetime64(int(nanoseconds), "ns")
