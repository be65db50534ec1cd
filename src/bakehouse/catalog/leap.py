"""The entries as the LEAP web catalog reads them: one record for each feedstock, its stores below it.

The shape is that of leap-data-management-utils' ``consolidated-web-catalog.json``.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from bakehouse.catalog.canonical import iso_utc
from bakehouse.catalog.entry import Entry
from bakehouse.catalog.render import preview_url
from bakehouse.catalog.scheme import web_url


def to_leap(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Write the records; what is common to a feedstock's recipes is taken from the first."""
    ordered = sorted(entries, key=lambda entry: entry.id)
    return [_feedstock(list(group)) for _, group in groupby(ordered, key=lambda entry: entry.feedstock)]


def _feedstock(entries: list[Entry]) -> dict[str, Any]:
    first = entries[0]
    link = first.license_link
    return {
        "title": first.title,
        "description": first.description or first.title,
        "maintainers": [{"name": each.name, "github": each.github} for each in first.maintainers],
        "provenance": {
            "providers": [_provider(each.model_dump()) for each in first.providers],
            "license": first.license or "other",
            "license_link": {"title": link.title or "License", "url": link.url} if link else None,
        },
        "thumbnail": _thumbnail(first),
        "tags": list(first.tags) or None,
        "links": [{"label": each.label, "url": each.url} for each in first.links] or None,
        "stores": [_store(each) for each in entries],
        "ncviewjs:meta_yaml_url": None,
    }


def _provider(said: dict[str, Any]) -> dict[str, Any]:
    return {key: said.get(key) or None for key in ("name", "description", "roles", "url")}


def _thumbnail(entry: Entry) -> str | None:
    """Give the address of a picture that a browser reaches."""
    made = entry.preview.thumbnail if entry.preview else None
    if made and entry.store.storage.protocol != "file":
        return web_url(preview_url(entry, made), entry.store.storage)
    return entry.thumbnail


def _store(entry: Entry) -> dict[str, Any]:
    """Describe a store; public means that a browser needs no credentials, not that it has a ``.zmetadata``."""
    public = entry.store.storage.protocol in ("http", "https") or bool(entry.store.storage.anonymous)
    return {
        "id": entry.recipe,
        "name": entry.title,
        "url": web_url(entry.store.url, entry.store.storage) or entry.store.url,
        "rechunking": None,
        "public": public,
        "geospatial": bool(entry.facts and entry.facts.bbox),
        "xarray_open_kwargs": {"engine": "kerchunk" if entry.store.format == "kerchunk" else "zarr"},
        "last_updated": iso_utc(entry.published_at) if entry.published_at else None,
    }
