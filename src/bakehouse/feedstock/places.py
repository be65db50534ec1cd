"""Where things are said, as file and line."""

from __future__ import annotations

import ast
from pathlib import Path

from bakehouse.feedstock.folder import Feedstock


def recipe_place(feedstock: Feedstock, recipe: str) -> str:
    """Say where a recipe is defined, as file and line: in its module, or in meta.yaml."""
    for entry in feedstock.meta.recipes:
        module, _, export = (entry.object or entry.dict_object or "").partition(":")
        if module and entry.id in (None, recipe):
            return defined_at(feedstock, module, export)
        if entry.id == recipe:
            return said_at(feedstock, f"id: {recipe}")
    return feedstock.id


def defined_at(feedstock: Feedstock, module: str, export: str) -> str:
    """Name the line where a module defines a name."""
    file = feedstock.code / f"{module.replace('.', '/')}.py"
    for node in ast.parse(file.read_text()).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        names = {t.id for t in targets if isinstance(t, ast.Name)} | {getattr(node, "name", None)}
        if export in names:
            return f"{short(str(file), feedstock)}:{node.lineno}"
    return short(str(file), feedstock)


def said_at(feedstock: Feedstock, words: str) -> str:
    """Name the line of meta.yaml that has these words."""
    file = feedstock.code / "meta.yaml"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    number = next((f":{number}" for number, line in enumerate(lines, 1) if words in line), "")
    return f"{short(str(file), feedstock)}{number}"


def short(file: str, feedstock: Feedstock) -> str:
    """Give a path as seen from the project."""
    path = Path(file)
    return str(path.relative_to(feedstock.root)) if path.is_relative_to(feedstock.root) else str(path)
