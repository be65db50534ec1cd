"""Errors that come from worker processes as text, as runners hand them on."""

from __future__ import annotations

import re

from bakehouse import errors
from bakehouse.errors import BakehouseError

HEAD = re.compile(r"^bakehouse\.errors\.(\w+): \1: ", re.MULTILINE)
STAGE = re.compile(r" \[while running '.*?'\]", re.DOTALL)
PART = re.compile(r"^  (where|cause|fix):\s+(.*(?:\n {9}.*)*)", re.MULTILINE)


def from_text(text: str) -> BakehouseError | None:
    r"""Find the last of our errors in the text of a traceback; None if there is none.

    Examples
    --------
    >>> error = errors.SourceError("no such file", "a.nc", None, "check\nboth")
    >>> print(from_text(f"Traceback …\nbakehouse.errors.SourceError: {error}\n\n"))
    SourceError: no such file
      where: a.nc
      fix:   check
             both
    """
    heads = list(HEAD.finditer(text))
    kind = getattr(errors, heads[-1][1], None) if heads else None
    if not (isinstance(kind, type) and issubclass(kind, BakehouseError)):
        return None
    told = text[heads[-1].end() :].split("\n\n")[0]
    parts = {name: value.replace("\n" + " " * 9, "\n") for name, value in PART.findall(told)}
    message = re.split(r"\n  (?:where|cause|fix):", told)[0].strip()
    return kind(message, parts.get("where"), parts.get("cause"), parts.get("fix"))


def without_stages(text: str) -> str:
    """Leave out what Beam adds to messages: the names of its stages.

    Examples
    --------
    >>> without_stages("no such file [while running 'Open']")
    'no such file'
    """
    return STAGE.sub("", text)
