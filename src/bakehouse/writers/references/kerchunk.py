"""Virtual stores as kerchunk spells them: one JSON document (version 1), or a folder of Parquet files."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np

from bakehouse.writers.references.table import Column, Table
from bakehouse.writers.template import Documents

JSON_NAME = "refs.json"
PARQUET_NAME = ".zmetadata"
RECORDS = 10_000
"""References per Parquet file."""


def root_name(format: str) -> str:
    """Name the object that makes a virtual store visible.

    Examples
    --------
    >>> root_name("kerchunk-json"), root_name("kerchunk-parquet")
    ('refs.json', '.zmetadata')
    """
    return JSON_NAME if format == "kerchunk-json" else PARQUET_NAME


def spell(format: str, table: Table, documents: Documents) -> Documents:
    """Give the objects of a virtual store; the last is the one that makes it visible.

    Examples
    --------
    >>> column = Column(np.zeros(1, "u4"), np.array([8]), np.array([16]))
    >>> documents = {".zgroup": b'{"zarr_format": 2}', "sst/.zarray": b'{"shape": [4]}'}
    >>> json.loads(spell("kerchunk-json", Table(("file:///a.nc",), {"sst": column}), documents)["refs.json"])["refs"]
    {'.zgroup': '{"zarr_format": 2}', 'sst/.zarray': '{"shape": [4]}', 'sst/0': ['file:///a.nc', 8, 16]}
    """
    if format == "kerchunk-json":
        return {JSON_NAME: _json(table, documents)}
    files = {
        f"{name}/refs.{number}.parq": data
        for name, column in table.columns.items()
        for number, data in enumerate(_parquet(table, column))
    }
    return {**files, PARQUET_NAME: parquet_root(documents)}


def parquet_root(documents: Documents) -> bytes:
    """Give the root of a folder of Parquet files: all documents, and how many references each file has."""
    others = {key: json.loads(data) for key, data in sorted(documents.items()) if key != PARQUET_NAME}
    return json.dumps({"metadata": others, "record_size": RECORDS}, indent=1).encode()


def _json(table: Table, documents: Documents) -> bytes:
    """Write the document from ready pieces of text: what is the same in many references is made once."""
    texts = [f"{json.dumps(key)}:{json.dumps(data.decode())}" for key, data in sorted(documents.items())]
    urls = [json.dumps(url) for url in table.urls]
    for name, column in table.columns.items():
        texts += _lines(name, column, urls)
    return ('{"version":1,"refs":{\n' + ",\n".join(texts) + "\n}}\n").encode()


def _lines(name: str, column: Column, urls: list[str]) -> Iterator[str]:
    import base64

    start = json.dumps(f"{name}/")[:-1]
    keys = _keys(column.grid)
    there = np.flatnonzero(column.lengths.ravel())
    which, offsets, lengths = (each.ravel()[there].tolist() for each in (column.which, column.offsets, column.lengths))
    held = {".".join(map(str, index)) or "0": data for index, data in column.held.items()}
    for place, url, offset, length in zip(there.tolist(), which, offsets, lengths, strict=True):
        yield f'{start}{keys[place]}":[{urls[url]},{offset},{length}]'
    for key, data in held.items():
        yield f'{start}{key}":"base64:{base64.b64encode(data).decode()}"'


def _keys(grid: tuple[int, ...]) -> list[str]:
    """List the chunk keys of a grid, in its order."""
    return [".".join(key) for key in product(*([str(i) for i in range(n)] for n in grid))] if grid else ["0"]


def _parquet(table: Table, column: Column) -> Iterator[bytes]:
    """Write a column as files of equally many references."""
    size = column.lengths.size
    held = {int(np.ravel_multi_index(i, column.grid)) if i else 0: data for i, data in column.held.items()}
    urls = np.array([*table.urls, None], object)
    which = np.where(column.lengths.ravel() > 0, column.which.ravel(), len(table.urls))
    for start in range(0, max(size, 1), RECORDS):
        part = slice(start, min(start + RECORDS, size))
        raw = [held.get(i) for i in range(part.start, part.stop)] if held else None
        yield _file(urls[which[part]], column.offsets.ravel()[part], column.lengths.ravel()[part], raw)


def _file(paths: Any, offsets: Any, lengths: Any, raw: list[bytes | None] | None) -> bytes:
    """Write one file; each has all its rows, so that a reference's place follows from its chunk's.

    fastparquet, with which fsspec reads, takes numbers without statistics for floats, and text without a dictionary
    for text whose missing values are NaN.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    short = RECORDS - len(paths)
    columns: Mapping[str, Any] = {
        "path": pa.array([*paths, *[None] * short], pa.string()),
        "offset": pa.array(np.pad(offsets.astype("i8"), (0, short))),
        "size": pa.array(np.pad(lengths.astype("i8"), (0, short))),
        "raw": pa.array([*(raw or [None] * len(paths)), *[None] * short], pa.binary()),
    }
    buffer = io.BytesIO()
    said: Any = {"use_dictionary": ["path"], "dictionary_pagesize_limit": 2**26, "write_statistics": ["offset", "size"]}
    pq.write_table(pa.table(columns), buffer, compression="zstd", **said)
    return buffer.getvalue()
