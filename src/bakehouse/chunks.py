"""Integer arithmetic on regular grids: chunks, shards, and the cohorts of objects that share source chunks.

All numbers count elements. Nothing here knows about files, arrays or zarr.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from numbers import Integral
from typing import Any

from bakehouse.errors import ChunkAlignmentError, did_you_mean

Span = tuple[int, int]


def resolve_chunks(
    requested: Mapping[str, int], sizes: Mapping[str, int], growing: Iterable[str] = ()
) -> dict[str, int]:
    """Turn requested chunk lengths into positive ones: -1 means the whole dimension.

    Lengths above a dimension's size are cut to it, except along dimensions that later inputs may extend.

    Raises
    ------
    ChunkAlignmentError
        If a dimension is unknown or a length is neither a positive whole number nor -1.

    Examples
    --------
    >>> resolve_chunks({"time": -1, "lat": 90}, {"time": 12, "lat": 64})
    {'time': 12, 'lat': 64}
    """
    grow = set(growing)
    chunks = {}
    for dim, length in requested.items():
        if dim not in sizes:
            raise ChunkAlignmentError(
                f"chunks name a dimension '{dim}' that the dataset does not have", None, None, did_you_mean(dim, sizes)
            )
        if not _is_length(length):
            raise ChunkAlignmentError(
                f"chunk length {length!r} for '{dim}'",
                None,
                None,
                "use a positive whole number, or -1 for the whole dimension",
            )
        whole = max(sizes[dim], 1)
        chunks[dim] = whole if length == -1 else int(length) if dim in grow else min(int(length), whole)
    return chunks


def edges(size: int, length: int) -> list[int]:
    """List the chunk edges of one dimension, both ends included.

    Examples
    --------
    >>> edges(10, 4)
    [0, 4, 8, 10]
    """
    return [*range(0, size, length), size] if size else [0]


def common_edges(size: int, length: int, source_edges: Iterable[int]) -> list[int]:
    """List the edges of the smallest cohorts: object edges that no source chunk crosses.

    Examples
    --------
    Objects of 4 over source chunks of 6: objects 0-2 share source chunks, so they belong together.

    >>> common_edges(24, 4, range(0, 25, 6))
    [0, 12, 24]
    """
    source = set(source_edges) | {size}
    return [edge for edge in edges(size, length) if edge == 0 or edge in source]


def split_cohorts(cohorts: Sequence[Sequence[int]], lengths: Sequence[int], limit: int) -> list[list[int]]:
    """Cut cohorts at object edges, longest dimension first, until every cell holds at most `limit` elements.

    A single object larger than the limit stays whole: an object is written at once.

    Examples
    --------
    >>> split_cohorts([[0, 12], [0, 10]], [4, 10], 40)
    [[0, 4, 8, 12], [0, 10]]
    """
    cells = [list(c) for c in cohorts]
    while math.prod(_widest(c) for c in cells) > limit:
        axis = max(range(len(cells)), key=lambda i: -(-_widest(cells[i]) // lengths[i]))
        if _widest(cells[axis]) <= lengths[axis]:
            break
        cells[axis] = _halve(cells[axis], lengths[axis])
    return cells


def overlap(a: Span, b: Span) -> Span | None:
    """Intersect two half-open spans.

    Examples
    --------
    >>> overlap((0, 10), (8, 12)), overlap((0, 2), (2, 4))
    ((8, 10), None)
    """
    start, stop = max(a[0], b[0]), min(a[1], b[1])
    return (start, stop) if start < stop else None


def cells_touched(cell_edges: Sequence[int], span: Span) -> range:
    """Name the cells that a span overlaps.

    Examples
    --------
    >>> list(cells_touched([0, 4, 8, 10], (3, 9)))
    [0, 1, 2]
    """
    if span[0] >= span[1]:
        return range(0)
    return range(bisect_right(cell_edges, span[0]) - 1, bisect_right(cell_edges, span[1] - 1))


def count_objects(spans: Sequence[Span], lengths: Sequence[int]) -> int:
    """Count the grid objects that a box overlaps.

    Examples
    --------
    >>> count_objects([(0, 9), (0, 2)], [4, 2])
    3
    """
    return math.prod(-(-stop // n) - start // n for (start, stop), n in zip(spans, lengths, strict=True))


def _is_length(length: object) -> bool:
    """Say whether a number, numpy's own included, is a chunk length."""
    return hasattr(length, "__index__") and not isinstance(length, bool) and (int(length) > 0 or int(length) == -1)


def _widest(cell_edges: Sequence[int]) -> int:
    return max((b - a for a, b in pairwise(cell_edges)), default=0)


def _halve(cell_edges: Sequence[int], length: int) -> list[int]:
    """Split every cell of more than one object near its middle, at an object edge."""
    out = [cell_edges[0]]
    for start, stop in pairwise(cell_edges):
        middle = start + -(-(stop - start) // (2 * length)) * length
        out += [middle, stop] if start < middle < stop else [stop]
    return out


def span_of(key: Any, size: int) -> Span | None:
    """Give a slice or a position as a span; None for anything else, and for steps other than 1.

    Examples
    --------
    >>> span_of(slice(2, None), 5), span_of(-1, 5), span_of(slice(0, 5, 2), 5), span_of([0, 3], 5)
    ((2, 5), (4, 5), None, None)
    """
    if isinstance(key, Integral):
        at = int(key) % size if size else 0
        return (at, at + 1)
    if not isinstance(key, slice):
        return None
    start, stop, step = key.indices(size)
    return (start, max(start, stop)) if step == 1 else None
