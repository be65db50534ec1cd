"""Write the objects of one box: chunks are moved where they can be, else decoded one by one, else assembled."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import zarr

from bakehouse.chunks import Span
from bakehouse.manifests import ChunkFormat, Manifest
from bakehouse.openers.codecs import encode_chunk
from bakehouse.openers.fetch import fetch, stream
from bakehouse.openers.ranges import decode_chunk, skipped, without_checksum
from bakehouse.plan.moves import bare
from bakehouse.plan.types import ArrayPlan, Axis, Part
from bakehouse.writers.assemble import Fragment, assemble, held_dtype
from bakehouse.writers.kept import KeptValues
from bakehouse.writers.objects import Box, Index, is_by_hand, objects_in, put_object, stored_format, write_box
from bakehouse.writers.receipts import Taken
from bakehouse.writers.store import RecordingStore
from bakehouse.writers.whole import Whole, whole_chunks

AT_ONCE = 8
"""Inputs that are read at the same time, where they lie behind a network."""

Members = list[tuple[Index, Whole]]
"""Chunks of the store, and the source chunks of one input that they are."""


@dataclass(frozen=True, eq=False)
class Filling:
    """All that fills one array: how it is planned, the inputs, what the recipe asks for, what is published already."""

    array: ArrayPlan
    axes: Mapping[str, Axis]
    fragments: Sequence[Fragment]
    asked: Mapping[str, Any]
    kept: KeptValues | None = None

    def values(self, part: Part, dtype: Any, room: Any = None) -> tuple[Any, list[Taken]]:
        """Assemble the values of a box, in memory at hand if there is any."""
        return assemble(self.array, self.axes, part, self.fragments, dtype, self.asked, self.kept, room)

    def whole(self, part: Part) -> dict[Index, Whole]:
        """Find the chunks that are source chunks; where inputs repeat values, all are compared instead."""
        if any(self.axes[d].skips for d in self.array.runs) or self.asked.get("keepbits"):
            return {}
        return whole_chunks(self.array, self.axes, part, self.fragments)


def fill_part(store: RecordingStore, opened: zarr.Array[Any], filling: Filling, part: Part) -> list[Taken]:
    """Write a box of whole objects; say where its values came from."""
    stored = stored_format(opened)
    whole = filling.whole(part) if stored is not None and is_by_hand(opened) else {}
    if filling.array.spill and not whole:
        return _one_by_one(store, opened, filling, part)
    if stored is None or not whole:
        values, taken = filling.values(part, opened.dtype)
        write_box(store, opened, part.spans, values)
        return taken
    rest, taken = _rest(opened, filling, part, whole)
    for key, indexes in objects_in(opened, part.spans):
        moved = _moved(stored, {i: whole[i] for i in indexes if i in whole}, opened.metadata.fill_value)
        chunks = (next(moved) if i in whole else rest.encoded(i) if rest else None for i in indexes)
        put_object(store, opened, key, chunks)
    return [*taken, *_taken(filling.array, whole)]


def _one_by_one(store: RecordingStore, opened: zarr.Array[Any], filling: Filling, part: Part) -> list[Taken]:
    """Assemble and write each object of a box for itself: those that are read from tiles share nothing.

    An object's values lie together then, as they are encoded, and all objects use the same memory: what the system
    hands out anew is cleared first, which takes as long as reading a tile.
    """
    boxes = list(_objects(part, opened))
    room = np.empty(max(math.prod(b - a for a, b in box.spans) for box in boxes), held_dtype(opened.dtype))
    regions: dict[str, list[Taken]] = defaultdict(list)
    for box in boxes:
        values, taken = filling.values(box, opened.dtype, room)
        write_box(store, opened, box.spans, values)
        for each in taken:
            regions[each.input].append(each)
    return [_hull(found) for found in regions.values()]


def _objects(part: Part, opened: zarr.Array[Any]) -> Iterator[Part]:
    """Cut a box into those of its objects."""
    lengths = opened.shards or opened.chunks
    columns = [
        [(at, min(at + length, b)) for at in range(a, b, length)]
        for (a, b), length in zip(part.spans, lengths, strict=True)
    ]
    for spans in itertools.product(*columns):
        size = math.prod(b - a for a, b in spans) * opened.dtype.itemsize
        yield replace(part, spans=spans, objects=1, size_bytes=size)


def _hull(taken: Sequence[Taken]) -> Taken:
    """Give the smallest region around those that one input filled."""
    columns = zip(*(each.region for each in taken), strict=True)
    return replace(taken[0], region=tuple((min(a for a, _ in each), max(b for _, b in each)) for each in columns))


def _rest(
    opened: zarr.Array[Any], filling: Filling, part: Part, whole: Mapping[Index, Whole]
) -> tuple[Box | None, list[Taken]]:
    """Assemble the smallest box around the chunks that are no source chunks."""
    left = [i for _, indexes in objects_in(opened, part.spans) for i in indexes if i not in whole]
    left = [i for i in left if all(k * c < n for k, c, n in zip(i, opened.chunks, opened.shape, strict=True))]
    if not left:
        return None, []
    spans = tuple(
        _around(column, c, n) for column, c, n in zip(zip(*left, strict=True), opened.chunks, opened.shape, strict=True)
    )
    around = replace(
        part, spans=spans, objects=0, size_bytes=math.prod(b - a for a, b in spans) * opened.dtype.itemsize
    )
    values, taken = filling.values(around, opened.dtype)
    return Box(opened, spans, values, stored_format(opened)), taken


def _around(places: Iterable[int], chunk: int, size: int) -> Span:
    found = list(places)
    return min(found) * chunk, min((max(found) + 1) * chunk, size)


def _moved(stored: ChunkFormat, wanted: Mapping[Index, Whole], fill: Any) -> Iterator[bytes]:
    """Read source chunks and give them as the store has them, in the order that they are wanted in."""
    inputs = [list(run) for _, run in itertools.groupby(wanted.items(), lambda each: id(each[1].manifest))]
    for members, data in _streams(inputs) if _is_streamed(inputs) else _fetched(wanted):
        is_same = _is_same(stored, members[0][1].manifest)
        for (_, whole), each in zip(members, data, strict=True):
            yield _as_stored(stored, whole, each, fill, is_same)


def _is_streamed(inputs: Sequence[Members]) -> bool:
    """Say whether chunks can be read one by one: on this machine's disk, and one input after the other."""
    firsts = [members[0][1] for members in inputs]
    return len({id(each.manifest) for each in firsts}) == len(inputs) and all(
        each.reference.place.is_local and each.manifest.is_one_file for each in firsts
    )


