"""A built site to look at: its pages as a browser's parser reads them, and the entries behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import html5lib

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.index import entry_path
from bakehouse.site.build import Built, build
from bakehouse.site.bundle import Bundle
from bakehouse.site.content import gather

PUBLISHED = datetime(2024, 5, 1, tzinfo=UTC)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c636000000002000148afa471"
    "0000000049454e44ae426082"
)


@dataclass(frozen=True)
class Page:
    """One page, parsed strictly: what is wrong with it stops the test."""

    path: Path
    top: Path

    @property
    def tree(self) -> Any:
        """Parse the page; html5lib raises at the first mistake."""
        parser = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"), strict=True, namespaceHTMLElements=False)
        return parser.parse(self.path.read_text(encoding="utf-8"))

    def elements(self, *tags: str) -> Iterator[Any]:
        """List elements, of some tags or all; comments are none."""
        yield from (each for each in self.tree.iter() if isinstance(each.tag, str) and (not tags or each.tag in tags))

    def text(self) -> str:
        """Give what a reader can see, and the title."""
        return " ".join("".join(each.itertext()) for each in self.elements("title", "main"))

    def target(self, href: str) -> Path | None:
        """Find the file that a relative address means; None for what lies elsewhere."""
        parts = urlsplit(href)
        if parts.scheme or parts.netloc:
            return None
        return (self.path.parent / unquote(parts.path)).resolve() if parts.path else self.path


def shelve(folder: Path, entries: Iterable[Entry]) -> Path:
    """Write the entries of a catalog, without its index."""
    for entry in entries:
        path = folder / entry_path(entry.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(entry.to_json(), encoding="utf-8")
    return folder


def make(catalog: Path, out: Path, *, root: Path | None = None, base_url: str | None = None, **options: Any) -> Built:
    """Build the site over one catalog, without the scripts that may lie in this checkout."""
    return build(gather([catalog], root, base_url), out, **{"bundle": Bundle(out / "none"), "run_s": 0, **options})


def pages(out: Path) -> list[Page]:
    """List the pages of a site."""
    return [Page(path, out) for path in sorted(out.rglob("*.html"))]


def page(out: Path, path: str) -> Page:
    """Give one page, by the address of its folder."""
    return Page(out / path / "index.html", out)
