"""Coordinates along a concat dimension: their ends, their direction, and the unit in which times are whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from bakehouse.schema import Extent

UNITS_NS = {
    "days": 86_400_000_000_000,
    "hours": 3_600_000_000_000,
    "minutes": 60_000_000_000,
    "seconds": 1_000_000_000,
    "milliseconds": 1_000_000,
    "microseconds": 1_000,
}


def extent_of(values: Any, every: bool = False) -> Extent:
    """Summarise a coordinate; with `every`, keep all of its values.

    Examples
    --------
    >>> extent_of(np.array([10.0, 20.0]))
    Extent(first=10.0, last=20.0, direction=1, shown=('10.0', '20.0'), unit=None, values=())
    """
    flat = np.atleast_1d(np.asarray(values))
    shown = (str(flat[0]), str(flat[-1]))
    if flat.dtype.kind in "SUT" or (flat.dtype.kind == "O" and isinstance(flat[0], str | bytes)):
        return Extent(shown[0], shown[1], 1, shown)
    numbers, unit = _numbers(flat)
    before, after = numbers[:-1], numbers[1:]  # compared: the difference of far times overflows
    direction = 1 if (after > before).all() else -1 if (after < before).all() else 0
    kept = tuple(numbers.tolist()) if every else ()
    return Extent(numbers.item(0), numbers.item(-1), direction, shown, unit, kept)


def _numbers(flat: Any) -> tuple[Any, str | None]:
    """Give comparable numbers (times in nanoseconds or microseconds since 1970) and the coarsest whole unit."""
    if flat.dtype.kind in "mM":
        numbers = _nanoseconds(flat)
        return numbers, _coarsest(numbers, 1)
    if flat.dtype.kind == "O":
        import cftime

        numbers = np.array(
            cftime.date2num(flat, "microseconds since 1970-01-01", calendar=flat[0].calendar), dtype="int64"
        )
        return numbers, _coarsest(numbers, 1000)
    return flat.astype("int64") if flat.dtype.kind == "b" else flat, None


def _nanoseconds(flat: Any) -> Any:
    """Count times in nanoseconds, in Python's integers where 64 bits are too few: 292 years from 1970."""
    near = flat.astype(f"{flat.dtype.kind}8[ns]")
    if np.array_equal(near.astype(flat.dtype), flat, equal_nan=True):
        return near.astype("int64")
    step = np.array(1, f"m8[{np.datetime_data(flat.dtype)[0]}]").astype("m8[ns]").astype("int64").item()
    return flat.astype("int64").astype(object) * step


def _coarsest(numbers: Any, scale_ns: int) -> str:
    fitting = [name for name, size in UNITS_NS.items() if (numbers % max(1, size // scale_ns) == 0).all()]
    return fitting[0] if fitting else "nanoseconds"
