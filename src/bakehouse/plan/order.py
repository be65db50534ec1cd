"""Whether a concat coordinate runs one way through all inputs."""

from __future__ import annotations

from collections.abc import Mapping

from bakehouse.patterns import Key
from bakehouse.plan.findings import Findings, name_both
from bakehouse.plan.types import Axis
from bakehouse.schema import Extent, InputSchema


def check_order(axis: Axis, inputs: Mapping[Key, InputSchema], findings: Findings) -> None:
    """Refuse coordinates that repeat, overlap or turn round, naming both inputs and both values.

    Text coordinates (scenarios, stations) have no order to keep.
    """
    line = _first_of_each(axis, inputs)
    direction = 0
    for key, extent in line:
        direction = direction or _direction(axis.name, key, extent, inputs, findings)
    for (left_key, left), (right_key, right) in zip(line, line[1:], strict=False):
        if isinstance(left.last, str) or isinstance(right.first, str):
            return
        direction = direction or (1 if right.first > left.last else -1)
        if (right.first > left.last) != (direction > 0) or right.first == left.last:
            what = "repeats" if right.first == left.last else "runs backwards"
            shown = [(left_key, inputs[left_key], f"{axis.name} up to {left.shown[1]}"), (right_key, inputs[right_key], f"{axis.name} from {right.shown[0]}")]
            findings.refuse(f"coordinate '{axis.name}' {what} between inputs", name_both(shown),
                            f"list the inputs in the order of {axis.name}, each value once; or set the coordinate in a preprocessing step")  # fmt: skip
            return


def _first_of_each(axis: Axis, inputs: Mapping[Key, InputSchema]) -> list[tuple[Key, Extent]]:
    """Give the extent of each position along the axis, from the first input there."""
    found: dict[int, tuple[Key, Extent]] = {}
    for key in sorted(inputs):
        extent = dict(inputs[key].extents).get(axis.name)
        if extent is not None:
            found.setdefault(dict(key)[axis.name], (key, extent))
    return [found[position] for position in sorted(found)]


def _direction(name: str, key: Key, extent: Extent, inputs: Mapping[Key, InputSchema], findings: Findings) -> int:
    """Give the direction that an input shows, 0 if it has a single value or text."""
    if isinstance(extent.first, str):
        return 0
    if extent.direction == 0:
        findings.refuse(f"coordinate '{name}' repeats or turns round within an input",
                        name_both([(key, inputs[key], f"{name} from {extent.shown[0]} to {extent.shown[1]}")]),
                        f"sort and deduplicate in a preprocessing step: ds.sortby('{name}').drop_duplicates('{name}')")  # fmt: skip
        return 0
    return 0 if extent.first == extent.last else extent.direction
