"""Files for programs that look for news and pages: sitemap.xml, feed.xml, llms.txt, index.json."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from bakehouse.catalog.canonical import iso_utc
from bakehouse.catalog.entry import Entry
from bakehouse.site.content import Content
from bakehouse.site.words import clip, degrees, printable

XML = '<?xml version="1.0" encoding="utf-8"?>\n'
FEED_LENGTH = 50
NOWHERE = "urn:bakehouse"


def sitemap(content: Content, pages: Iterable[tuple[str, str | None]]) -> str:
    """List pages with the day of their change; addresses are absolute where the site's own is known."""
    urls = [f"<url><loc>{escape(address(content, path))}</loc>{_changed(day)}</url>" for path, day in pages]
    return f'{XML}<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n' + "\n".join(urls) + "\n</urlset>\n"


def _changed(day: str | None) -> str:
    return f"<lastmod>{day}</lastmod>" if day else ""


def address(content: Content, path: str) -> str:
    """Give a page's address: its folder, below the site's address where that is known."""
    page = path.removesuffix("index.html")
    return f"{content.base_url}/{page}" if content.base_url else page or "."


def feed(content: Content) -> str:
    """Write the newest versions as an Atom feed."""
    dated = [entry for entry in content.entries if entry.published_at]
    newest = sorted(dated, key=lambda entry: (entry.published_at, entry.id), reverse=True)[:FEED_LENGTH]
    updated = next((entry.published_at for entry in newest if entry.published_at), content.built_at)
    home = f"<link href={quoteattr(f'{content.base_url}/')}/>" if content.base_url else ""
    head = [
        f'{XML}<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<title>{_text(content.title)}</title>{home}",
        f"<id>{escape(content.base_url or NOWHERE)}{'/' if content.base_url else ':catalog'}</id>",
        f"<updated>{iso_utc(updated)}</updated>",
        f"<author><name>{_text(content.title)}</name></author>",
    ]
    return "\n".join([*head, *(_item(entry, content) for entry in newest), "</feed>"]) + "\n"


def _item(entry: Entry, content: Content) -> str:
    link = address(content, f"datasets/{entry.id}/index.html")
    place = content.base_url or NOWHERE
    news = f" Since version {entry.change.since}: {'; '.join(entry.change.said)}." if entry.change else ""
    changed = f"Version {entry.version or 'not stated'}.{clip(news, 800)} {clip(entry.description, 500)}"
    assert entry.published_at
    return (
        f"<entry><title>{_text(clip(entry.title, 200) or entry.id)}</title><link href={quoteattr(link)}/>"
        f"<id>{escape(f'{place}/datasets/{entry.id}#{entry.version}')}</id>"
        f"<updated>{iso_utc(entry.published_at)}</updated><summary>{_text(changed)}</summary></entry>"
    )


def _text(text: str) -> str:
    return escape(printable(text))


def llms(content: Content) -> str:
    """Say in Markdown, for language models, what the catalog holds and how it is opened (llmstxt.org)."""
    base = f"{content.base_url}/" if content.base_url else ""
    head = [
        f"# {_line(content.title)}\n",
        f"> {_line(content.description)}\n",
        "Each dataset is a zarr store that was compared with its source. Open one in Python with "
        f'`bakehouse.open("ID", catalog="{base}catalog")`, or with plain xarray by the url on its page.\n',
        "## Files\n",
        *(f"- [{name}]({base}{path}): {about}" for name, path, about in FILES),
        "\n## Datasets\n",
    ]
    return "\n".join([*head, *(_about(entry, base) for entry in content.entries)]) + "\n"


FILES = (
    ("index.json", "index.json", "every entry in short, with its store's url"),
    ("STAC catalog", "catalog/catalog.json", "STAC 1.1, one collection for each dataset"),
    ("Intake catalog", "intake.yaml", "for intake and intake-xarray"),
    ("search.json", "search.json", "what the search box reads"),
)


def _about(entry: Entry, base: str) -> str:
    facts = entry.facts
    data = ", ".join(each.name for each in facts.variables if each.role == "data") if facts else ""
    said = [f"variables {clip(data, 120)}"] if data else []
    said += [facts.shape] if facts and facts.shape else []
    said += [where] if facts and (where := degrees(facts.bbox)) else []
    said += [f"{facts.time.start[:10]} to {facts.time.end[:10]}"] if facts and facts.time else []
    detail = "; ".join(map(_line, said))
    return f"- [{_line(clip(entry.title, 200) or entry.id)}]({base}datasets/{entry.id}/): `{entry.id}`; {detail}"


def _line(text: str) -> str:
    """Keep a text from acting as Markdown: on one line, without what begins links, code or HTML."""
    plain = printable(" ".join(text.split()))
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|" else char for char in plain)


def index(content: Content) -> dict[str, Any]:
    """List every entry in short, for programs."""
    return {
        "schema_version": 1,
        "title": content.title,
        "catalog": "catalog/catalog.json",
        "entries": [_short(entry) for entry in content.entries],
        "problems": [{"path": each.path, "code": each.code, "message": each.message} for each in content.problems],
    }


def _short(entry: Entry) -> dict[str, Any]:
    store = entry.store
    return {
        "id": entry.id,
        "title": entry.title,
        "kind": entry.kind,
        "status": entry.status.state,
        "version": entry.version,
        "published_at": iso_utc(entry.published_at) if entry.published_at else None,
        "check": entry.check.level,
        "page": f"datasets/{entry.id}/index.html",
        "entry": f"catalog/{entry.id}.json",
        "stac": f"catalog/stac/{entry.id}/collection.json",
        "store": {"url": store.url, "format": store.format, "zarr_format": store.zarr_format},
    }
