"""Where a module makes legacy recipes, and what is known about the pattern of each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from bakehouse.meta.legacy.names import class_of, dotted, gone_names
from bakehouse.meta.legacy.pattern import KnownPattern, known_pattern

_OWN_SCOPE = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)


@dataclass(frozen=True)
class LegacyRecipe:
    """One call of a legacy class.

    `name` is what its statement assigns it to, `function` the function that it is made in; `plain` says that a
    statement can be put before its own.
    """

    kind: str
    call: ast.Call
    statement: ast.stmt
    pattern: KnownPattern
    name: str | None
    function: str | None
    plain: bool

    @property
    def line(self) -> int:
        """Give the line of the call."""
        return self.call.lineno


def legacy_recipes(tree: ast.Module) -> list[LegacyRecipe]:
    r"""List the legacy recipes that a module makes, in the order of their lines.

    Examples
    --------
    >>> code = "from pangeo_forge_recipes.recipes import XarrayZarrRecipe as X\nrecipe = X(pattern)"
    >>> [(each.kind, each.name, each.line) for each in legacy_recipes(ast.parse(code))]
    [('XarrayZarrRecipe', 'recipe', 2)]
    """
    gone = gone_names(tree)
    found = [_recipe(tree, kind, call, path) for call, path in _calls(tree, ()) if (kind := class_of(call.func, gone))]
    return sorted(found, key=lambda each: (each.line, each.call.col_offset))


def derived_classes(tree: ast.Module) -> list[tuple[ast.ClassDef, str]]:
    """List the classes of a module that derive from a legacy one."""
    gone = gone_names(tree)
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return [(node, kind) for node in classes for base in node.bases if (kind := class_of(base, gone))]


def _calls(node: ast.AST, path: tuple[ast.AST, ...]) -> Iterator[tuple[ast.Call, tuple[ast.AST, ...]]]:
    """List each call, and the way to it from the module."""
    path = (*path, node)
    if isinstance(node, ast.Call):
        yield node, path
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, path)


def _recipe(tree: ast.Module, kind: str, call: ast.Call, path: tuple[ast.AST, ...]) -> LegacyRecipe:
    at, statement = [(i, node) for i, node in enumerate(path) if isinstance(node, ast.stmt)][-1]
    functions = [node for node in path[:at] if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    scopes: list[list[ast.stmt]] = [function.body for function in reversed(functions)]
    nested = any(isinstance(node, _OWN_SCOPE) for node in path[at:])
    simple = isinstance(statement, ast.Assign | ast.AnnAssign | ast.Return | ast.Expr | ast.AugAssign)
    return LegacyRecipe(
        kind,
        call,
        statement,
        known_pattern(pattern_of(call), [*scopes, tree.body], call.lineno),
        _target(statement),
        functions[-1].name if functions else None,
        simple and not nested,
    )


def pattern_of(call: ast.Call) -> ast.expr | None:
    """Give the pattern of a legacy recipe: its first argument, or `file_pattern`."""
    if call.args and not isinstance(call.args[0], ast.Starred):
        return call.args[0]
    return next((keyword.value for keyword in call.keywords if keyword.arg == "file_pattern"), None)


def _target(statement: ast.stmt) -> str | None:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    names = [dotted(target) for target in targets if target is not None]
    return names[0] if names else None
