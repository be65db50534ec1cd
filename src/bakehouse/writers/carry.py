"""Objects that a new version has in common with a published one: linked or copied on the server, never decoded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bakehouse.storage import Target
from bakehouse.writers.append import position_of
from bakehouse.writers.receipts import Row

COPIES_AT_ONCE = 16


def kept_rows(rows: Iterable[Row], arrays: Sequence[Mapping[str, Any]], written: set[str]) -> list[Row]:
    """Choose the objects of a published version that the new one has too: inside its arrays, and not written anew."""
    counts = {a["name"]: _count(a) for a in arrays}
    return [row for row in rows if row["key"] not in written and _is_inside(row, counts)]


def carry(rows: Sequence[Row], source: Target, target: Target) -> int:
    """Bring objects to another prefix of the same target; give the number that was not there yet."""
    there = dict(target.list())
    missing = [row["key"] for row in rows if there.get(row["key"]) != row["size_bytes"]]
    with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
        list(pool.map(lambda key: source.copy(key, target, key), missing))
    return len(missing)


def _count(array: Mapping[str, Any]) -> tuple[int, ...]:
    lengths = array["shards"] or array["chunks"]
    return tuple(-(-n // length) for n, length in zip(array["shape"], lengths, strict=True))


def _is_inside(row: Row, counts: Mapping[str, tuple[int, ...]]) -> bool:
    count = counts.get(row["array"])
    return count is not None and all(p < n for p, n in zip(position_of(row["key"]), count, strict=False))
