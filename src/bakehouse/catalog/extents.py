"""Where and when the values of coordinates lie: boxes on the globe, time ranges, regular steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bakehouse.catalog.facts import TimeRange

if TYPE_CHECKING:
    import numpy as np

Box = tuple[float, float, float, float]


def bounding_box(lats: list[np.ndarray], lons: list[np.ndarray]) -> Box | None:
    """Find west, south, east, north of cell centres, longitudes in -180..180.

    West is greater than east where the values cross the antimeridian. Values all around the globe, closing the
    circle as tightly as their own spacing, give -180 and 180. None if the values are not latitudes and longitudes.

    Examples
    --------
    >>> import numpy as np
    >>> bounding_box([np.array([-10.0, 10.0])], [np.array([170.0, 180.0, 190.0])])
    (170.0, -10.0, -170.0, 10.0)
    """
    import numpy as np

    lat, lon = (_finite(values) for values in (lats, lons))
    if not lat.size or not lon.size or np.abs(lat).max() > 90.01 or np.abs(lon).max() > 720:
        return None
    south, north = (float(np.clip(edge, -90, 90)) for edge in (lat.min(), lat.max()))
    west, east = _arc(lon, max(_spacing(values) for values in lons))
    return (_round(west), _round(south), _round(east), _round(north))


def _finite(arrays: list[np.ndarray]) -> np.ndarray:
    import numpy as np

    flat = [np.asarray(values, dtype="float64").ravel() for values in arrays]
    joined = np.concatenate(flat) if flat else np.array([])
    return joined[np.isfinite(joined)]


def _spacing(lon: np.ndarray) -> float:
    """Find the usual distance in degrees between neighbours in longitude, along the axis where it is larger.

    On a line, neighbours are the next values, not the next elements: stations come in any order.
    """
    import numpy as np

    grid = np.asarray(lon, "float64")
    grid = np.unique(grid[np.isfinite(grid)] % 360) if grid.ndim == 1 else grid

    def along(axis: int) -> float:
        step = np.abs((np.diff(grid, axis=axis) + 180) % 360 - 180)
        step = step[np.isfinite(step)]
        return float(np.median(step)) if step.size else 0.0

    return max((along(axis) for axis in range(grid.ndim)), default=0.0)


def _arc(lon: np.ndarray, spacing: float) -> tuple[float, float]:
    """Find the shortest arc that holds all longitudes: what the widest gap leaves."""
    import numpy as np

    around = np.unique(np.round(lon % 360, 6) % 360)
    gaps = np.diff(np.append(around, around[0] + 360))
    widest = int(gaps.argmax())
    if around.size >= 3 and gaps[widest] <= 1.5 * spacing + 1e-3:
        return -180.0, 180.0
    west, east = _signed(around[(widest + 1) % around.size]), _signed(around[widest])
    return west, 180.0 if east == -180 and west != -180 else east


def _signed(lon: float) -> float:
    return float((lon + 180) % 360 - 180)


def _round(value: float) -> float:
    return round(float(value), 6) + 0.0


def time_range(values: Any, calendar: str | None) -> TimeRange | None:
    """Find the first and last moment of numpy or cftime dates; None if there is none."""
    known = known_dates(values)
    if not len(known):
        return None
    name = getattr(known[0], "calendar", "") or calendar or "proleptic_gregorian"
    first, last = (known.min(), known.max()) if hasattr(known, "min") else (min(known), max(known))
    return TimeRange(start=iso_text(first), end=iso_text(last), calendar=name)


def known_dates(values: Any) -> Any:
    """Flatten dates, leaving out NaT and what is missing."""
    import numpy as np

    flat = np.asarray(values).ravel()
    return flat[~np.isnat(flat)] if flat.dtype.kind == "M" else [date for date in flat if hasattr(date, "calendar")]


def iso_text(date: Any) -> str:
    """Write a date of any calendar in ISO form.

    Examples
    --------
    >>> import cftime, numpy as np
    >>> iso_text(cftime.datetime(2000, 2, 30, calendar="360_day")), iso_text(np.datetime64("2000-01-01T12"))
    ('2000-02-30T00:00:00Z', '2000-01-01T12:00:00Z')
    """
    import numpy as np

    if isinstance(date, np.datetime64):
        whole, _, fraction = str(np.datetime_as_string(date, unit="us")).partition(".")
    else:
        year = f"-{-date.year:04d}" if date.year < 0 else f"{date.year:04d}"
        whole, fraction = f"{year}-{date.strftime('%m-%dT%H:%M:%S')}", f"{date.microsecond:06d}"
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"


def regular_step(values: np.ndarray) -> float | None:
    """Find the spacing of numbers that have one, to the precision of their type."""
    import numpy as np

    if values.size < 2 or not np.isfinite(values).all():
        return None
    wide = values.astype("float64")
    steps, mean = np.diff(wide), float((wide[-1] - wide[0]) / (wide.size - 1))
    rounding = 4 * float(np.finfo(values.dtype).eps) * float(np.abs(wide).max()) if values.dtype.kind == "f" else 0.0
    regular = mean != 0 and bool((np.abs(steps - mean) <= 1e-6 * abs(mean) + rounding).all())
    return float(f"{mean:.7g}") if regular else None


def duration_step(values: Any) -> str | None:
    """Find the spacing of dates as an ISO 8601 duration: an equal number of months, or an equal time.

    Examples
    --------
    >>> import numpy as np
    >>> duration_step(np.array(["2000-01-01", "2000-02-01", "2000-03-01"], "M8[s]"))
    'P1M'
    """
    known = known_dates(values)
    if len(known) < 2 or len(known) != len(values):
        return None
    seconds = _seconds_between(known)
    equal = seconds[0] if seconds[0] > 0 and all(step == seconds[0] for step in seconds) else None
    months = _equal_months(known) if seconds[0] >= 28 * 86400 else None
    if months and (equal is None or _day_and_time(known[0]) == _day_and_time(known[1])):
        return f"P{months // 12}Y" if months % 12 == 0 else f"P{months}M"
    return _iso_duration(equal) if equal else None


def _equal_months(dates: Any) -> int | None:
    """Count the months between dates if it is the same number each time."""
    months = [_month(date) for date in dates]
    steps = {later - earlier for earlier, later in zip(months, months[1:], strict=False)}
    return steps.pop() if len(steps) == 1 and min(steps) > 0 else None


def _seconds_between(dates: Any) -> list[float]:
    import numpy as np

    if isinstance(dates[0], np.datetime64):
        return [float(step) for step in np.diff(np.asarray(dates)) / np.timedelta64(1, "s")]
    return [(later - earlier).total_seconds() for earlier, later in zip(dates, dates[1:], strict=False)]


def _month(date: Any) -> int:
    """Count months since year 0."""
    year, month = (int(part) for part in iso_text(date).lstrip("-").split("-")[:2])
    return year * 12 + month


def _iso_duration(seconds: float) -> str:
    days, rest = divmod(seconds, 86400)
    if not rest:
        return f"P{int(days)}D"
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    clock = "".join(f"{value:g}{unit}" for value, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if value)
    return f"P{int(days)}DT{clock}" if days else f"PT{clock}"


def _day_and_time(date: Any) -> str:
    return iso_text(date).rsplit("-", 1)[-1]
