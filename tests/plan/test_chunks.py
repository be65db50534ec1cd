"""Integer arithmetic on grids keeps its promises for any sizes."""

from __future__ import annotations

import itertools
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakehouse.chunks import cells_touched, common_edges, count_objects, edges, overlap, resolve_chunks, split_cohorts
from bakehouse.errors import ChunkAlignmentError

sizes = st.integers(0, 40)
lengths = st.integers(1, 12)


def intervals(most: int = 40) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(0, most), st.integers(0, most)).map(lambda pair: (min(pair), max(pair)))


@given(sizes, lengths)
def test_edges_cut_a_dimension_into_whole_chunks_and_a_rest(size: int, length: int) -> None:
    found = edges(size, length)
    assert found[0] == 0 and found[-1] == size
    assert all(b - a == length for a, b in pairwise(found[:-1]))
    assert all(0 < b - a <= length for a, b in pairwise(found))


@given(sizes, lengths, st.sets(st.integers(0, 40)))
def test_common_edges_are_the_object_edges_that_are_source_edges_too(size: int, length: int, source: set[int]) -> None:
    found = common_edges(size, length, source)
    assert found == [e for e in edges(size, length) if e in source | {0, size}]


@st.composite
def cohorts(draw: st.DrawFn) -> tuple[list[list[int]], list[int]]:
    """Draw cohort edges on the object edges of up to three dimensions."""
    drawn, objects = [], []
    for _ in range(draw(st.integers(0, 3))):
        size, length = draw(st.integers(1, 40)), draw(lengths)
        inner = edges(size, length)[1:-1]
        drawn.append([0, *(e for e in inner if draw(st.booleans())), size])
        objects.append(length)
    return drawn, objects


@given(cohorts(), st.integers(1, 2000))
def test_cohorts_are_split_at_object_edges_until_they_fit_or_are_single_objects(
    drawn: tuple[list[list[int]], list[int]], limit: int
) -> None:
    before, objects = drawn
    after = split_cohorts(before, objects, limit)
    for old, new, length in zip(before, after, objects, strict=True):
        assert set(old) <= set(new) <= {*edges(old[-1], length)}
        assert new == sorted(set(new))
    widest = [max(b - a for a, b in pairwise(cell)) for cell in after]
    assert math.prod(widest) <= limit or all(w <= length for w, length in zip(widest, objects, strict=True))


@given(cohorts())
def test_cohorts_that_fit_are_left_alone(drawn: tuple[list[list[int]], list[int]]) -> None:
    before, objects = drawn
    assert split_cohorts(before, objects, math.prod(cell[-1] for cell in before)) == before


@given(intervals(), intervals())
def test_an_overlap_holds_what_both_spans_hold(a: tuple[int, int], b: tuple[int, int]) -> None:
    assert set(range(*(overlap(a, b) or (0, 0)))) == set(range(*a)) & set(range(*b))


@given(st.integers(1, 40), lengths, st.data())
def test_cells_touched_are_those_that_share_an_element(size: int, length: int, data: st.DataObject) -> None:
    grid, span = edges(size, length), data.draw(intervals(size))
    assert list(cells_touched(grid, span)) == [i for i, cell in enumerate(pairwise(grid)) if overlap(cell, span)]


@given(st.lists(st.tuples(st.integers(1, 20), lengths), max_size=3), st.data())
def test_objects_are_counted_as_they_are_found(dims: list[tuple[int, int]], data: st.DataObject) -> None:
    spans = [data.draw(intervals(size).filter(lambda s: s[0] < s[1])) for size, _ in dims]
    met = {
        tuple(i // n for i, (_, n) in zip(at, dims, strict=True))
        for at in itertools.product(*(range(*s) for s in spans))
    }
    assert count_objects(spans, [n for _, n in dims]) == len(met)


@given(st.dictionaries(st.sampled_from("txy"), st.integers(1, 50)), st.data())
def test_a_chunk_length_is_honoured_clipped_to_its_dimension_unless_it_grows(
    sizes: dict[str, int], data: st.DataObject
) -> None:
    asked = {d: data.draw(st.one_of(st.just(-1), st.integers(1, 60))) for d in sizes if data.draw(st.booleans())}
    growing = {d for d in sizes if data.draw(st.booleans())}
    found = resolve_chunks(asked, sizes, growing)
    for d, length in asked.items():
        assert found[d] == (sizes[d] if length == -1 else length if d in growing else min(length, sizes[d]))
    assert list(found) == list(asked)


def test_a_misspelt_dimension_gets_a_suggestion() -> None:
    with pytest.raises(ChunkAlignmentError, match="'tiem' that the dataset does not have") as caught:
        resolve_chunks({"tiem": 3}, {"time": 10, "lat": 4})
    assert caught.value.fix == "did you mean 'time'?"


@pytest.mark.parametrize("length", [0, -2, 2.5, "auto", True, None])
def test_a_chunk_length_that_is_no_count_is_refused(length: object) -> None:
    with pytest.raises(ChunkAlignmentError, match="chunk length .* for 'time'") as caught:
        resolve_chunks({"time": length}, {"time": 10})  # type: ignore[dict-item]
    assert "positive whole number" in str(caught.value.fix)
