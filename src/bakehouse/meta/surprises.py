"""Plain YAML scalars that are read as something else than their author most likely meant."""

from __future__ import annotations

import re

from bakehouse.meta.document import Value
from bakehouse.meta.findings import Problem

_LOST_ZERO = re.compile(r"[-+]?\d+\.\d+0")
_ODD_NUMBER = re.compile(r".*[:_].*|[-+]?0\d+")


def surprise(value: Value) -> Problem | None:
    """Say how a plain scalar surprises: ``NO`` is a boolean, ``1.10`` is 1.1, ``12:30:45`` is 45045.

    Examples
    --------
    >>> from bakehouse.meta.yaml import parse_document
    >>> surprise(parse_document("country: NO").value(("country",))).message
    "'NO' is read as false"
    >>> surprise(parse_document("country: no way").value(("country",)))
    """
    if not value.plain or value.raw is None:
        return None
    raw, data = value.raw, value.data
    if isinstance(data, bool):
        word = "true" if data else "false"
        return None if raw.lower() == word else _problem("BH007", value, word, f"write {word}, or quote it: '{raw}'")
    if isinstance(data, float) and _LOST_ZERO.fullmatch(raw):
        return _problem("BH008", value, f"the number {data}", f"write {data}, or quote it: '{raw}'")
    if isinstance(data, int | float) and _ODD_NUMBER.fullmatch(raw):
        return _problem("BH009", value, f"the number {data}", f"quote it: '{raw}', or write {data}")
    return None


def _problem(code: str, value: Value, meaning: str, fix: str) -> Problem:
    return Problem(code, value.mark, f"'{value.raw}' is read as {meaning}", fix)
