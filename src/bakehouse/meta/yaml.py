"""Read YAML so that every value knows its line and column, and nothing surprising gets in."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yaml import SafeLoader, YAMLError
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bakehouse.meta.document import Document, Loc, Value
from bakehouse.meta.findings import Mark, Problem

MAX_BYTES = 1_000_000
MAX_ALIASED = 10_000
MAX_DEPTH = 50
LINK_OUT = "the link leads out of its folder"

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_SAFE = SafeConstructor()
_SCALARS = {
    f"{_TAG}null": _SAFE.construct_yaml_null,
    f"{_TAG}bool": _SAFE.construct_yaml_bool,
    f"{_TAG}int": _SAFE.construct_yaml_int,
    f"{_TAG}float": _SAFE.construct_yaml_float,
    f"{_TAG}timestamp": _SAFE.construct_yaml_timestamp,
    f"{_TAG}str": _SAFE.construct_yaml_str,
    f"{_TAG}value": _SAFE.construct_yaml_str,
}
_BAD_SCALAR = (ValueError, LookupError, AttributeError, OverflowError, TypeError, YAMLError)
_Pair = tuple[Node, Node, bool]


def read_document(file: Path, inside: Path) -> Document:
    """Read a YAML file that must lie in the folder `inside`; what is wrong with it is noted, not raised."""
    mark = Mark(file)
    try:
        if not file.resolve().is_relative_to(inside.resolve()):
            return _failed(file, "BH202", LINK_OUT)
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):
            return _failed(file, "BH011", "not a regular file")
        if found.st_size > MAX_BYTES:
            return _failed(file, "BH006", f"the file has {found.st_size} bytes, more than {MAX_BYTES}")
        return parse_document(file.read_bytes().decode("utf-8"), file)
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        mark = Mark(file, before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        return Document(
            file, problems=(Problem("BH005", mark, f"byte 0x{error.object[error.start]:02x} is not UTF-8"),)
        )
    except (OSError, RuntimeError) as error:
        return _failed(file, "BH011", f"can't be read: {getattr(error, 'strerror', None) or error}")


def parse_document(text: str, file: Path = Path("meta.yaml")) -> Document:
    r"""Parse the text of a YAML file; what is wrong with it is noted, not raised.

    Examples
    --------
    >>> document = parse_document("title: a\nrecipes: [{id: b}]")
    >>> document.data, document.mark(("recipes", 0, "id")).col
    ({'title': 'a', 'recipes': [{'id': 'b'}]}, 16)
    >>> [problem.message for problem in parse_document("title: a\ntitle: b").problems]
    ["'title' is given twice, first on line 1"]
    """
    builder = _Builder(file)
    try:
        node = _Composer(text).get_single_node()
        data = builder.build(node, ()) if node is not None else None
        return Document(file, text, data, builder.values, tuple(builder.problems))
    except _Refused as error:
        problem = Problem(error.code, builder.mark(error.mark), error.message)
    except YAMLError as error:
        problem = _syntax_problem(error, text, builder)
    return Document(file, text, problems=(*builder.problems, problem))


class _Refused(Exception):
    """The text can't be read further."""

    def __init__(self, message: str, mark: Any) -> None:
        self.code, self.message, self.mark = "BH003", message, mark


