"""Numbers and tables as people read them."""

from __future__ import annotations

from collections.abc import Sequence

from bakehouse.catalog.words import human_bytes, plural

__all__ = ["human_bytes", "labelled", "plural", "short", "table"]


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
