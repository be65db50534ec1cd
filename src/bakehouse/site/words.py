"""Numbers, dates and texts as the pages write them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?")
_UNITS = ("year", "month", "day", "hour", "minute", "second")
_COMMON = {"P1Y": "yearly", "P1M": "monthly", "P7D": "weekly", "P1D": "daily", "PT1H": "hourly"}
_YEAR_DAYS = 365.2425


def printable(text: str) -> str:
    r"""Replace what neither HTML nor XML may hold: control characters, lone surrogates, noncharacters.

    Examples
    --------
    >>> printable("a\x00b\nc")
    'a�b\nc'
    """
    return _CONTROLS.sub("\ufffd", text)


def clip(text: str | None, length: int) -> str:
    """Shorten a text of whatever length to one line.

    Examples
    --------
    >>> clip("one two  three", 8)
    'one two…'
    """
    line = " ".join((text or "")[: 20 * length].split())
    if len(line) <= length and len(text or "") <= 20 * length:
        return line
    cut = line[: length - 1]
    return f"{cut[: cut.rfind(' ')] if ' ' in cut[length // 2 :] else cut}…"


def number(value: Any, digits: int = 7) -> str:
    """Write a number with as many digits as it needs: four after the point, where that leaves any.

    Examples
    --------
    >>> number(0.30000001), number(-4.9999924), number(1200000), number("A1B"), number(-0.0), number(1.25e-5)
    ('0.3', '-5', '1,200,000', 'A1B', '0', '1.25e-05')
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    value = round(value, 4) if abs(value) >= 0.1 else value
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e9):
        return f"{int(value):,}"
    return f"{value:.{digits}g}"


def moment(text: Any) -> str:
    """Write a moment in ISO form without what says nothing: a time of midnight, seconds of zero.

    Examples
    --------
    >>> moment("2006-04-16T00:00:00Z"), moment("2006-04-16T12:30:00Z"), moment(4.5)
    ('2006-04-16', '2006-04-16 12:30', '4.5')
    """
    found = re.fullmatch(r"(-?\d{4,}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d(?:\.\d+)?)Z", str(text))
    if not found:
        return number(text)
    date, minutes, seconds = found.groups()
    clock = minutes + ("" if set(seconds) <= set(":0.") else seconds)
    return date if clock == "00:00" else f"{date} {clock}"


def day(value: datetime | None) -> str:
    """Write the day of a moment in UTC; a dash if it is not known."""
    return value.strftime("%Y-%m-%d") if value else "–"


def step(text: Any) -> str:
    """Write a step: ISO durations in words.

    Examples
    --------
    >>> step("P1M"), step("PT6H"), step(0.25), step("P1DT12H"), step(None)
    ('monthly', 'every 6 hours', '0.25', 'every 1 day 12 hours', '')
    """
    if not isinstance(text, str):
        return "" if text is None else number(text)
    found = _DURATION.fullmatch(text)
    parts = [(float(n), unit) for n, unit in zip(found.groups(), _UNITS, strict=True) if n] if found else []
    written = " ".join(f"{number(n)} {unit}{'' if n == 1 else 's'}" for n, unit in parts)
    return _COMMON.get(text) or (f"every {written}" if written else text)


def days_between(start: str, end: str) -> float | None:
    """Count the days between two moments in ISO form, to the accuracy of a sentence, in any calendar.

    Examples
    --------
    >>> round(days_between("2000-02-30T00:00:00Z", "2001-02-30T00:00:00Z"))
    365
    """
    first, last = _years(start), _years(end)
    return None if first is None or last is None else (last - first) * _YEAR_DAYS


def _years(text: str) -> float | None:
    found = re.match(r"(-?\d{4,})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d))?", text)
    if not found:
        return None
    year, month, day_of_month, hour, minute = (int(part or 0) for part in found.groups())
    days = (month - 1) * _YEAR_DAYS / 12 + day_of_month - 1 + hour / 24 + minute / 1440
    return year + days / _YEAR_DAYS


def span(days: float | None) -> str | None:
    """Write a length of time in its natural unit.

    Examples
    --------
    >>> span(87600 / 24 * 3), span(45), span(2), span(0.5), span(None)
    ('30 years', '45 days', '2 days', '12 hours', None)
    """
    if not days or days < 0:
        return None
    years = days / _YEAR_DAYS
    if years >= 1.5:
        return f"{years:.0f} years" if years >= 9.5 else f"{years:.1f}".removesuffix(".0") + " years"
    if days >= 60:
        return f"{days * 12 / _YEAR_DAYS:.0f} months"
    return f"{days:.0f} days" if days >= 1.5 else f"{days * 24:.0f} hours"


def degrees(bbox: tuple[float, float, float, float] | None) -> str | None:
    """Write a box on the globe.

    Examples
    --------
    >>> degrees((-180, -5, 180, 4.4444)), degrees((170.0, -10, -170.0, 10))
    ('5° S to 4.44° N, all longitudes', '10° S to 10° N, 170° E to 170° W')
    """
    if bbox is None:
        return None
    west, south, east, north = bbox
    lats = f"{_degree(south, 'N', 'S')} to {_degree(north, 'N', 'S')}"
    around = west <= -179.99 and east >= 179.99
    if around and south <= -80 and north >= 80:
        return "the whole globe"
    lons = "all longitudes" if around else f"{_degree(west, 'E', 'W')} to {_degree(east, 'E', 'W')}"
    return f"{lats}, {lons}"


def _degree(value: float, positive: str, negative: str) -> str:
    text = f"{abs(value):.2f}".rstrip("0").rstrip(".")
    return f"{text}°" if text == "0" else f"{text}° {positive if value > 0 else negative}"
