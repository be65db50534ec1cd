"""The JavaScript that `make web` made, if it did; the pages are complete without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent / "bundle"
EXPLORE = ("explore.js",)
NODE = "node"
"""What Node runs when a site is built, and no page loads."""


class Bundle:
    """The files of a bundle, by their path in it."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        found = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
        self.files = {name: path for name, path in found.items() if not name.startswith(f"{NODE}/")}

    def __contains__(self, name: str) -> bool:
        return name in self.files

    @property
    def for_node(self) -> Path:
        """Give the folder whose packages Node imports."""
        return self.folder / NODE

    @property
    def can_explore(self) -> bool:
        """Say whether what draws maps is there."""
        return all(name in self.files for name in EXPLORE)


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("."))
