"""Make a version visible: array documents first, the root last, and only where there is none."""

from __future__ import annotations

import json

import zarr

from bakehouse.errors import PublishError
from bakehouse.storage import Target
from bakehouse.writers.store import memory_store
from bakehouse.writers.tasks import Prepared
from bakehouse.writers.template import Documents, root_names


def save_candidate(prepared: Prepared) -> None:
    """Keep the candidate's documents beside the store, where later steps change them."""
    prepared.candidate.delete([key for key, _ in prepared.candidate.list()])
    for key, data in prepared.documents.items():
        prepared.candidate.put(key, data)


def read_candidate(candidate: Target) -> Documents:
    """Read the candidate's documents with what later steps wrote into them."""
    return {key: data for key, _ in candidate.list() if (data := candidate.get(key)) is not None}


def consolidated(documents: Documents, zarr_format: int) -> Documents:
    """Bring the consolidated root up to date with the other documents."""
    store = memory_store(documents)
    zarr.consolidate_metadata(store, zarr_format=zarr_format)  # type: ignore[arg-type]
    return {key: value.to_bytes() for key, value in store._store_dict.items()}


def publish_documents(store: Target, documents: Documents, zarr_format: int) -> bool:
    """Write a store's documents so that its root appears last; say whether this call published it.

    What is published stays as it is: where there is a root already, nothing is written.

    Raises
    ------
    PublishError
        If the root that is there lays its arrays out differently.
    """
    *others, last = root_names(zarr_format)
    if (there := store.get(last)) is None:
        for key in [*sorted(set(documents) - {*others, last}), *others]:
            store.put(key, documents[key])
        if store.create(last, documents[last]):
            return True
        there = store.get(last)
    if _layout(there) != _layout(documents[last]):
        raise PublishError(
            "a root document of another layout is there already",
            f"{store.url}/{last}",
            "another release of the engine made this version",
            "bake to another target, or remove the version",
        )
    return False


def _layout(root: bytes | None) -> object:
    """Give what a root says about where values lie; attributes, which later steps may stamp, are left out."""
    found = json.loads(root or b"null") or {}
    arrays = (found.get("consolidated_metadata") or {}).get("metadata", found.get("metadata", {}))
    return {name: _without_attributes(doc) for name, doc in arrays.items() if not name.endswith((".zattrs", ".zgroup"))}


def _without_attributes(document: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in document.items() if key != "attributes"}
