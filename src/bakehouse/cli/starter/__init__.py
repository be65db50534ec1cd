"""Texts and sample data that new projects and feedstocks start from."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files


def text(name: str, values: Mapping[str, str] | None = None) -> str:
    """Read one of the texts, its ``@NAME@`` replaced."""
    found = files(__name__).joinpath(name).read_text(encoding="utf-8")
    for key, value in (values or {}).items():
        found = found.replace(f"@{key}@", value)
    return found
