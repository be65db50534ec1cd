"""Dates as a feedstock writes them: first, last and step; read from keys, or from the URLs themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from bakehouse.errors import PatternError
from bakehouse.meta.dates import date_range

_IN_URLS = (
    (r"\d{12}", "%Y%m%d%H%M"), (r"\d{10}", "%Y%m%d%H"), (r"\d{4}-\d\d-\d\d", "%Y-%m-%d"), (r"\d{8}", "%Y%m%d"),
    (r"\d{4}_\d\d_\d\d", "%Y_%m_%d"), (r"\d{7}", "%Y%j"), (r"\d{4}-\d\d", "%Y-%m"), (r"\d{6}", "%Y%m"),
    (r"y\d{4}m\d\dd\d\d", "y%Ym%md%d"), (r"\d{4}", "%Y"),
)  # fmt: skip


def as_range(keys: Sequence[Any]) -> dict[str, Any] | None:
    """Write dates as a range; None unless it gives exactly these.

    Examples
    --------
    >>> as_range([datetime(2006, month, 1) for month in (4, 5, 6)])
    {'start': '2006-04', 'end': '2006-06', 'freq': 'MS'}
    >>> as_range([datetime(2006, 4, 1), datetime(2006, 4, 3), datetime(2006, 4, 4)])
    """
    if len(keys) < 2 or not all(isinstance(key, datetime) and key.tzinfo is None for key in keys):
        return None
    for freq in _steps(keys):
        start, end = (_text(key, freq) for key in (keys[0], keys[-1]))
        try:
            if date_range(str(start), str(end), freq) == list(keys):
                return {"start": start, "end": end, "freq": freq}
        except (PatternError, ValueError):
            continue
    return None


def _steps(keys: Sequence[datetime]) -> Iterator[str]:
    """Name the steps that lead from the first date to the second."""
    first, second = keys[:2]
    months = (second.year - first.year) * 12 + second.month - first.month
    if first.day == second.day == 1 and months > 0:
        if first.month == 1 and months % 12 == 0:
            yield _several(months // 12, "YS")
        yield _several(months, "MS")
    step = second - first
    for unit, length in (("D", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1))):
        if step > timedelta(0) and step % length == timedelta(0):
            yield _several(step // length, unit)


def _several(count: int, unit: str) -> str:
    return unit if count == 1 else f"{count}{unit}"


def _text(key: datetime, freq: str) -> Any:
    """Write a date as exactly as its step needs, and as YAML reads it plainly."""
    if key.time() != datetime.min.time():
        return key.isoformat(timespec="minutes" if not key.second else "seconds")
    if freq.endswith("YS"):
        return key.year
    return f"{key:%Y-%m}" if freq.endswith("MS") else key.date()


def dates_in(urls: Sequence[str]) -> list[datetime] | None:
    """Read the date that rises from URL to URL; None if there is none.

    Examples
    --------
    >>> dates_in(["https://example.org/v2/1999/a_19991231.nc", "https://example.org/v2/2000/a_20000101.nc"])
    [datetime.datetime(1999, 12, 31, 0, 0), datetime.datetime(2000, 1, 1, 0, 0)]
    """
    for pattern, spec in _IN_URLS:
        found = [re.findall(rf"(?<!\d){pattern}(?!\d)", url) for url in urls]
        for texts in zip(*found, strict=False) if len({len(each) for each in found}) == 1 else ():
            dates = _parsed(texts, spec)
            if dates and all(a < b for a, b in zip(dates, dates[1:], strict=False)) and len(dates) > 1:
                return dates
    return None


def _parsed(texts: Sequence[str], spec: str) -> list[datetime] | None:
    try:
        return [datetime.strptime(text, spec) for text in texts]
    except ValueError:
        return None


def plain_keys(keys: Sequence[Any]) -> list[Any]:
    """Write keys one by one, dates without a time as days."""
    midnight = all(isinstance(key, datetime) and key.time() == datetime.min.time() for key in keys)
    return [key.date() if midnight else key for key in keys]


def decoded(key: Mapping[str, Any]) -> Any:
    """Read a key as `look` has written it; None if it is of a kind that YAML does not have."""
    if "date" in key:
        return datetime.fromisoformat(key["date"]) if "T" in key["date"] else date.fromisoformat(key["date"])
    return key.get("value")
