"""Tasks cut every store into parts of whole objects, each element once, within the memory bound."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bakehouse.chunks import edges
from bakehouse.plan.tasks import cell_edges, input_spans, make_tasks, touched
from bakehouse.plan.types import ArrayPlan, Axis, Template

UNLIMITED = 2**40


def axis(name: str, lengths: list[int], new: bool = False) -> Axis:
    stops = list(itertools.accumulate(lengths))
    return Axis(name, {i: (stop - n, stop) for i, (n, stop) in enumerate(zip(lengths, stops, strict=True))}, new)


@st.composite
def arrays(draw: st.DrawFn, name: str, axes: dict[str, Axis], sizes: dict[str, int]) -> ArrayPlan:
    """Draw an array over some of the dimensions: source chunks, chunks and shards of any length."""
    dims = draw(st.lists(st.sampled_from(sorted(sizes)), unique=True, max_size=3))
    shape = tuple(sizes[d] for d in dims)
    runs = tuple(d for d in dims if d in axes)
    source = tuple(draw(st.one_of(st.none(), st.integers(1, 9))) for _ in dims)
    chunks = tuple(draw(st.integers(1, 8)) for _ in dims)
    shards = tuple(c * draw(st.integers(1, 3)) for c in chunks) if dims and draw(st.booleans()) else None
    dtype = draw(st.sampled_from(["float32", "int8", "string"]))
    return ArrayPlan(name, tuple(dims), shape, dtype, False, (), (), None, "", source, runs, (), (), chunks, shards)


@st.composite
def templates(draw: st.DrawFn) -> Template:
    """Draw up to three arrays over two concat dimensions and two others."""
    axes = {d: axis(d, draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))) for d in ("t", "m")}
    sizes = {**{d: a.size for d, a in axes.items()}, "y": draw(st.integers(0, 9)), "x": draw(st.integers(1, 9))}
    names = ["a", "b", "c"][: draw(st.integers(1, 3))]
    return Template({n: draw(arrays(n, axes, sizes)) for n in names}, {}, axes, sizes)


def boxes(template: Template, memory_bytes: int) -> dict[str, list[Any]]:
    """Give the parts of each array."""
    parts = [part for task in make_tasks(template, memory_bytes) for part in task.parts]
    return {name: [p for p in parts if p.array == name] for name in template.arrays}


memory = st.sampled_from([1, 16, 100, 1000, UNLIMITED])


@given(templates(), memory)
def test_parts_hold_every_element_exactly_once(template: Template, memory_bytes: int) -> None:
    for name, parts in boxes(template, memory_bytes).items():
        seen = np.zeros(template.arrays[name].shape, int)
        for part in parts:
            seen[tuple(slice(a, b) for a, b in part.spans)] += 1
        assert (seen == 1).all()


@given(templates(), memory)
def test_no_object_is_in_two_parts_and_all_are_counted(template: Template, memory_bytes: int) -> None:
    for name, parts in boxes(template, memory_bytes).items():
        array = template.arrays[name]
        for part in parts:
            for (start, stop), size, length in zip(part.spans, array.shape, array.objects, strict=True):
                assert start % length == 0 and (stop % length == 0 or stop == size)
        assert sum(part.objects for part in parts) == math.prod(
            -(-n // length) for n, length in zip(array.shape, array.objects, strict=True)
        )


@given(templates(), memory)
def test_a_part_is_within_the_memory_bound_or_a_single_object(template: Template, memory_bytes: int) -> None:
    for name, parts in boxes(template, memory_bytes).items():
        for part in parts:
            assert part.size_bytes == math.prod(b - a for a, b in part.spans) * template.arrays[name].itemsize
            assert part.size_bytes <= memory_bytes or part.objects == 1


@given(templates())
def test_without_a_memory_bound_no_source_chunk_is_read_twice(template: Template) -> None:
    for name in template.arrays:
        array = template.arrays[name]
        for i, cells in enumerate(cell_edges(array, template.axes, UNLIMITED)):
            if array.source_chunks[i] is None:
                continue
            spans = (
                template.axes[array.dims[i]].spans.values() if array.dims[i] in array.runs else [(0, array.shape[i])]
            )
            chunks = [(a + x, a + y) for a, b in spans for x, y in pairwise(edges(b - a, array.source_chunks[i] or 1))]
            assert not [(edge, chunk) for edge in cells for chunk in chunks if chunk[0] < edge < chunk[1]]


@given(templates(), memory)
def test_tasks_are_the_same_every_time_and_have_names_of_their_own(template: Template, memory_bytes: int) -> None:
    tasks = make_tasks(template, memory_bytes)
    assert tasks == make_tasks(template, memory_bytes)
    assert len({task.id for task in tasks}) == len(tasks)
    assert all(task.parts for task in tasks)
    assert all(task.size_bytes <= memory_bytes or len(task.parts) == 1 for task in tasks)


@given(templates(), memory)
def test_an_input_reaches_exactly_the_parts_that_its_elements_lie_in(template: Template, memory_bytes: int) -> None:
    for name, parts in boxes(template, memory_bytes).items():
        array = template.arrays[name]
        owner = np.full(array.shape, -1)
        for number, part in enumerate(parts):
            owner[tuple(slice(a, b) for a, b in part.spans)] = number
        grid = cell_edges(array, template.axes, memory_bytes)
        by_spans = {part.spans: number for number, part in enumerate(parts)}
        for at in itertools.product(*(range(len(template.axes[d].spans)) for d in sorted(template.axes))):
            key = dict(zip(sorted(template.axes), at, strict=True))
            spans = input_spans(array, template.axes, key)
            reached = [by_spans[box] for box in touched(array, grid, spans)]
            assert sorted(reached) == sorted(set(owner[tuple(slice(a, b) for a, b in spans)].ravel().tolist()))


@given(templates())
def test_inputs_fill_an_array_exactly_once(template: Template) -> None:
    for array in template.arrays.values():
        seen = np.zeros(array.shape, int)
        for at in itertools.product(*(range(len(template.axes[d].spans)) for d in array.runs)):
            spans = input_spans(array, template.axes, dict(zip(array.runs, at, strict=True)))
            seen[tuple(slice(a, b) for a, b in spans)] += 1
        assert (seen == 1).all()


def two_arrays(store: str) -> list[list[tuple[str, Any]]]:
    """Give the parts, by array and first span, of each task of two arrays over the same inputs."""
    axes, row = {"t": axis("t", [1] * 6)}, 2**20
    array = ArrayPlan("", ("t", "x"), (6, row), "float32", False, (), (), None, "", (1, row), ("t",), (), (), (2, row))
    template = Template(
        {n: replace(array, name=n) for n in "ab"}, {}, axes, {"t": 6, "x": row}, format=store
    )  # parts of 8 MB
    return [[(part.array, part.spans[0]) for part in task.parts] for task in make_tasks(template, UNLIMITED)]


def test_parts_that_the_same_inputs_fill_go_together() -> None:
    assert two_arrays("zarr") == [[("a", span), ("b", span)] for span in ((0, 2), (2, 4), (4, 6))]


def test_a_commit_has_parts_of_few_arrays() -> None:
    assert two_arrays("icechunk") == [
        [("a", (0, 2)), ("a", (2, 4))], [("a", (4, 6)), ("b", (0, 2))], [("b", (2, 4)), ("b", (4, 6))]
    ]  # fmt: skip
