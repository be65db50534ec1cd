"""Whether a concat coordinate runs one way through all inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from bakehouse.patterns import Key
from bakehouse.plan.findings import Findings, name_both
from bakehouse.plan.types import Axis
from bakehouse.schema import Extent, InputSchema

Line = list[tuple[Key, Extent]]
Point = tuple[Key, Any, str]
"""An input, a value of its coordinate, and the value as messages show it."""


def check_order(axis: Axis, inputs: Mapping[Key, InputSchema], findings: Findings) -> None:
    """Refuse coordinates that repeat, overlap or turn round, naming both inputs and both values.

    Text coordinates (scenarios, stations) have no order to keep.
    """
    line = _first_of_each(axis, inputs)
    if any(isinstance(end, str) for _, extent in line for end in (extent.first, extent.last)):
        return
    if not _refused_within(axis.name, line, inputs, findings):
        _check_between(axis.name, list(_ends(line)), inputs, findings)


def _first_of_each(axis: Axis, inputs: Mapping[Key, InputSchema]) -> Line:
    """Give the extent of each position along the axis, from the first input there."""
    found: dict[int, tuple[Key, Extent]] = {}
    for key in sorted(inputs):
        extent = dict(inputs[key].extents).get(axis.name)
        if extent is not None:
            found.setdefault(dict(key)[axis.name], (key, extent))
    return [found[position] for position in sorted(found)]


def _refused_within(name: str, line: Line, inputs: Mapping[Key, InputSchema], findings: Findings) -> bool:
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


def _ends(line: Line) -> Iterator[Point]:
    for key, extent in line:
        yield key, extent.first, extent.shown[0]
        if extent.last != extent.first:
            yield key, extent.last, extent.shown[1]


def _check_between(name: str, points: list[Point], inputs: Mapping[Key, InputSchema], findings: Findings) -> None:
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
            f"list the inputs in the order of {name}, each value once; or set the coordinate in a preprocessing step",
            f"{name} {'rises' if rising else 'falls'} in the inputs before",
        )
        return
