"""What a site shows: the project, its entries with stores that are located, and the entries that can't be read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import urljoin

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.index import Problem, read_entries
from bakehouse.catalog.lookup import FolderCatalog
from bakehouse.catalog.urls import as_url, is_relative
from bakehouse.errors import MetaError
from bakehouse.meta.load import feedstock_folders, feedstock_id, load_feedstock, load_project
from bakehouse.meta.project import Project

NAMELESS = "Bakehouse catalog"


@dataclass(frozen=True)
class Recipe:
    """One recipe of the project, baked or not: what its feedstock says of it."""

    feedstock: str
    recipe: str
    title: str
    schedule: str | None = None
    fault: str | None = None

    @property
    def id(self) -> str:
        """Give the id that its entry has."""
        return f"{self.feedstock}/{self.recipe}"


@dataclass(frozen=True)
class Content:
    """All that pages and files are made from; `base_url` has no slash at its end."""

    title: str
    description: str
    home_url: str | None
    base_url: str | None
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    recipes: tuple[Recipe, ...]
    built_at: datetime

    @cached_property
    def ids(self) -> frozenset[str]:
        """Give the ids of all entries."""
        return frozenset(entry.id for entry in self.entries)

    @property
    def issues_url(self) -> str | None:
        """Say where problems are reported: the issues of a project on GitHub or GitLab, else its home page."""
        home = (self.home_url or "").rstrip("/")
        if home.startswith("https://github.com/"):
            return f"{home}/issues/new"
        return f"{home}/-/issues/new" if home.startswith("https://gitlab.com/") else self.home_url


def gather(folders: Iterable[Path], root: Path | None, base_url: str | None = None) -> Content:
    """Read catalogs and project; an id that several catalogs have is taken from the first."""
    project = load_project(root) if root else None
    found: dict[str, Entry] = {}
    problems: dict[str, Problem] = {}
    for folder in folders:
        entries, faults = read_entries(folder)
        for entry in entries:
            found.setdefault(entry.id, located(entry, folder, project))
        for fault in faults:
            problems.setdefault(fault.path, fault)
    shown = tuple(sorted(found.values(), key=lambda entry: (entry.title.casefold(), entry.id)))
    recipes = tuple(_recipes(root)) if root else ()
    return Content(
        project.title if project else NAMELESS,
        (project.description if project else None) or "Analysis-ready datasets, each checked against its source.",
        project.url if project else None,
        base_url.rstrip("/") if base_url else None,
        shown,
        tuple(problem for problem in problems.values() if problem.path.removesuffix(".json") not in found),
        recipes,
        built_at(),
    )


def located(entry: Entry, folder: Path, project: Project | None = None) -> Entry:
    """Give an entry whose store and preview no longer depend on where its catalog lies."""

    def locate(url: str) -> str:
        if is_relative(url) and project and project.catalog_url:
            return urljoin(project.catalog_url, url)
        return as_url(FolderCatalog(folder).locate(url))

    store = entry.store.model_copy(update={"url": locate(entry.store.url)})
    changed: dict[str, object] = {"store": store}
    if entry.preview:
        changed["preview"] = entry.preview.model_copy(update={"url": locate(entry.preview.url)})
    changed["previous"] = tuple(each.model_copy(update={"url": locate(each.url)}) for each in entry.previous)
    return entry.model_copy(update=changed)


def built_at() -> datetime:
    """Give the time of the build: SOURCE_DATE_EPOCH, where it is set, so that builds can be compared."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.fromtimestamp(int(fixed), UTC) if fixed else datetime.now(UTC).replace(microsecond=0)


def _recipes(root: Path) -> Iterator[Recipe]:
    """List the recipes that meta.yaml names; those of a dict of recipes are known once they are baked."""
    for folder in feedstock_folders(root):
        name = feedstock_id(folder)
        try:
            meta = load_feedstock(folder)
        except MetaError as error:
            yield Recipe(name, name, name, fault=f"its meta.yaml can't be used: {error.message}")
            continue
        schedule = meta.update.schedule if meta.update else None
        named = [*(each.id for each in meta.recipes if each.id), *(each.id for each in meta.stores)]
        for recipe in dict.fromkeys(named):
            yield Recipe(name, recipe, meta.title or name, schedule)
