"""The names that a module defines, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_DYNAMIC = {"globals", "vars", "exec", "setattr", "__getattr__"}


def top_level_names(tree: ast.Module) -> set[str] | None:
    r"""List what a module defines at its top level; None where that can't be known without running it.

    Examples
    --------
    >>> sorted(top_level_names(ast.parse("a, b = 1, 2\nif a:\n    def c(): d = 1")))
    ['a', 'b', 'c']
    >>> top_level_names(ast.parse("from x import *"))
    """
    names = set(_names(tree.body))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return None if "*" in names or _DYNAMIC & (used | names) else names


def _names(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
        else:
            yield from _bound(node)
            for part in ("body", "orelse", "finalbody"):
                yield from _names(getattr(node, part, []))
            for branch in (*getattr(node, "handlers", []), *getattr(node, "cases", [])):
                yield from _names(branch.body)


def _bound(node: ast.stmt) -> Iterator[str]:
    """List the names that a statement binds by itself, not in its blocks."""
    blocks = {id(child) for part in ("body", "orelse", "finalbody") for child in getattr(node, part, [])}
    for child in ast.iter_child_nodes(node):
        if id(child) not in blocks and not isinstance(child, ast.ExceptHandler | ast.match_case):
            yield from (n.id for n in ast.walk(child) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
