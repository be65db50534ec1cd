"""Where a bakery's stores and entries lie; the engine is not imported for that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bakehouse.catalog.lookup import LOCAL, PUBLISHED
from bakehouse.meta.load import load_project, project_around
from bakehouse.meta.project import Bakery, Project
from bakehouse.storage import Target

ALONE = Project(title="Bakes outside of any project", bakeries={"local": Bakery(target=".bakehouse/stores")})
"""Stands in where there is no project: a local bakery below the working directory, as new projects have it."""


@dataclass(frozen=True)
class Place:
    """A project, one of its bakeries, and the folders that follow from both; `copies` replaces the bakery's cache."""

    root: Path
    project: Project
    name: str
    bakery: Bakery
    copies: Target | None = None

    @property
    def is_alone(self) -> bool:
        """Say whether there is no project around."""
        return self.project is ALONE

    @property
    def target(self) -> Target:
        """Give the root of the bakery's stores; a relative one lies below the project."""
        url = self.bakery.target
        return Target(url if "://" in url else str(self.root / url), self.bakery.storage_options)

    def cache(self, said: str | None = None) -> Target | None:
        """Give the input cache that the command line names, else the bakery's, if it has one."""
        url = said or self.bakery.cache
        if said is None and self.copies:
            return self.copies
        if url is None:
            return None
        same = "://" in url and url.partition("://")[0] == self.bakery.target.partition("://")[0]
        where = url if "://" in url else str((Path.cwd() if said else self.root) / Path(url).expanduser())
        return Target(where, self.bakery.storage_options if same else {})

    @property
    def catalog(self) -> Path:
        """Give the catalog that the bakery registers in."""
        return self.root / (PUBLISHED if self.bakery.catalog == "published" else LOCAL)

    def recipe_target(self, feedstock: str, recipe: str, prune: int | None = None) -> Target:
        """Give the folder of a recipe's versions; pruned ones have their own."""
        return self.target.child(feedstock, recipe, *(["pruned"] if prune else []))

    @property
    def title(self) -> str:
        """Name the bakery as messages do."""
        return f"bakery '{self.name}' ({self.bakery.runner} runner, target {self.bakery.target})"


def place(root: Path, name: str | None = None) -> Place:
    """Choose a bakery by name, or the project's default one.

    Raises
    ------
    MetaError, UsageError
        If the project's meta.yaml can't be used, or has no bakery of that name.
    """
    project = load_project(root)
    return Place(root, project, name or project.default_bakery, project.bakery(name))


def place_around(given: Path | None, name: str | None, texts: Sequence[str]) -> Place:
    """Choose a bakery of the project around the working directory; feedstocks that are named by place need no project.

    Raises
    ------
    MetaError, UsageError
        If there is no project, and a word names none of these; if the project has no bakery of that name.
    """
    from bakehouse.cli.projects import project_root
    from bakehouse.cli.words import all_elsewhere

    if given is None and all_elsewhere(texts) and project_around(Path.cwd()) is None:
        return Place(Path.cwd(), ALONE, name or ALONE.default_bakery, ALONE.bakery(name))
    return place(project_root(given), name)
