"""Changes to a module's text at places of its tree; whatever else stands in it stays as it is."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field


@dataclass
class Edits:
    """Replacements in one text; places are those of the nodes of its tree, whose columns count bytes."""

    source: str
    spans: list[tuple[int, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find where lines begin."""
        self.data = self.source.encode()
        self.starts = [0]
        for line in self.data.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Give where a node begins and ends, in bytes."""
        first, last = getattr(node, "lineno", 1), getattr(node, "end_lineno", 1)
        return (
            self.starts[first - 1] + getattr(node, "col_offset", 0),
            self.starts[last - 1] + getattr(node, "end_col_offset", 0),
        )

    def text_of(self, node: ast.AST) -> str:
        """Give a node's own text, as far as it was changed already."""
        start, end = self.span(node)
        inside = [(a - start, b - start, text) for a, b, text in self.spans if start <= a and b <= end]
        return _applied(self.data[start:end], inside)

    def indent_of(self, node: ast.AST) -> str:
        """Give the white space that the line of a node begins with."""
        line = self.data[self.starts[getattr(node, "lineno", 1) - 1] :].split(b"\n", 1)[0].decode()
        return line[: len(line) - len(line.lstrip())]

    def starts_its_line(self, node: ast.AST) -> bool:
        """Say whether only white space stands before a node."""
        line = self.starts[getattr(node, "lineno", 1) - 1]
        return not self.data[line : self.span(node)[0]].strip()

    def replace(self, node: ast.AST, text: str) -> None:
        """Put text in the place of a node."""
        self.spans.append((*self.span(node), text))

    def before(self, node: ast.AST, text: str) -> None:
        """Put text before a node."""
        start = self.span(node)[0]
        self.spans.append((start, start, text))

    def remove(self, statement: ast.stmt) -> None:
        """Take a statement out, with its line if nothing else stands on it."""
        start, end = self.span(statement)
        rest = self.data[end:].split(b"\n", 1)[0]
        if self.starts_its_line(statement) and not rest.strip():
            start, end = self.starts[statement.lineno - 1], min(end + len(rest) + 1, len(self.data))
        self.spans.append((start, end, ""))

    def applied(self) -> str:
        """Give the changed text; what was replaced as a whole has no changes of its own."""
        outer = [each for each in self.spans if not any(_holds(other, each) for other in self.spans)]
        return _applied(self.data, outer)


def _holds(outer: tuple[int, int, str], inner: tuple[int, int, str]) -> bool:
    return outer is not inner and outer[0] <= inner[0] < inner[1] <= outer[1] and outer[:2] != inner[:2]


def _applied(data: bytes, spans: list[tuple[int, int, str]]) -> str:
    for start, end, text in sorted(spans, key=lambda each: each[:2], reverse=True):
        data = data[:start] + text.encode() + data[end:]
    return data.decode()
