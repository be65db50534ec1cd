"""Upstream's metadata as ours: dead keys dropped, names spelled as the catalog does, what is missing left open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bakehouse.feedstock.native.notes import About, line, listed, prose, shown, web
from bakehouse.feedstock.native.people import maintainers, provenance
from bakehouse.meta.base import is_safe_name
from bakehouse.meta.models import FeedstockMeta, LinkedStore
from bakehouse.meta.urls import path_escapes, url_problem

DEAD = ("bakery", "pangeo_forge_version", "pangeo_notebook_version", "meta_yaml_url", "ncviewjs:meta_yaml_url")
ORDER = ("title", "description", "provenance", "maintainers", "tags", "links", "thumbnail", "citation", "contact",
         "acknowledgements", "recipes", "stores", "fixture", "update")  # fmt: skip
CHECKED_LATER = ("public", "geospatial", "last_updated")
"""Keys of a store that LEAP's checker overwrites."""


def mend(found: Mapping[str, Any]) -> About:
    """Mend what meta.yaml and catalog.yaml say; recipes are left as they are."""
    about = About()
    given = {key: value for key, value in found.items() if value not in (None, "", [], {})}
    if dead := [key for key in DEAD if key in found]:
        about.note("", f"Dropped, since nothing here needs it: {', '.join(dead)}")
    for key in [key for key in given if key not in FeedstockMeta.model_fields and key not in DEAD]:
        about.note("", f"Dropped, since no such key is known: {key}: {shown(given[key])}")
    mended: dict[str, Any] = {
        "title": line(given.get("title")),
        "description": prose(given.get("description")),
        "provenance": provenance(about, given.get("provenance")),
        "maintainers": list(maintainers(about, given.get("maintainers"))) or None,
        "links": list(_links(about, given.get("links"))) or None,
        "thumbnail": web(about, "thumbnail", given.get("thumbnail")),
        "tags": [str(tag) for tag in listed(given.get("tags"))] or None,
        "stores": list(_stores(about, given.get("stores"))) or None,
    }
    for key in ORDER:
        value = mended.get(key, given.get(key))
        if value is not None or key in ("title", "maintainers"):
            about.data[key] = value
    for key in ("title", "maintainers"):
        if about.data[key] is None:
            about.todo.append(f"add {key}")
    return about


def _links(about: About, given: Any) -> Iterator[dict[str, Any]]:
    for each in listed(given):
        link = each if isinstance(each, dict) else {"url": each}
        if url := web(about, "links", link.get("url") or link.get("href")):
            label = link.get("label") or link.get("title") or link.get("name")
            yield {"label": str(label), "url": url} if label else {"url": url}


def _stores(about: About, given: Any) -> Iterator[dict[str, Any]]:
    """Keep the stores that are links."""
    known = {*LinkedStore.model_fields, "ncviewjs:rechunking"} - set(CHECKED_LATER)
    for each in listed(given):
        store = each if isinstance(each, dict) else {}
        name, url = str(store.get("id") or ""), str(store.get("url") or "")
        problem = None if is_safe_name(name) else f"{name!r} can't be an id"
        if problem := problem or path_escapes(url) or url_problem(url):
            about.note("stores", f"store {shown(store or each)} is left out: {problem}")
            continue
        lost = [key for key in store if key not in known]
        if lost:
            about.note("stores", f"{name}'s {', '.join(lost)} left out: found out when the store is linked")
        found = {key: value for key, value in store.items() if key in known and value not in (None, "", [], {})}
        if "ncviewjs:rechunking" in found:
            found["rechunking"] = found.pop("ncviewjs:rechunking")
        yield found
