"""The metadata documents of a zarr store: all of them from its root, or one by one where they are not consolidated."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from bakehouse.errors import LinkError
from bakehouse.link.found import PUBLISH, Found, PrivateError
from bakehouse.link.listing import names_below
from bakehouse.link.place import Place
from bakehouse.storage.web import Web

ASKING = 8
MOST = 2000
"""Names below a group that are asked for their metadata."""
NAMES = {2: (".zarray", ".zattrs", ".zgroup"), 3: ("zarr.json",)}
CONSOLIDATE = "consolidate its metadata (zarr.consolidate_metadata), or link its bucket (s3://, gs://)"


def is_consolidated(found: Found) -> bool:
    """Say whether the root document has those of all arrays."""
    return "metadata" in found.document or bool((found.document.get("consolidated_metadata") or {}).get("metadata"))


def zarr_format(found: Found) -> int:
    """Give the version of the format."""
    return 3 if found.key == "zarr.json" else 2


def documents(web: Web, place: Place, found: Found, group: str = "") -> dict[str, bytes]:
    """Gather the documents by which zarr opens a group.

    Raises
    ------
    LinkError
        If the store is an array, or there is no way to learn what it has.
    """
    if found.document.get("node_type") == "array":
        raise LinkError("the store is one array, not a group", place.url, None, "link the group that it lies in")
    if "metadata" in found.document:
        return _of_version_2(found)
    if is_consolidated(found):
        return {found.key: found.answer.body}
    return {found.key: found.answer.body, **_one_by_one(web, place, zarr_format(found), group.strip("/"))}


def _of_version_2(found: Found) -> dict[str, bytes]:
    said = found.document["metadata"]
    if not isinstance(said, dict):
        raise LinkError("'.zmetadata' has no documents", found.answer.url, None, CONSOLIDATE)
    return {found.key: found.answer.body, **{key: json.dumps(each).encode() for key, each in said.items()}}


def _one_by_one(web: Web, place: Place, format: int, group: str) -> dict[str, bytes]:
    names = names_below(web, place, group)
    if names is None:
        cause = "its metadata are not consolidated, and the server does not list what it has"
        raise LinkError("there is no way to learn which arrays the store has", place.url, cause, CONSOLIDATE)
    if len(names) > MOST:
        raise LinkError(f"more than {MOST} names below the group", place.url, None, CONSOLIDATE)
    folders = ["", group, *(f"{group}/{name}".strip("/") for name in names)]
    keys = [f"{folder}/{name}".lstrip("/") for folder in dict.fromkeys(folders) for name in NAMES[format]]
    with ThreadPoolExecutor(ASKING, "bakehouse-link") as pool:
        bodies = pool.map(lambda key: _document(web, place, key), keys)
        return {key: body for key, body in zip(keys, bodies, strict=True) if body is not None}


def _document(web: Web, place: Place, key: str) -> bytes | None:
    """Read one document; one that is not there may be refused instead, where nobody may list."""
    answer = web.get(place.address(key))
    if answer.status in (401, 403) and key.endswith("zarr.json"):
        raise PrivateError("the store is not public", answer.url, f"the server answers {answer.status}", PUBLISH)
    return answer.body if answer.ok else None
