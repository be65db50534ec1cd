"""What an entry is found by: the record of search.json, and the facets in it."""

from __future__ import annotations

from typing import Any

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.facts import Facts, Variable
from bakehouse.site.places import latitudes
from bakehouse.site.words import clip

DOMAINS = {
    "ocean": ("ocean", "sea", "marine", "wave", "waves", "salinity", "sst"),
    "atmosphere": ("atmosphere", "air", "atmospheric", "wind", "precipitation", "cloud", "rainfall", "humidity"),
    "land": ("land", "soil", "vegetation", "hydrology", "canopy", "evapotranspiration", "river", "elevation", "crop"),
    "cryosphere": ("cryosphere", "ice", "snow", "glacier", "permafrost"),
    "climate": ("climate", "reanalysis", "scenario", "cmip6", "cmip5", "projection"),
}
RESOLUTIONS = ((0.1, "<0.1°"), (0.5, "0.1–0.5°"), (1.0001, "0.5–1°"))
COARSEST = ">1°"


def record(entry: Entry, url: str, thumbnail: str | None) -> dict[str, Any]:
    """Give an entry's part of search.json; `url` and `thumbnail` are relative to the site's top."""
    facts = entry.facts
    data = [each for each in facts.variables if each.role == "data"] if facts else []
    time = facts.time if facts else None
    return {
        "id": entry.id,
        "title": clip(entry.title, 200) or entry.id,
        "description": clip(entry.description, 240),
        "url": url,
        "thumbnail": thumbnail,
        "kind": entry.kind,
        "status": entry.status.state,
        "tags": [clip(tag, 60) for tag in entry.tags[:30]],
        "variables": [clip(each.name, 80) for each in data[:100]],
        "long_names": _all(data, "long_name"),
        "standard_names": _all(data, "standard_name"),
        "units": _all(data, "units"),
        "domain": domains(entry),
        "resolution": resolution_class(facts),
        "license": clip(entry.license, 60) or None,
        "format": format_name(entry),
        "updated": f"{entry.published_at:%Y-%m-%d}" if entry.published_at else None,
        "bbox": list(facts.bbox) if facts and facts.bbox else None,
        "period": [time.start[:10], time.end[:10]] if time else None,
        "size_bytes": facts.bytes_stored if facts else None,
    }


def _all(variables: list[Variable], name: str) -> list[str]:
    return sorted({clip(str(text), 120) for each in variables[:100] if (text := getattr(each, name))})


def format_name(entry: Entry) -> str:
    """Name the format as people call it.

    Examples
    --------
    >>> from bakehouse.catalog.entry import Check, Store
    >>> store = Store(url="s3://bucket/a.zarr", zarr_format=3, consolidated=True)
    >>> format_name(Entry(feedstock="a", recipe="a", kind="linked", title="", store=store,
    ...     check=Check(level="declared")))
    'zarr v3'
    """
    names = {"icechunk": "Icechunk", "kerchunk": "kerchunk", "zarr": f"zarr v{entry.store.zarr_format}"}
    return names[entry.store.format]


def domains(entry: Entry) -> list[str]:
    """Sort an entry into domains by the words of its tags and standard names."""
    said = [*entry.tags, *(each.standard_name or "" for each in (entry.facts.variables if entry.facts else ()))]
    words = {word for text in said for word in text[:200].lower().replace("_", " ").replace("-", " ").split()}
    return [domain for domain, keys in DOMAINS.items() if words & set(keys)]


def resolution(facts: Facts | None) -> float | None:
    """Estimate the distance of cells in degrees: the step of latitudes, else their extent over their count."""
    if facts is None or not facts.bbox:
        return None
    for dim in facts.dims.values():
        if dim.axis == "y" and dim.size > 1 and (dim.standard_name == "latitude" or "degree" in (dim.units or "")):
            step = dim.step
            return abs(float(step)) if isinstance(step, int | float) else _spread(facts, dim.size)
    grids = [each.shape for each in latitudes(facts) if len(each.shape) == 2]
    return _spread(facts, grids[0][0]) if grids and grids[0][0] > 1 else None


def _spread(facts: Facts, count: int) -> float:
    assert facts.bbox
    return (facts.bbox[3] - facts.bbox[1]) / (count - 1)


def resolution_class(facts: Facts | None) -> str | None:
    """Give the facet that a resolution belongs to; None where none is known."""
    degrees = resolution(facts)
    if not degrees:
        return None
    return next((name for limit, name in RESOLUTIONS if degrees < limit), COARSEST)
