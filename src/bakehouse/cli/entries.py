"""Entries of a bakery's catalog, and whether the stores that they name are what was registered; no Beam, no xarray."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bakehouse.cli.projects import feedstock_folder, parse_name
from bakehouse.cli.text import short
from bakehouse.errors import CatalogError, UsageError

if TYPE_CHECKING:
    from bakehouse.catalog.entry import Entry
    from bakehouse.cli.bakeries import Place
    from bakehouse.storage import Target


def registered(place: Place, feedstock: str) -> list[str]:
    """List the recipes of a feedstock that the catalog has entries of."""
    from bakehouse.catalog.index import entry_paths

    return [
        entry_id.partition("/")[2] for entry_id, _ in entry_paths(place.catalog) if entry_id.startswith(f"{feedstock}/")
    ]


def strangers(place: Place, known: list[str]) -> list[str]:
    """List the ids of entries whose feedstock the project no longer has."""
    from bakehouse.catalog.index import entry_paths

    return [entry_id for entry_id, _ in entry_paths(place.catalog) if entry_id.partition("/")[0] not in known]


def entry_of(place: Place, name: str) -> Entry | None:
    """Give a recipe's entry, if the catalog has one.

    Raises
    ------
    CatalogError
        If it can't be read.
    """
    from bakehouse.catalog.lookup import FolderCatalog

    return FolderCatalog(place.catalog).entry(name)


def insist_entry(place: Place, name: str) -> Entry:
    """Give a recipe's entry.

    Raises
    ------
    CatalogError
        If it was never baked in this bakery, or its entry can't be read.
    """
    entry = entry_of(place, name)
    if entry is None:
        fix = f"bakehouse bake {short(name)}"
        raise CatalogError(f"'{name}' is not registered", str(place.catalog), "it was never baked in this bakery", fix)
    return entry


def only_entry(place: Place, text: str) -> Entry:
    """Give the entry that ``ID/RECIPE`` names, or that of the only recipe that was baked of ``ID``.

    Raises
    ------
    UsageError
        If there is no such feedstock, or several of its recipes were baked.
    CatalogError
        If none was.
    """
    named = parse_name(text)
    there = registered(place, named.feedstock)
    if not there:
        feedstock_folder(place.root, named.feedstock)
    if named.recipe is None and len(there) > 1:
        fix = f"name one: {', '.join(f'{named.feedstock}/{recipe}' for recipe in there)}"
        raise UsageError(f"feedstock '{named.feedstock}' has {len(there)} entries", str(place.catalog), None, fix)
    recipe = named.recipe or (there[0] if there else named.feedstock)
    return insist_entry(place, f"{named.feedstock}/{recipe}")


def store_state(place: Place, entry: Entry) -> tuple[str, str | None]:
    """Compare the store's root document with the entry's digest: one small read.

    Returns
    -------
    ``baked``, ``gone`` or ``altered``; and, if it is not as it should be, what to do.
    """
    from bakehouse.catalog.opening import root_name
    from bakehouse.storage import Target

    if entry.store.snapshot is not None:
        return _snapshot_state(Target(entry.store.url, place.bakery.storage_options), entry)
    root = root_name(entry)
    found = Target(entry.store.url, place.bakery.storage_options).get(root)
    if found is None:
        return "gone", f"the store has no {root}: bakehouse bake {entry.feedstock}"
    if entry.digests.root and entry.digests.root != f"sha256:{hashlib.sha256(found).hexdigest()}":
        return "altered", f"{root} is not the one that was registered: bakehouse verify {entry.id}"
    return "baked", None


def _snapshot_state(target: Target, entry: Entry) -> tuple[str, str | None]:
    """Compare what a repository's readers see with the entry's snapshot, which itself never changes."""
    from bakehouse.writers.icechunk import Repository

    repository = Repository(target)
    if not repository.is_there:
        return "gone", f"there is no repository: bakehouse bake {entry.feedstock}"
    if (main := repository.tip()) != entry.store.snapshot:
        return "altered", f"'main' is {main}, not what was registered: bakehouse update {short(entry.id)}"
    return "baked", None
