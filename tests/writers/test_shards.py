"""Shards built and extended by hand, read by zarr-python."""

from __future__ import annotations

import itertools
import math
import zlib
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from zarr.codecs import BytesCodec, Crc32cCodec, GzipCodec, ShardingCodec

from bakehouse.writers.shards import ABSENT, ShardError, build_shard, extend_shard, index_codecs_supported, read_index

GRIDS = [(6,), (2, 3), (3, 1, 2)]
CHUNK = (2, 2, 2)
chunk_bytes = st.binary(min_size=1, max_size=12)


@st.composite
def growth(draw: Any) -> tuple[list[bytes | None], list[dict[int, bytes]]]:
    """Draw the chunks of a shard, and what is then added or replaced, one time after another."""
    count = draw(st.integers(1, 6))
    first = draw(st.lists(st.none() | chunk_bytes, min_size=count, max_size=count))
    more = st.dictionaries(st.integers(0, count - 1), chunk_bytes)
    return first, draw(st.lists(more, max_size=4))


def named(index: Any) -> list[tuple[int, int]]:
    """List the ranges that an index names."""
    return [(o, o + n) for o, n in index.tolist() if o != ABSENT]


def chunks_of(data: bytes, count: int) -> list[bytes | None]:
    """Take a shard apart with nothing but its index."""
    return [None if o == ABSENT else data[o : o + n] for o, n in read_index(data, count).tolist()]


@given(st.lists(st.none() | chunk_bytes, min_size=1, max_size=8))
def test_a_shard_gives_back_the_chunks_that_it_was_built_of(chunks: list[bytes | None]) -> None:
    data = build_shard(iter(chunks))
    assert chunks_of(data, len(chunks)) == chunks
    assert len(data) == sum(len(c or b"") for c in chunks) + 16 * len(chunks) + 4


@given(growth(), st.booleans())
def test_extending_keeps_every_named_chunk_at_its_offset(grown: Any, reuse_gaps: bool) -> None:
    first, steps = grown
    data, wanted = build_shard(first), list(first)
    for new in steps:
        old, index = data, read_index(data, len(first))
        data = extend_shard(old, new, len(first), reuse_gaps)
        assert [data[a:b] for a, b in named(index)] == [old[a:b] for a, b in named(index)]
        wanted = [new.get(i, chunk) for i, chunk in enumerate(wanted)]
        assert chunks_of(data, len(first)) == wanted
        assert extend_shard(data, new, len(first), reuse_gaps) is data


@given(growth(), st.booleans())
def test_no_range_of_the_old_or_new_index_overlaps_another(grown: Any, reuse_gaps: bool) -> None:
    first, steps = grown
    data = build_shard(first)
    for new in steps:
        before = named(read_index(data, len(first)))
        data = extend_shard(data, new, len(first), reuse_gaps)
        ranges = sorted({*before, *named(read_index(data, len(first)))})
        assert all(stop <= start for (_, stop), (start, _) in itertools.pairwise(ranges))
        assert max([0, *(stop for _, stop in ranges)]) <= len(data) - 16 * len(first) - 4


@given(growth())
def test_without_reuse_all_that_was_there_stays_the_old_index_included(grown: Any) -> None:
    first, steps = grown
    data = build_shard(first)
    for new in steps:
        old, data = data, extend_shard(data, new, len(first), reuse_gaps=False)
        assert data[: len(old)] == old


def test_with_reuse_chunks_that_are_appended_in_order_give_the_shard_that_is_built_at_once() -> None:
    chunks = [bytes([i]) * (i + 1) for i in range(6)]
    data = build_shard([chunks[0], *[None] * 5])
    for number in range(1, 6):
        data = extend_shard(data, {number: chunks[number]}, 6, reuse_gaps=True)
    assert data == build_shard(chunks)


def test_the_first_gap_that_is_long_enough_is_used() -> None:
    data = build_shard([b"aaaa", b"b", b"cc", None])
    data = extend_shard(data, {0: b"AAAAAA", 2: b"CCC"}, 4, reuse_gaps=True)  # leaves 0:4 and 5:7 free
    data = extend_shard(data, {3: b"dd"}, 4, reuse_gaps=True)
    assert read_index(data, 4).tolist() == [[7, 6], [4, 1], [13, 3], [0, 2]]


def codecs_of(kind: str) -> list[Any]:
    return [BytesCodec(), *({"plain": [], "gzip": [GzipCodec()], "checked": [Crc32cCodec()]}[kind])]


