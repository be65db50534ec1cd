"""Who reviews what: .github/CODEOWNERS, made from the maintainers that both kinds of meta.yaml name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from bakehouse.errors import BakehouseError, MetaError
from bakehouse.feedstock import find_feedstock
from bakehouse.meta.load import feedstock_folders, feedstock_id, load_project
from bakehouse.meta.models import Maintainer

PATH = ".github/CODEOWNERS"
MARK = "# Generated from the maintainers in meta.yaml by `bakehouse ci owners`; do not edit."
_OWNER = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?")
_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
GUARDED = ("/.github/", "/meta.yaml", "/catalog/", "/src/", "/recipes/")
"""Paths that no feedstock's maintainer decides about alone; the last line that fits a path counts."""


def owners_text(root: Path) -> str:
    """Write the file: everything belongs to the project's maintainers, a feedstock to its own.

    Raises
    ------
    MetaError
        If the project's meta.yaml names no GitHub account: nobody would have to look at changes of the workflows.
    """
    ours = owners(load_project(root).defaults.maintainers)
    if not ours:
        fix = "name who reviews changes of the workflows: defaults: {maintainers: [{name: …, github: …}]}"
        raise MetaError("nobody owns .github/", "meta.yaml", "defaults.maintainers names no GitHub account", fix)
    lines = [("*", ours), *_feedstocks(root, ours), *((path, ours) for path in GUARDED if _is_there(root, path))]
    width = max(len(path) for path, _ in lines)
    return "\n".join([MARK, *(f"{path.ljust(width)} {' '.join(who)}" for path, who in lines)]) + "\n"


def owners(maintainers: Iterable[Maintainer]) -> list[str]:
    """Give the accounts of maintainers, as CODEOWNERS spells them; what can't be one is left out.

    Examples
    --------
    >>> owners([Maintainer(name="Ada", github="ada"), Maintainer(name="B", github="b @c"), Maintainer(name="C")])
    ['@ada']
    """
    names = [each.github for each in maintainers if each.github and _OWNER.fullmatch(each.github)]
    return [f"@{name}" for name in dict.fromkeys(names)]


def _feedstocks(root: Path, ours: list[str]) -> Iterator[tuple[str, list[str]]]:
    for folder in feedstock_folders(root):
        name = feedstock_id(folder)
        if _FOLDER.fullmatch(folder.name):
            yield f"/feedstocks/{folder.name}/", _of(root, name) or ours


def _of(root: Path, name: str) -> list[str]:
    try:
        return owners(find_feedstock(root, name).meta.maintainers)
    except BakehouseError:
        return []


def _is_there(root: Path, path: str) -> bool:
    return path == "/.github/" or (root / path.strip("/")).exists()
