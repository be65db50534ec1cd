"""Whether a concat coordinate runs one way through all inputs, and what to do where it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from bakehouse.chunks import Span
from bakehouse.patterns import Key
from bakehouse.plan.findings import Findings, name_both, name_input
from bakehouse.plan.types import Axis
from bakehouse.schema import Extent, InputSchema

Inputs = Mapping[Key, InputSchema]
Line = list[tuple[Key, Extent]]
Point = tuple[Key, Any, str]
"""An input, a value of its coordinate, and the value as messages show it."""

SHOWN = 3
FIXES = {
    "error": "list the inputs in the order of {0}, each value once; or let order='sort' or order='drop_duplicates' do "
    "it; or set the coordinate in a preprocessing step",
    "sort": "order='sort' moves whole inputs: cut those that overlap in a preprocessing step",
    "drop_duplicates": "list the inputs in the order of {0}; order='drop_duplicates' leaves out only leading elements "
    "that repeat the end of the input before",
}


def arrange(axis: Axis, inputs: Inputs, order: str, findings: Findings) -> Axis:
    """Lay inputs along an axis as the policy says; text has no order, and a dimension without coordinate neither."""
    line = _first_of_each(axis, inputs)
    if not line or _is_text(line) or any(e.first is None or e.last is None for _, e in line):
        return axis
    if order == "sort":
        return _sorted(axis, line, inputs, findings)
    return _without_repeats(axis, line, inputs, findings) if order == "drop_duplicates" else axis


def _sorted(axis: Axis, line: Line, inputs: Inputs, findings: Findings) -> Axis:
    """Lay whole inputs in the order of their coordinate: falling if they all fall within, else rising."""
    falls = {e.last < e.first for _, e in line if e.last != e.first} == {True}  # type: ignore[operator]
    where = {dict(key)[axis.name]: extent for key, extent in line}
    empty = [p for p in axis.spans if p not in where]
    wanted = sorted(where, key=lambda p: (_low(where[p]), p), reverse=falls) + empty
    keys = {dict(key)[axis.name]: key for key, _ in line}
    moved = [p for p, before in zip(wanted, sorted(axis.spans), strict=True) if p != before and p in keys]
    if moved:
        shown = ", ".join(inputs[keys[p]].url for p in moved[:SHOWN]) + (", …" if len(moved) > SHOWN else "")
        findings.note(f"inputs lie along '{axis.name}' in its order, not the pattern's; {len(moved)} moved: {shown}")
    return replace(axis, spans=_end_to_end({p: b - a for p in wanted for a, b in [axis.spans[p]]}))


def _low(extent: Extent) -> Any:
    return min(extent.first, extent.last)  # type: ignore[type-var]


def _without_repeats(axis: Axis, line: Line, inputs: Inputs, findings: Findings) -> Axis:
    """Leave out leading elements that repeat the end of what lies before them."""
    kept: list[Any] = []
    skips, notes = {}, []
    for key, extent in line:
        values = _values(extent)
        skip = _repeated(kept[-len(values) :], values)
        kept += values[skip:]
        if skip:
            skips[dict(key)[axis.name]] = skip
            notes.append(f"{skip} from {extent.shown[0]} on of {name_input(key, inputs[key])}")
    if notes:
        shown = "; ".join(notes[:SHOWN]) + (f"; and of {len(notes) - SHOWN} more" if len(notes) > SHOWN else "")
        findings.note(f"elements along '{axis.name}' that repeat those before them were left out: {shown}")
    lengths = {p: b - a - skips.get(p, 0) for p, (a, b) in sorted(axis.spans.items())}
    return replace(axis, spans=_end_to_end(lengths), skips=skips)


def _values(extent: Extent) -> tuple[Any, ...]:
    """Give all values of an input; of a run of inputs in a published store only the last is known for sure."""
    whole = extent.values and (extent.values[0], extent.values[-1]) == (extent.first, extent.last)
    return tuple(extent.values) if whole else (extent.last,)


def _repeated(tail: list[Any], values: tuple[Any, ...]) -> int:
    """Count the leading values that repeat the end of the tail.

    Examples
    --------
    >>> _repeated([1, 2, 3], (2, 3, 4)), _repeated([1, 2, 3], (2, 4)), _repeated([1, 2], (3, 4))
    (2, 0, 0)
    """
    if values[0] not in tail:
        return 0
    count = len(tail) - tail.index(values[0])
    return count if tuple(tail[-count:]) == values[:count] else 0


def _end_to_end(lengths: Mapping[int, int]) -> dict[int, Span]:
    spans, start = {}, 0
    for position, length in lengths.items():
        spans[position] = (start, start + length)
        start += length
    return spans


def check_order(axis: Axis, inputs: Inputs, order: str, findings: Findings) -> None:
    """Refuse coordinates that repeat, overlap or turn round, naming both inputs and both values.

    Text coordinates (scenarios, stations) have no order to keep, but the ends of inputs may not repeat.
    """
    line = _first_of_each(axis, inputs)
    points = [point for key, extent in line for point in _ends(key, extent, axis)]
    if _is_text(line):
        return _check_text(axis.name, points, inputs, findings)
    if not _refused_within(axis.name, line, inputs, findings):
        _check_between(axis.name, points, inputs, FIXES[order].format(axis.name), findings)
    return None


def _first_of_each(axis: Axis, inputs: Inputs) -> Line:
    """Give the extent of each position as they lie along the axis, from the first input there."""
    found: dict[int, tuple[Key, Extent]] = {}
    for key in sorted(inputs):
        extent = dict(inputs[key].extents).get(axis.name)
        if extent is not None:
            found.setdefault(dict(key)[axis.name], (key, extent))
    return [found[position] for position in sorted(found, key=lambda p: (axis.spans[p], p))]


def _is_text(line: Line) -> bool:
    return any(isinstance(end, str) for _, extent in line for end in (extent.first, extent.last))


def _refused_within(name: str, line: Line, inputs: Inputs, findings: Findings) -> bool:
    """Refuse the first input whose own values are missing, repeat or turn round."""
    for key, extent in line:
        missing = extent.first is None or extent.last is None
        if missing or extent.direction == 0:
            what = "has missing values" if missing else "repeats or turns round"
            step = f"dropna('{name}', subset=['{name}'])" if missing else f"sortby('{name}').drop_duplicates('{name}')"
            findings.refuse(
                f"coordinate '{name}' {what} within an input",
                name_both([(key, inputs[key], f"{name} from {extent.shown[0]} to {extent.shown[1]}")]),
                f"mend it in a preprocessing step: ds.{step}",
            )
            return True
    return False


def _ends(key: Key, extent: Extent, axis: Axis) -> Iterator[Point]:
    """Give the first and the last value that an input contributes; what repeats was compared already."""
    start, stop = axis.spans[dict(key)[axis.name]]
    skips = axis.skips.get(dict(key)[axis.name], 0)
    if not skips:
        yield key, extent.first, extent.shown[0]
    if stop > start and extent.last != extent.first:
        yield key, extent.last, extent.shown[1]


def _check_between(name: str, points: list[Point], inputs: Inputs, fix: str, findings: Findings) -> None:
    """Refuse the first step that repeats a value or goes against the way of the first step."""
    rising = next((b > a for (_, a, _), (_, b, _) in pairwise(points) if a != b), True)
    for (left, a, shown_a), (right, b, shown_b) in pairwise(points):
        if a != b and (b > a) == rising:
            continue
        what = f"coordinate '{name}' {'repeats' if a == b else 'runs backwards'}"
        what += f" {'between' if left != right else 'within'} inputs"
        both = [(left, inputs[left], f"{name} up to {shown_a}"), (right, inputs[right], f"{name} from {shown_b}")]
        alone = [(left, inputs[left], f"{name} from {shown_a} to {shown_b}")]
        findings.refuse(
            what,
            name_both(both if left != right else alone),
            fix,
            f"{name} {'rises' if rising else 'falls'} in the inputs before",
        )
        return


def _check_text(name: str, points: list[Point], inputs: Inputs, findings: Findings) -> None:
    """Refuse a label that two inputs have at an end."""
    seen: dict[Any, Key] = {}
    for key, value, shown in points:
        first = seen.setdefault(value, key)
        if first != key:
            findings.refuse(
                f"coordinate '{name}' repeats between inputs",
                name_both([(k, inputs[k], f"{name} '{shown}'") for k in (first, key)]),
                f"give each input a {name} of its own, or leave one of them out",
            )
            return
