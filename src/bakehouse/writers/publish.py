"""Make a version visible: array documents first, the root last, and only where there is none."""

from __future__ import annotations

import json

import zarr

from bakehouse.context import work_folder
from bakehouse.errors import PublishError
from bakehouse.plan.types import VIRTUAL
from bakehouse.storage import Target
from bakehouse.writers.references.kerchunk import root_name
from bakehouse.writers.store import CandidateStore, memory_store
from bakehouse.writers.tasks import Prepared
from bakehouse.writers.template import Documents, root_names
from bakehouse.writers.versions import hexdigest


def save_candidate(prepared: Prepared) -> None:
    """Keep the candidate's documents beside the store, where later steps change them."""
    prepared.candidate.delete([key for key, _ in prepared.candidate.list()])
    for key, data in prepared.documents.items():
        prepared.candidate.put(key, data)


def read_candidate(candidate: Target) -> Documents:
    """Read the candidate's documents with what later steps wrote into them."""
    return {key: data for key, _ in candidate.list() if (data := candidate.get(key)) is not None}


REVEALED = "revealed"
"""Marks a version whose documents lie at its prefix before it is published."""


def reveal(candidate: CandidateStore) -> None:
    """Put a candidate's documents at its prefix, because a step of the recipe hands the store to other programs.

    All objects are there and were compared; no entry names the version yet. `withdraw` takes the root away again.
    Where a run adds to a published store, what is published stays as it is: readers have it open.
    """
    store = candidate.target
    if not isinstance(store, Target) or candidate.kept is None:
        return
    folder, _, prefix = store.url.rpartition("/")
    work, zarr_format = work_folder(Target(folder, store.options), prefix), candidate.zarr_format
    if work.size(REVEALED) is None and store.size(root_names(zarr_format)[-1]) is not None:
        return
    work.put(REVEALED, b"")
    for key, data in consolidated(candidate.documents, zarr_format).items():
        store.put(key, data)


def is_published(prepared: Prepared) -> bool:
    """Say whether the version that a run makes is visible already, so that there is nothing left to do for it."""
    template = prepared.plan.template
    if prepared.plan.growth is not None or prepared.branch is not None:
        return False
    last = root_name(template.format) if template.format in VIRTUAL else root_names(template.zarr_format)[-1]
    return prepared.store.size(last) is not None and prepared.work.size(REVEALED) is None


def withdraw(store: Target, work: Target) -> None:
    """Take away the root of a version that was shown before it was published."""
    if work.get(REVEALED) is not None:
        store.delete([*root_names(2), *root_names(3)])
        work.delete([REVEALED])


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


def advance_documents(store: Target, documents: Documents, zarr_format: int, expected: str | None) -> bool:
    """Move a published store on to documents that add to it; say whether this call did.

    The consolidated root is replaced first: its readers see the new state at once, and whole. Those who read array
    documents follow as each is replaced.

    Raises
    ------
    PublishError
        If the root is neither the one that is built on (its digest is `expected`) nor the new one.
    """
    *others, last = root_names(zarr_format)
    there = store.get(last) or b""
    ours = hexdigest(there) == expected
    moved = there != documents[last] if ours else _layout(there) != _layout(documents[last])
    if moved and not ours:
        raise _overtaken(store, last)
    if moved and not store.replace(last, documents[last], there):
        raise _overtaken(store, last)
    for key in [*sorted(set(documents) - {*others, last}), *others]:
        if store.get(key) != documents[key]:
            store.put(key, documents[key])
    return moved


def spread_documents(store: Target, root: bytes, zarr_format: int) -> None:
    """Bring every other document in line with a consolidated root that is in place."""
    for key, data in documents_in(root, zarr_format).items():
        if store.get(key) != data:
            store.put(key, data)


def documents_in(root: bytes, zarr_format: int) -> Documents:
    """Give the other documents that a consolidated root holds."""
    found = json.loads(root)
    if zarr_format == 2:
        return {key: json.dumps(document, indent=4).encode() for key, document in found["metadata"].items()}
    arrays = (found.get("consolidated_metadata") or {}).get("metadata", {})
    return {f"{name}/zarr.json": json.dumps(document, indent=2).encode() for name, document in arrays.items()}


def _overtaken(store: Target, name: str) -> PublishError:
    return PublishError(
        "the store was changed while it was added to",
        f"{store.url}/{name}",
        "its root document is not the one that the catalog's entry names",
        "run the update again; if nothing else writes here: bakehouse verify",
    )


def _layout(root: bytes | None) -> object:
    """Give what a root says about where values lie; attributes, which later steps may stamp, are left out."""
    found = json.loads(root or b"null") or {}
    arrays = (found.get("consolidated_metadata") or {}).get("metadata", found.get("metadata", {}))
    return {name: _without_attributes(doc) for name, doc in arrays.items() if not name.endswith((".zattrs", ".zgroup"))}


def _without_attributes(document: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in document.items() if key != "attributes"}
