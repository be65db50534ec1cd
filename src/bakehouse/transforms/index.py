"""Indexes that remember their source, so that every message can name the input."""

from __future__ import annotations

from typing import Any

from bakehouse.patterns import Index, key_of
from bakehouse.storage import Source


def show_index(index: Index) -> str:
    """Write an index as messages do.

    Examples
    --------
    >>> from bakehouse.patterns import CombineOp, Dimension, Position
    >>> show_index(Index({Dimension("time", CombineOp.CONCAT): Position(3)}))
    'time=3'
    """
    return ", ".join(f"{dim}={position}" for dim, position in key_of(index))


class SourcedIndex(Index):
    """An index that remembers its source, and what its pattern expects, so that every message can name the input."""

    source: Source
    expects: dict[str, tuple[int, int | None]]

    @classmethod
    def of(cls, index: Index, source: Source) -> SourcedIndex:
        """Attach a source to an index."""
        made = cls(index)
        made.source = source
        made.expects = getattr(index, "expects", {})
        return made

    def __getstate__(self) -> Any:
        """Travel with the source."""
        return {"items": sorted(self.items()), "source": self.source, "expects": self.expects}

    def __setstate__(self, state: Any) -> None:
        """Arrive with the source."""
        self.update(state["items"])
        self.source, self.expects = state["source"], state["expects"]

    def __reduce__(self) -> Any:
        """Rebuild from plain pairs."""
        return (SourcedIndex, (), self.__getstate__())
