"""What a pull request touches, told from the paths that it changes; and whether that is tried unasked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Literal

Kind = Literal["file", "link", "submodule"]
LABELS = {
    "several": "several feedstocks",
    "removed": "removes a feedstock",
    "workflows": "touches workflows",
    "project": "touches the project",
    "catalog": "touches the catalog",
    "engine": "touches the engine",
    "links": "links out of its folder",
    "names": "odd file names",
}
"""Labels of pull requests that are linted and not baked, by what they are about."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PLAIN = re.compile(r"[A-Za-z0-9._/+@=,~ -]+")
_DOCUMENTS = (".md", ".png", ".svg", ".jpg")


@dataclass(frozen=True)
class Change:
    """A path that was added, changed or removed; a rename is one that was removed and one that was added."""

    path: str
    removed: bool = False
    kind: Kind = "file"
    target: str = ""


@dataclass(frozen=True)
class Scope:
    """What a pull request touches.

    `feedstocks` are those whose files change and that are still there, `removed` those that are gone, `touched` the
    keys of `LABELS` that hold.
    """

    feedstocks: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    touched: tuple[str, ...] = ()

    @property
    def bake(self) -> bool:
        """Say whether the change is tried unasked: it is to one feedstock, and to nothing else that matters."""
        return len(self.feedstocks) == 1 and not self.touched

    @property
    def labels(self) -> tuple[str, ...]:
        """Give the labels of the pull request."""
        return tuple(LABELS[key] for key in self.touched)


def judge(changes: Iterable[Change], present: Collection[str]) -> Scope:
    """Say what changes touch.

    Parameters
    ----------
    present
        The ids of the feedstocks that are there once the changes are made.

    Examples
    --------
    >>> judge([Change("feedstocks/oisst/meta.yaml"), Change("README.md")], ["oisst"])
    Scope(feedstocks=('oisst',), removed=(), touched=())
    >>> judge([Change("feedstocks/oisst/meta.yaml"), Change("catalog/oisst/daily.json")], ["oisst"]).labels
    ('touches the catalog',)
    """
    changes = list(changes)
    ids = sorted({name for each in changes if (name := feedstock_of(each.path))})
    here, gone = [name for name in ids if name in present], [name for name in ids if name not in present]
    found = {key for each in changes for key in _touched(each)}
    found |= {key for key, holds in (("several", len(ids) > 1), ("removed", bool(gone))) if holds}
    return Scope(tuple(here), tuple(gone), tuple(key for key in LABELS if key in found))


def feedstock_of(path: str) -> str | None:
    """Give the id of the feedstock that a path lies in.

    Examples
    --------
    >>> feedstock_of("feedstocks/oisst/recipe.py"), feedstock_of("feedstocks/README.md"), feedstock_of("src/x.py")
    ('oisst', None, None)
    """
    parts = path.split("/")
    inside = len(parts) > 2 and parts[0] == "feedstocks" and _ID.fullmatch(parts[1]) and ".." not in parts
    return parts[1] if inside else None


def _touched(change: Change) -> set[str]:
    odd = {"names"} if not _PLAIN.fullmatch(change.path) else set()
    return odd | ({"links"} if _leads_out(change) else set()) | _place(change.path)


def _place(path: str) -> set[str]:
    top = path.split("/")[0]
    if feedstock_of(path) or _is_document(path):
        return set()
    if path == "meta.yaml":
        return {"project"}
    return {{".github": "workflows", "catalog": "catalog"}.get(top, "engine")}


def _is_document(path: str) -> bool:
    """Say whether a path is one that only people read: below docs, or a text in the project's root."""
    top, _, rest = path.partition("/")
    return path.endswith(_DOCUMENTS) and (top == "docs" or not rest)


def _leads_out(change: Change) -> bool:
    """Say whether a link, or a repository within the repository, leads out of the folder of its feedstock."""
    if change.removed or change.kind == "file":
        return False
    home, folder = feedstock_of(change.path), PurePosixPath(change.path).parent.as_posix()
    reached = normpath(f"{folder}/{change.target}")
    return (
        change.kind == "submodule"
        or change.target.startswith("/")
        or home is None
        or feedstock_of(f"{reached}/") != home
    )
