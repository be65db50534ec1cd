"""From the names on a command line to recipes that can be run; a feedstock that is broken hides no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bakehouse.cli.findings import stop_on_lints
from bakehouse.cli.options import debugging
from bakehouse.cli.projects import Named, feedstock_folder, feedstock_ids, parse_name, recipes_of
from bakehouse.cli.reply import explained
from bakehouse.errors import BakehouseError, UsageError
from bakehouse.feedstock import Feedstock, find_feedstock

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
