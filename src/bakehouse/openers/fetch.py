"""The one door to chunks as they are stored: byte ranges of a file, objects of a zarr store, chunks inside shards."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any, TypeVar

import numpy as np
import obstore
from obstore.exceptions import BaseError

from bakehouse.chunks import Span
from bakehouse.errors import SourceError
from bakehouse.manifests import ChunkKeys, Manifest
from bakehouse.storage import Source, each_range, read_ranges
from bakehouse.storage.identity import checked

AT_ONCE = 16
"""Objects that are asked for at the same time, where each answer takes its time."""
SHARD_INDEXES = 256
ABSENT = np.uint64(2**64 - 1)
"""What a shard's index has in place of a chunk that was never written."""

Index = tuple[int, ...]
T = TypeVar("T")


def fetch(source: Source, manifest: Manifest, indexes: Sequence[Index]) -> list[Any]:
    """Give the stored bytes of chunks by their position in the grid; None for one that was never written.

    Raises
    ------
    SourceError
        If the source can't be read.
    """
    if manifest.which is not None:
        return _from_files(manifest, manifest.which, indexes)
    if manifest.keys is None:
        return _from_file(source, manifest, indexes)
    if manifest.keys.shards is None:
        keys = manifest.keys
        return _together(source, [partial(_whole, source, keys.of(index)) for index in indexes])
    return _from_shards(source, manifest.keys, indexes)


def stream(source: Source, manifest: Manifest, indexes: Sequence[Index]) -> Iterator[Any]:
    """Give what `fetch` gives, one by one: chunks of a local file are read only when they are asked for.

    Raises
    ------
    SourceError
        If the source can't be read.
    """
    if not (source.is_local and manifest.is_one_file):
        yield from fetch(source, manifest, indexes)
        return
    places = _places(manifest, indexes)
    found = each_range(source, _spans(places))
    for _, length in places:
        yield next(found) if length else None


def _from_file(source: Source, manifest: Manifest, indexes: Sequence[Index]) -> list[Any]:
    places = _places(manifest, indexes)
    found = iter(read_ranges(source, _spans(places)))
    return [next(found) if length else None for _, length in places]


def _places(manifest: Manifest, indexes: Sequence[Index]) -> list[tuple[int, int]]:
    return [(int(manifest.offsets[i]), int(manifest.lengths[i])) for i in indexes]


def _spans(places: Iterable[tuple[int, int]]) -> list[Span]:
    return [(at, at + length) for at, length in places if length]


def _from_files(manifest: Manifest, which: np.ndarray[Any, Any], indexes: Sequence[Index]) -> list[Any]:
    """Fetch the chunks of each file together; some are held in memory already."""
    found: dict[Index, Any] = {i: memoryview(manifest.held[i]) for i in indexes if i in manifest.held}
    asked: dict[int, list[Index]] = defaultdict(list)
    for index in indexes:
        if index not in found and manifest.lengths[index]:
            asked[int(which[index])].append(index)
    for number, wanted in asked.items():
        found |= zip(wanted, _from_file(manifest.files[number], manifest, wanted), strict=True)
    return [found.get(index) for index in indexes]


