"""What a feedstock's meta.yaml says of its data, in the entry's terms."""

from __future__ import annotations

from typing import Any

from bakehouse.catalog.author import LicenseLink, Link, Maintainer, Provider
from bakehouse.catalog.urls import is_plain
from bakehouse.meta.models import FeedstockMeta


def author_fields(meta: FeedstockMeta, fallback: str) -> dict[str, Any]:
    """Give what the author said, in the entry's terms."""
    provenance = meta.provenance
    return {
        "title": meta.title or fallback,
        "description": meta.description,
        "license": (provenance.license or None) if provenance else None,
        "license_link": _license_link(meta),
        "providers": tuple(
            Provider(name=p.name, description=p.description, roles=_roles(p.roles), url=_page(p.url))
            for p in (provenance.providers if provenance else ())
        ),
        "maintainers": tuple(Maintainer(name=m.name, github=m.github, orcid=m.orcid) for m in meta.maintainers),
        "tags": tuple(meta.tags),
        "links": tuple(Link(label=link.label or link.url, url=link.url) for link in meta.links if _page(link.url)),
        "citation": meta.citation if isinstance(meta.citation, str) else None,
        "thumbnail": _page(meta.thumbnail),
    }


def _page(url: str | None) -> str | None:
    """Give an address that a browser opens; feedstocks that no lint has stopped name buckets, DOIs and worse."""
    return url if url and url.startswith(("https://", "http://")) and is_plain(url) else None


def _license_link(meta: FeedstockMeta) -> LicenseLink | None:
    link = meta.provenance.license_link if meta.provenance else None
    page = _page(link.url) if link else None
    return LicenseLink(title=link.title, url=page) if link and page else None


def _roles(roles: tuple[str, ...]) -> Any:
    return tuple(roles)
