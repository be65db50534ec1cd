"""Numbers as people read them."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def human_bytes(count: float | None) -> str:
    """Write a size with its unit.

    Examples
    --------
    >>> human_bytes(999), human_bytes(3_488_108), human_bytes(None)
    ('999 B', '3.5 MB', 'unknown size')
    """
    if count is None:
        return "unknown size"
    step = 0
    while abs(count) >= 999.5 and step < len(_UNITS) - 1:
        count, step = count / 1000, step + 1
    return f"{count:.0f} {_UNITS[step]}" if step == 0 or count >= 99.5 else f"{count:.1f} {_UNITS[step]}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun.

    Examples
    --------
    >>> plural(1, "entry", "entries"), plural(1200, "task")
    ('1 entry', '1,200 tasks')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
