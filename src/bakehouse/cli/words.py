"""What the words on a command line name: feedstocks of the project by id, or others by folder or address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bakehouse.cli.projects import Named, feedstock_ids, parse_name
from bakehouse.errors import UsageError
from bakehouse.feedstock.fetching import fetch, is_address
from bakehouse.feedstock.located import Located, locate
from bakehouse.meta.load import is_project

PATH_STARTS = (".", "/", "~")


@dataclass(frozen=True)
class Where:
    """Which folder of a repository, and which of its states, a path or an address means."""

    subdir: str | None = None
    ref: str | None = None


AS_IT_IS = Where()


@dataclass(frozen=True)
class Elsewhere:
    """A feedstock that is named by folder or address, and those of its recipes that were asked for."""

    text: str
    where: Where = AS_IT_IS
    recipes: tuple[str, ...] = ()

    def located(self) -> Located:
        """Find the feedstock; what lies behind an address, or has another state of its own, is fetched first.

        Raises
        ------
        UsageError, RecipeError
            If there is none.
        """
        return locate(self.fetched(), self.where.subdir)

    def fetched(self) -> Path:
        """Give the folder that was named, or a checkout."""
        ref = self.where.ref
        if is_address(self.text):
            return fetch(self.text, ref)
        folder = Path(self.text).expanduser().resolve()
        if ref is None:
            return folder
        if not (folder / ".git").exists():
            raise UsageError("--ref needs a git repository", str(folder), "it has no .git", "leave --ref out")
        return fetch(str(folder), ref)


def read_words(root: Path, texts: Sequence[str], where: Where = AS_IT_IS) -> list[Named | Elsewhere]:
    """Tell ids from folders and addresses; words that follow one of the latter are its recipes.

    Raises
    ------
    UsageError
        If a word is neither, or --subdir and --ref have nothing to apply to.
    """
    ids = set(feedstock_ids(root)) if is_project(root) else set()
    found: list[Named | Elsewhere] = []
    for text in texts:
        if known := _in_project(root, text, ids):
            found.append(known)
        elif is_place(text):
            found.append(Elsewhere(text, where))
        elif found and isinstance(last := found[-1], Elsewhere):
            found[-1] = replace(last, recipes=(*last.recipes, text))
        else:
            found.append(parse_name(text))
    if (where.subdir or where.ref) and not any(isinstance(each, Elsewhere) for each in found):
        fix = "name a folder or the address of a repository, or leave both out"
        raise UsageError("--subdir and --ref belong to a feedstock outside of the project", None, None, fix)
    return found


def asked(
    texts: tuple[str, ...], repo: str | None, subdir: str | None, ref: str | None
) -> tuple[tuple[str, ...], Where]:
    """Give the words, or the repository that a configuration names; its folder and state mean no project's id."""
    words = texts or ((repo,) if repo else ())
    return words, Where(subdir, ref) if all_elsewhere(words) else AS_IT_IS


def is_place(text: str) -> bool:
    """Say whether a word is the address of a repository, or a folder."""
    return is_address(text) or text.startswith(PATH_STARTS) or Path(text).is_dir()


def all_elsewhere(texts: Sequence[str]) -> bool:
    """Say whether words name nothing that needs a project."""
    return bool(texts) and is_place(texts[0]) and not any(text.startswith("feedstocks/") for text in texts)


def _in_project(root: Path, text: str, ids: set[str]) -> Named | None:
    """Give what a word names in the project, by id or by the feedstock's own folder."""
    if not ids or is_address(text):
        return None
    path = Path(text).expanduser()
    if text.startswith(PATH_STARTS):
        inside = path.resolve()
        here = inside.parent == (root / "feedstocks").resolve() and inside.name in ids
        return Named(inside.name) if here else None
    parts = [part for part in text.split("/") if part not in ("", ".")]
    parts = parts[1:] if parts[:1] == ["feedstocks"] and len(parts) > 1 else parts
    return parse_name(text) if parts and parts[0] in ids and len(parts) <= 2 else None
