"""The one door to chunks as they are stored: byte ranges of a file, objects of a zarr store, chunks inside shards."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any, TypeVar

import numpy as np
import obstore

from bakehouse.errors import SourceError
from bakehouse.manifests import ChunkKeys, Manifest
from bakehouse.storage import Source, read_ranges
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
    if manifest.keys is None:
        return _from_file(source, manifest, indexes)
    if manifest.keys.shards is None:
        keys = manifest.keys
        return _together(source, [partial(_whole, source, keys.of(index)) for index in indexes])
    return _from_shards(source, manifest.keys, indexes)


def _from_file(source: Source, manifest: Manifest, indexes: Sequence[Index]) -> list[Any]:
    places = [(int(manifest.offsets[i]), int(manifest.lengths[i])) for i in indexes]
    found = iter(read_ranges(source, [(at, at + length) for at, length in places if length]))
    return [next(found) if length else None for _, length in places]


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
        If it is damaged.
    """
    shards = keys.shards or ()
    size = 16 * math.prod(shards) + 4 * keys.index_checked
    options: Any = {"range": {"suffix": size} if keys.index_at_end else (0, size)}
    try:
        data = bytes(obstore.get(object_store(source), name, options=options).bytes())
    except FileNotFoundError:
        return None
    if len(data) < size or (keys.index_checked and _crc32c(data[:-4]) != int.from_bytes(data[-4:], "little")):
        raise SourceError(f"the index of shard '{name}' is damaged", source.where, None, "fetch the store again")
    return np.frombuffer(data, "<u8", 2 * math.prod(shards)).reshape(*shards, 2)


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
    from bakehouse.openers.reference import zarr_store

    return zarr_store(source).store


def _together(source: Source, tasks: Iterable[Callable[[], T]]) -> list[T]:
    """Run requests at the same time where they go over a network, in their order."""
    asked = list(tasks)
    if source.is_local or len(asked) < 2:
        return [task() for task in asked]
    with ThreadPoolExecutor(min(AT_ONCE, len(asked)), "bakehouse-fetch") as pool:
        return list(pool.map(lambda task: task(), asked))
