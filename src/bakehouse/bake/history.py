"""The versions of a store besides the one that its entry names: complete one that a crash cut short, or go back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bakehouse.bake.finish import enter_catalog, version_document
from bakehouse.catalog.entry import Entry
from bakehouse.context import work_folder
from bakehouse.errors import PublishError, UsageError
from bakehouse.storage import Target
from bakehouse.verify import as_documents, check_objects, stop_on
from bakehouse.writers.icechunk import Branch, Repository
from bakehouse.writers.icechunk import versions as snapshots
from bakehouse.writers.intact import Additions, note_ahead
from bakehouse.writers.lock import single_writer
from bakehouse.writers.publish import spread_documents
from bakehouse.writers.reading import Reading, reading_at
from bakehouse.writers.receipts import Row, Written, write_proof
from bakehouse.writers.template import root_names
from bakehouse.writers.versions import PROOF, VERSION, hexdigest, load_proof, save


def complete(catalog: Path, target: Target, entry: Entry) -> Entry | None:
    """Register the version whose root took the place of the one that the entry names, if a crash came between."""
    if entry.store.snapshot is not None:
        return _complete_snapshot(catalog, target, entry, entry.store.snapshot)
    store = replace(target, url=entry.store.url)
    root = store.get(_root_name(entry))
    if root is None or hexdigest(root) == entry.digests.root:
        return None
    for found, text in saved_versions(target):
        if found.store.url == entry.store.url and text.encode() == root:
            spread_documents(store, root, entry.store.zarr_format)
            enter_catalog(catalog, found)
            return found
    return None


def _complete_snapshot(catalog: Path, target: Target, entry: Entry, known: str) -> Entry | None:
    repository = Repository(replace(target, url=entry.store.url))
    main = repository.tip() if repository.is_there else None
    if main in (None, known):
        return None
    for found, _ in saved_versions(target):
        if found.store.url == entry.store.url and found.store.snapshot == main:
            Branch(repository.target, found.version or "").publish(main, main)
            enter_catalog(catalog, found)
            return found
    return None


def saved_versions(target: Target) -> Iterator[tuple[Entry, str]]:
    """List the versions that lie on a target: the entry and the root document of each."""
    for key, _ in target.list():
        if "/" not in key and key.endswith(f".zarr.{VERSION}") and (data := target.get(key)):
            saved = json.loads(data)
            yield Entry.from_json(json.dumps(saved["entry"]), f"{target.url}/{key}", lenient=True), saved["root"]


def rollback(catalog: Path, target: Target, entry: Entry, to: str | None = None) -> Entry:
    """Make an earlier version the one that the entry names; the later one stays until it is collected.

    Parameters
    ----------
    target
        The recipe's folder.
    to
        The version to go to; left out, the latest that was published before the present one.

    Raises
    ------
    UsageError
        If there is no such version any more.
    PublishError
        If its root is gone or is not known, or another run is adding to the store.
    NotWholeError
        If objects of it are missing or have another size.
    """
    saved = list(saved_versions(target))
    found, root = _chosen(saved, target, entry, to)
    if found.store.snapshot is not None:
        now = entry.store.snapshot if entry.store.url == found.store.url else None
        snapshots.rollback(Repository(replace(target, url=found.store.url)), found.store.snapshot, now)
    else:
        here = sorted((each for each in saved if each[0].store.url == found.store.url), key=lambda each: _time(each[0]))
        found = _back_at_prefix(target, here, found, root.encode())
    enter_catalog(catalog, found)
    return found


def _back_at_prefix(target: Target, here: list[tuple[Entry, str]], found: Entry, root: bytes) -> Entry:
    """Let a prefix have the root of a version, which is whole; `here` are all its versions, the earliest first."""
    store = reading_at(found.store.url, target.options)
    if (there := store.get(_root_name(found))) is None:
        raise PublishError(
            f"version {found.version} has no root document any more", found.store.url, None, "choose another with --to"
        )
    now = next((each for each, text in here if text.encode() == there), None)
    if now is None:
        raise _unknown_root(found)
    later = [each for each, _ in here if _time(each) > _time(found)]
    rows = _rows_now(target, later, found)
    _insist_whole(target, store, found, root, rows, now)
    return found if there == root else _move_back(target, later, found, there, root, rows)


def _chosen(saved: list[tuple[Entry, str]], target: Target, entry: Entry, to: str | None) -> tuple[Entry, str]:
    others = [(e, root) for e, root in saved if e.version != entry.version]
    if to is None:
        times = [(e.published_at, e, root) for e, root in others if e.published_at and e.published_at < _time(entry)]
        fitting = [(e, root) for _, e, root in sorted(times, key=lambda each: each[0])]
    else:
        fitting = [(e, root) for e, root in others if e.version == to]
    if fitting:
        return fitting[-1]
    there = ", ".join(sorted(str(e.version) for e, _ in others)) or "none"
    what = f"there is no version '{to}'" if to else "there is no earlier version"
    where = f"{entry.id} ({target.url})"
    raise UsageError(what, where, f"versions besides {entry.version}: {there}", "bakehouse status")


def _time(entry: Entry) -> datetime:
    return entry.published_at or datetime.max.replace(tzinfo=UTC)


def _rows_now(target: Target, later: list[Entry], found: Entry) -> list[Row]:
    """Give a version's proof as of now: of objects that later versions reached into, the latest one's row.

    What such an object holds includes all values of the earlier version.
    """
    now = {row["key"]: row for each in later for row in load_proof(target, each.version or "")}
    return [now.get(row["key"], row) for row in load_proof(target, found.version or "")]


def _insist_whole(target: Target, store: Reading, found: Entry, root: bytes, rows: list[Row], now: Entry) -> None:
    """Refuse a version that lacks an object, or has one of another size: what is missing would read as fill.

    What updates that were cut short added to the version at the root, which is `now`, is no damage.
    """
    listing = dict(store.list())
    absent = sorted(set(as_documents(root, found.store.zarr_format)) - set(listing))
    written = [Written(row["key"], row["size_bytes"], row["sha256"]) for row in rows]
    added = Additions(target, prefix_of(found), now.version or "")
    objects = check_objects(store, written, hashes=False, listing=listing, added=added)
    problems = [*(f"document '{key}' is missing" for key in absent), *(p.what for p in objects.problems if not p.stray)]
    stop_on(
        problems,
        f"{found.id} ({store.url})",
        f"choose another version with --to, or bake anew: bakehouse bake {found.id} --refresh",
        f"version {found.version} is not whole, and nothing was changed",
    )


def _move_back(target: Target, later: list[Entry], found: Entry, there: bytes, root: bytes, rows: list[Row]) -> Entry:
    """Put back the root of a version that shares its prefix with others.

    Objects that later versions reached into stay as they are: they hold all values of the earlier one, and readers
    of the later may be under way. The version's proof, of the given rows, says so.
    """
    store = replace(target, url=found.store.url)
    folder = work_folder(target, prefix_of(found))
    with single_writer(folder, f"rollback-{found.version}"):
        for each in later:
            note_ahead(folder, each.version or "")
        proof = write_proof([], rows)
        digests = found.digests.model_copy(update={"proof": hexdigest(proof)})
        found = found.model_copy(update={"digests": digests})
        save(target, found.version or "", PROOF, proof)
        save(target, found.version or "", VERSION, version_document(found, root))
        if not store.replace(_root_name(found), root, there):
            raise _unknown_root(found)
        spread_documents(store, root, found.store.zarr_format)
    return found


def _unknown_root(found: Entry) -> PublishError:
    return PublishError(
        "the store's root document is not one that is known",
        f"{found.store.url}/{_root_name(found)}",
        "it was changed by something else",
        "choose a version at another prefix with --to, or bakehouse bake --refresh",
    )


def prefix_of(entry: Entry) -> str:
    """Name the folder of a version's store."""
    return entry.store.url.rstrip("/").rpartition("/")[2]


def _root_name(entry: Entry) -> str:
    return root_names(entry.store.zarr_format)[-1]
