"""What a dataset's page says, gathered from its entry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from bakehouse.catalog import citation
from bakehouse.catalog.entry import Entry
from bakehouse.catalog.jsonld import to_jsonld
from bakehouse.catalog.license_url import license_url
from bakehouse.catalog.lines import opening_line
from bakehouse.site import access, advice, origins, rows
from bakehouse.site.content import Content
from bakehouse.site.facets import domains, format_name, resolution
from bakehouse.site.images import Pictures
from bakehouse.site.running import Outcome
from bakehouse.site.snippets import Snippet
from bakehouse.site.words import clip, degrees, moment, number


def view(
    entry: Entry, content: Content, pictures: Pictures, ways: list[tuple[Snippet, Outcome]], repr_html: str | None
) -> dict[str, Any]:
    """Give everything that the page's template shows."""
    page = f"{content.base_url}/datasets/{entry.id}/" if content.base_url else None
    facts = entry.facts
    return {
        "entry": entry,
        "title": clip(entry.title, 300) or entry.id,
        "line": opening_line(entry),
        "glance": list(glance(entry)),
        "who": access.who(entry),
        "seen": access.seen(entry),
        "where": list(access.where(entry)),
        "ways": ways,
        "repr_html": repr_html,
        "variables": rows.variables(facts) if facts else [],
        "dimensions": rows.dimensions(facts) if facts else [],
        "layout": rows.layout(facts) if facts else [],
        "advice": list(advice.advice(facts)) if facts else [],
        "cover": pictures.thumbnail,
        "cover_alt": pictures.thumbnail_alt,
        "pictures": list(drawn(entry, pictures)),
        "checked": origins.checked(entry),
        "gaps": list(gaps(entry)),
        "versions": versions(entry),
        "provenance": list(origins.provenance(entry)),
        "license_url": license_url(entry),
        "citations": [
            ("Text", citation.text(entry, page)),
            ("BibTeX", citation.bibtex(entry, page)),
            ("CITATION.cff", citation.cff(entry, page)),
        ],
        "report_url": report_url(entry, content),
        "jsonld": to_jsonld(entry, page),
        "successor": _successor(entry, content),
    }


def glance(entry: Entry) -> Iterator[tuple[str, str]]:
    """Give what a reader asks first: where, when, how fine, how large, in which form."""
    facts = entry.facts
    if facts and facts.time:
        yield "Period", f"{moment(facts.time.start)} to {moment(facts.time.end)}"
    if where := degrees(facts.bbox if facts else None):
        yield "Region", where
    if fine := resolution(facts):
        yield "Resolution", f"{number(fine, 2)}°"
    if facts and facts.shape:
        yield "Shape", facts.shape
    if size := rows.size_words(facts):
        yield "Size", size
    yield "Format", format_name(entry) + (", consolidated" if entry.store.consolidated else "")
    yield "Licence", entry.license or "not stated"
    if found := domains(entry):
        yield "Domain", ", ".join(found)


def drawn(entry: Entry, pictures: Pictures) -> Iterator[dict[str, Any]]:
    """List each variable's map and series, where the site has them."""
    for each in entry.preview.variables if entry.preview else ():
        both = (pictures.of(each.map), pictures.of(each.series))
        if any(both):
            alt = each.alt or f"Map of {each.name}"
            yield {
                "name": each.name,
                "map": both[0],
                "series": both[1],
                "alt": alt,
                "series_alt": each.series_alt or f"Series of {each.name}",
            }


def gaps(entry: Entry) -> Iterator[str]:
    """Say what was missing, and where fill stands in its place."""
    for gap in entry.gaps:
        where = ", ".join(
            f"{dim} {moment(first)}" if first == last else f"{dim} {moment(first)} to {moment(last)}"
            for dim, (first, last) in gap.ranges.items()
        )
        named = ", ".join(gap.inputs[:3]) + (f" and {len(gap.inputs) - 3} more" if len(gap.inputs) > 3 else "")
        reason = f" ({gap.reason})" if gap.reason else ""
        yield f"{where or 'unknown place'}: {named} {'was' if len(gap.inputs) == 1 else 'were'} not there{reason}."


def versions(entry: Entry) -> list[dict[str, Any]]:
    """List versions, the current one first, and then the newest, with what each changed."""
    current = (entry.version or "not stated", entry.published_at, entry.store.url, entry.change)
    others = ((each.version, each.published_at, each.url, each.change) for each in reversed(entry.previous))
    rows = [dict(zip(("name", "day", "url", "change"), each, strict=True)) for each in (current, *others)]
    return [{**row, "current": n == 0, "first": n == len(rows) - 1} for n, row in enumerate(rows)]


def report_url(entry: Entry, content: Content) -> str | None:
    """Give the address where a problem is reported, with what a maintainer asks first filled in."""
    place = content.issues_url
    if not place or not place.endswith("/issues/new"):
        return place
    known = f"Dataset: {entry.id}\nVersion: {entry.version}\nStore: {entry.store.url}"
    body = f"{known}\n\nWhat is wrong, and how it shows:\n"
    gitlab = "/-/" in place
    title, text = ("issue[title]", "issue[description]") if gitlab else ("title", "body")
    return f"{place}?{quote(title)}={quote(f'Problem with {entry.id}')}&{quote(text)}={quote(body)}"


def _successor(entry: Entry, content: Content) -> str | None:
    """Give the successor's id if it has a page."""
    return entry.status.successor if entry.status.successor in content.ids else None
