"""An entry as schema.org describes a Dataset, for search engines of data.

Boxes are "south west north east", as Google's dataset search reads ``GeoShape.box``. The dataset of record is who
provides it; the store is its distribution.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bakehouse.catalog.canonical import iso_utc
from bakehouse.catalog.citation import authors, text
from bakehouse.catalog.cube import rfc3339
from bakehouse.catalog.entry import Entry
from bakehouse.catalog.license_url import license_url
from bakehouse.catalog.scheme import web_url

MIN_DESCRIPTION, MAX_DESCRIPTION = 50, 5000
ENCODING = {"zarr": "application/vnd.zarr", "icechunk": "application/vnd.zarr+icechunk", "kerchunk": "application/json"}


def to_jsonld(entry: Entry, page: str | None = None) -> dict[str, Any]:
    """Write an entry as a schema.org Dataset; `page` is the address of its page, where that is known."""
    said = {
        "name": _clip(entry.title or entry.id, 300),
        "description": _description(entry),
        "url": page,
        "identifier": f"https://doi.org/{entry.doi}" if entry.doi else None,
        "version": entry.version,
        "license": license_url(entry),
        "keywords": list(entry.tags),
        "creator": [{"@type": "Organization", "name": name} for name in authors(entry)],
        "datePublished": iso_utc(entry.published_at) if entry.published_at else None,
        "citation": text(entry, page),
        "isAccessibleForFree": True if entry.store.storage.anonymous else None,
        "spatialCoverage": _place(entry),
        "temporalCoverage": _period(entry),
        "variableMeasured": list(_variables(entry)),
        "distribution": [_distribution(entry)],
    }
    known = {key: value for key, value in said.items() if value not in (None, [], "")}
    return {"@context": "https://schema.org/", "@type": "Dataset", **known}


def script_json(document: Any) -> str:
    r"""Write JSON that may stand in a script element: nothing in it ends the element or begins a comment.

    Examples
    --------
    >>> script_json({"a": "</script><!--"})
    '{"a": "\\u003c/script\\u003e\\u003c!--"}'
    """
    plain = json.dumps(document, ensure_ascii=True, allow_nan=False)
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _description(entry: Entry) -> str:
    """Give 50 to 5,000 characters, which is what search engines ask for."""
    said = (entry.description or entry.title or entry.id).strip()
    facts = entry.facts
    if len(said) < MIN_DESCRIPTION:
        shape = f", {facts.shape}" if facts and facts.shape else ""
        said = f"{said}. An analysis-ready {entry.store.format} store, {entry.id}{shape}, opened with xarray."
    return _clip(said, MAX_DESCRIPTION)


def _clip(said: str, length: int) -> str:
    return said if len(said) <= length else f"{said[: length - 1]}…"


def _place(entry: Entry) -> dict[str, Any] | None:
    if not entry.facts or not entry.facts.bbox:
        return None
    west, south, east, north = entry.facts.bbox
    shape = {"@type": "GeoShape", "box": f"{south:g} {west:g} {north:g} {east:g}"}
    return {"@type": "Place", "geo": shape}


def _period(entry: Entry) -> str | None:
    time = entry.facts.time if entry.facts else None
    start, end = (rfc3339(time.start), rfc3339(time.end)) if time else (None, None)
    return f"{start}/{end}" if start and end else None


def _variables(entry: Entry) -> Iterator[dict[str, Any]]:
    for variable in entry.facts.variables if entry.facts else ():
        if variable.role == "data":
            said = {"description": variable.long_name or variable.standard_name, "unitText": variable.units}
            low, high = variable.range or (None, None)
            yield {
                "@type": "PropertyValue",
                "name": variable.name,
                **{key: value for key, value in said.items() if value},
                **({"minValue": low, "maxValue": high} if low is not None else {}),
            }


def _distribution(entry: Entry) -> dict[str, Any]:
    size = entry.facts.bytes_stored if entry.facts else None
    place = web_url(entry.store.url, entry.store.storage) or entry.store.url
    said = {"contentUrl": place, "encodingFormat": ENCODING[entry.store.format]}
    return {"@type": "DataDownload", **said, **({"contentSize": f"{size} B"} if size is not None else {})}
