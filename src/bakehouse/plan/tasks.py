"""Cut a template into tasks: cohorts of whole objects that share source chunks, within the memory bound."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterator, Mapping
from itertools import pairwise

from bakehouse.chunks import Span, cells_touched, common_edges, count_objects, edges, split_cohorts
from bakehouse.plan.types import VIRTUAL, ArrayPlan, Axis, Part, Task, Template
from bakehouse.plan.virtual import reference_task

TASK_BYTES = 2**24
TASK_OBJECTS = 64
SPILLED_BYTES = 2**26
"""What is written together of an array that is read from tiles: more would share nothing."""
COMMITS = 1000
"""About how many tasks a repository of snapshots gets."""


Box = tuple[str, tuple[Span, ...]]
"""A region of an array, by name."""


def make_tasks(template: Template, memory_bytes: int, only: set[Box] | None = None) -> tuple[Task, ...]:
    """List the tasks of a template, in a stable order; with `only`, those of some boxes.

    Small parts go together, up to 16 MB or 64 objects: what a run that is cut has to do again. Those of several arrays
    that the same inputs fill are neighbours, so that an input is sent to few tasks and opened once for all of them. In
    a repository of snapshots more go together where there would be more than about a thousand tasks, array by array:
    each is a commit, which writes the manifests of its arrays. A virtual store has one task.

    Examples
    --------
    >>> make_tasks(Template({}, {}, {}, {}), 2**20)
    ()
    """
    if template.format in VIRTUAL:
        return reference_task(template)
    tasks: list[Task] = []
    parts: list[Part] = []
    wanted = [p for p in _parts(template, memory_bytes) if only is None or (p.array, p.spans) in only]
    limit, most = min(TASK_BYTES, memory_bytes), TASK_OBJECTS
    if template.format == "icechunk":
        limit = max(limit, sum(p.size_bytes for p in wanted) // COMMITS)
        most = max(most, sum(p.objects for p in wanted) // COMMITS)
    else:
        wanted.sort(key=lambda part: _along(template, part))
    size = objects = 0
    for part in wanted:
        size, objects = size + part.size_bytes, objects + part.objects
        if parts and (size > limit or objects > most):
            tasks.append(_task(parts))
            parts, size, objects = [], part.size_bytes, part.objects
        parts.append(part)
    return (*tasks, *([_task(parts)] if parts else []))


def cell_edges(array: ArrayPlan, axes: Mapping[str, Axis], memory_bytes: int) -> list[list[int]]:
    """Give the edges along each dimension of the boxes that are written together."""
    if array.spill:
        cohorts = [edges(n, length) for n, length in zip(array.shape, array.objects, strict=True)]
        memory_bytes = min(memory_bytes, SPILLED_BYTES)
    else:
        cohorts = [_cohort_edges(array, i, axes) for i in range(len(array.dims))]
    return split_cohorts(cohorts, list(array.objects), max(1, memory_bytes // array.itemsize))


def touched(array: ArrayPlan, grid: list[list[int]], spans: tuple[Span, ...]) -> Iterator[tuple[Span, ...]]:
    """List the boxes that a region of the array overlaps."""
    ranges = [cells_touched(e, span) for e, span in zip(grid, spans, strict=True)]
    for cell in itertools.product(*ranges):
        yield tuple((e[i], e[i + 1]) for e, i in zip(grid, cell, strict=True))


def input_spans(array: ArrayPlan, axes: Mapping[str, Axis], key: Mapping[str, int]) -> tuple[Span, ...]:
    """Give the region of an array that an input fills."""
    return tuple(
        axes[d].spans[key[d]] if d in array.runs else (0, n) for d, n in zip(array.dims, array.shape, strict=True)
    )


def repeated_spans(array: ArrayPlan, axes: Mapping[str, Axis], key: Mapping[str, int]) -> Iterator[tuple[Span, ...]]:
    """List the regions of an array that an input holds too, though they are taken from the inputs before it."""
    owned = input_spans(array, axes, key)
    skips = [axes[d].skips.get(key[d], 0) if d in array.runs else 0 for d in array.dims]
    reach = [(a - skip, b) for (a, b), skip in zip(owned, skips, strict=True)]
    for i, skip in enumerate(skips):
        if skip:
            yield tuple((owned[i][0] - skip, owned[i][0]) if j == i else span for j, span in enumerate(reach))


def reached(
    array: ArrayPlan, axes: Mapping[str, Axis], key: Mapping[str, int], grid: list[list[int]]
) -> Iterator[tuple[Span, ...]]:
    """List the boxes that an input's values go to, and those that its repeated values are compared with."""
    for region in (input_spans(array, axes, key), *repeated_spans(array, axes, key)):
        yield from touched(array, grid, region)


def _parts(template: Template, memory_bytes: int) -> Iterator[Part]:
    for array in template.arrays.values():
        grid = cell_edges(array, template.axes, memory_bytes)
        for spans in itertools.product(*(list(pairwise(e)) for e in grid)):
            size = math.prod(b - a for a, b in spans) * array.itemsize
            yield Part(array.name, tuple(spans), count_objects(spans, array.objects), size)


def _along(template: Template, part: Part) -> tuple[int, ...]:
    """Say where along the concat dimensions a part begins."""
    starts = dict(zip(template.arrays[part.array].dims, (a for a, _ in part.spans), strict=True))
    return tuple(starts.get(dim, 0) for dim in template.axes)


def _cohort_edges(array: ArrayPlan, i: int, axes: Mapping[str, Axis]) -> list[int]:
    """Find the object edges that no source chunk crosses; contiguous sources have no chunks to share."""
    size, length, chunk = array.shape[i], array.objects[i], array.source_chunks[i]
    if array.dims[i] in array.runs:
        spans = axes[array.dims[i]].spans.values()
        source = [e for a, b in spans for e in range(a, b, chunk or 1)]
    elif chunk is None:
        return edges(size, length)
    else:
        source = edges(size, chunk)
    return common_edges(size, length, source)


def _task(parts: list[Part]) -> Task:
    name = hashlib.sha256(repr([(p.array, p.spans) for p in parts]).encode()).hexdigest()[:16]
    return Task(name, tuple(parts))