def encoded(kind: str, values: Any) -> bytes:
    """Encode one chunk as the format's specification says, without zarr."""
    data = values.astype("<i4").tobytes()
    if kind == "gzip":
        compress = zlib.compressobj(wbits=31)
        return compress.compress(data) + compress.flush()
    return data + (int(google_crc32c.value(data)).to_bytes(4, "little") if kind == "checked" else b"")


@pytest.mark.parametrize("kind", ["plain", "gzip", "checked"])
@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("reuse_gaps", [False, True])
def test_zarr_reads_what_was_built_and_extended(
    kind: str, grid: tuple[int, ...], reuse_gaps: bool, tmp_path: Path
) -> None:
    chunk = CHUNK[: len(grid)]
    shape = tuple(g * c for g, c in zip(grid, chunk, strict=True))
    sharding = ShardingCodec(chunk_shape=chunk, codecs=codecs_of(kind))
    array = zarr.create_array(
        tmp_path, shape=shape, chunks=shape, dtype="i4", fill_value=-1, serializer=sharding, compressors=None
    )
    assert index_codecs_supported(array.metadata)
    expected = np.full(shape, -1, "i4")
    boxes = [
        tuple(slice(i * c, (i + 1) * c) for i, c in zip(at, chunk, strict=True))
        for at in itertools.product(*map(range, grid))
    ]
    path, rng, count = tmp_path / "c" / "/".join("0" * len(grid)), np.random.default_rng(0), math.prod(grid)
    data = build_shard([None] * count)
    for numbers in ([0], [1, 2], [1], [0, 5], range(count)):
        new = {n: rng.integers(0, 1000, chunk) for n in numbers}
        for n, values in new.items():
            expected[boxes[n]] = values
        data = extend_shard(data, {n: encoded(kind, v) for n, v in new.items()}, count, reuse_gaps)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        np.testing.assert_array_equal(zarr.open_array(tmp_path, mode="r")[...], expected)


def test_a_shard_that_zarr_wrote_is_read_and_extended(tmp_path: Path) -> None:
    array = zarr.create_array(
        tmp_path, shape=(8,), chunks=(2,), shards=(8,), dtype="i4", fill_value=0, compressors=None
    )
    array[2:6] = [1, 2, 3, 4]
    path = tmp_path / "c" / "0"
    path.write_bytes(extend_shard(path.read_bytes(), {3: np.array([7, 8], "<i4").tobytes()}, 4, reuse_gaps=True))
    assert zarr.open_array(tmp_path, mode="r")[...].tolist() == [0, 0, 1, 2, 3, 4, 7, 8]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda d: d[:20], "20 bytes are too few for the index of 2 chunks, 36 bytes"),
        (lambda d: d[:-1] + bytes([d[-1] ^ 1]), "the index has checksum [0-9a-f]{8}, the object states [0-9a-f]{8}"),
        (lambda d: d[:-1], "the index has checksum"),
        (lambda d: d[1:], "chunk 1 is said to lie at bytes 2:5 of 4"),
    ],
    ids=["too short", "other checksum", "last byte lost", "first byte lost"],
)
def test_a_damaged_shard_is_refused(damage: Any, said: str) -> None:
    data = damage(build_shard([b"ab", b"cde"]))
    with pytest.raises(ShardError, match=said):
        read_index(data, 2)
    with pytest.raises(ShardError, match=said):
        extend_shard(data, {0: b"x"}, 2, reuse_gaps=True)


def test_a_chunk_outside_the_grid_is_refused() -> None:
    with pytest.raises(ShardError, match=r"chunks \[2\] are not in a shard of 2 chunks"):
        extend_shard(build_shard([b"a", b"b"]), {2: b"c"}, 2, reuse_gaps=False)


@pytest.mark.parametrize(
    "options",
    [
        {"index_location": "start"},
        {"index_codecs": [BytesCodec()]},
        {"index_codecs": [BytesCodec(endian="big"), Crc32cCodec()]},
    ],
    ids=["index first", "no checksum", "big endian"],
)
def test_other_indexes_are_told_apart(options: Any) -> None:
    sharding = ShardingCodec(chunk_shape=(2,), codecs=[BytesCodec()], **options)
    array = zarr.create_array({}, shape=(4,), chunks=(4,), dtype="i4", serializer=sharding, compressors=None)
    assert not index_codecs_supported(array.metadata)


def test_arrays_without_shards_are_told_apart() -> None:
    for zarr_format in (2, 3):
        array = zarr.create_array({}, shape=(4,), chunks=(4,), dtype="i4", zarr_format=zarr_format)
        assert not index_codecs_supported(array.metadata)
        assert not index_codecs_supported(array.metadata.to_dict())
