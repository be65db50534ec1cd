"""Small Parquet tables that are read whole, from memory and in the thread that asks."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa


def read_table(
    data: bytes, columns: Sequence[str] | None = None, read_dictionary: Sequence[str] | None = None
) -> pa.Table:
    """Read a Parquet file; `columns` are those to read, `read_dictionary` those to keep as dictionaries.

    No thread of Arrow's is used. One that still lets go of a Python object when the interpreter ends aborts the
    process, after all its work is done (https://github.com/apache/arrow/issues/34314).

    Raises
    ------
    pyarrow.ArrowInvalid
        If `data` is not a Parquet file.

    Examples
    --------
    >>> import pyarrow as pa, pyarrow.parquet as pq
    >>> buffer = io.BytesIO()
    >>> pq.write_table(pa.table({"key": ["a", "b"], "size": [1, 2]}), buffer)
    >>> read_table(buffer.getvalue(), columns=["size"]).to_pydict()
    {'size': [1, 2]}
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(io.BytesIO(data), read_dictionary=read_dictionary, pre_buffer=False) as file:
        return file.read(columns=columns and list(columns), use_threads=False)
