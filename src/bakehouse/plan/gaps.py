"""Inputs that are not there: how long their gaps are, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bakehouse.errors import PatternError
from bakehouse.patterns import Key
from bakehouse.plan.base import Base
from bakehouse.plan.course import Course, Held
from bakehouse.schema import DatasetSchema, Extent, Identity, InputSchema

Expects = tuple[tuple[str, int, int | None], ...]


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
    course = Course(_held(schema, along, base))
    stand_ins = {gap.key: frozenset([_stand_in(gap, along, course, label)]) for gap in gaps}
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


def _stand_in(gap: Absent, along: str, course: Course, label: str) -> InputSchema:
    position = dict(gap.key)[along]
    if position in course.held:  # another input of the same position is there: it has the coordinate
        extent, length = course.held[position]
    else:
        length = _length(gap, along, position, course, label)
        extent = _extent(gap, along, position, length, course, label)
    sizes = ((along, length),) if length else ()
    return InputSchema(gap.url, Identity(), sizes, (), extents=((along, extent),) if extent else (), gap=True)


def _length(gap: Absent, along: str, position: int, course: Course, label: str) -> int:
    """Give the length of a gap: what the pattern says; 0 for one element of a new dimension; what all others have."""
    said = next((n for d, _, n in gap.expects if d == along), None)
    if said is not None:
        return 0 if course.lengths == {0} else said
    shared = next(iter(course.lengths)) if len(course.lengths) == 1 else None
    if shared is not None and (shared in (0, 1) or course.fits(position, shared)):
        return shared
    raise PatternError(
        f"input {along}={position} is not there, and how many elements it would have can't be told",
        f"{label}: {gap.url}",
        f"the others have {', '.join(map(str, sorted(course.lengths)[:5]))} elements along '{along}'",
        "say it in the pattern: nitems_per_file; or take the input out of the pattern",
    )


def _extent(gap: Absent, along: str, position: int, length: int, course: Course, label: str) -> Extent | None:
    """Give the coordinate within a gap, where all others follow one step, or one day of every month."""
    if not course.places:
        return None
    extent = course.extent(position, max(length, 1))
    if extent is None:
        raise PatternError(
            f"input {along}={position} is not there, and its values of '{along}' can't be told",
            f"{label}: {gap.url}",
            f"the values of '{along}' in the other inputs follow no regular step",
            "take the input out of the pattern",
        )
    return extent
