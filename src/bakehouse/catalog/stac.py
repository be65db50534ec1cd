"""An entry as a STAC 1.1 Collection with one asset, the store.

How to open it stands in the zarr extension's fields and in the asset's description; the deprecated
xarray-assets extension is not used.
"""

from __future__ import annotations

import re
from typing import Any

from bakehouse.catalog.cube import cube_fields, rfc3339
from bakehouse.catalog.entry import Entry
from bakehouse.catalog.lines import opening_line
from bakehouse.catalog.render import renders, thumbnail
from bakehouse.catalog.scheme import storage_scheme
from bakehouse.catalog.urls import is_relative

STAC_VERSION = "1.1.0"
EXTENSIONS = {
    "cube": "https://stac-extensions.github.io/datacube/v2.3.0/schema.json",
    "zarr": "https://stac-extensions.github.io/zarr/v1.1.0/schema.json",
    "storage": "https://stac-extensions.github.io/storage/v2.0.0/schema.json",
    "version": "https://stac-extensions.github.io/version/v1.2.0/schema.json",
    "sci": "https://stac-extensions.github.io/scientific/v1.0.0/schema.json",
    "render": "https://stac-extensions.github.io/render/v2.0.0/schema.json",
}
ZARR_MEDIA_TYPE = "application/vnd.zarr"
MEDIA_TYPES = {"zarr": ZARR_MEDIA_TYPE, "icechunk": "application/vnd.zarr+icechunk", "kerchunk": "application/json"}
ROLES = ("licensor", "producer", "processor", "host")
WHOLE_EARTH = (-180.0, -90.0, 180.0, 90.0)
UP = "../../../"


def stac_id(entry: Entry) -> str:
    """Name the collection; STAC ids have no slash."""
    return f"{entry.feedstock}--{entry.recipe}"


def collection_path(feedstock: str, recipe: str) -> str:
    """Say where a collection lies below the catalog's folder.

    Examples
    --------
    >>> collection_path("noaa-oisst", "daily")
    'stac/noaa-oisst/daily/collection.json'
    """
    return f"stac/{feedstock}/{recipe}/collection.json"


def to_collection(entry: Entry) -> dict[str, Any]:
    """Write an entry as a STAC Collection.

    A store without known latitudes and longitudes is said to cover the whole earth, as STAC asks for some box;
    a store without times gets an open interval.
    """
    import pystac

    collection = pystac.Collection(
        id=stac_id(entry),
        title=entry.title or None,
        description=entry.description or entry.title or entry.id,
        license=stac_license(entry),
        keywords=list(entry.tags) or None,
        extent=_extent(entry),
        providers=[_provider(each.model_dump()) for each in entry.providers] or None,
        assets=_assets(entry),
        extra_fields=_extra_fields(entry),
    )
    document = collection.to_dict(include_self_link=False, transform_hrefs=False)
    document["links"] = _links(entry)
    document["stac_version"] = STAC_VERSION
    document["stac_extensions"] = _extensions(document)
    return document


def stac_license(entry: Entry) -> str:
    """Give the SPDX name, or STAC's "other" where there is none."""
    return entry.license if re.fullmatch(r"[\w\-.+]+", entry.license or "", re.ASCII) else "other"  # type: ignore[return-value]


def _extent(entry: Entry) -> Any:
    import pystac

    facts = entry.facts
    bbox = facts.bbox if facts and facts.bbox else WHOLE_EARTH
    time = facts.time if facts else None
    interval = [rfc3339(time.start), rfc3339(time.end)] if time else [None, None]
    return pystac.Extent.from_dict({"spatial": {"bbox": [list(bbox)]}, "temporal": {"interval": [interval]}})


def _provider(said: dict[str, Any]) -> Any:
    import pystac

    roles = [role for role in said.get("roles", ()) if role in ROLES]
    return pystac.Provider(said["name"], said.get("description"), roles or None, said.get("url"))


def _assets(entry: Entry) -> dict[str, Any]:
    import pystac

    store = entry.store
    assets = {
        "data": pystac.Asset(
            (UP if is_relative(store.url) else "") + store.url,
            title=f"{store.format} store",
            description=f"Open it in Python: {opening_line(entry)}",
            media_type=MEDIA_TYPES[store.format],
            roles=["data", "references"] if store.format == "kerchunk" else ["data"],
            extra_fields=_asset_fields(entry),
        )
    }
    if picture := thumbnail(entry, UP):
        assets["thumbnail"] = pystac.Asset.from_dict(picture)
    return assets


def _asset_fields(entry: Entry) -> dict[str, Any]:
    store = entry.store
    refs = {"storage:refs": ["store"]} if storage_scheme(store) else {}
    zarr = {"zarr:consolidated": store.consolidated, "zarr:node_type": "group", "zarr:zarr_format": store.zarr_format}
    snapshot = {"icechunk:snapshot_id": store.snapshot} if store.snapshot else {}
    return {**refs, **(zarr if store.format != "kerchunk" else {}), **snapshot}


def _extra_fields(entry: Entry) -> dict[str, Any]:
    scheme = storage_scheme(entry.store)
    deprecated = {"deprecated": True} if entry.status.state == "deprecated" else {}
    said = {"version": entry.version, "sci:doi": entry.doi, "sci:citation": entry.citation}
    return {
        **(cube_fields(entry.facts) if entry.facts and entry.facts.dims else {}),
        **({"storage:schemes": {"store": scheme}} if scheme else {}),
        **({"renders": drawn} if (drawn := renders(entry)) else {}),
        **{key: text for key, text in said.items() if text},
        **deprecated,
    }


def _extensions(document: dict[str, Any]) -> list[str]:
    """Name the extensions whose fields are there."""
    asset = document["assets"]["data"]
    used = {
        "cube": "cube:dimensions" in document,
        "zarr": "zarr:zarr_format" in asset,
        "storage": "storage:schemes" in document,
        "version": "version" in document or "deprecated" in document,
        "sci": "sci:doi" in document or "sci:citation" in document,
        "render": "renders" in document,
    }
    return [EXTENSIONS[key] for key, there in used.items() if there]


def _links(entry: Entry) -> list[dict[str, str]]:
    """Link to the catalog and the entry, then to what the author named."""
    home = [
        {"rel": "root", "href": f"{UP}catalog.json", "type": "application/json"},
        {"rel": "parent", "href": f"{UP}catalog.json", "type": "application/json"},
        {"rel": "via", "href": f"{UP}{entry.feedstock}/{entry.recipe}.json", "type": "application/json"},
    ]
    link = entry.license_link
    terms = [{"rel": "license", "href": link.url, "title": link.title or "License"}] if link else []
    doi = [{"rel": "cite-as", "href": f"https://doi.org/{entry.doi}"}] if entry.doi else []
    related = [{"rel": "related", "href": link.url, "title": link.label} for link in entry.links]
    return list({(link["rel"], link["href"]): link for link in [*home, *terms, *doi, *related]}.values())
