"""One dataset's folder, and the digest of what makes its stores."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bakehouse.errors import UsageError, did_you_mean
from bakehouse.meta.load import (
    feedstock_folders,
    feedstock_id,
    is_upstream,
    load_feedstock,
    load_project,
    meta_folder,
    project_around,
)
from bakehouse.meta.models import FeedstockMeta
from bakehouse.meta.shared import find_shared_recipe

DESCRIBING = ("meta.yaml", "catalog.yaml")
PASSED_OVER = (".md", ".pyc")


@dataclass(frozen=True)
class Feedstock:
    """One dataset's folder: its id, its meta.yaml and where its recipes are.

    `root` is the project that it belongs to, or its repository; `repository` is where relative paths in its recipes
    start from, if that is not its folder.
    """

    id: str
    folder: Path
    meta: FeedstockMeta
    root: Path
    repository: Path | None = None

    @property
    def code(self) -> Path:
        """Give the folder that meta.yaml and the recipe's modules lie in."""
        return meta_folder(self.folder)

    @property
    def workdir(self) -> Path:
        """Give the folder in which its recipes are imported and run."""
        return self.repository or self.folder

    def digest_of(self, recipe: str) -> str:
        """Hash what makes a recipe's store: its entry in meta.yaml, its modules, and the shared recipe that it names.

        Titles, documentation, hidden files and the other recipes' entries are left out: they change no store.
        """
        hasher = hashlib.sha256()
        for name, content in (*self._entries(recipe), *self._modules()):
            hasher.update(f"{name}\0{len(content)}\0".encode() + content)
        return hasher.hexdigest()

    def _entries(self, recipe: str) -> Iterator[tuple[str, bytes]]:
        for entry in self.meta.recipes:
            if entry.id in (None, recipe):
                yield "meta.yaml", json.dumps(entry.model_dump(mode="json"), sort_keys=True).encode()
                if entry.recipe:
                    yield f"recipes/{entry.recipe}.py", find_shared_recipe(entry.recipe, self.root).read_bytes()

    def _modules(self) -> Iterator[tuple[str, bytes]]:
        for path in sorted(self.code.rglob("*")):
            inside = path.relative_to(self.code)
            hidden = any(part.startswith((".", "__pycache__")) for part in inside.parts)
            if path.is_file() and not hidden and path.suffix not in PASSED_OVER and inside.name not in DESCRIBING:
                yield inside.as_posix(), path.read_bytes()


def find_feedstock(root: Path, name: str) -> Feedstock:
    """Load a feedstock of a project by id.

    Raises
    ------
    UsageError
        If there is no feedstock of that name.
    MetaError
        If its meta.yaml can't be used.
    """
    folders = {feedstock_id(folder): folder for folder in feedstock_folders(root)}
    if name not in folders:
        raise UsageError(f"there is no feedstock '{name}'", str(root / "feedstocks"), None, did_you_mean(name, folders))
    meta = load_feedstock(folders[name], load_project(root).defaults, lenient=is_upstream(folders[name]))
    return Feedstock(name, folders[name], meta, root)


def feedstock_at(folder: Path, repository: Path | None = None) -> Feedstock:
    """Load a feedstock that lies anywhere; one outside of any project may have keys that are not known.

    Raises
    ------
    MetaError
        If its meta.yaml can't be used.
    """
    root = project_around(folder.parent)
    lenient = root is None or is_upstream(folder)
    meta = load_feedstock(folder, load_project(root).defaults if root else None, lenient)
    return Feedstock(_plain(feedstock_id(folder)), folder, meta, root or repository or folder, repository)


def _plain(name: str) -> str:
    """Make any folder's name an id: what an entry's path can't hold becomes a hyphen.

    Examples
    --------
    >>> _plain("CanopyHeights-GLAD"), _plain("my data (new)")
    ('CanopyHeights-GLAD', 'my-data--new')
    """
    return re.sub(r"[^A-Za-z0-9._-]", "-", name).strip(".-") or "feedstock"


def recipe_ids(feedstock: Feedstock) -> list[str]:
    """List the ids that meta.yaml gives; those of a dict_object are known only once it is imported."""
    return [str(entry.id) for entry in feedstock.meta.recipes if entry.id and entry.kind != "linked"]
