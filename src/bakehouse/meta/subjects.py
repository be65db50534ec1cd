"""What rules look at: a feedstock or a project, already read."""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass
from pathlib import Path

from bakehouse.meta.document import Document
from bakehouse.meta.findings import Mark
from bakehouse.meta.project import Defaults
from bakehouse.meta.yaml import MAX_BYTES


@dataclass(frozen=True)
class FeedstockSubject:
    """A feedstock: its folder, the folder of its meta.yaml and recipe modules, and the project around it."""

    id: str
    folder: Path
    base: Path
    document: Document
    root: Path | None = None
    defaults: Defaults = Defaults()

    @property
    def schema(self) -> str | None:
        """Name the JSON Schema as the first line of meta.yaml should."""
        if self.root is None or not self.base.is_relative_to(self.root):
            return None
        return os.path.relpath(self.root / "schemas/feedstock.schema.json", self.base).replace(os.sep, "/")

    def module_file(self, module: str) -> Path | None:
        """Find the Python file of a module beside meta.yaml, named with dots."""
        return _module_file(self.base, module, self.folder)

    def fixture_file(self, module: str) -> Path | None:
        """Find the Python file of a fixture's module: beside meta.yaml, or named from the project's root."""
        beside = self.module_file(module)
        return beside or (_module_file(self.root, module, self.root) if self.root else None)

    def module_files(self) -> list[Path]:
        """List the Python files that lie directly beside meta.yaml."""
        return [file for file in sorted(self.base.glob("*.py")) if file.is_file() and is_inside(file, self.folder)]


@dataclass(frozen=True)
class ProjectSubject:
    """A project: its root, its meta.yaml and the folders of its feedstocks."""

    root: Path
    document: Document
    feedstocks: tuple[Path, ...] = ()

    @property
    def schema(self) -> str | None:
        """Name the JSON Schema as the first line of meta.yaml should."""
        return "schemas/project.schema.json"

    def module_files(self) -> list[Path]:
        """List the project's shared recipes."""
        return [file for file in sorted((self.root / "recipes").glob("*.py")) if is_inside(file, self.root)]


Subject = FeedstockSubject | ProjectSubject


@dataclass(frozen=True)
class Module:
    """A Python file as text and, if it can be parsed, as a tree."""

    file: Path
    text: str = ""
    tree: ast.Module | None = None
    error: str | None = None
    mark: Mark | None = None


def _module_file(start: Path, module: str, inside: Path) -> Path | None:
    path = start.joinpath(*module.split("."))
    for file in (path.with_name(f"{path.name}.py"), path / "__init__.py"):
        if file.is_file() and is_inside(file, inside):
            return file
    return None


def read_module(file: Path) -> Module:
    """Parse a Python file without running it."""
    try:
        if file.stat().st_size > MAX_BYTES:
            return Module(file, error=f"has more than {MAX_BYTES} bytes", mark=Mark(file))
        text = file.read_bytes().decode("utf-8")
        return Module(file, text, ast.parse(text))
    except SyntaxError as error:
        return Module(file, text, error=error.msg, mark=Mark(file, error.lineno or 1, max(1, error.offset or 1)))
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        return Module(file, error=f"can't be read: {error}", mark=Mark(file))


def is_inside(path: Path, folder: Path) -> bool:
    """Say whether a path, all links followed, lies in a folder."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):
        return False
