"""How an entry's variables are best drawn, in the words of STAC's render extension (version 2.0)."""

from __future__ import annotations

from typing import Any

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.urls import is_relative

IMAGE_TYPES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp"}


def renders(entry: Entry) -> dict[str, Any]:
    """Give ``renders``: the colormap and limits of each variable that has a map among the entry's images."""
    shown = entry.preview.variables if entry.preview else ()
    return {each.name: _render(each.name, each.cmap, each.limits) for each in shown if each.map and each.limits}


def _render(name: str, cmap: str, limits: tuple[float, float]) -> dict[str, Any]:
    named = {"title": f"Map of {name}", "assets": ["data"], "colormap_name": cmap, "rescale": [list(limits)]}
    return {**named, "bakehouse:variable": name}


def preview_url(entry: Entry, name: str) -> str:
    """Say where a file of the entry's preview lies."""
    return f"{entry.preview.url.rstrip('/')}/{name}" if entry.preview else name


def thumbnail(entry: Entry, up: str) -> dict[str, Any] | None:
    """Give the asset of the picture made from the data, else of the one that the author names."""
    made = entry.preview.thumbnail if entry.preview else None
    url = preview_url(entry, made) if made else entry.thumbnail
    if not url:
        return None
    kind = IMAGE_TYPES.get(url.rpartition(".")[2].lower())
    href = f"{up}{url}" if is_relative(url) else url
    return {"href": href, "title": "Thumbnail", "roles": ["thumbnail"], **({"type": kind} if kind else {})}
