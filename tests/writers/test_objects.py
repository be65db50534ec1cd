"""Objects put together by hand, against those that zarr-python writes itself."""

from __future__ import annotations

import hashlib
import math
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import LocalStore
from zarr.codecs import BloscCodec, Crc32cCodec, GzipCodec, ShardingCodec, TransposeCodec, ZstdCodec
from zarr.codecs.numcodecs import Delta, Shuffle, Zlib
from zarr.storage import ObjectStore

from bakehouse.errors import ChunkAlignmentError
from bakehouse.writers.objects import encoded_shards, write_box
from bakehouse.writers.shards import read_index
from bakehouse.writers.store import RecordingStore, open_planned_array

DTYPES = ["bool", "int8", "uint16", "int32", "int64", "float16", "float32", "float64", "complex64"]
SHAPE, CHUNKS, SHARDS = (7, 5), (2, 2), (4, 6)


def values_of(dtype: str, shape: tuple[int, ...]) -> Any:
    """Make values that differ from each other and from the fill value."""
    numbers = np.arange(1, math.prod(shape) + 1).reshape(shape)
    if dtype == "str":
        return np.array([f"wört {'x' * (n % 5)}{n}" for n in numbers.ravel()], object).reshape(shape)
    return (numbers * 37 % 101).astype("int64" if dtype[0] in "mM" else dtype).astype(dtype)


def planned(folder: Path, shape: tuple[int, ...] = SHAPE, **options: Any) -> tuple[RecordingStore, zarr.Array[Any]]:
    """Make an array's document, and open it for writing objects into a folder."""
    held: dict[str, Any] = {}
    group = zarr.open_group(held, mode="w", zarr_format=options.pop("zarr_format", 3))
    group.create_array("v", shape=shape, **{"chunks": CHUNKS, "shards": SHARDS, "fill_value": None, **options})
    folder.mkdir(parents=True, exist_ok=True)
    documents = {key: value.to_bytes() for key, value in held.items()}
    for key, data in documents.items():
        (folder / key).parent.mkdir(exist_ok=True)
        (folder / key).write_bytes(data)
    store = RecordingStore(ObjectStore(LocalStore(folder)))
    return store, open_planned_array(store, documents, "v")


def whole(array: zarr.Array[Any]) -> list[tuple[int, int]]:
    return [(0, n) for n in array.shape]


def assert_as_zarr_writes(folder: Path, values: Any, **options: Any) -> None:
    """Write the same array by hand and by zarr-python; compare what is read, and every encoded chunk."""
    store, array = planned(folder / "ours", **options)
    write_box(store, array, whole(array), values)
    theirs_store, theirs = planned(folder / "theirs", **options)
    theirs[...] = values
    read = zarr.open_array(folder / "ours", path="v", mode="r")[...]
    np.testing.assert_array_equal(read, values.astype(read.dtype))
    assert chunks_below(folder / "ours", theirs) == chunks_below(folder / "theirs", theirs)
    assert sorted(store.written) == sorted(theirs_store.written)


