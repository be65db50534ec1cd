"""Look references up in a folder of Parquet files."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from typing import Any

from bakehouse.storage import Target
from bakehouse.storage.tables import read_table
from bakehouse.writers.references.chunks import Reference
from bakehouse.writers.references.kerchunk import PARQUET_NAME
from bakehouse.writers.template import Documents

FILES = 64


def from_parquet(target: Target, documents: Documents, key: str) -> Reference:
    """Look a chunk up: its place in the grid is its place in the files."""
    name, _, place = key.rpartition("/")
    if f"{name}/.zarray" not in documents or not all(part.isdigit() for part in place.split(".")):
        return None
    shape, chunks, records = _said(documents[f"{name}/.zarray"], documents[PARQUET_NAME])
    number = 0
    for index, n, c in zip(map(int, place.split(".")), shape, chunks, strict=False):
        number = number * -(-n // c) + index
    found = _records(target, f"{name}/refs.{number // records}.parq")
    if found is None:
        return None
    row = {column: found[column][number % records].as_py() for column in ("path", "offset", "size", "raw")}
    if row["raw"] is not None:
        return bytes(row["raw"])
    return (row["path"], row["offset"], row["size"]) if row["path"] is not None else None


@lru_cache(maxsize=FILES)
def _said(document: bytes, root: bytes) -> tuple[list[int], list[int], int]:
    array = json.loads(document)
    return array["shape"], array["chunks"], json.loads(root)["record_size"]


_tables: dict[tuple[str, str, int], Any] = {}


def _records(target: Target, key: str) -> Any:
    """Read one file of references, once per process."""
    where = (target.url, key, os.getpid())
    if where not in _tables:
        if (data := target.get(key)) is None:
            return None
        while len(_tables) >= FILES:
            _tables.pop(next(iter(_tables)))
        _tables[where] = read_table(data)
    return _tables[where]
