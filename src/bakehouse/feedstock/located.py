"""Where a feedstock lies that is named by its folder: the folder of its meta.yaml, and the repository around it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bakehouse.errors import UsageError, did_you_mean
from bakehouse.meta.load import has_meta, meta_folder

INNER = "feedstock"
"""The folder of a repository in which Pangeo Forge keeps a feedstock."""


@dataclass(frozen=True)
class Located:
    """A feedstock's folder and, if that is another one, the folder that paths in its recipes start from."""

    folder: Path
    repository: Path | None = None


def locate(path: Path, subdir: str | None = None) -> Located:
    """Find the feedstock in a folder: there, in its folder `feedstock`, or in the one that `subdir` names.

    Raises
    ------
    UsageError
        If there is no such folder, or no feedstock in it.
    """
    path = path.expanduser().resolve()
    folder = _inside(path, subdir) if subdir else path
    if not has_meta(meta_folder(folder)):
        raise UsageError("there is no feedstock", str(folder), "it has no meta.yaml", _candidates(path))
    if folder.name == INNER and meta_folder(folder.parent) == folder:
        folder = folder.parent
    return Located(folder, path if subdir and path != folder else None)


def _inside(path: Path, subdir: str) -> Path:
    folder = (path / subdir).resolve()
    if not folder.is_relative_to(path):
        raise UsageError(f"'{subdir}' leads out of the repository", str(path), None, "name a folder in it")
    if not folder.is_dir():
        known = [each.name for each in folder.parent.iterdir() if each.is_dir()] if folder.parent.is_dir() else []
        raise UsageError(f"there is no folder '{subdir}'", str(path), None, did_you_mean(folder.name, known))
    return folder


def _candidates(path: Path) -> str:
    """Name the folders below that do hold a feedstock."""
    patterns = ("*/meta.yaml", "*/*/meta.yaml")
    found = [file.parent for pattern in patterns for file in sorted(path.glob(pattern)) if path.is_dir()]
    names = [str(folder.relative_to(path)) for folder in found if not folder.relative_to(path).parts[0].startswith(".")]
    shown = ", ".join(f"--subdir {name}" for name in names[:5])
    return f"choose one: {shown}" if names else "name a folder that holds a meta.yaml, or a repository of one"
