"""How a coordinate runs on where inputs are not there: by one step, or by one day of every month."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from bakehouse.schema import Extent

Held = tuple[Extent | None, int]
"""The extent of a position along a dimension, and its length."""
Place = tuple[int, Any, int]
"""A position with its extent, whose ends are numbers, and its length."""


@dataclass(frozen=True)
class Course:
    """What the inputs that are there tell of one dimension, by position; what they share is worked out once."""

    held: Mapping[int, Held]

    @cached_property
    def lengths(self) -> frozenset[int]:
        """Give the lengths that inputs have."""
        return frozenset(n for _, n in self.held.values())

    @cached_property
    def places(self) -> list[Place]:
        """List the positions whose coordinate is a number, in order."""
        found = [(p, e, max(n, 1)) for p, (e, n) in sorted(self.held.items()) if e is not None]
        return [each for each in found if not isinstance(each[1].first, str) and None not in _ends(each[1])]

    def fits(self, position: int, length: int) -> bool:
        """Say whether a gap of this length is just as long as the coordinate leaves free."""
        around = self._around(position)
        if self._step is None or around is None:
            return False
        (left, before, _), (right, after, _) = around
        return bool((right - left - 1) * length == round((after.first - before.last) / self._step) - 1)

    def extent(self, position: int, length: int) -> Extent | None:
        """Give the coordinate within a gap; None if it follows neither a step nor the months."""
        values = self._by_step(position, length) or self._by_month(position, length)
        if values is None:
            return None
        template = self.places[0][1]
        shown = (_show(values[0], template), _show(values[-1], template))
        direction = 1 if values[-1] >= values[0] else -1
        return Extent(values[0], values[-1], direction, shown, template.unit, tuple(values))

    @cached_property
    def _step(self) -> Any:
        """The step that all values share; None if there is none, or they stand still."""
        steps = list(_steps(self.places))
        if not any(steps) or any(not math.isclose(step, steps[0], rel_tol=1e-9) for step in steps):
            return None
        whole = float(steps[0]).is_integer() and isinstance(self.places[0][1].first, int)
        return int(steps[0]) if whole else steps[0]

    @cached_property
    def _positions(self) -> list[int]:
        return [position for position, _, _ in self.places]

    def _around(self, position: int) -> tuple[Place, Place] | None:
        left, right = bisect_left(self._positions, position), bisect_right(self._positions, position)
        return (self.places[left - 1], self.places[right]) if left and right < len(self.places) else None

    def _by_step(self, position: int, length: int) -> list[Any] | None:
        around = self._around(position)
        if self._step is None or around is None:
            return None
        (left, before, _), (right, after, _) = around
        free = (after.first - before.last) / self._step - 1
        if not math.isclose(free, (right - left - 1) * length, rel_tol=1e-9):
            return None
        start: Any = before.last + self._step * (1 + (position - left - 1) * length)
        return [start + self._step * i for i in range(length)]

    def _by_month(self, position: int, length: int) -> list[Any] | None:
        if length != 1 or self._months is None:
            return None
        anchor, first, (months, positions), offset = self._months
        month = first + np.timedelta64((position - anchor) * months // positions, "M")
        return [int(month.astype("datetime64[s]").astype("int64")) * 10**9 + int(offset.astype("int64"))]

    @cached_property
    def _months(self) -> tuple[int, Any, tuple[int, int], Any] | None:
        """The first position and its month, how many months go to how many positions, and the time within a month.

        Monthly files of one value have it; only for times of numpy's calendar.
        """
        if any(n != 1 or e.unit is None or not isinstance(e.first, int) for _, e, n in self.places):
            return None
        times = {p: time_of(e.first) for p, e, _ in self.places}
        if any(str(times[p])[:19] != e.shown[0][:19] for p, e, _ in self.places):
            return None
        months = {p: t.astype("datetime64[M]") for p, t in times.items()}
        offsets = {(times[p] - months[p]).astype("timedelta64[ns]") for p in times}
        rates = {(int((months[b] - months[a]).astype(int)), b - a) for a, b in pairwise(times)}
        if len(offsets) != 1 or len({m / n for m, n in rates}) != 1:
            return None
        anchor = self._positions[0]
        return anchor, months[anchor], next(iter(rates)), offsets.pop()


def _ends(extent: Extent) -> tuple[Any, Any]:
    return extent.first, extent.last


def _steps(places: list[Place]) -> Iterator[Any]:
    for _, extent, length in places:
        if length > 1:
            yield (extent.last - extent.first) / (length - 1)
    for (left, before, _), (right, after, _) in pairwise(places):
        if right == left + 1:
            yield after.first - before.last


def _show(value: Any, like: Extent) -> str:
    """Show a value as the coordinate's others are."""
    is_time = like.unit is not None and isinstance(value, int)
    if is_time and str(time_of(like.first))[:19] == like.shown[0][:19]:
        return str(time_of(value))
    if is_time:
        return str(np.datetime64(int(value), "us")).replace("T", " ")
    return str(value)


def time_of(nanoseconds: Any) -> Any:
    """Give a time counted in nanoseconds since 1970, in microseconds where 64 bits don't hold it.

    Examples
    --------
    >>> time_of(-30_610_224_000 * 10**9)
    np.datetime64('1000-01-01T00:00:00.000000')
    """
    number = int(nanoseconds)
    return np.datetime64(number, "ns") if abs(number) < 2**63 else np.datetime64(number // 1000, "us")
