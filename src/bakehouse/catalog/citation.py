"""How to cite a version of a dataset: as text, BibTeX and a CITATION.cff."""

from __future__ import annotations

import re
from typing import Any

import yaml

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.intake import DUMPER
from bakehouse.catalog.license_url import spdx_url

MAX_LENGTH = 1000
_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    char: f"\\{char}" for char in "&%$#_{}"
}


def authors(entry: Entry) -> list[str]:
    """Name who made the data: its producers, else whoever provides or maintains it."""
    made = [each.name for each in entry.providers if "producer" in each.roles]
    return made or [each.name for each in entry.providers] or [each.name for each in entry.maintainers] or [entry.id]


def text(entry: Entry, page: str | None = None) -> str:
    """Write one line: who, when, what, which version, where."""
    said = [", ".join(authors(entry)), f"({_year(entry)}):" if _year(entry) else "", f"{_line(entry.title)}."]
    version = [f"Version {entry.version}."] if entry.version else []
    doi = [f"https://doi.org/{entry.doi}."] if entry.doi else []
    place = page or (entry.store.url if entry.store.storage.protocol != "file" else None)
    where = [f"ARCO copy made with Bakehouse: {place}"] if place else ["ARCO copy made with Bakehouse."]
    source = [f"Source: {_line(entry.citation)}"] if entry.citation else []
    return " ".join(part for part in [*said, *version, *doi, *where, *source] if part)


def bibtex(entry: Entry, page: str | None = None) -> str:
    """Write a BibTeX record; every text is escaped for LaTeX."""
    place = page or (entry.store.url if entry.store.storage.protocol != "file" else None)
    fields = {
        "title": "{" + _latex(entry.title) + "}",
        "author": " and ".join("{" + _latex(name) + "}" for name in authors(entry)),
        "year": _year(entry),
        "version": _latex(entry.version or ""),
        "doi": entry.doi,
        "url": place,
        "note": _latex(f"Source: {entry.citation}") if entry.citation else None,
    }
    lines = [f"  {key} = {{{value}}}" for key, value in fields.items() if value]
    key = re.sub(r"[^A-Za-z0-9]+", "-", f"{entry.id}-{(entry.version or '')[:8]}").strip("-")
    return "@misc{" + ",\n".join([key, *lines]) + "\n}"


def cff(entry: Entry, page: str | None = None) -> str:
    """Write a CITATION.cff (version 1.2.0) of type dataset."""
    document: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it, and the source that it was made from.",
        "type": "dataset",
        "title": _line(entry.title) or entry.id,
        "authors": [{"name": _line(name) or entry.id} for name in authors(entry)],
    }
    said = {
        "version": entry.version,
        "date-released": entry.published_at.date() if entry.published_at else None,
        "doi": entry.doi,
        "license": entry.license if spdx_url(entry.license) else None,
        "url": page or None,
    }
    document |= {key: value for key, value in said.items() if value}
    return str(yaml.dump(document, Dumper=DUMPER, sort_keys=False, allow_unicode=True, width=100))


def _year(entry: Entry) -> str | None:
    return str(entry.published_at.year) if entry.published_at else None


def _line(text: str | None) -> str:
    """Give a text on one line, no longer than a bibliography takes."""
    return " ".join((text or "")[:MAX_LENGTH].split())


def _latex(text: str) -> str:
    return "".join(_LATEX.get(char, char) for char in _line(text))
