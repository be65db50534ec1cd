"""What makes a STAC document right, beyond having the right shape.

The core's schemas come with pystac and are checked offline. The extensions' schemas are not packaged anywhere, and
would pass a bucket without a name or a box that is upside down, so their rules are here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bakehouse.catalog.cube import DATA_TYPES
from bakehouse.catalog.facts import bbox_is_valid
from bakehouse.catalog.scheme import AWS_PLATFORM
from bakehouse.catalog.urls import is_plain

Document = dict[str, Any]
Rule = Callable[[Document], Iterator[str]]
EXTENSION_OF = {"cube": "datacube", "zarr": "zarr", "storage": "storage", "sci": "scientific", "render": "render"}
WITHOUT_SCHEMA = ("bakehouse", "icechunk")
"""Prefixes of fields that readers of STAC know by custom: no extension describes them yet."""


def stac_checks(document: Document, folder: Path | None = None) -> list[str]:
    """List everything that is wrong with a STAC collection or catalog; a right one gives an empty list.

    Parameters
    ----------
    document
        The parsed JSON.
    folder
        Where the document lies, to see that relative links lead somewhere; None leaves that out.

    Examples
    --------
    >>> stac_checks({"type": "Catalog", "id": "a", "description": "b", "links": []})
    ["schema: 'stac_version' is a required property"]
    """
    if faults := core_faults(document):
        return faults
    rules = _COLLECTION_RULES if document["type"] == "Collection" else ()
    return [*(fault for rule in rules for fault in _apply(rule, document)), *_links(document, folder)]


def _apply(rule: Rule, document: Document) -> list[str]:
    """Run one rule; fields of an unforeseen shape are one more fault."""
    try:
        return list(rule(document))
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        return [f"fields of the {rule.__name__.strip('_')} rule have the wrong shape: {error}"]


def core_faults(document: Document) -> list[str]:
    """Validate against STAC 1.1's own JSON Schema, without network."""
    kind = str(document.get("type", "")).lower()
    if kind not in ("catalog", "collection"):
        return [f"schema: type is {document.get('type')!r}, not Catalog or Collection"]
    found = sorted(_validator(kind).iter_errors(document), key=lambda error: list(map(str, error.absolute_path)))
    return [f"schema: {'.'.join(map(str, [*error.absolute_path, '']))}{error.message[:300]}" for error in found]


@cache
def _validator(kind: str) -> Any:
    from jsonschema import Draft7Validator
    from pystac.validation.local_validator import get_local_schema_cache
    from referencing import Registry, Resource

    schemas = get_local_schema_cache()
    registry: Any = Registry().with_resources((uri, Resource.from_contents(each)) for uri, each in schemas.items())
    name = f"/{kind}-spec/json-schema/{kind}.json"
    return Draft7Validator(next(each for uri, each in schemas.items() if uri.endswith(name)), registry=registry)


def _identity(document: Document) -> Iterator[str]:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", document["id"]):
        yield f"id {document['id']!r} has characters that a url would have to escape"


def _extents(document: Document) -> Iterator[str]:
    for box in document["extent"]["spatial"]["bbox"]:
        if not bbox_is_valid(box):
            yield f"bbox {box} is not [west, south, east, north] within ±180 and ±90 degrees"
    for interval in document["extent"]["temporal"]["interval"]:
        yield from _times_in_order("temporal interval", interval)


def _times_in_order(name: str, interval: list[str | None]) -> Iterator[str]:
    try:
        known = [datetime.fromisoformat(moment) for moment in interval if moment]
        if len(known) == 2 and known[0] > known[1]:
            yield f"{name} {interval} ends before it starts"
    except (ValueError, TypeError) as error:
        yield f"{name} {interval} is not RFC 3339: {error}"


def _cube(document: Document) -> Iterator[str]:
    dimensions, variables = document.get("cube:dimensions", {}), document.get("cube:variables", {})
    for name in sorted(set(dimensions) & set(variables)):
        yield f"'{name}' is both a dimension and a variable of the cube"
    for name, dimension in dimensions.items():
        yield from _dimension(name, dimension)
    for name, variable in variables.items():
        if unknown := [dim for dim in variable.get("dimensions", ()) if dim not in dimensions]:
            yield f"variable '{name}' has dimensions {unknown} that the cube does not have"
        if "dimensions" not in variable or variable.get("type") not in ("data", "auxiliary"):
            yield f"variable '{name}' needs dimensions, and type 'data' or 'auxiliary'"
        if variable.get("data_type", "other") not in DATA_TYPES | {"other"}:
            yield f"variable '{name}' has data_type {variable['data_type']!r}"


