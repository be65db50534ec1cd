"""Licences by their SPDX identifiers, from the list that `packaging` ships."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

NO_SPDX = ("proprietary", "other")
"""What STAC allows besides SPDX."""

_WORDS = {"and", "or", "with"}


def normalized(text: str) -> str | None:
    """Spell a licence expression as SPDX does; None if SPDX does not know it.

    Examples
    --------
    >>> normalized("cc-by-4.0"), normalized("CC-BY-4")
    ('CC-BY-4.0', None)
    """
    try:
        return str(canonicalize_license_expression(text))
    except (InvalidLicenseExpression, ValueError, RecursionError, MemoryError):
        return None


def unknown_ids(text: str) -> tuple[str, str | None]:
    """Give the first identifier that SPDX does not know, and what it may have been meant as.

    Examples
    --------
    >>> unknown_ids("MIT OR CC-BY-4")
    ('CC-BY-4', "did you mean 'CC-BY-4.0'?")
    """
    wrong = next((name for name in _ids(text) if normalized(name) is None), text)
    close = difflib.get_close_matches(wrong.lower(), _licenses(), n=1, cutoff=0.7)
    return wrong, f"did you mean '{_licenses()[close[0]]['id']}'?" if close else None


def deprecated_ids(text: str) -> list[tuple[str, str | None]]:
    """List the deprecated identifiers of an expression, each with its successor if that follows from its name.

    Examples
    --------
    >>> deprecated_ids("GPL-3.0")
    [('GPL-3.0', 'write GPL-3.0-only or GPL-3.0-or-later')]
    """
    found = [entry["id"] for name in _ids(text) if (entry := _licenses().get(name.lower())) and entry["deprecated"]]
    return [(name, _successor(name)) for name in found]


def _successor(name: str) -> str | None:
    heirs = [f"{name}-only", f"{name}-or-later"]
    return f"write {' or '.join(heirs)}" if all(heir.lower() in _licenses() for heir in heirs) else None


def _ids(text: str) -> list[str]:
    return [word for word in re.split(r"[\s()]+", text) if word and word.lower() not in _WORDS]


@cache
def _licenses() -> Mapping[str, Any]:
    from packaging.licenses import _spdx

    return _spdx.LICENSES
