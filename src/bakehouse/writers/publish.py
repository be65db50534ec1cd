"""Make a version visible: array documents first, the root last, and only where there is none."""

from __future__ import annotations

import zarr

from bakehouse.errors import PublishError
from bakehouse.storage import Target
from bakehouse.writers.store import memory_store
from bakehouse.writers.tasks import Prepared
from bakehouse.writers.template import Documents, root_names


def save_candidate(prepared: Prepared) -> None:
    """Keep the candidate's documents beside the store, where later steps change them."""
    prepared.work.delete([key for key, _ in prepared.work.list("candidate")])
    for key, data in prepared.documents.items():
        prepared.work.put(f"candidate/{key}", data)


def read_candidate(work: Target) -> Documents:
    """Read the candidate's documents with what later steps wrote into them."""
    keys = [key for key, _ in work.list("candidate")]
    return {key.removeprefix("candidate/"): data for key in keys if (data := work.get(key)) is not None}


def consolidated(documents: Documents, zarr_format: int) -> Documents:
    """Bring the consolidated root up to date with the other documents."""
    store = memory_store(documents)
    zarr.consolidate_metadata(store, zarr_format=zarr_format)  # type: ignore[arg-type]
    return {key: value.to_bytes() for key, value in store._store_dict.items()}


def publish_documents(store: Target, documents: Documents, zarr_format: int) -> bool:
    """Write a store's documents so that its root appears last; say whether this call published it.

    Raises
    ------
    PublishError
        If another root is there already.
    """
    roots = root_names(zarr_format)
    for key in sorted(set(documents) - set(roots)):
        store.put(key, documents[key])
    for key in roots[:-1]:
        store.put(key, documents[key])
    last = roots[-1]
    if store.create(last, documents[last]):
        return True
    if store.get(last) != documents[last]:
        raise PublishError("another root document is there already", f"{store.url}/{last}", "the recipe or its inputs gave different metadata for one version",
                           "remove the version, or change the recipe")  # fmt: skip
    return False
