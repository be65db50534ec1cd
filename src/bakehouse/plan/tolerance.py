"""Whether variables that inputs must share are the same: by digest, or within a tolerance that the recipe states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bakehouse.patterns import Key
from bakehouse.plan.findings import Findings, name_input
from bakehouse.plan.types import StoreOptions
from bakehouse.schema import InputSchema, VariableSchema

Member = tuple[InputSchema, VariableSchema]
COMPARED = 2**18
"""Elements of a variable that are compared within a tolerance: their values travel with the schema."""
SHOWN = 2**11
"""Elements of a variable that must be equal whose values travel along, so that a message can show what differs."""


@dataclass(frozen=True)
class Difference:
    """Where two inputs differ most in a variable: the place, both values and how far they are apart."""

    place: tuple[int, ...]
    values: tuple[float, float]
    size: float


@dataclass(frozen=True)
class Sameness:
    """Compares what inputs must share; `values` are the float64 values that the schema holds by digest.

    Distances are float64 differences, and a distance equal to the tolerance is within it. Everything is compared with
    the first input, whose values are stored, so that differences do not add up.
    """

    options: StoreOptions
    values: Mapping[str, bytes] = field(default_factory=dict)

    def holds(self, name: str, first: Member, other: Member) -> bool:
        """Say whether two inputs have the same values, as far as the recipe insists on it."""
        if _digest(name, first) == _digest(name, other):
            return True
        allowed = self.tolerance(name, first)
        found = self.difference(name, first, other) if allowed else None
        return found is not None and found.size <= allowed

    def tolerance(self, name: str, member: Member) -> float:
        """Give how far apart a variable's values may be."""
        return self.options.tolerance(name, member[1].auxiliary)

    def difference(self, name: str, first: Member, other: Member) -> Difference | None:
        """Find the largest difference, None if values are not at hand or have other shapes; NaN equals NaN."""
        a, b = self._numbers(name, first), self._numbers(name, other)
        if a is None or b is None or a.shape != b.shape or not a.size:
            return None
        with np.errstate(invalid="ignore"):
            apart = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
        apart = np.where(np.isnan(apart), np.inf, apart)
        place = tuple(int(i) for i in np.unravel_index(int(apart.argmax()), a.shape))
        return Difference(place, (float(a[place]), float(b[place])), float(apart[place]))

    def note(self, name: str, members: Mapping[Key, Member], across: set[str], findings: Findings) -> None:
        """Say that inputs differ within the tolerance, by how much, and whose values are stored."""
        firsts: dict[Key, Key] = {}
        found = []
        for key in sorted(members):
            first = firsts.setdefault(tuple((d, p) for d, p in key if d not in across), key)
            if _digest(name, members[first]) != _digest(name, members[key]):
                found.append(self.difference(name, members[first], members[key]))
        if found:
            first = min(members)
            largest = max((d.size for d in found if d), default=0.0)
            findings.note(
                f"'{name}' of {len(found)} inputs differs by up to {largest:g}, within the tolerance of "
                f"{self.tolerance(name, members[first]):g}; it is taken from {name_input(first, members[first][0])}"
            )

    def _numbers(self, name: str, member: Member) -> Any | None:
        data = self.values.get(_digest(name, member) or "")
        sizes = dict(member[0].sizes)
        shape = [sizes[d] for d in member[1].dims]
        return np.frombuffer(data, "f8").reshape(shape) if data is not None else None


def _digest(name: str, member: Member) -> str | None:
    return next((digest for n, digest in member[0].digests if n == name), None)