def _dimension(name: str, dimension: Document) -> Iterator[str]:
    kind, extent = dimension.get("type"), dimension.get("extent")
    if not kind or (extent is None and not dimension.get("values")):
        yield f"dimension '{name}' needs a type, and an extent or values"
    if (kind == "spatial") != (dimension.get("axis") in ("x", "y", "z")):
        yield f"dimension '{name}' of type {kind!r} has axis {dimension.get('axis')!r}"
    if kind == "temporal" and extent:
        yield from _times_in_order(f"dimension '{name}'", extent)
    elif extent and (len(extent) != 2 or (None not in extent and not extent[0] <= extent[1])):
        yield f"dimension '{name}' has extent {extent}, not lower and upper"


def _assets(document: Document) -> Iterator[str]:
    for key, asset in document.get("assets", {}).items():
        if not is_plain(asset.get("href", "")):
            yield f"asset '{key}' has href {asset.get('href')!r}, which is not a plain url"
        if asset.get("type", "").startswith("application/vnd.zarr;"):
            yield f"asset '{key}' has media type {asset['type']!r}; readers know 'application/vnd.zarr'"
        yield from _zarr(key, asset)


def _zarr(key: str, asset: Document) -> Iterator[str]:
    known: dict[str, tuple[Any, ...]] = {
        "zarr:consolidated": (True, False),
        "zarr:node_type": ("group", "array"),
        "zarr:zarr_format": (2, 3),
    }
    for field, value in asset.items():
        if field.startswith("zarr:") and value not in known.get(field, ()):
            yield f"asset '{key}' has {field} = {value!r}"


def _storage(document: Document) -> Iterator[str]:
    schemes = document.get("storage:schemes", {})
    for name, scheme in schemes.items():
        yield from _scheme(name, scheme)
    for key, asset in document.get("assets", {}).items():
        for ref in asset.get("storage:refs", ()):
            if ref not in schemes:
                yield f"asset '{key}' refers to storage scheme '{ref}', which is not there"
            elif (bucket := schemes[ref].get("bucket")) and bucket != urlsplit(asset["href"]).netloc:
                yield f"asset '{key}' is at {asset['href']}, its storage scheme says bucket '{bucket}'"


def _scheme(name: str, scheme: Document) -> Iterator[str]:
    kind, platform = scheme.get("type"), str(scheme.get("platform", ""))
    if not kind or not re.match(r"^[\w+.-]+://", platform):
        yield f"storage scheme '{name}' needs a type, and a platform that is a url"
    if missing := [word for word in re.findall(r"{(\w+)}", platform) if not scheme.get(word)]:
        yield f"storage scheme '{name}' has no {missing}, which its platform {platform} needs"
    if kind in ("custom-s3", "aws-s3") and not scheme.get("bucket"):
        yield f"storage scheme '{name}' of type {kind} names no bucket"
    if kind == "aws-s3" and platform != AWS_PLATFORM:
        yield f"storage scheme '{name}' of type aws-s3 has platform {platform}, not {AWS_PLATFORM}"


def _renders(document: Document) -> Iterator[str]:
    renders = document.get("renders", {})
    if renders and "/render/" not in " ".join(document.get("stac_extensions", ())):
        yield "field 'renders' is used, but its extension is not declared"
    for name, render in renders.items():
        if unknown := [key for key in render["assets"] if key not in document.get("assets", {})]:
            yield f"render '{name}' draws assets {unknown}, which are not there"
        if any(not low < high for low, high in render.get("rescale", ())):
            yield f"render '{name}' has rescale {render['rescale']}, not lower and upper"
        if (variable := render.get("bakehouse:variable", name)) not in document.get("cube:variables", {variable: None}):
            yield f"render '{name}' draws variable '{variable}', which the cube does not have"


def _extensions(document: Document) -> Iterator[str]:
    declared = " ".join(document.get("stac_extensions", ()))
    fields = [*document, *(field for asset in document.get("assets", {}).values() for field in asset)]
    for prefix in sorted({field.partition(":")[0] for field in fields if ":" in field}):
        if prefix not in WITHOUT_SCHEMA and f"/{EXTENSION_OF.get(prefix, prefix)}/" not in declared:
            yield f"fields '{prefix}:…' are used, but their extension is not declared"


def _links(document: Document, folder: Path | None) -> Iterator[str]:
    for link in document["links"]:
        href = link["href"]
        if not is_plain(href):
            yield f"link '{link['rel']}' has href {href!r}, which is not a plain url"
        elif folder is not None and "://" not in href and not (folder / href).is_file():
            yield f"link '{link['rel']}' leads to {href}, which is not there"
    for (rel, href), times in Counter((link["rel"], link["href"]) for link in document["links"]).items():
        if times > 1:
            yield f"link '{rel}' to {href} is there {times} times"


_COLLECTION_RULES: tuple[Rule, ...] = (_identity, _extents, _cube, _assets, _storage, _renders, _extensions)