def _from_shards(source: Source, keys: ChunkKeys, indexes: Sequence[Index]) -> list[Any]:
    """Fetch the chunks of each shard in one request after its index."""
    shards = keys.shards or ()
    asked: dict[Index, list[Index]] = defaultdict(list)
    for index in indexes:
        asked[tuple(i // n for i, n in zip(index, shards, strict=True))].append(index)
    tasks = [partial(_from_shard, source, keys, shard, wanted) for shard, wanted in asked.items()]
    found = {i: data for pairs in _together(source, tasks) for i, data in pairs}
    return [found[index] for index in indexes]


def _from_shard(source: Source, keys: ChunkKeys, shard: Index, wanted: list[Index]) -> list[tuple[Index, Any]]:
    name = keys.of(shard)
    table = shard_index(source, keys, name)
    if table is None:
        return [(index, None) for index in wanted]
    inside = [tuple(i % n for i, n in zip(index, keys.shards or (), strict=True)) for index in wanted]
    places = [None if table[i][0] == ABSENT else (int(table[i][0]), int(table[i][1])) for i in inside]
    starts, lengths = [p[0] for p in places if p], [p[1] for p in places if p]
    got = iter(
        checked(source, lambda: obstore.get_ranges(object_store(source), name, starts=starts, lengths=lengths))
        if starts
        else []
    )
    return [(index, memoryview(next(got)) if place else None) for index, place in zip(wanted, places, strict=True)]


@lru_cache(maxsize=SHARD_INDEXES)
def shard_index(source: Source, keys: ChunkKeys, name: str) -> np.ndarray[Any, Any] | None:
    """Read a shard's index: offset and length of each chunk in it; None where there is no such shard.

    Raises
    ------
    SourceError
        If it is damaged, or the shard does not reach as far as it says.
    """
    shards = keys.shards or ()
    size = 16 * math.prod(shards) + 4 * keys.index_checked
    options: Any = {"range": {"suffix": size} if keys.index_at_end else (0, size)}
    try:
        found = obstore.get(object_store(source), name, options=options)
        data = bytes(found.bytes())
    except FileNotFoundError:
        return None
    if len(data) < size or (keys.index_checked and _crc32c(data[:-4]) != int.from_bytes(data[-4:], "little")):
        raise SourceError(f"the index of shard '{name}' is damaged", source.where, None, "fetch the store again")
    table = np.frombuffer(data, "<u8", 2 * math.prod(shards)).reshape(*shards, 2)
    _insist_whole(source, name, table, found.meta["size"])
    return table


def _insist_whole(source: Source, name: str, table: np.ndarray[Any, Any], size_bytes: int) -> None:
    """Insist that a shard's chunks lie in it: obstore panics where it is asked for bytes beyond an object's end."""
    ends = [int(at) + int(length) for at, length in table.reshape(-1, 2) if at != ABSENT]
    if max(ends, default=0) > size_bytes:
        what = f"shard '{name}' has {size_bytes} bytes where its index lists chunks up to byte {max(ends)}"
        raise SourceError(what, source.where, "it is cut short, or damaged", "fetch the store again")


def _crc32c(data: bytes) -> int:
    import google_crc32c

    return int(google_crc32c.value(data))


def _whole(source: Source, key: str) -> Any:
    def get() -> Any:
        try:
            return memoryview(obstore.get(object_store(source), key).bytes())
        except FileNotFoundError:
            return None

    return checked(source, get)


@lru_cache(maxsize=SHARD_INDEXES)
def object_store(source: Source) -> Any:
    """Open the folder or bucket that a zarr source lies in, once per process."""
    from bakehouse.openers.zarr import zarr_store

    return zarr_store(source).store


def _together(source: Source, tasks: Iterable[Callable[[], T]]) -> list[T]:
    """Run requests at the same time where they go over a network, in their order."""
    asked = list(tasks)
    if source.is_local or len(asked) < 2:
        return [task() for task in asked]
    with ThreadPoolExecutor(min(AT_ONCE, len(asked)), "bakehouse-fetch") as pool:
        return list(pool.map(lambda task: task(), asked))


def locate(source: Source, manifest: Manifest, url: str) -> tuple[tuple[str, ...], Any, Any, Any]:
    """Say where every chunk lies: the files or objects, which of them each chunk is in, and offsets and lengths there.

    Parameters
    ----------
    url
        The address of the source, by which its objects are to be named.

    Returns
    -------
    tuple
        URLs; which of them holds each chunk (None: the only one); offsets; lengths, 0 for what was never written.

    Raises
    ------
    SourceError
        If the source can't be read.
    """
    if manifest.which is not None:
        return tuple(f.url for f in manifest.files), manifest.which, manifest.offsets, manifest.lengths
    if manifest.keys is None:
        return (url,), None, manifest.offsets, manifest.lengths
    grid, keys = manifest.lengths.shape, manifest.keys
    held = keys.shards or (1,) * len(grid)
    objects = list(np.ndindex(*(-(-n // h) for n, h in zip(grid, held, strict=True))))
    names = [keys.of(index) for index in objects]
    which, offsets, lengths = np.zeros(grid, "u4"), np.zeros(grid, "u8"), np.zeros(grid, "u8")
    if keys.shards is None:
        sizes = _sizes(source, keys.array, names)
        which[...] = np.arange(len(names), dtype="u4").reshape(grid)
        lengths[...] = np.array([sizes.get(name, 0) for name in names], "u8").reshape(grid)
    else:
        tables = _together(source, [partial(shard_index, source, keys, name) for name in names])
        for number, (index, table) in enumerate(zip(objects, tables, strict=True)):
            region = tuple(slice(i * h, i * h + h) for i, h in zip(index, held, strict=True))
            which[region] = number
            if table is not None:
                inside = table[tuple(slice(n) for n in which[region].shape)]
                written = inside[..., 0] != ABSENT
                offsets[region] = np.where(written, inside[..., 0], 0)
                lengths[region] = np.where(written, inside[..., 1], 0)
    return tuple(f"{url.rstrip('/')}/{name}" for name in names), which, offsets, lengths


def _sizes(source: Source, array: str, names: Sequence[str]) -> dict[str, int]:
    """Give the sizes of an array's objects: by a listing, or, where a server gives none, one by one."""
    store = object_store(source)
    try:
        return {meta["path"]: meta["size"] for batch in obstore.list(store, array or None) for meta in batch}
    except (BaseError, OSError):
        found = _together(source, [partial(_size, source, name) for name in names])
        return {name: size for name, size in zip(names, found, strict=True) if size is not None}


def _size(source: Source, name: str) -> int | None:
    def head() -> int | None:
        try:
            return int(obstore.head(object_store(source), name)["size"])
        except FileNotFoundError:
            return None

    return checked(source, head)
