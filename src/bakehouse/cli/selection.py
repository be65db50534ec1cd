"""From the names on a command line to recipes that can be run; a feedstock that is broken hides no other."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bakehouse.cli.findings import stop_on_lints
from bakehouse.cli.options import debugging
from bakehouse.cli.projects import Named, feedstock_folder, feedstock_ids, recipes_of
from bakehouse.cli.reply import explained, say
from bakehouse.cli.words import AS_IT_IS, Elsewhere, Where, read_words
from bakehouse.errors import BakehouseError, RecipeError, UsageError
from bakehouse.feedstock import Feedstock, feedstock_at, find_feedstock, recipe_place
from bakehouse.meta.load import feedstock_id

if TYPE_CHECKING:
    from bakehouse.cli.bakeries import Place

Check = Callable[[Path, Path], object]


@dataclass(frozen=True)
class Chosen:
    """One recipe of a feedstock."""

    feedstock: Feedstock
    recipe: str

    @property
    def name(self) -> str:
        """Name it as the catalog does."""
        return f"{self.feedstock.id}/{self.recipe}"


@dataclass(frozen=True)
class Failed:
    """A feedstock whose recipes can't be run, and why."""

    name: str
    error: BakehouseError


def choose(
    root: Path, texts: Sequence[str], check: Check = stop_on_lints, where: Where = AS_IT_IS
) -> list[Chosen | Failed]:
    """Find what the arguments name, each once; `check` gets the feedstock's folder and the project's.

    Raises
    ------
    UsageError
        If there is no such feedstock or recipe.
    """
    words = read_words(root, texts, where)
    folders = {each.feedstock: feedstock_folder(root, each.feedstock) for each in words if isinstance(each, Named)}
    found = [
        chosen
        for each in words
        for chosen in (
            _recipes(root, each, folders[each.feedstock], check) if isinstance(each, Named) else _lone(each, check)
        )
    ]
    return list({chosen.name: chosen for chosen in found}.values())


def choose_all(root: Path, check: Check = stop_on_lints) -> list[Chosen | Failed]:
    """Find every recipe of the project; feedstocks that only link stores have none."""
    return [chosen for name in feedstock_ids(root) for chosen in _all_of(root, name, check)]


def choose_either(
    verb: str,
    place: Place,
    texts: Sequence[str],
    everything: bool,
    publishing: bool = True,
    where: Where = AS_IT_IS,
) -> list[Chosen | Failed]:
    """Find what the arguments name, or every recipe; all lints stop what goes into a published catalog.

    Raises
    ------
    UsageError
        If there are neither names nor `everything`, or both; if there is no such feedstock or recipe.
    """
    if bool(texts) == everything:
        what = "names and --all exclude each other" if texts else f"{verb} what?"
        raise UsageError(what, None, None, f"bakehouse {verb} ID, or bakehouse {verb} --all")
    check = partial(stop_on_lints, publishing=publishing and place.bakery.catalog == "published")
    return choose_all(place.root, check) if everything else choose(place.root, texts, check, where)


def insist_one_job(job_id: str | None, chosen: Sequence[Chosen | Failed], place: Place) -> None:
    """Refuse to follow one job for several recipes, or one of a bakery that has no jobs.

    Raises
    ------
    UsageError
        If that was asked for.
    """
    if job_id and not place.bakery.is_service:
        raise UsageError(f"{place.title} has no jobs to follow", None, None, "name a bakery on Dataflow: --bakery NAME")
    if job_id and len(chosen) != 1:
        raise UsageError(f"--job-id names one job, but {len(chosen)} recipes are asked for", None, None, "name one")


def _all_of(root: Path, name: str, check: Check) -> list[Chosen | Failed]:
    try:
        return _recipes(root, Named(name), feedstock_folder(root, name), check, quiet=True)
    except UsageError:
        return []


def _recipes(root: Path, named: Named, folder: Path, check: Check, quiet: bool = False) -> list[Chosen | Failed]:
    try:
        check(folder, root)
        feedstock = find_feedstock(root, named.feedstock)
        return _of(feedstock, [named.recipe] if named.recipe else [], quiet)
    except UsageError:
        raise
    except Exception as error:
        name = "/".join(filter(None, (named.feedstock, named.recipe)))
        return [Failed(name, explained(error, debugging()))]


def _lone(word: Elsewhere, check: Check) -> list[Chosen | Failed]:
    """Find the recipes of a feedstock that is named by folder or address."""
    located = word.located()
    try:
        feedstock = feedstock_at(located.folder, located.repository)
        check(located.folder, feedstock.root)
        return _of(feedstock, word.recipes)
    except UsageError:
        raise
    except Exception as error:
        name = "/".join([feedstock_id(located.folder), *word.recipes[:1]])
        return [Failed(name, explained(error, debugging()))]


def _of(feedstock: Feedstock, only: Sequence[str], quiet: bool = False) -> list[Chosen | Failed]:
    """List recipes; a feedstock that only links stores has none to run, which is no fault."""
    if is_linked(feedstock):
        if not quiet:
            say(nothing_to_run(feedstock))
        return []
    names: Sequence[str | None] = only or [None]
    return [_named(feedstock, recipe) for name in names for recipe in recipes_of(feedstock, name)]


def _named(feedstock: Feedstock, recipe: str) -> Chosen | Failed:
    """Refuse a name that no entry can have before anything is read or written."""
    from bakehouse.catalog.entry import ID

    chosen = Chosen(feedstock, recipe)
    if re.fullmatch(ID, recipe):
        return chosen
    simple = re.sub(r"[^A-Za-z0-9._-]+", "-", recipe).strip("-.")
    cause = "it names the store's folder and its entry, for every file system"
    where = f"{feedstock.id}, {recipe_place(feedstock, recipe)}"
    message = f"recipe id '{recipe}' has characters other than letters, digits, '.', '_' and '-'"
    error = RecipeError(message, where, cause, f"call it '{simple}'")
    return Failed(chosen.name, error)


def is_linked(feedstock: Feedstock) -> bool:
    """Say whether a feedstock has stores that were made elsewhere, and nothing that would make one."""
    meta = feedstock.meta
    return bool(meta.recipes or meta.stores) and all(entry.kind == "linked" for entry in meta.recipes)


def nothing_to_run(feedstock: Feedstock) -> str:
    """Say that a feedstock is linked, and how its stores are opened, or where they have to be named."""
    from bakehouse.cli.text import labelled

    stores = feedstock.meta.stores
    rows = [("store", f"{store.id}: {store.url}") for store in stores]
    fix = [] if stores else [("fix", f"name them in meta.yaml, stores: [{{id: {feedstock.id}, url: 'https://…'}}]")]
    return f"{feedstock.id}: nothing to run, linked: its stores were made elsewhere\n{labelled([*rows, *fix])}"
