"""Mended metadata with a note for whatever was changed, and how values are read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from bakehouse.meta.urls import WEB, path_escapes, url_problem


@dataclass
class About:
    """The mended metadata, by key in the order in which they are written, and what was done to each."""

    data: dict[str, Any] = field(default_factory=dict)
    comments: dict[str, list[str]] = field(default_factory=dict)
    todo: list[str] = field(default_factory=list)

    def note(self, key: str, text: str) -> None:
        """Say what was done to a key."""
        self.comments.setdefault(key, []).append(text)


def line(value: Any) -> str | None:
    """Give text on one line."""
    return " ".join(str(value).split()) if value is not None else None


def prose(value: Any) -> str | None:
    """Join lines that were only wrapped; paragraphs stay apart."""
    if value is None:
        return None
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", str(value).strip()))


def shown(value: Any) -> str:
    """Give a value as a note shows it: on one line that is not long."""
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:57]}…"


def listed(value: Any) -> list[Any]:
    """Give a list; a lone value counts as a list of one."""
    return value if isinstance(value, list) else [] if value is None else [value]


def web(about: About, key: str, value: Any, what: str = "") -> str | None:
    """Give an address that a browser opens."""
    if value is None:
        return None
    text = str(value).strip()
    if problem := path_escapes(text) or url_problem(text, WEB):
        about.note(key, f"{what}url {text!r} is left out: {problem}")
        return None
    return text
