"""Collect every reason why inputs can't be combined, then say all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bakehouse.errors import SchemaError
from bakehouse.patterns import Key
from bakehouse.schema import InputSchema

SHOWN = 12


@dataclass
class Findings:
    """Problems that stop a plan, and notes that only need saying."""

    problems: list[SchemaError] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)

    def refuse(self, message: str, where: str, fix: str, cause: str | None = None) -> None:
        """Record a problem."""
        self.problems.append(SchemaError(message, where, cause, fix))

    def note(self, text: str) -> None:
        """Record what was decided, once."""
        self.notes.setdefault(text)

    def stop_if_any(self, label: str) -> None:
        """Raise everything that was found as one error.

        Raises
        ------
        SchemaError
            If there is any problem.
        """
        if not self.problems:
            return
        first, *rest = self.problems
        if not rest:
            raise SchemaError(first.message, f"{label}, {first.where}", first.cause, first.fix)
        listed = [_listed(each) for each in self.problems[:SHOWN]]
        more = len(self.problems) - SHOWN
        tail = [f"… and {more} more"] if more > 0 else []
        raise SchemaError(
            f"{len(self.problems)} reasons why the inputs can't be combined", label, "\n".join([*listed, *tail])
        )


def _listed(error: SchemaError) -> str:
    cause = f"\n  cause: {error.cause}" if error.cause else ""
    return f"{error.message}\n  {error.where}{cause}\n  fix: {error.fix}"


def name_input(key: Key, schema: InputSchema) -> str:
    """Name an input as messages do.

    Examples
    --------
    >>> name_input((("time", 2),), InputSchema("https://x/a.nc", None, (), ()))
    'input time=2 (https://x/a.nc)'
    """
    place = ", ".join(f"{dim}={position}" for dim, position in key)
    return f"input {place} ({schema.url})" if place else f"the input ({schema.url})"


def name_both(pairs: Iterable[tuple[Key, InputSchema, str]]) -> str:
    """Name two inputs, each with its value."""
    return "\n".join(f"{name_input(key, schema)} has {value}" for key, schema, value in pairs)
