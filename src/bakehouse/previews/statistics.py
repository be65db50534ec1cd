"""The range of a variable's values and the part of them that are finite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bakehouse.previews.sample import Sample


@dataclass(frozen=True)
class Statistics:
    """The smallest and largest finite value, the part that is finite, and whether all values were looked at."""

    range: tuple[float, float] | None
    finite_fraction: float
    statistics_cover: Literal["all", "sample"]


def statistics_of(found: Sample) -> Statistics | None:
    """Sum up what was read of a variable; None if that is nothing."""
    arrays = [each for each in found.values if each.size]
    if not arrays:
        return None
    finite = [each[np.isfinite(each)] for each in arrays]
    edges = [(_number(each.min()), _number(each.max())) for each in finite if each.size]
    span = (min(low for low, _ in edges), max(high for _, high in edges)) if edges else None
    part = sum(each.size for each in finite) / sum(each.size for each in arrays)
    return Statistics(span, round(part, 6), "all" if found.whole else "sample")


def _number(value: Any) -> float:
    """Give a number as its type shows it: a float32 of 0.1 is 0.1."""
    return float(str(value)) if value.dtype.kind == "f" else float(value)