def _streams(inputs: Sequence[Members]) -> Iterator[tuple[Members, Iterator[Any]]]:
    """Give the chunks of one input after the other; only the one that is being used is held."""
    for members in inputs:
        first = members[0][1]
        yield members, stream(first.reference.place, first.manifest, [whole.index for _, whole in members])


def _fetched(wanted: Mapping[Index, Whole]) -> Iterator[tuple[Members, list[Any]]]:
    """Read all chunks, each input's in one go; give them in the order that they are wanted in."""
    by_input: dict[int, Members] = defaultdict(list)
    for index, whole in wanted.items():
        by_input[id(whole.manifest)].append((index, whole))
    found: dict[Index, Any] = {}
    for members, data in _fetch_each(list(by_input.values())):
        found |= zip((index for index, _ in members), data, strict=True)
    for index, whole in wanted.items():
        yield [(index, whole)], [found.pop(index)]


def _fetch_each(inputs: Sequence[Members]) -> Iterator[tuple[Members, list[Any]]]:
    """Fetch the chunks of each input; of several at once where they lie behind a network."""
    if len(inputs) < 2 or all(members[0][1].reference.place.is_local for members in inputs):
        yield from ((members, _fetch(members)) for members in inputs)
        return
    with ThreadPoolExecutor(min(AT_ONCE, len(inputs)), "bakehouse-inputs") as pool:
        yield from zip(inputs, pool.map(_fetch, inputs), strict=True)


def _fetch(members: Members) -> list[Any]:
    first = members[0][1]
    return fetch(first.reference.place, first.manifest, [whole.index for _, whole in members])


def _is_same(stored: ChunkFormat, manifest: Manifest) -> bool:
    """Say whether an input's chunks are encoded as the store's are, but for a checksum."""
    own = bare(manifest.format)
    return (own.filters, own.dtype) == (stored.filters, stored.dtype)


def _as_stored(stored: ChunkFormat, whole: Whole, data: Any, fill: Any, is_same: bool) -> bytes:
    """Take a source chunk as it is if it is encoded as the store's chunks are; else decode it and encode it anew."""
    manifest, source = whole.manifest, whole.reference.place
    if data is None:
        values = np.full(manifest.chunks, manifest.fill, manifest.dtype)
    elif is_same and not skipped(manifest, whole.index):
        is_bare = len(manifest.filters) == len(stored.filters)
        return data if is_bare else bytes(without_checksum(source, manifest, whole.index, data))
    else:
        values = decode_chunk(source, manifest, whole.index, data)
    return encode_chunk(stored, values.reshape(stored.chunks), fill)


def _taken(array: ArrayPlan, whole: Mapping[Index, Whole]) -> list[Taken]:
    """Say which region of the store each input filled with whole chunks: the smallest box around them."""
    by_input: dict[str, list[Index]] = defaultdict(list)
    for index, each in whole.items():
        by_input[each.fragment.url].append(index)
    lengths = list(zip(array.chunks, array.shape, strict=True))
    return [
        Taken(url, array.name, tuple(_around(c, *n) for c, n in zip(zip(*indexes, strict=True), lengths, strict=True)))
        for url, indexes in by_input.items()
    ]
