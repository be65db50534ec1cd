"""Which project, feedstock and recipe a command is about; nothing heavy is imported."""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from bakehouse.errors import UsageError, did_you_mean
from bakehouse.feedstock import Feedstock, find_feedstock, recipe_ids
from bakehouse.meta.base import is_safe_name
from bakehouse.meta.load import feedstock_folders, feedstock_id, find_project_root, is_project

_ID = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?")
"""As entries have them, which the catalog's package says, too; it is not imported for that."""


@dataclass(frozen=True)
class Named:
    """A feedstock's id and, if one was given, a recipe's."""

    feedstock: str
    recipe: str | None = None


def project_root(given: Path | None) -> Path:
    """Give the project's folder: the one that was given, or the one around the working directory.

    Raises
    ------
    UsageError
        If the given folder is not a project.
    MetaError
        If there is no project around the working directory.
    """
    if given is None:
        return find_project_root(Path.cwd())
    if not is_project(given):
        raise UsageError(
            "not a project", str(given), "it has no meta.yaml with bakeries", f"run: bakehouse init {given}"
        )
    return given.resolve()


def parse_name(text: str) -> Named:
    """Take ``ID``, ``ID/RECIPE`` or a feedstock's folder apart.

    Raises
    ------
    UsageError
        If the text is none of these.

    Examples
    --------
    >>> parse_name("noaa-oisst/daily"), parse_name("feedstocks/noaa-oisst/").feedstock
    (Named(feedstock='noaa-oisst', recipe='daily'), 'noaa-oisst')
    """
    parts = [part for part in text.split("/") if part not in ("", ".")]
    parts = parts[1:] if parts[:1] == ["feedstocks"] and len(parts) > 1 else parts
    if not 1 <= len(parts) <= 2:
        raise UsageError(f"'{text}' names no feedstock", None, None, "write ID or ID/RECIPE")
    return Named(*parts)


def insist_id(name: str) -> str:
    """Insist on an id that can name a folder.

    Raises
    ------
    UsageError
        If it can't.
    """
    if not _ID.fullmatch(name) or not is_safe_name(name) or name.startswith("_"):
        fix = "use lower case letters, digits, '.', '_' and '-'"
        raise UsageError(f"'{name}' can't name a feedstock", None, None, fix)
    return name


def feedstock_ids(root: Path) -> list[str]:
    """List the ids of all feedstocks."""
    return [feedstock_id(folder) for folder in feedstock_folders(root)]


def feedstock_folder(root: Path, name: str) -> Path:
    """Find a feedstock's folder, whatever its meta.yaml holds.

    Raises
    ------
    UsageError
        If there is no feedstock of that id.
    """
    folders = {feedstock_id(folder): folder for folder in feedstock_folders(root)}
    if name not in folders:
        raise UsageError(f"there is no feedstock '{name}'", str(root / "feedstocks"), None, did_you_mean(name, folders))
    return folders[name]


def recipes_of(feedstock: Feedstock, only: str | None = None) -> list[str]:
    """List the ids of a feedstock's recipes, or check that the one that was asked for is there.

    Only where meta.yaml names a dict of recipes is its module imported.

    Raises
    ------
    UsageError
        If the feedstock has no recipes, or none of that id.
    """
    known = (
        _imported(feedstock) if any(entry.dict_object for entry in feedstock.meta.recipes) else recipe_ids(feedstock)
    )
    where = f"{feedstock.folder}/meta.yaml"
    if not known:
        raise UsageError(f"feedstock '{feedstock.id}' has no recipes", where, None, "add one below recipes:")
    if only is not None and only not in known:
        raise UsageError(f"feedstock '{feedstock.id}' has no recipe '{only}'", where, None, did_you_mean(only, known))
    return [only] if only is not None else known


def _imported(feedstock: Feedstock) -> list[str]:
    from bakehouse.bakeries import quiet_beam
    from bakehouse.feedstock import load_recipes

    quiet_beam()
    with redirect_stdout(sys.stderr):
        return list(load_recipes(feedstock))


__all__ = [
    "Named",
    "feedstock_folder",
    "feedstock_ids",
    "find_feedstock",
    "insist_id",
    "parse_name",
    "project_root",
    "recipes_of",
]
