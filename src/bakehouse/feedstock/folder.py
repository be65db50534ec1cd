"""One dataset's folder, and the digest of what makes its stores."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bakehouse.errors import UsageError, did_you_mean
from bakehouse.meta.load import feedstock_folders, feedstock_id, load_feedstock, load_project, meta_folder
from bakehouse.meta.models import FeedstockMeta
from bakehouse.meta.shared import find_shared_recipe

DESCRIBING = ("meta.yaml", "catalog.yaml")
PASSED_OVER = (".md", ".pyc")


@dataclass(frozen=True)
class Feedstock:
    """One dataset's folder: its id, its meta.yaml and where its recipes are."""

    id: str
    folder: Path
    meta: FeedstockMeta
    root: Path

    @property
    def code(self) -> Path:
        """Give the folder that meta.yaml and the recipe's modules lie in."""
        return meta_folder(self.folder)

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
    project = load_project(root)
    return Feedstock(name, folders[name], load_feedstock(folders[name], project.defaults), root)


def recipe_ids(feedstock: Feedstock) -> list[str]:
    """List the ids that meta.yaml gives; those of a dict_object are known only once it is imported."""
    return [str(entry.id) for entry in feedstock.meta.recipes if entry.id and entry.kind != "linked"]
