"""File patterns: which inputs a dataset has, and where each lies in the index space.

The classes are pangeo-forge-recipes' own; this module adds pruning from the run's context and a plain key for an index.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pangeo_forge_recipes.patterns import (
    ConcatDim,
    FilePattern,
    FileType,
    MergeDim,
    augment_index_with_start_stop,
    pattern_from_file_sequence,
)
from pangeo_forge_recipes.types import CombineOp, Dimension, Index, Position

__all__ = [
    "CombineOp",
    "ConcatDim",
    "Dimension",
    "FilePattern",
    "FileType",
    "Index",
    "Key",
    "MergeDim",
    "PatternIndex",
    "Position",
    "augment_index_with_start_stop",
    "combine_dims_of",
    "is_pruned",
    "key_of",
    "pattern_from_file_sequence",
    "pruned",
]

Key = tuple[tuple[str, int], ...]
"""An input's place: ``(("time", 3), ("variable", 0))``, sorted by dimension name."""

_keep: ContextVar[int | None] = ContextVar("bakehouse_prune", default=None)
_items = FilePattern.items


def key_of(index: Index) -> Key:
    """Give the plain, sortable key of an index.

    Examples
    --------
    >>> key_of(Index({Dimension("time", CombineOp.CONCAT): Position(3)}))
    (('time', 3),)
    """
    return tuple(sorted((dim.name, position.value) for dim, position in index.items()))


def combine_dims_of(dims: list[Dimension]) -> dict[str, str]:
    """Map each combine dimension's name to ``concat`` or ``merge``, in the author's order.

    Examples
    --------
    >>> combine_dims_of([Dimension("time", CombineOp.CONCAT), Dimension("variable", CombineOp.MERGE)])
    {'time': 'concat', 'variable': 'merge'}
    """
    return {dim.name: "merge" if dim.operation is CombineOp.MERGE else "concat" for dim in dims}


@contextmanager
def pruned(keep: int | None) -> Iterator[None]:
    """While active, every pattern lists only the first `keep` inputs of each concat dimension."""
    token = _keep.set(keep)
    try:
        yield
    finally:
        _keep.reset(token)


def is_pruned() -> bool:
    """Say whether patterns list only a part of their inputs."""
    return _keep.get() is not None


class PatternIndex(Index):
    """An index that remembers how many inputs its pattern has along each dimension, and how long each should be.

    `expects` maps a dimension to the number of its keys and its `nitems_per_file` (None if it is not given).
    """

    expects: dict[str, tuple[int, int | None]]

    def __reduce__(self) -> Any:
        """Travel with what the pattern expects."""
        return (_pattern_index, (sorted(self.items()), self.expects))


def _pattern_index(items: Any, expects: dict[str, tuple[int, int | None]]) -> PatternIndex:
    index = PatternIndex(items)
    index.expects = expects
    return index


def _pruned_items(self: FilePattern) -> Any:
    """Stand in for `FilePattern.items`: the pattern as it is, or pruned where the run's context says so."""
    keep = _keep.get()
    pattern = self if keep is None else self.prune(keep)
    dims = pattern.combine_dims
    expects = {d.name: (len(d.keys), getattr(d, "nitems_per_file", None)) for d in dims}
    for index, url in _items(pattern):
        yield _pattern_index(index.items(), expects), url


FilePattern.items = _pruned_items  # type: ignore[method-assign]
