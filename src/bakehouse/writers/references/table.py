"""References as columns: for each array, in the order of its chunks, which URL, which offset, how many bytes."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bakehouse.errors import SchemaError
from bakehouse.plan.types import ArrayPlan

Numbers = np.ndarray[Any, Any]
Index = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Piece:
    """Where the chunks of one array lie that one input holds.

    Parameters
    ----------
    input
        The input's URL as the pattern has it.
    origin
        Where the input's first chunk lies in the array's grid.
    urls
        The files or objects that are referred to; `which` says which of them each chunk lies in, None the first.
    offsets, lengths
        Bytes, over the part of the grid that the input fills; length 0 where a chunk was never written.
    held
        Encoded chunks that are not in the input, by their index in that part: what was never written, and does not read
        as the store's fill value.
    """

    array: str
    input: str
    origin: Index
    urls: tuple[str, ...]
    offsets: Numbers
    lengths: Numbers
    which: Numbers | None = None
    held: Mapping[Index, bytes] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Column:
    """The references of one array over its whole grid; `held` has encoded chunks by their index."""

    which: Numbers
    offsets: Numbers
    lengths: Numbers
    held: Mapping[Index, bytes] = field(default_factory=dict)

    @property
    def grid(self) -> tuple[int, ...]:
        """Give the number of chunks along each dimension."""
        return tuple(self.lengths.shape)


@dataclass(frozen=True, eq=False)
class Table:
    """All references of a virtual store, by array.

    Examples
    --------
    >>> one = Column(np.zeros(2, "u4"), np.array([8, 16]), np.array([8, 0]))
    >>> table = Table(("a.nc",), {"sst": one})
    >>> table.at("sst/0"), table.at("sst/1"), Table.from_bytes(table.to_bytes()).at("sst/0")
    (('a.nc', 8, 8), None, ('a.nc', 8, 8))
    """

    urls: tuple[str, ...]
    columns: Mapping[str, Column]

    def at(self, key: str) -> bytes | tuple[str, int, int] | None:
        """Give what a chunk's key refers to: bytes that are held, or a URL with offset and length."""
        name, _, place = key.rpartition("/")
        column = self.columns.get(name)
        if column is None or not all(part.isdigit() for part in place.split(".")):
            return None
        index = tuple(map(int, place.split("."))) if column.lengths.ndim else ()
        if index in column.held:
            return column.held[index]
        if not all(i < n for i, n in zip(index, column.grid, strict=True)) or not column.lengths[index]:
            return None
        return self.urls[column.which[index]], int(column.offsets[index]), int(column.lengths[index])

    def to_bytes(self) -> bytes:
        """Write the table for another step of the same run."""
        held = {
            name: [[list(i), base64.b64encode(data).decode()] for i, data in c.held.items()]
            for name, c in self.columns.items()
        }
        said = json.dumps({"urls": self.urls, "held": held}).encode()
        arrays = {"said": np.frombuffer(said, "u1")}
        for number, column in enumerate(self.columns.values()):
            parts = zip(("w", "o", "l"), (column.which, column.offsets, column.lengths), strict=True)
            arrays |= {f"{part}{number}": values for part, values in parts}
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Table:
        """Read what `to_bytes` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as found:
            said = json.loads(found["said"].tobytes())
            columns = {
                name: Column(
                    found[f"w{number}"],
                    found[f"o{number}"],
                    found[f"l{number}"],
                    {tuple(index): base64.b64decode(text) for index, text in held},
                )
                for number, (name, held) in enumerate(said["held"].items())
            }
        return cls(tuple(said["urls"]), columns)


def tabulate(arrays: Iterable[ArrayPlan], pieces: Sequence[Piece], held: Mapping[str, Mapping[Index, bytes]]) -> Table:
    """Lay the pieces of all inputs into the arrays' grids; `held` has the chunks of arrays that are held as values.

    Raises
    ------
    SchemaError
        If two inputs claim one chunk.
    """
    numbers: dict[str, int] = {}
    mine: dict[str, list[Piece]] = {}
    for piece in pieces:
        mine.setdefault(piece.array, []).append(piece)
        for url in piece.urls:
            numbers.setdefault(url, len(numbers))
    columns = {a.name: _column(a, mine.get(a.name, []), numbers, held.get(a.name, {})) for a in arrays}
    return Table(tuple(numbers), columns)


def _column(
    array: ArrayPlan, pieces: Sequence[Piece], numbers: Mapping[str, int], held: Mapping[Index, bytes]
) -> Column:
    grid = tuple(-(-n // c) for n, c in zip(array.shape, array.chunks, strict=True))
    which, offsets, lengths = (np.zeros(grid, t) for t in ("u4", "u8", "u8"))
    taken, own = np.zeros(grid, bool), dict(held)
    for piece in pieces:
        region = tuple(slice(o, o + n) for o, n in zip(piece.origin, piece.lengths.shape, strict=True))
        if taken[region].shape != piece.lengths.shape or taken[region].any():
            raise _claimed(array.name, piece)
        taken[region], offsets[region], lengths[region] = True, piece.offsets, piece.lengths
        there = np.array([numbers[url] for url in piece.urls] or [0], "u4")  # none: all chunks are held as values
        which[region] = there[0] if piece.which is None else there[piece.which]
        own |= {tuple(o + i for o, i in zip(piece.origin, at, strict=True)): data for at, data in piece.held.items()}
    return Column(which, offsets, lengths, own)


def _claimed(name: str, piece: Piece) -> SchemaError:
    size = math.prod(piece.lengths.shape)
    return SchemaError(
        f"{size} chunks of '{name}' at {piece.origin} are not this input's alone",
        piece.input,
        "more than one Dataset came with its index, or it has another size than when it was surveyed",
        "give every Dataset an index of its own, and run again",
    )
