"""Cut arrays that files store in one piece into chunks, so that references to inputs of any length share one grid.

What is cut lies together only along the first dimension: along another, a chunk would be scattered over the piece.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from bakehouse.manifests import ChunkFormat
from bakehouse.patterns import Key
from bakehouse.plan.types import ArrayPlan, Axis
from bakehouse.schema import InputSchema, VariableSchema

CHUNK_BYTES = 2**24
"""How long chunks that are cut may be."""

Members = Mapping[Key, tuple[InputSchema, VariableSchema]]
"""The inputs that an array is taken from."""


def in_one_piece(members: Members) -> bool:
    """Say whether each input's file stores the array in one piece."""
    found = ((dict(i.sizes), v) for i, v in members.values())
    return all(
        v.stored is not None and v.stored.chunks == tuple(max(1, sizes[d]) for d in v.dims) for sizes, v in found
    )


def inner_dims(array: ArrayPlan) -> list[str]:
    """List the dimensions that the array has in the inputs."""
    return [d for d in array.dims if d not in array.expand]


def odd_piece(array: ArrayPlan, members: Members) -> Key | None:
    """Find an input whose piece has other lengths than the first one's, where pieces are not cut."""
    if _is_cut(array):
        return None
    chunks = {key: v.stored.chunks for key, (_, v) in members.items() if v.stored is not None}
    first = next(iter(chunks.values()))
    return next((key for key, each in chunks.items() if each != first), None)


def cut(array: ArrayPlan, stored: ChunkFormat, members: Members, axes: Mapping[str, Axis]) -> tuple[int, ...]:
    """Give the chunks that pieces are cut into; where they are not, a piece is a chunk."""
    dims = inner_dims(array)
    if not dims or not _is_cut(array):
        return stored.chunks
    sizes = dict(zip(array.dims, array.shape, strict=True))
    rest = [sizes[d] for d in dims[1:]]
    length = math.gcd(*_steps(dims[0], members, axes)) if dims[0] in array.runs else sizes[dims[0]]
    row_bytes = max(1, math.prod(rest) * array.itemsize)
    most = max(1, CHUNK_BYTES // row_bytes)
    fitting = length if length <= most else max(n for n in _divisors(length) if n <= most)
    return (fitting, *(max(1, n) for n in rest))


def _is_cut(array: ArrayPlan) -> bool:
    """Say whether no dimension but the first gets its length from several inputs."""
    return not any(d in array.runs for d in inner_dims(array)[1:])


def _steps(dim: str, members: Members, axes: Mapping[str, Axis]) -> Iterator[int]:
    """List the lengths of which every input's chunks have to be whole multiples."""
    for key in members:
        start, stop = axes[dim].spans[dict(key)[dim]]
        yield stop - start
        yield axes[dim].skips.get(dict(key)[dim], 0)


def _divisors(number: int) -> Iterator[int]:
    for n in range(1, math.isqrt(number) + 1):
        if number % n == 0:
            yield n
            yield number // n