class _Composer(SafeLoader):
    """A SafeLoader that refuses deep nesting."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _Refused(f"values are nested more than {MAX_DEPTH} deep", self.peek_event().start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


@dataclass
class _Builder:
    """Turns composed nodes into data, noting the place of each. Keys are text, as they are written."""

    file: Path
    values: dict[Loc, Value] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    open: list[int] = field(default_factory=list)
    aliased: int = 0

    def build(self, node: Node, loc: Loc, key: Any = None) -> Any:
        self.count(node)
        mark, key_mark = self.mark(node.start_mark), key and self.mark(key)
        if isinstance(node, ScalarNode):
            data = self.scalar(node)
            self.values[loc] = Value(mark, key_mark, node.value, node.style is None, data)
            return data
        self.values[loc] = Value(mark, key_mark)
        with self.inside(node):
            return self.collection(node, loc)

    def collection(self, node: Node, loc: Loc) -> Any:
        if node.tag != _TAG + ("map" if isinstance(node, MappingNode) else "seq"):
            return self.refuse_tag(node)
        if isinstance(node, MappingNode):
            return self.mapping(node, loc)
        return [self.build(child, (*loc, i)) for i, child in enumerate(node.value)]

    def mapping(self, node: MappingNode, loc: Loc) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value, merged in self.pairs(node):
            if not isinstance(key, ScalarNode):
                self.note("BH001", key.start_mark, "a key must be text, not a list or a mapping")
            elif key.value not in data:
                data[key.value] = self.build(value, (*loc, key.value), key.start_mark)
            elif not merged:
                first = self.values[(*loc, key.value)].key or self.mark(node.start_mark)
                self.note("BH002", key.start_mark, f"'{key.value}' is given twice, first on line {first.line}")
        return data

    def pairs(self, node: MappingNode) -> list[_Pair]:
        """List a mapping's own pairs, then those that ``<<`` brings in."""
        own = [(key, value, False) for key, value in node.value if key.tag != _MERGE]
        return own + [pair for key, value in node.value if key.tag == _MERGE for pair in self.merged(value)]

    def merged(self, node: Node) -> Iterator[_Pair]:
        for source in node.value if isinstance(node, SequenceNode) else [node]:
            if not isinstance(source, MappingNode):
                self.note("BH001", source.start_mark, "'<<' takes a mapping or a list of mappings")
                continue
            with self.inside(source):
                for key, value, _ in self.pairs(source):
                    self.spend(source)
                    yield key, value, True

    @contextmanager
    def inside(self, node: Node) -> Iterator[None]:
        """Refuse a value that holds itself, or that aliases nest too deep."""
        if id(node) in self.open:
            raise _Refused("a value refers to itself through an alias", node.start_mark)
        if len(self.open) >= MAX_DEPTH:
            raise _Refused(f"values are nested more than {MAX_DEPTH} deep", node.start_mark)
        self.open.append(id(node))
        yield
        self.open.pop()

    def scalar(self, node: ScalarNode) -> Any:
        construct = _SCALARS.get(node.tag)
        if construct is None:
            return self.refuse_tag(node)
        try:
            return construct(node)
        except _BAD_SCALAR:
            self.note("BH001", node.start_mark, f"{node.value[:40]!r} is not a valid {node.tag.removeprefix(_TAG)}")
            return node.value

    def count(self, node: Node) -> None:
        if id(node) in self.seen:
            self.spend(node)
        self.seen.add(id(node))

    def spend(self, node: Node) -> None:
        """Bound what aliases expand to."""
        self.aliased += 1
        if self.aliased > MAX_ALIASED:
            raise _Refused(f"aliases expand to more than {MAX_ALIASED} values", node.start_mark)

    def refuse_tag(self, node: Node) -> None:
        self.note("BH004", node.start_mark, f"tag '{node.tag.replace(_TAG, '!!')}' is not allowed")

    def note(self, code: str, mark: Any, message: str) -> None:
        self.problems.append(Problem(code, self.mark(mark), message))

    def mark(self, mark: Any) -> Mark:
        return Mark(self.file, mark.line + 1, mark.column + 1)


def _syntax_problem(error: YAMLError, text: str, builder: _Builder) -> Problem:
    """Say what the parser stumbled over, at the place that it names."""
    mark = getattr(error, "problem_mark", None)
    message = " ".join(filter(None, (getattr(error, "context", None), getattr(error, "problem", None))))
    if mark is not None:
        return Problem("BH001", builder.mark(mark), message)
    before = text[: getattr(error, "position", 0)]
    place = Mark(builder.file, before.count("\n") + 1, len(before) - before.rfind("\n"))
    return Problem("BH001", place, getattr(error, "reason", None) or str(error))


def _failed(file: Path, code: str, message: str) -> Document:
    return Document(file, problems=(Problem(code, Mark(file), message),))
