"""Objects against what was written: all there, each of its size, with its content, and nothing else."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import zarr

from bakehouse.errors import BakehouseError
from bakehouse.verify.report import Checked, Problem, Statement
from bakehouse.writers.intact import Additions
from bakehouse.writers.reading import Reading
from bakehouse.writers.receipts import Receipt, Written, array_of
from bakehouse.writers.shards import ShardError, index_codecs_supported, read_index
from bakehouse.writers.store import memory_store
from bakehouse.writers.template import Documents, is_metadata

HASH_THREADS = 4
STRAY = "remove it; readers may take it for data"


def check_tasks(receipts: Mapping[str, Receipt], planned: Iterable[str]) -> Checked:
    """Insist on a receipt for every planned task."""
    tasks = list(planned)
    missing = [task for task in tasks if task not in receipts]
    problems = (
        [f"{len(missing)} of the {len(tasks)} planned tasks have no receipt, {missing[0]} first"] if missing else []
    )
    return Checked.of(Statement("tasks", len(tasks), len(tasks), "tasks", "have a receipt"), problems)


def check_objects(
    store: Reading,
    expected: Iterable[Written],
    hashes: bool | Collection[str],
    listing: Mapping[str, int] | None = None,
    documents: Documents | None = None,
    added: Additions | None = None,
) -> Checked:
    """Compare a listing with what was written, then the content of objects that have their size.

    Parameters
    ----------
    hashes
        Whether to read every object and compare digests, or the keys of those to read.
    listing
        Keys and sizes, if the store was listed already.
    documents
        Metadata documents, with which a damaged shard index is told from a damaged chunk.
    added
        What updates have added to the store that this version of it does not have: that is no damage.
    """
    there = {k: n for k, n in (store.list() if listing is None else listing.items()) if not is_metadata(k)}
    known = {o.key: o for o in expected}
    both = sorted(set(known) & set(there))
    sized = [key for key in both if there[key] == known[key].size_bytes]
    other = [key for key in both if there[key] != known[key].size_bytes and not _is_grown(store, key, added)]
    arrays = {array_of(key) for key in known} if added and added.any else set()
    strays = [key for key in sorted(set(there) - set(known)) if array_of(key) not in arrays]
    problems = [
        *(Problem(f"object '{key}' is missing") for key in sorted(set(known) - set(there))),
        *(Problem(f"object '{key}' is in no receipt", STRAY, stray=True) for key in strays),
        *(_resized(known[key], there[key]) for key in other),
    ]
    found = Checked.of(
        Statement("objects", len(known), len(known), "objects", "there, each of its size, no other"), problems
    )
    wanted = sized if hashes is True else [key for key in sized if hashes and key in hashes]
    return found + _check_contents(store, [known[key] for key in wanted], known, len(sized), documents or {}, added)


def check_grid(documents: Documents, expected: Iterable[str]) -> Checked:
    """Insist that every object which a root's chunk grids name was written; an absent one reads as fill."""
    named, known = set(_grid_keys(documents)), set(expected)
    problems = [
        *(f"object '{key}' is one of the root's and was never written" for key in sorted(named - known)),
        *(f"object '{key}' was written and is none of the root's" for key in sorted(known - named)),
    ]
    return Checked.of(
        Statement("grid", len(named), len(named), "objects", "that the root's grids name were written"), problems
    )


def _grid_keys(documents: Documents) -> Iterator[str]:
    group = zarr.open_group(memory_store(documents), mode="r")
    for name, member in group.members(max_depth=None):
        if isinstance(member, zarr.Array):
            counts = [math.ceil(n / c) for n, c in zip(member.shape, member.shards or member.chunks, strict=True)]
            for cell in itertools.product(*map(range, counts)):
                yield f"{name}/{member.metadata.encode_chunk_key(cell)}"


def _is_grown(store: Reading, key: str, added: Additions | None) -> bool:
    """Say whether an update added to an object; one that can't be read tells nothing."""
    try:
        return added is not None and added.reached_into(key, store.get(key) or b"")
    except BakehouseError:
        return False


def _resized(written: Written, size: int) -> Problem:
    return Problem(f"object '{written.key}' has {size} bytes, its receipt says {written.size_bytes}")


def _check_contents(
    store: Reading,
    wanted: list[Written],
    known: Mapping[str, Written],
    of: int,
    documents: Documents,
    added: Additions | None,
) -> Checked:
    """Hash objects, a few at a time."""
    owners: dict[str, str] = {}
    for written in known.values():
        owners.setdefault(written.sha256, written.key)
    counts = _chunks_per_shard(documents)

    def fault(written: Written) -> Problem | None:
        found = _content_fault(store, written, owners, counts.get(array_of(written.key)))
        return None if found and _is_grown(store, written.key, added) else found

    with ThreadPoolExecutor(HASH_THREADS, "bakehouse-hash") as pool:
        problems = [problem for problem in pool.map(fault, wanted) if problem]
    how = "those that are decoded; the others were compared by their size alone, --full reads them all"
    if not wanted and of:
        how = "compared by their size alone; --full reads them all"
    return Checked.of(
        Statement("checksums", len(wanted), of, "objects", "have the sha256 that was written", how), problems
    )


def _content_fault(store: Reading, written: Written, owners: Mapping[str, str], chunks: int | None) -> Problem | None:
    try:
        data = store.get(written.key)
    except BakehouseError as error:
        return Problem(f"object '{written.key}' can't be read: {error.cause or error.message}")
    if data is None:
        return Problem(f"object '{written.key}' is missing: it was listed and is gone")
    found = hashlib.sha256(data).hexdigest()
    if found == written.sha256:
        return None
    said = f"sha256 {found[:12]}…, written was {written.sha256[:12]}…"
    return Problem(
        f"object '{written.key}' has other content than was written: {said}{_hint(data, found, owners, chunks)}"
    )


def _hint(data: bytes, found: str, owners: Mapping[str, str], chunks: int | None) -> str:
    """Say what can be known of a change: whose content it is, or which part of a shard is garbled."""
    if found in owners:
        return f"; it holds what belongs to '{owners[found]}'"
    if chunks is None:
        return ""
    try:
        read_index(data, chunks)
    except ShardError as error:
        return f"; its shard index is damaged ({error.message})"
    return "; its shard index is whole, its chunks are not"


def _chunks_per_shard(documents: Documents) -> dict[str, int]:
    """Count the chunks of a shard, for the arrays whose shards have a known index."""
    if not documents:
        return {}
    group = zarr.open_group(memory_store(documents), mode="r")
    found: dict[str, Any] = {n: m for n, m in group.members(max_depth=None) if isinstance(m, zarr.Array) and m.shards}
    return {
        name: math.prod(s // c for s, c in zip(array.shards, array.chunks, strict=True))
        for name, array in found.items()
        if index_codecs_supported(array.metadata)
    }
