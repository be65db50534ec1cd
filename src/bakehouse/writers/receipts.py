"""What a task wrote: keys, sizes, hashes and source regions. A task is done when its receipt is there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from bakehouse.storage import Target
from bakehouse.storage.tables import read_table

Row = dict[str, Any]
"""One object in a proof."""


@dataclass(frozen=True)
class Written:
    """One object that was written: its key below the store's prefix, its size and its digest."""

    key: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Taken:
    """Where values came from: the input, the array, and the region of the store that it filled."""

    input: str
    array: str
    region: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Receipt:
    """What one task wrote, and from what."""

    task: str
    objects: tuple[Written, ...]
    sources: tuple[Taken, ...] = ()

    def to_json(self) -> bytes:
        """Serialise, byte for byte the same for the same content."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Receipt:
        """Read what `to_json` wrote.

        Examples
        --------
        >>> receipt = Receipt("t", (Written("a/c/0", 3, "ab"),), (Taken("x.nc", "a", ((0, 1),)),))
        >>> Receipt.from_json(receipt.to_json()) == receipt
        True
        """
        doc = json.loads(data)
        sources = tuple(Taken(s["input"], s["array"], tuple((a, b) for a, b in s["region"])) for s in doc["sources"])
        return cls(doc["task"], tuple(Written(**o) for o in doc["objects"]), sources)


def read_receipts(work: Target) -> dict[str, Receipt]:
    """Read all receipts of a version, by task."""
    names = [key for key, _ in work.list("receipts") if key.endswith(".json")]
    found = [_whole(work.get(name)) for name in names]
    return {receipt.task: receipt for receipt in found if receipt}


def receipt_key(task: str) -> str:
    """Give a receipt's key below the version's work folder."""
    return f"receipts/{task}.json"


def check_key(task: str, few: bool) -> str:
    """Give a comparison's key below the folder where they are noted, which says whether only a few inputs were read."""
    return f"{task}.few.json" if few else f"{task}.json"


def _whole(data: bytes | None) -> Receipt | None:
    """Read a receipt; one that a crash left cut counts as not written."""
    try:
        return Receipt.from_json(data or b"")
    except (ValueError, KeyError, TypeError):
        return None


def write_proof(receipts: Iterable[Receipt], kept: Iterable[Row] = ()) -> bytes:
    """Merge receipts, and what an earlier version's proof says of objects that are kept, into one Parquet table.

    Columns: ``key``, ``size_bytes``, ``sha256``, ``array``, ``task``, ``inputs`` (the URLs that the object's task took
    the array from).
    """
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    found = {str(row["key"]): row for row in kept} | {o.key: _row(o, r) for r in receipts for o in r.objects}
    rows = [found[key] for key in sorted(found)]
    schema = pa.schema(
        [
            ("key", pa.string()),
            ("size_bytes", pa.int64()),
            ("sha256", pa.string()),
            ("array", pa.string()),
            ("task", pa.string()),
            ("inputs", pa.list_(pa.string())),
        ]
    )
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), buffer, compression="zstd")
    return buffer.getvalue()


def read_proof(data: bytes) -> list[Row]:
    """Read the rows that `write_proof` wrote."""
    return list(read_table(data).to_pylist())


def _row(written: Written, receipt: Receipt) -> Row:
    array = array_of(written.key)
    inputs = sorted({s.input for s in receipt.sources if s.array == array})
    return {**asdict(written), "array": array, "task": receipt.task, "inputs": inputs}


def array_of(key: str) -> str:
    """Name the array that an object belongs to.

    Examples
    --------
    >>> array_of("sst/c/0/0"), array_of("group/sst/0.1")
    ('sst', 'group/sst')
    """
    head, _, _ = (
        key.rpartition("/c/")
        if "/c/" in key
        else (key.removesuffix("/c") if key.endswith("/c") else key.rpartition("/")[0], "", "")
    )
    return head
