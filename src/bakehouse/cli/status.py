"""`bakehouse status`: what is baked, and whether it is still there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from bakehouse.catalog.entry import Entry
    from bakehouse.cli.bakeries import Place
    from bakehouse.feedstock import Feedstock

ROOTS = {2: ".zmetadata", 3: "zarr.json"}
BAD = ("gone", "altered", "broken")


@dataclass(frozen=True)
class State:
    """What is known of one recipe: `state` is baked, not baked, outdated, gone, altered, broken or unknown."""

    name: str
    state: str
    version: str | None = None
    published_at: str | None = None
    check: str | None = None
    url: str | None = None
    detail: str | None = None


@click.command("status")
@click.argument("name", metavar="[ID]", required=False)
@options.bakery
@options.project
@options.common
def command(name: str | None, bakery: str | None, project: Path | None) -> Reply:
    """Say what is baked, and where.

    Gives each recipe's version, when it was published and how it was checked. Exit status 1 if an entry's store
    is gone or is not what was registered, or a feedstock can't be read.
    """
    from bakehouse.cli.bakeries import place
    from bakehouse.cli.projects import feedstock_folder, feedstock_ids, parse_name, project_root

    root = project_root(project)
    chosen = place(root, bakery)
    ids = [parse_name(name).feedstock] if name else feedstock_ids(root)
    if name:
        feedstock_folder(root, ids[0])
    states = [state for each in ids for state in _feedstock(chosen, each)]
    states += [] if name else list(_strangers(chosen, ids))
    document = {"bakery": chosen.name, "catalog": str(chosen.catalog), "recipes": [asdict(state) for state in states]}
    return Reply(_text(chosen, states), document, ok=not any(state.state in BAD for state in states))


def _feedstock(place: Place, name: str) -> Iterator[State]:
    from bakehouse.errors import MetaError
    from bakehouse.feedstock import find_feedstock, recipe_ids

    try:
        feedstock = find_feedstock(place.root, name)
    except MetaError:
        yield State(name, "broken", detail=f"its meta.yaml can't be used: bakehouse lint {name}")
        return
    recipes = dict.fromkeys([*recipe_ids(feedstock), *_registered(place, name)])
    yield from (_recipe(place, f"{name}/{recipe}", feedstock) for recipe in recipes)
    if not recipes and feedstock.meta.recipes:
        yield State(name, "not baked", detail=f"bakehouse bake {name}")


def _registered(place: Place, feedstock: str) -> list[str]:
    from bakehouse.catalog.index import entry_paths

    return [
        entry_id.partition("/")[2] for entry_id, _ in entry_paths(place.catalog) if entry_id.startswith(f"{feedstock}/")
    ]


def _strangers(place: Place, known: list[str]) -> Iterator[State]:
    """List entries whose feedstock the project no longer has."""
    from bakehouse.catalog.index import entry_paths

    for entry_id, _ in entry_paths(place.catalog):
        if entry_id.partition("/")[0] not in known:
            yield _recipe(place, entry_id, None)


def _recipe(place: Place, name: str, feedstock: Feedstock | None) -> State:
    from bakehouse.catalog.lookup import FolderCatalog
    from bakehouse.cli.text import short
    from bakehouse.errors import CatalogError

    try:
        entry = FolderCatalog(place.catalog).entry(name)
    except CatalogError as error:
        return State(name, "broken", detail=f"{error.message}: {error.where}")
    if entry is None:
        return State(name, "not baked", detail=f"bakehouse bake {short(name)}")
    return _entry(place, name, entry, feedstock)


def _entry(place: Place, name: str, entry: Entry, feedstock: Feedstock | None) -> State:
    from bakehouse.errors import StorageError

    try:
        state, detail = _store_state(place, entry)
    except StorageError as error:
        state, detail = "unknown", f"{error.message}: {error.cause}"
    if state == "baked":
        state, detail = _recipe_state(entry, feedstock)
    when = entry.published_at.isoformat(timespec="seconds") if entry.published_at else None
    return State(name, state, entry.version, when, entry.check.level, entry.store.url, detail)


def _store_state(place: Place, entry: Entry) -> tuple[str, str | None]:
    """Compare the store's root document with the entry's digest: one small read."""
    from bakehouse.storage import Target

    root = ROOTS[entry.store.zarr_format]
    found = Target(entry.store.url, place.bakery.storage_options).get(root)
    if found is None:
        return "gone", f"the store has no {root}: bakehouse bake {entry.feedstock}"
    if entry.digests.root and entry.digests.root != f"sha256:{hashlib.sha256(found).hexdigest()}":
        return "altered", f"{root} is not the one that was registered: bakehouse verify {entry.id}"
    return "baked", None


def _recipe_state(entry: Entry, feedstock: Feedstock | None) -> tuple[str, str | None]:
    """Compare the recipe with the one that the store was made from."""
    if feedstock is None:
        return "baked", "the project has no such feedstock any more"
    if entry.kind == "baked" and entry.provenance.recipe_digest != f"sha256:{feedstock.digest_of(entry.recipe)}":
        return "outdated", "the recipe has changed since"
    return "baked", None


def _text(place: Place, states: list[State]) -> str:
    from bakehouse.cli.text import short, table

    if not states:
        return "no feedstocks yet: bakehouse new ID"
    header = ["recipe", "state", "version", "published", "check", "where"]
    rows = [_row(state) for state in states]
    notes = [f"{short(s.name)}: {s.detail}" for s in states if s.url and s.detail]
    return "\n".join([f"{place.title}, catalog {place.catalog}", table([header, *rows]), *notes])


def _row(state: State) -> list[str]:
    from bakehouse.cli.text import short

    said = (state.state, state.version, state.published_at, state.check, state.url or state.detail)
    return [short(state.name), *(each or "" for each in said)]
