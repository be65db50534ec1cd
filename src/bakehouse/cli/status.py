"""`bakehouse status`: what is baked, whether it is still there, and whether its inputs have changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from bakehouse.catalog.entry import Entry
    from bakehouse.cli.bakeries import Place
    from bakehouse.cli.inputs import Inputs
    from bakehouse.errors import BakehouseError
    from bakehouse.feedstock import Feedstock

BAD = ("gone", "altered", "broken")


@dataclass(frozen=True)
class State:
    """What is known of one recipe.

    `state` is baked, not baked, outdated, gone, altered, broken or unknown; of a store that was made elsewhere linked,
    not linked, degraded or deprecated.
    """

    name: str
    state: str
    version: str | None = None
    published_at: str | None = None
    check: str | None = None
    url: str | None = None
    detail: str | None = None
    gaps: int = 0
    previous: int = 0
    inputs: Inputs | BakehouseError | None = None

    @property
    def ok(self) -> bool:
        """Say whether store and inputs are what they were."""
        return self.state not in BAD and (self.inputs is None or getattr(self.inputs, "ok", False))

    def as_dict(self) -> dict[str, Any]:
        """Give the recipe's part of the command's document."""
        said = {**vars(self), "ok": self.ok}
        if self.inputs is None:
            del said["inputs"]
        elif isinstance(self.inputs, Exception):
            said["inputs"] = {"error": self.inputs.as_dict()}
        else:
            said["inputs"] = asdict(self.inputs)
        return said


@dataclass(frozen=True)
class Asked:
    """Where to look, and whether to ask inputs: where those with these beginnings are read instead."""

    place: Place
    inputs: bool = False
    mirrors: Mapping[str, str] = field(default_factory=dict)


@click.command("status")
@click.argument("name", metavar="[ID]", required=False)
@click.option("--inputs", is_flag=True, help="Ask every input whether it has changed since it was baked.")
@options.mirrors
@options.bakery
@options.project
@options.common
def command(
    name: str | None, inputs: bool, mirrors: tuple[tuple[str, str], ...], bakery: str | None, project: Path | None
) -> Reply:
    """Say what is baked, and where.

    Gives each recipe's version, when it was published and how it was checked; its gaps, and how many earlier
    versions are kept. Exit status 1 if an entry's store is gone or is not what was registered, or a feedstock
    can't be read; with --inputs also if an input has changed or is gone.
    """
    from bakehouse.cli.bakeries import place
    from bakehouse.cli.entries import strangers
    from bakehouse.cli.projects import feedstock_folder, feedstock_ids, parse_name, project_root

    root = project_root(project)
    asked = Asked(place(root, bakery), inputs, dict(mirrors))
    ids = [parse_name(name).feedstock] if name else feedstock_ids(root)
    if name:
        feedstock_folder(root, ids[0])
    states = [state for each in ids for state in _feedstock(asked, each)]
    states += [] if name else [_recipe(asked, each, None) for each in strangers(asked.place, ids)]
    catalog = str(asked.place.catalog)
    document = {"bakery": asked.place.name, "catalog": catalog, "recipes": [state.as_dict() for state in states]}
    return Reply(_text(asked.place, states), document, ok=all(state.ok for state in states))


def _feedstock(asked: Asked, name: str) -> Iterator[State]:
    from bakehouse.cli.entries import registered
    from bakehouse.errors import MetaError
    from bakehouse.feedstock import find_feedstock, recipe_ids

    try:
        feedstock = find_feedstock(asked.place.root, name)
    except MetaError:
        yield State(name, "broken", detail=f"its meta.yaml can't be used: bakehouse lint {name}")
        return
    linked = [store.id for store in feedstock.meta.stores]
    recipes = dict.fromkeys([*recipe_ids(feedstock), *linked, *registered(asked.place, name)])
    yield from (_recipe(asked, f"{name}/{recipe}", feedstock) for recipe in recipes)
    if not recipes and feedstock.meta.recipes:
        yield State(name, "not baked", detail=f"bakehouse bake {name}")


def _recipe(asked: Asked, name: str, feedstock: Feedstock | None) -> State:
    from bakehouse.cli.entries import entry_of
    from bakehouse.errors import CatalogError

    try:
        entry = entry_of(asked.place, name)
    except CatalogError as error:
        return State(name, "broken", detail=f"{error.message}: {error.where}")
    if entry is None:
        return _absent(name, feedstock)
    if entry.kind == "linked":
        return _linked(name, entry)
    state = _entry(asked.place, name, entry, feedstock)
    return replace(state, inputs=_inputs(asked, entry, feedstock)) if asked.inputs and entry.version else state


def _absent(name: str, feedstock: Feedstock | None) -> State:
    from bakehouse.cli.text import short
    from bakehouse.feedstock import recipe_ids

    if feedstock and name.partition("/")[2] not in recipe_ids(feedstock):
        return State(name, "not linked", detail=f"bakehouse link {short(name)}")
    return State(name, "not baked", detail=f"bakehouse bake {short(name)}")


def _linked(name: str, entry: Entry) -> State:
    """Say what the entry says; whether the store is still so is asked by `bakehouse catalog recheck`."""
    when = entry.published_at.isoformat(timespec="seconds") if entry.published_at else None
    state = "linked" if entry.status.state == "live" else entry.status.state
    return State(name, state, None, when, entry.check.level, entry.store.url, entry.status.reason)


def _entry(place: Place, name: str, entry: Entry, feedstock: Feedstock | None) -> State:
    from bakehouse.cli.entries import store_state
    from bakehouse.errors import StorageError

    try:
        state, detail = store_state(place, entry)
    except StorageError as error:
        state, detail = "unknown", f"{error.message}: {error.cause}"
    if state == "baked":
        state, detail = _recipe_state(entry, feedstock)
    when = entry.published_at.isoformat(timespec="seconds") if entry.published_at else None
    gaps, previous = sum(len(gap.inputs) for gap in entry.gaps), len(entry.previous)
    return State(name, state, entry.version, when, entry.check.level, entry.store.url, detail, gaps, previous)


def _recipe_state(entry: Entry, feedstock: Feedstock | None) -> tuple[str, str | None]:
    """Compare the recipe with the one that the store was made from."""
    if feedstock is None:
        return "baked", "the project has no such feedstock any more"
    if entry.kind == "baked" and entry.provenance.recipe_digest != f"sha256:{feedstock.digest_of(entry.recipe)}":
        return "outdated", "the recipe has changed since"
    return "baked", None


def _inputs(asked: Asked, entry: Entry, feedstock: Feedstock | None) -> Inputs | BakehouseError:
    """Ask the inputs of one store; where that fails, the others are asked nevertheless."""
    from bakehouse.cli.inputs import ask_inputs
    from bakehouse.errors import BakehouseError

    try:
        return ask_inputs(asked.place, feedstock, entry, asked.mirrors)
    except BakehouseError as error:
        return error


def _text(place: Place, states: list[State]) -> str:
    from bakehouse.cli.text import table

    if not states:
        return "no feedstocks yet: bakehouse new ID"
    header = ["recipe", "state", "version", "published", "check", "where"]
    rows = [_row(state) for state in states]
    notes = [note for state in states for note in _notes(state)]
    return "\n".join([f"{place.title}, catalog {place.catalog}", table([header, *rows]), *notes])


def _row(state: State) -> list[str]:
    from bakehouse.cli.text import short

    said = (state.state, state.version, state.published_at, state.check, state.url or state.detail)
    return [short(state.name), *(each or "" for each in said)]


def _notes(state: State) -> Iterator[str]:
    from bakehouse.cli.inputs import inputs_text
    from bakehouse.cli.text import plural, short

    name = short(state.name)
    if state.url and state.detail:
        yield f"{name}: {state.detail}"
    if state.gaps:
        yield f"{name}: {plural(state.gaps, 'gap')}, to be filled once the inputs are there: bakehouse update {name}"
    if state.previous:
        yield f"{name}: {plural(state.previous, 'other version')} kept: bakehouse rollback {name}, bakehouse gc {name}"
    if isinstance(state.inputs, Exception):
        yield f"{name}: the inputs can't be asked\n{state.inputs}"
    elif state.inputs is not None:
        yield inputs_text(name, state.inputs)
