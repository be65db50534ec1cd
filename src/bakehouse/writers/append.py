"""Objects of a published store that new values reach into: nothing that a reader may be looking for is moved."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import obstore
from zarr.core.buffer import Buffer

from bakehouse.errors import PublishError
from bakehouse.plan.types import ArrayPlan
from bakehouse.storage import Target
from bakehouse.storage.target import joined
from bakehouse.writers.intact import note_tail
from bakehouse.writers.lock import insist_held
from bakehouse.writers.receipts import Written, array_of
from bakehouse.writers.shards import extend_shard, read_index
from bakehouse.writers.store import RecordingStore, data_store

SETTLED = timedelta(hours=1)
"""An object that has been as it is for so long has no reader left who holds an index of before."""
AT_ONCE_BYTES = 5 * 2**20
"""Objects that are longer are uploaded in parts, for which buckets take no condition."""


@dataclass(frozen=True)
class Tail:
    """The end of a published store: its arrays as planned, which dimension grows, and its length before.

    `known` are the keys of the objects that `version`, the published one, has. `run_id` names the run that holds the
    lock, which lies in `work`.
    """

    version: str
    run_id: str
    store: Target
    work: Target
    arrays: dict[str, ArrayPlan]
    along: str
    start: int
    known: frozenset[str]


class AppendingStore(RecordingStore):
    """Write new objects as they are; into objects that the published version has, only what is new.

    A shard keeps every old chunk at its old offset. What is about to be put is noted first, so that a run after a
    crash can tell its own work from damage. Before each object the lock is looked at: a run that stood still for long
    may wake up in a store that another has published meanwhile.
    """

    def __init__(self, tail: Tail) -> None:
        super().__init__(data_store(tail.store))
        self.tail = tail

    async def set(self, key: str, value: Buffer) -> None:
        """Write one object; into one that is published, what is new."""
        self.put(key, [value.to_bytes()])

    def put(self, key: str, parts: Iterable[Any]) -> None:
        """Write one object from its parts; into one that is published, what is new."""
        if key in self.tail.known:
            self.written[key] = put_merged(self.tail, key, b"".join(parts))
        else:
            super().put(key, parts)

    def place(self, target: Target, key: str, parts: Iterable[Any]) -> None:
        """Put an object that the published version lacks."""
        put_new(self.tail, key, parts)


def put_new(tail: Tail, key: str, parts: Iterable[Any]) -> None:
    """Put an object that the published version lacks; what a run that was killed left there gives way.

    A bucket replaces only what was there while the lock was held, so that a request that was under way when the run
    stood still can't harm. On a disk, and where an object is uploaded in parts, the lock is looked at last.

    Raises
    ------
    PublishError
        If the run has lost its lock.
    """
    if tail.store.is_local:
        return tail.store.put_parts(key, itertools.chain(parts, _nothing_more(tail)))
    data = joined(parts)
    insist_held(tail.work, tail.run_id)
    if len(data) > AT_ONCE_BYTES:
        return tail.store.put(key, data)
    if not tail.store.create(key, data):
        old = tail.store.get(key) or b""
        insist_held(tail.work, tail.run_id)
        _put_over(tail, key, data, old)
    return None


def _nothing_more(tail: Tail) -> Iterator[Any]:
    """Follow an object's last part, and come before its name: insist on the lock, and add nothing."""
    insist_held(tail.work, tail.run_id)
    yield from ()


def put_merged(tail: Tail, key: str, new: bytes) -> Written:
    """Note and put the bytes that take the place of an object of the published version.

    The lock is looked at after the object was read: what was there is then no other run's, and only that is replaced.

    Raises
    ------
    PublishError
        If the run has lost its lock, or another has changed the object meanwhile.
    """
    array, old = tail.arrays[array_of(key)], tail.store.get(key) or b""
    data = _merged_shard(tail, array, key, old, new) if array.shards else new
    insist_held(tail.work, tail.run_id)
    note_tail(tail.work, tail.version, key, data)
    if data != old:
        _put_over(tail, key, data, old)
    return Written(key, len(data), hashlib.sha256(data).hexdigest())


def _put_over(tail: Tail, key: str, data: bytes, old: bytes) -> None:
    if not tail.store.replace(key, data, old):
        raise PublishError(
            f"object '{key}' was changed by another run while this one added to it",
            tail.store.url,
            "this run has lost its lock",
            "run the update again",
        )


def _merged_shard(tail: Tail, array: ArrayPlan, key: str, old: bytes, new: bytes) -> bytes:
    grid = tuple(s // c for s, c in zip(array.objects, array.chunks, strict=True))
    count, i = math.prod(grid), array.dims.index(tail.along)
    first = position_of(key)[i] * array.objects[i]
    index = read_index(new, count)
    fresh = {}
    for number, place in enumerate(itertools.product(*map(range, grid))):
        offset, length = (int(n) for n in index[number])
        if first + (place[i] + 1) * array.chunks[i] > tail.start and offset + length <= len(new):
            fresh[number] = new[offset : offset + length]
    return extend_shard(old, fresh, count, reuse_gaps=_is_settled(tail.store, key))


def position_of(key: str) -> tuple[int, ...]:
    """Give an object's place in the grid of its array.

    Examples
    --------
    >>> position_of("sst/c/3/0"), position_of("sst/3.0")
    ((3, 0), (3, 0))
    """
    tail = key.rpartition("/c/")[2] if "/c/" in key else key.rpartition("/")[2]
    return () if tail == "c" else tuple(int(n) for n in tail.replace(".", "/").split("/"))


def _is_settled(store: Target, key: str) -> bool:
    modified: Any = obstore.head(store.store, key)["last_modified"]
    return bool(datetime.now(UTC) - modified > SETTLED)
