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
    "Position",
    "augment_index_with_start_stop",
    "combine_dims_of",
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


def _pruned_items(self: FilePattern) -> Any:
    """Stand in for `FilePattern.items`: the pattern as it is, or pruned where the run's context says so."""
    keep = _keep.get()
    if keep is None:
        return _items(self)
    concat = [n for dim, n in zip(self.combine_dim_keys, self.shape, strict=True) if dim.operation is CombineOp.CONCAT]
    return _items(self.prune(min(keep, *concat)) if len(concat) > 0 and keep < max(concat) else self)


FilePattern.items = _pruned_items  # type: ignore[method-assign]
