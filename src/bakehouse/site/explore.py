"""What the explore page draws an entry from."""

from __future__ import annotations

from typing import Any

from bakehouse.catalog.entry import Entry, Facts, Variable
from bakehouse.catalog.render import preview_url
from bakehouse.catalog.scheme import web_url
from bakehouse.site.advice import along_time, horizontal
from bakehouse.site.places import latitudes, longitudes


def explorable(entry: Entry) -> bool:
    """Say whether a browser can draw an entry: a zarr store with a variable that has a map."""
    return entry.store.format == "zarr" and bool(entry.facts and _drawn(entry.facts))


def explore_data(entry: Entry, root: str) -> dict[str, Any]:
    """Describe the store for explore.js; a local one is what `bakehouse catalog serve` serves beside the site."""
    facts = entry.facts
    assert facts
    shown = {each.name: each for each in (entry.preview.variables if entry.preview else ())}
    preview = entry.preview.store if entry.preview else None
    return {
        "id": entry.id,
        "url": reach(entry, entry.store.url, root),
        "zarr_format": entry.store.zarr_format,
        "preview_url": reach(entry, preview_url(entry, preview), root) if preview else None,
        "variables": [_variable(each, shown.get(each.name)) for each in _drawn(facts)],
        "dims": {name: dim.model_dump(mode="json") for name, dim in facts.dims.items()},
        "crs": facts.crs,
        **_axes(facts),
    }


def reach(entry: Entry, url: str, root: str) -> str:
    """Give the address by which a browser reads a store or its preview."""
    return web_url(url, entry.store.storage) or _served(entry, url, root)


def _served(entry: Entry, url: str, root: str) -> str:
    inside = url.rstrip("/").split("/")
    tail = inside[-2:] if inside[-2].endswith(".preview") else inside[-1:]
    return f"{root}stores/{entry.id}/{'/'.join(tail)}"


def _drawn(facts: Facts) -> list[Variable]:
    cells = {each.dims for each in latitudes(facts)} & {each.dims for each in longitudes(facts)}
    data = [each for each in facts.variables if each.role == "data"]
    return [each for each in data if len(dims := horizontal(each, facts)) == 2 or dims in cells]


def _variable(each: Variable, shown: Any) -> dict[str, Any]:
    return {
        "name": each.name,
        "dims": list(each.dims),
        "units": each.units,
        "long_name": each.long_name or each.standard_name,
        "limits": list(shown.limits) if shown and shown.limits else None,
        "cmap": shown.cmap if shown else "viridis",
    }


def _axes(facts: Facts) -> dict[str, Any]:
    """Name the coordinates of each axis: latitudes and longitudes may have two dimensions."""
    largest = max(_drawn(facts), key=lambda each: each.bytes)
    vertical = next((dim for dim in largest.dims if dim in facts.dims and facts.dims[dim].axis == "z"), None)
    across = horizontal(largest, facts)
    axes = {facts.dims[dim].axis: dim for dim in across if dim in facts.dims}
    return {
        "x": axes.get("x") or across[-1],
        "y": axes.get("y") or across[0],
        "lat": next((each.name for each in latitudes(facts)), None),
        "lon": next((each.name for each in longitudes(facts)), None),
        "time": along_time(largest, facts),
        "vertical": vertical,
    }
