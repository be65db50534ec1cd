"""Ranges of dates as a feedstock writes them: first, last, step."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from bakehouse.errors import PatternError, did_you_mean
from bakehouse.meta.base import refusal

FROM_START = ("YS", "QS", "MS", "BMS")
FREQUENCIES = (*FROM_START, "YE", "QE", "ME", "BME", "W", "D", "B", "h", "min", "s")

_FREQ = re.compile(r"(\d*)([A-Za-z]+)(-[A-Z]{3})?")
_PARTIAL = re.compile(r"\d{4}(-\d{2})?")


def date_text(value: Any) -> Any:
    """Give a date as text, however YAML has read it; validates it.

    Examples
    --------
    >>> date_text(2006), date_text("2006-04"), date_text(date(2006, 4, 1))
    ('2006', '2006-04', '2006-04-01')
    """
    if isinstance(value, date):
        return value.isoformat()
    text = f"{value:04d}" if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or _parsed(text) is None:
        raise refusal("BH103", f"{value!r} is not a date", "write 2006, 2006-04, 2006-04-01 or 2006-04-01T06:00")
    return text


def check_range(start: str, end: str, freq: str) -> None:
    """Refuse a range whose steps or ends could be meant in two ways; `start` and `end` have passed `date_text`."""
    found = _FREQ.fullmatch(freq)
    unit = found.group(2) if found else freq
    if not found or unit not in FREQUENCIES or found.group(1) == "0":
        raise refusal("BH422", f"unknown step '{freq}'", did_you_mean(unit, FREQUENCIES), at=("freq",))
    for name, text in (("start", start), ("end", end)):
        if _PARTIAL.fullmatch(text) and unit not in FROM_START:
            message = f"{name}: {text} is not exact enough for steps of '{freq}'"
            raise refusal("BH422", message, "write year, month and day", (name,))
    first, last = _parsed(start), _parsed(end)
    if first and last and (first.tzinfo is None) != (last.tzinfo is None):
        raise refusal("BH422", "only one of start and end names a time zone", "leave it out: times are UTC", ("start",))
    if first and last and first > last:
        raise refusal("BH422", f"start {start} lies after end {end}", "exchange them", ("start",))


def date_range(start: str, end: str, freq: str) -> list[datetime]:
    """List the dates from `start` to `end`, both included.

    Raises
    ------
    PatternError
        If `start` is not one of the range's own dates.

    Examples
    --------
    >>> [f"{day:%Y%m}" for day in date_range("2006-04", "2006-06", "MS")]
    ['200604', '200605', '200606']
    """
    import pandas as pd

    first, last = _parsed(start), _parsed(end)
    try:
        found = [step.to_pydatetime() for step in pd.date_range(first, last, freq=freq)]
    except (ValueError, OverflowError) as error:
        raise PatternError(f"can't step from {start} to {end} by '{freq}'", None, str(error), "change freq") from error
    if not found or found[0] != first:
        next_one = f"the first is {found[0]:%Y-%m-%d}" if found else "there is none before the end"
        raise PatternError(f"start {start} is not a step of '{freq}': {next_one}", None, None, "change start or freq")
    return found


def _parsed(text: str) -> datetime | None:
    """Read a date, filling in the first month and day."""
    padded = text + "-01-01"[: 6 - 3 * text.count("-")] if _PARTIAL.fullmatch(text) else text
    try:
        return datetime.fromisoformat(padded)
    except ValueError:
        return None
