"""What a module's text tells about a pattern: its concat dimension, how long an input is, and how it is opened."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bakehouse.meta.legacy.names import dotted

Scopes = Sequence[list[ast.stmt]]
"""The bodies around a call, the innermost first."""


@dataclass(frozen=True)
class KnownPattern:
    """What is known of a pattern; None where the text does not tell.

    `concat` holds the name of the only concat dimension and its `nitems_per_file`, as expressions.
    """

    call: ast.Call | None = None
    concat: tuple[ast.expr, ast.expr | None] | None = None

    def has(self, keyword: str) -> bool:
        """Say whether it is given a keyword argument, or may be."""
        return self.call is None or any(each.arg in (keyword, None) for each in self.call.keywords)

    @property
    def is_opendap(self) -> bool:
        """Say whether its inputs are opened by their server's own protocol."""
        for each in self.call.keywords if self.call else ():
            value = each.value.value if isinstance(each.value, ast.Constant) else dotted(each.value)
            if (each.arg, value) == ("is_opendap", True):
                return True
            if each.arg == "file_type" and str(value).rpartition(".")[2] == "opendap":
                return True
        return False


def known_pattern(expression: ast.expr | None, scopes: Scopes, before: int) -> KnownPattern:
    """Look a pattern up: the call that makes it, or the last assignment of its name."""
    call = _resolved(expression, scopes, before)
    if not isinstance(call, ast.Call):
        return KnownPattern()
    kind = (dotted(call.func) or "").rpartition(".")[2]
    if kind == "pattern_from_file_sequence":
        return KnownPattern(call, _concat(call, 1, "concat_dim", 2))
    if kind == "FilePattern":
        dims = [_resolved(each, scopes, before) for each in call.args[1:]]
        concats = [each for each in dims if isinstance(each, ast.Call) and _ends(each, "ConcatDim")]
        known = all(isinstance(each, ast.Call) and _ends(each, "Dim") for each in dims)
        return KnownPattern(call, _concat(concats[0], 0, "name", 2) if known and len(concats) == 1 else None)
    if kind == "prune" and isinstance(call.func, ast.Attribute):
        return known_pattern(call.func.value, scopes, before)
    return KnownPattern()


def _ends(call: ast.Call, name: str) -> bool:
    return (dotted(call.func) or "").endswith(name)


def _concat(call: ast.Call, at: int, name: str, length_at: int) -> tuple[ast.expr, ast.expr | None] | None:
    dim = _argument(call, at, name)
    length = _argument(call, length_at, "nitems_per_file")
    unknown = isinstance(length, ast.Constant) and length.value is None
    return (dim, None if unknown else length) if dim is not None else None


def _argument(call: ast.Call, at: int, name: str) -> ast.expr | None:
    if len(call.args) > at:
        return call.args[at]
    return next((each.value for each in call.keywords if each.arg == name), None)


def _resolved(expression: ast.expr | None, scopes: Scopes, before: int) -> ast.expr | None:
    """Follow a name to what it was last assigned; a name that is assigned in branches tells nothing."""
    if not isinstance(expression, ast.Name):
        return expression
    for body in scopes:
        found = [value for line, value in _assigned(body, expression.id) if line < before]
        if found:
            return found[-1] if found[-1] is not expression else None
    return None


def _assigned(body: list[ast.stmt], name: str) -> Iterator[tuple[int, ast.expr]]:
    for statement in body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if statement.value and any(dotted(target) == name for target in targets):
                yield statement.lineno, statement.value
        elif isinstance(statement, ast.For | ast.While | ast.If | ast.With | ast.Try):
            yield from _assigned([*statement.body, *getattr(statement, "orelse", [])], name)