def chunks_below(folder: Path, array: zarr.Array[Any]) -> dict[str, Any]:
    """Take the shards below a folder apart."""
    count = math.prod(s // c for s, c in zip(array.shards or (), array.chunks, strict=True))
    found = {}
    for path in (p for p in folder.glob("v/c/**/*") if p.is_file()):
        data = path.read_bytes()
        found[str(path.relative_to(folder))] = [
            None if offset == 2**64 - 1 else data[offset : offset + length]
            for offset, length in read_index(data, count).tolist()
        ]
    return found


@pytest.mark.parametrize("dtype", [*DTYPES, "str", "datetime64[s]", "timedelta64[ms]", ">f4", ">i8"])
@pytest.mark.filterwarnings("ignore:The data type")
def test_every_dtype_is_written_as_zarr_writes_it(dtype: str, tmp_path: Path) -> None:
    assert_as_zarr_writes(tmp_path, values_of(dtype, SHAPE), dtype=dtype)


@pytest.mark.parametrize("dtype", ["U5", "S5"])
@pytest.mark.filterwarnings("ignore:The data type")
def test_text_of_fixed_length_is_written_as_zarr_writes_it(dtype: str, tmp_path: Path) -> None:
    values = np.array([f"t{n}" for n in range(math.prod(SHAPE))]).reshape(SHAPE).astype(dtype)
    assert_as_zarr_writes(tmp_path, values, dtype=dtype)


@pytest.mark.parametrize(
    ("dtype", "fill"),
    [("float32", np.nan), ("float32", -999.0), ("int16", -32767), ("bool", True), ("str", "nothing")],
)
def test_what_the_end_of_the_array_cuts_off_is_padded_with_the_fill_value(
    dtype: str, fill: Any, tmp_path: Path
) -> None:
    assert_as_zarr_writes(tmp_path, values_of(dtype, SHAPE), dtype=dtype, fill_value=fill)


@pytest.mark.parametrize(
    "codecs",
    [
        {"compressors": None},
        {"compressors": [ZstdCodec()]},
        {"compressors": [BloscCodec(cname="lz4")]},
        {"compressors": [GzipCodec(), Crc32cCodec()]},
        {"compressors": [Shuffle(elementsize=4), Zlib()]},
        {"filters": [TransposeCodec(order=(1, 0))]},
        {"filters": [Delta(dtype="<f4")], "compressors": [Zlib()]},
    ],
    ids=lambda codecs: "+".join(type(c).__name__ for found in codecs.values() for c in found or []) or "none",
)
def test_every_codec_is_applied_as_zarr_applies_it(codecs: Any, tmp_path: Path) -> None:
    assert_as_zarr_writes(tmp_path, values_of("float32", SHAPE), dtype="float32", **codecs)


sizes = st.tuples(st.integers(1, 9), st.integers(1, 4), st.integers(1, 3))


@given(dims=st.lists(sizes, min_size=1, max_size=3), f_order=st.booleans())
def test_every_grid_is_written_as_zarr_writes_it(
    dims: list[tuple[int, int, int]], f_order: bool, tmp_path_factory: Any
) -> None:
    shape = tuple(n for n, _, _ in dims)
    options = {"chunks": tuple(c for _, c, _ in dims), "shards": tuple(c * k for _, c, k in dims)}
    values = np.asarray(values_of("int32", shape), order="F" if f_order else "C")
    assert_as_zarr_writes(tmp_path_factory.mktemp("grid"), values, shape=shape, dtype="int32", **options)


def test_empty_chunks_are_written_and_chunks_beyond_the_array_are_not(tmp_path: Path) -> None:
    store, array = planned(tmp_path, dtype="int32", fill_value=0)
    write_box(store, array, whole(array), np.zeros(SHAPE, "i4"))
    chunks = chunks_below(tmp_path, array)["v/c/1/0"]
    assert [c is not None for c in chunks] == [True] * 6
    small, array = planned(tmp_path / "small", shape=(1, 3), dtype="int32", fill_value=0)
    write_box(small, array, whole(array), np.zeros((1, 3), "i4"))
    assert [c is not None for c in chunks_below(tmp_path / "small", array)["v/c/0/0"]] == [True, True] + [False] * 4


def test_a_box_of_some_objects_writes_only_these(tmp_path: Path) -> None:
    store, array = planned(tmp_path, shape=(12, 5), dtype="int32", fill_value=-1)
    write_box(store, array, [(4, 8), (0, 5)], values_of("int32", (4, 5)))
    assert sorted(store.written) == ["v/c/1/0"]
    expected = np.full((12, 5), -1, "i4")
    expected[4:8] = values_of("int32", (4, 5))
    np.testing.assert_array_equal(zarr.open_array(tmp_path, path="v", mode="r")[...], expected)


def test_receipts_state_what_was_written(tmp_path: Path) -> None:
    store, array = planned(tmp_path, dtype="float64")
    write_box(store, array, whole(array), values_of("float64", SHAPE))
    found = {
        k: ((tmp_path / k).stat().st_size, hashlib.sha256((tmp_path / k).read_bytes()).hexdigest())
        for k in store.written
    }
    assert {k: (w.size_bytes, w.sha256) for k, w in store.written.items()} == found
    assert sorted(store.written) == ["v/c/0/0", "v/c/1/0"]


@pytest.mark.parametrize(("shape", "spans"), [((0, 5), [(0, 0), (0, 5)]), ((7, 5), [(4, 4), (0, 5)])])
def test_an_empty_box_writes_nothing(shape: tuple[int, ...], spans: Any, tmp_path: Path) -> None:
    store, array = planned(tmp_path, shape=shape, dtype="int32")
    write_box(store, array, spans, np.zeros([b - a for a, b in spans], "i4"))
    assert store.written == {}


INDEX_FIRST = {"chunks": (4, 6), "serializer": ShardingCodec(chunk_shape=(2, 2), index_location="start")}


@pytest.mark.parametrize(
    "options",
    [{"zarr_format": 2}, {}, {**INDEX_FIRST, "compressors": None}],
    ids=["format 2", "no shards", "index first"],
)
def test_other_arrays_are_left_to_zarr(options: Any, tmp_path: Path) -> None:
    store, array = planned(tmp_path, dtype="int32", shards=None, **options)
    write_box(store, array, whole(array), values_of("int32", SHAPE))
    np.testing.assert_array_equal(zarr.open_array(tmp_path, path="v", mode="r")[...], values_of("int32", SHAPE))


def test_a_number_without_dimensions_is_left_to_zarr(tmp_path: Path) -> None:
    store, array = planned(tmp_path, shape=(), chunks=(), shards=None, dtype="int32")
    write_box(store, array, [], np.array(5, "i4"))
    assert zarr.open_array(tmp_path, path="v", mode="r")[...] == 5


def test_a_box_that_cuts_a_shard_is_refused_and_one_that_cuts_a_chunk_too(tmp_path: Path) -> None:
    store, array = planned(tmp_path, dtype="int32")
    with pytest.raises(ChunkAlignmentError, match=r"box \(\(0, 2\), \(0, 5\)\) of 'v' with shape \(7, 5\) cuts shards"):
        write_box(store, array, [(0, 2), (0, 5)], np.zeros((2, 5), "i4"))
    with pytest.raises(ChunkAlignmentError, match=r"cuts chunks of \(2, 2\)"):
        [list(chunks) for _, chunks in encoded_shards(array, [(0, 3), (0, 5)], np.zeros((3, 5), "i4"))]


def test_part_of_a_shard_is_encoded_alone(tmp_path: Path) -> None:
    _, array = planned(tmp_path, dtype="int32", compressors=None)
    values = values_of("int32", (2, 5))
    ((key, chunks),) = encoded_shards(array, [(2, 4), (0, 5)], values)
    padded = np.zeros((2, 6), "i4")
    padded[:, :5] = values
    assert key == "v/c/0/0"
    assert list(chunks) == [None] * 3 + [np.ascontiguousarray(padded[:, i : i + 2]).tobytes() for i in (0, 2, 4)]


def test_one_shard_is_held_encoded_and_nothing_more(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 2**31, (64, 256, 256), dtype="i4")  # 16 MiB that don't compress
    options = {"chunks": (1, 256, 256), "shards": values.shape, "dtype": "int32", "compressors": [ZstdCodec(level=1)]}
    store, array = planned(tmp_path, shape=values.shape, **options)
    tracemalloc.start()
    try:
        write_box(store, array, whole(array), values)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.4 * values.nbytes
    np.testing.assert_array_equal(zarr.open_array(tmp_path, path="v", mode="r")[...], values)
