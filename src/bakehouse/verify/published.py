"""A published store against what was registered of it: documents, proof, objects, coordinates; no sources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr

from bakehouse.storage import Target
from bakehouse.verify.dataset import check_dataset
from bakehouse.verify.documents import as_documents, check_documents, check_lengths, documents_of, shapes
from bakehouse.verify.objects import check_grid, check_objects
from bakehouse.verify.proof import Proof, read_proof
from bakehouse.verify.report import Checked, Statement
from bakehouse.writers.intact import Additions
from bakehouse.writers.reading import Reading
from bakehouse.writers.references import ReferenceView
from bakehouse.writers.store import CandidateStore
from bakehouse.writers.template import Documents, root_names


@dataclass(frozen=True)
class Registered:
    """What the catalog says of a store.

    Parameters
    ----------
    root, proof
        Digests of its root document and of its proof: ``sha256:…``.
    proof_name
        The proof's file, in the folder that the store lies in.
    """

    zarr_format: int
    root: str | None
    proof: str | None
    proof_name: str


@dataclass(frozen=True)
class Published:
    """What was found of a published store.

    `documents` are those of its root, none if it is not the registered one. `safe` says that what a comparison decodes
    has the content that was written: decoders may die of anything else.
    """

    checked: Checked
    documents: Documents
    proof: Proof
    safe: bool


def check_published(store: Reading, beside: Target, said: Registered, everything: bool) -> Published:
    """Compare a store with what was registered of it and with its proof.

    Parameters
    ----------
    beside
        The folder that the store and its proof lie in.
    everything
        Whether to read and hash every object; else those that a sampled comparison decodes.
    """
    listing = dict(store.list())
    found = check_documents(store, said.zarr_format, said.root, listing)
    intact = not found.statements[0].wrong
    root = store.get(root_names(said.zarr_format)[-1]) or b""
    documents = as_documents(root, said.zarr_format) if intact else {}
    proof = read_proof(beside, said.proof_name, said.proof)
    found += check_lengths(documents_of(root, said.zarr_format)) + proof.checked
    if proof.checked:
        unknown = Statement("objects", 0, len(listing), "objects", "", "without its proof, what was written is unknown")
        return Published(found + Checked.of(unknown, []), documents, proof, False)
    plain = documents and not isinstance(store, ReferenceView)
    grid = check_grid(documents, [row.key for row in proof.rows]) if plain else Checked()
    wanted, added = (
        everything or _decoded(proof, documents),
        Additions(beside, store.url.rstrip("/").rpartition("/")[2], said.proof_name.partition(".zarr.")[0]),
    )
    objects = check_objects(store, proof.rows, wanted, listing, documents, added)
    safe = all(problem.stray for problem in (*grid.problems, *objects.problems))
    return Published(found + grid + objects, documents, proof, safe)


def check_coordinates(
    store: Reading,
    published: Published,
    concat: Mapping[str, Any],
    ordered: bool = True,
    arrays: tuple[Mapping[str, Any], ...] = (),
) -> Checked:
    """Check what a reader of a published store sees, if it can be decoded."""
    if not published.safe or not published.documents:
        why = "the root, the proof or an object is damaged"
        return Checked.of(Statement("coordinates", 0, len(concat) or 1, "coordinates", "", why), [])
    try:
        candidate = CandidateStore(store, published.documents, read_only=True)
        with xr.open_zarr(candidate, consolidated=True, chunks=None) as dataset:
            return check_dataset(dataset, concat, ordered, arrays)
    except Exception as error:
        problem = f"xarray can't open the store: {type(error).__name__}: {error}"
        return Checked.of(Statement("coordinates", 1, 1, "", "open"), [problem])


def _decoded(proof: Proof, documents: Documents) -> frozenset[str]:
    """Name the objects that a sampled comparison decodes; dimension coordinates are read whole."""
    parsed = {key: json.loads(data) for key, data in documents.items()}
    return proof.sample({dim for _, sizes in shapes(parsed) for dim in sizes})
