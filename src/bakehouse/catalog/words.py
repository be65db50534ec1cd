"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Iterator

from bakehouse.catalog.record import Access

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


def access_words(access: Access) -> Iterator[str]:
    """Say what a stranger could do with a store.

    Examples
    --------
    >>> list(access_words(Access(anonymous=True, cors=False, ranges=True)))
    ['a chunk was read without credentials', 'pages of other sites can not read it (no CORS)', 'parts can be read']
    """
    yield f"a chunk was {'' if access.anonymous else 'not '}read without credentials"
    if access.cors is not None:
        yield (
            "pages of other sites can read it (CORS)"
            if access.cors
            else "pages of other sites can not read it (no CORS)"
        )
    if access.ranges is not None:
        yield "parts can be read" if access.ranges else "only whole objects can be read"
    if access.egress_free:
        yield "its provider charges nobody for reading"
