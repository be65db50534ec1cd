"""From the names on a command line to recipes that can be run; a feedstock that is broken hides no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bakehouse.cli.findings import stop_on_lints
from bakehouse.cli.options import debugging
from bakehouse.cli.projects import Named, feedstock_folder, feedstock_ids, parse_name, recipes_of
from bakehouse.cli.reply import explained
from bakehouse.errors import BakehouseError, UsageError
from bakehouse.feedstock import Feedstock, find_feedstock

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


def choose(root: Path, texts: Sequence[str], check: Check = stop_on_lints) -> list[Chosen | Failed]:
    """Find what the arguments name, each once; `check` gets the feedstock's folder and the project's.

    Raises
    ------
    UsageError
        If there is no such feedstock or recipe.
    """
    named = [parse_name(text) for text in texts]
    folders = {each.feedstock: feedstock_folder(root, each.feedstock) for each in named}
    found = [chosen for each in named for chosen in _recipes(root, each, folders[each.feedstock], check)]
    return list({chosen.name: chosen for chosen in found}.values())


def choose_all(root: Path, check: Check = stop_on_lints) -> list[Chosen | Failed]:
    """Find every recipe of the project; feedstocks that only link stores have none."""
    return [chosen for name in feedstock_ids(root) for chosen in _all_of(root, name, check)]


def choose_either(
    verb: str, place: Place, texts: Sequence[str], everything: bool, publishing: bool = True
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
    return choose_all(place.root, check) if everything else choose(place.root, texts, check)


def _all_of(root: Path, name: str, check: Check) -> list[Chosen | Failed]:
    try:
        return _recipes(root, Named(name), feedstock_folder(root, name), check)
    except UsageError:
        return []


def _recipes(root: Path, named: Named, folder: Path, check: Check) -> list[Chosen | Failed]:
    try:
        check(folder, root)
        feedstock = find_feedstock(root, named.feedstock)
        return [Chosen(feedstock, recipe) for recipe in recipes_of(feedstock, named.recipe)]
    except UsageError:
        raise
    except Exception as error:
        name = "/".join(filter(None, (named.feedstock, named.recipe)))
        return [Failed(name, explained(error, debugging()))]
