"""A folder of built files: each is written only if it differs, and what an earlier build left is removed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

LEDGER = ".bakehouse-site.json"


class Output:
    """Files written below a folder; only those that a build itself wrote are ever removed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._before = _ledger(folder / LEDGER)
        self._written: dict[str, None] = {}
        self._folders: set[Path] = set()

    def text(self, path: str, content: str) -> None:
        """Write a text in UTF-8."""
        self.bytes(path, content.encode("utf-8", "replace"))

    def bytes(self, path: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        place = self._place(path)
        if place.is_file() and place.stat().st_size == len(content) and place.read_bytes() == content:
            return
        scratch = place.with_name(f".{place.name}.tmp")
        scratch.write_bytes(content)
        os.replace(scratch, place)

    def copy(self, path: str, source: Path) -> None:
        """Copy a file from the disk."""
        self.bytes(path, source.read_bytes())

    def finish(self) -> None:
        """Remove what earlier builds wrote and this one did not, and note what this one wrote."""
        for path in self._before - set(self._written):
            place = self.folder / path
            place.unlink(missing_ok=True)
            _remove_empty(place.parent, self.folder)
        (self.folder / LEDGER).write_text(json.dumps(sorted(self._written)), encoding="utf-8")

    def _place(self, path: str) -> Path:
        self._written[path] = None
        place = self.folder / path
        if place.parent not in self._folders:
            place.parent.mkdir(parents=True, exist_ok=True)
            self._folders.add(place.parent)
        return place


def _ledger(path: Path) -> set[str]:
    """Read what an earlier build wrote; names that would lead out of the folder are not believed."""
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    return {name for name in names if not name.startswith("/") and ".." not in name.split("/")}


def _remove_empty(folder: Path, top: Path) -> None:
    while folder != top and folder.is_dir() and not any(folder.iterdir()):
        shutil.rmtree(folder)
        folder = folder.parent
