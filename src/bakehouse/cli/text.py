"""Numbers and tables as people read them."""

from __future__ import annotations

from collections.abc import Sequence

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


def short(name: str) -> str:
    """Write a recipe's name, once where its feedstock is called the same.

    Examples
    --------
    >>> short("noaa-oisst/daily"), short("noaa-oisst/noaa-oisst")
    ('noaa-oisst/daily', 'noaa-oisst')
    """
    return "/".join(dict.fromkeys(name.split("/")))


def table(rows: Sequence[Sequence[str]], indent: str = "") -> str:
    r"""Align rows of cells in columns.

    Examples
    --------
    >>> print(table([["name", "size"], ["sst", "3.5 MB"]], "  "))
      name  size
      sst   3.5 MB
    """
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(indent + line for line in lines)


def labelled(rows: Sequence[tuple[str, str]], indent: str = "  ", width: int = 9) -> str:
    r"""Write values with their labels before them; a value may have several lines.

    Examples
    --------
    >>> print(labelled([("inputs", "2 files"), ("note", "one\ntwo")]))
      inputs   2 files
      note     one
               two
    """
    joint = "\n" + " " * (len(indent) + width)
    return "\n".join(f"{indent}{label.ljust(width)}{value.replace(chr(10), joint)}" for label, value in rows)
