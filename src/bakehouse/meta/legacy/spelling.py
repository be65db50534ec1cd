"""Write a tree as text, with the quotes that formatters prefer."""

from __future__ import annotations

import ast
import io
import tokenize


def spelled(node: ast.AST) -> str:
    """Write a tree on one line, text in double quotes where that needs no escapes.

    Examples
    --------
    >>> print(spelled(ast.parse("f({'time': 1})", mode="eval")))
    f({"time": 1})
    """
    tokens = tokenize.generate_tokens(io.StringIO(ast.unparse(node)).readline)
    return tokenize.untokenize([each._replace(string=_quoted(each)) for each in tokens])


def _quoted(token: tokenize.TokenInfo) -> str:
    text = token.string
    plain = token.type == tokenize.STRING and text.startswith("'") and not text.startswith("'''")
    return f'"{text[1:-1]}"' if plain and '"' not in text and "\\" not in text else text


def unless(value: str | None, *empty: str) -> str | None:
    """Give an expression unless it says nothing: None, or one of `empty`."""
    return None if value in (None, "None", *empty) else value


def called(expression: str) -> str:
    """Put brackets around an expression unless it is a plain name."""
    return expression if expression.replace(".", "").isidentifier() else f"({expression})"
