"""A YAML file as data in which every value knows where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bakehouse.meta.findings import Mark, Problem

Loc = tuple[Any, ...]
"""A value's place in the data: ``("recipes", 0, "id")``."""


@dataclass(frozen=True)
class Value:
    """Where a value and its key stand and, for a scalar, how it is written and what it is read as."""

    mark: Mark
    key: Mark | None = None
    raw: str | None = None
    plain: bool = False
    data: Any = None


@dataclass(frozen=True)
class Document:
    """One YAML file: its data, the place of every value, and what was wrong with the text."""

    file: Path
    text: str = ""
    data: Any = None
    values: Mapping[Loc, Value] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def locate(self, loc: Loc) -> Loc:
        """Give the deepest place that is in the file, skipping steps that a model put in between."""
        found: Loc = ()
        for part in loc:
            found = (*found, part) if (*found, part) in self.values else found
        return found

    def value(self, loc: Loc) -> Value:
        """Give the value at the deepest place that is in the file."""
        return self.values.get(self.locate(loc)) or Value(Mark(self.file))

    def mark(self, loc: Loc) -> Mark:
        """Give the place of a value, or of what it would be part of."""
        return self.value(loc).mark

    def key_mark(self, loc: Loc) -> Mark:
        """Give the place of the key that names a value."""
        return self.value(loc).key or self.mark(loc)

    def get(self, *loc: Any) -> Any:
        """Give the data at a place; None if it is not there."""
        found = self.data
        for part in loc:
            inside = isinstance(found, dict) and part in found
            inside |= isinstance(found, list) and isinstance(part, int) and part < len(found)
            found = found[part] if inside else None
        return found

    def mappings(self, *loc: Any) -> Iterator[tuple[Loc, dict[str, Any]]]:
        """List the mappings in the list at a place, each with its own place; a lone mapping counts as a list of one."""
        found = self.get(*loc)
        if isinstance(found, dict):
            yield loc, found
        for i, item in enumerate(found if isinstance(found, list) else []):
            if isinstance(item, dict):
                yield (*loc, i), item

    def texts(self) -> Iterator[tuple[Loc, str]]:
        """List every text value."""
        return ((loc, value.data) for loc, value in self.values.items() if isinstance(value.data, str))

    def over(self, other: Document) -> Document:
        """Merge with another file's top-level keys; this one's win."""
        if not (isinstance(self.data, dict) and isinstance(other.data, dict)):
            return Document(self.file, self.text, self.data, self.values, self.problems + other.problems)
        values = {loc: value for loc, value in other.values.items() if loc and loc[0] not in self.data}
        data = {**other.data, **self.data}
        return Document(self.file, self.text, data, {**values, **self.values}, self.problems + other.problems)
