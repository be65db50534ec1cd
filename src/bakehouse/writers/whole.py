"""Chunks of a box that are, each as a whole, one chunk of a source: they can be moved, or decoded on their own."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bakehouse.chunks import Span
from bakehouse.manifests import Manifest
from bakehouse.openers.reference import ReferenceArray
from bakehouse.openers.views import Along, view_of
from bakehouse.plan.tasks import input_spans
from bakehouse.plan.types import ArrayPlan, Axis, Part
from bakehouse.writers.assemble import Fragment, belongs

Index = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Whole:
    """One source chunk: whose it is, and its place in the source's grid."""

    fragment: Fragment
    reference: ReferenceArray
    manifest: Manifest
    index: Index


def whole_chunks(
    array: ArrayPlan, axes: Mapping[str, Axis], part: Part, fragments: Iterable[Fragment]
) -> dict[Index, Whole]:
    """Map chunks of the store, by their index, to the source chunks that fill them exactly.

    Chunks whose values a recipe's step changed, that lie across source chunks or that the array's end cuts while the
    source goes on, are not among them; nor are those that two inputs claim.
    """
    found: dict[Index, Whole] = {}
    twice: set[Index] = set()
    for fragment in fragments:
        if belongs(array, fragment) and array.name in fragment.variables:
            for index, whole in _of_fragment(array, axes, part, fragment):
                if index in found:
                    twice.add(index)
                found[index] = whole
    return {index: whole for index, whole in found.items() if index not in twice}


def _of_fragment(
    array: ArrayPlan, axes: Mapping[str, Axis], part: Part, fragment: Fragment
) -> Iterator[tuple[Index, Whole]]:
    view = view_of(fragment.variables[array.name]) if array.raw is not None else None
    if view is None:
        return
    manifest = view.reference.manifest()
    if isinstance(manifest, str) or str(manifest.dtype.newbyteorder("=")) != array.raw:
        return
    if any(manifest.chunks[axis] != 1 for axis in view.fixed):
        return
    ranges = _ranges(array, axes, part, fragment, manifest, view.along)
    if ranges is None:
        return
    for cell in itertools.product(*ranges):
        place = view.fixed | {a.axis: k for a, (_, k) in zip(view.along, _inner(array, cell), strict=True)}
        index = tuple(place[axis] for axis in range(len(manifest.shape)))
        yield tuple(i for i, _ in cell), Whole(fragment, view.reference, manifest, index)


def _inner(array: ArrayPlan, cell: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, int]]:
    """Give a cell's places along the dimensions that the input has."""
    return (each for d, each in zip(array.dims, cell, strict=True) if d not in array.expand)


def _ranges(
    array: ArrayPlan,
    axes: Mapping[str, Axis],
    part: Part,
    fragment: Fragment,
    manifest: Manifest,
    along: tuple[Along, ...],
) -> list[list[tuple[int, int]]] | None:
    """List along each dimension which chunk of the store is which chunk of the source; None if there is none."""
    key, sides = dict(fragment.key), iter(along)
    owned = input_spans(array, axes, key)
    ranges: list[list[tuple[int, int]]] = []
    for i, dim in enumerate(array.dims):
        chunk, (start, stop) = array.chunks[i], owned[i]
        inside = (max(start, part.spans[i][0]), min(stop, part.spans[i][1]))
        if dim in array.expand:
            pairs = [(start, 0)] if chunk == 1 and inside[0] < inside[1] else []
        else:
            side = next(sides)
            if manifest.chunks[side.axis] != chunk:
                return None
            skipped = axes[dim].skips.get(key[dim], 0) if dim in array.runs else 0
            ends = stop == array.shape[i] and side.start + skipped + stop - start == manifest.shape[side.axis]
            pairs = list(_pairs(chunk, start - skipped - side.start, inside, ends, array.shape[i]))
        if not pairs:
            return None
        ranges.append(pairs)
    return ranges


def _pairs(chunk: int, origin: int, inside: Span, ends: bool, size: int) -> Iterator[tuple[int, int]]:
    """Match chunks along one dimension; `origin` is where the source's first element lies in the store.

    Examples
    --------
    Chunks of 4 from element 8 on; the array ends at 18, and so does the source, or it does not.

    >>> list(_pairs(4, 8, (8, 18), True, 18)), list(_pairs(4, 8, (8, 18), False, 18))
    ([(2, 0), (3, 1), (4, 2)], [(2, 0), (3, 1)])
    """
    if origin % chunk:
        return
    for index in range(-(-inside[0] // chunk), -(-inside[1] // chunk)):
        stop = (index + 1) * chunk
        if stop <= inside[1] or (ends and inside[1] == size):
            yield index, index - origin // chunk
