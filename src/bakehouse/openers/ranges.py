"""Read a region of an array from its manifest: fetch byte ranges, undo the filters, put the values in place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from bakehouse.chunks import Span
from bakehouse.errors import SourceError
from bakehouse.manifests import Cell, Manifest
from bakehouse.openers.codecs import FAULTS, decode
from bakehouse.openers.fetch import fetch
from bakehouse.storage import Source, read_ranges

BATCH_BYTES = 2**24
CACHE_BYTES = 2**20
"""HDF5's cache of a variable's chunks, unless it is told another size."""


def read_region(source: Source, manifest: Manifest, spans: tuple[Span, ...], out: Any = None) -> Any:
    """Read a region in the stored dtype; each chunk is fetched and decoded once.

    Parameters
    ----------
    out
        Where to put the values, if not into an array of their own.

    Raises
    ------
    SourceError
        If a range can't be read, or a chunk does not decode to what the manifest says.
    """
    if out is None:
        if (found := _one_chunk(source, manifest, spans)) is not None:
            return found
        out = np.empty([b - a for a, b in spans], dtype=manifest.dtype)
    batch: list[Cell] = []
    held = 0
    for cell in manifest.cells(spans):
        batch.append(cell)
        held += cell.length
        if held > BATCH_BYTES:
            _read_batch(source, manifest, batch, out)
            batch, held = [], 0
    _read_batch(source, manifest, batch, out)
    return out


def _one_chunk(source: Source, manifest: Manifest, spans: tuple[Span, ...]) -> Any:
    """Give a region that is one whole chunk as it was decoded, without a copy of it; None where it is not ours alone.

    What was shuffled is put into new memory when that is undone; other filters may give what is held elsewhere.
    """
    shuffled = [f.id for f in manifest.filters[:1]] == ["shuffle"]
    lengths = tuple(b - a for a, b in spans)
    if not shuffled or lengths != manifest.chunks or any(a % n for (a, _), n in zip(spans, lengths, strict=True)):
        return None
    (cell,) = manifest.cells(spans)
    (data,) = fetch(source, manifest, [cell.index]) if not skipped(manifest, cell.index) else (None,)
    if data is None:
        return None
    values = decode_chunk(source, manifest, cell.index, data)
    return values if values.shape == lengths else None


def _read_batch(source: Source, manifest: Manifest, cells: Sequence[Cell], out: Any) -> None:
    """Fetch the chunks of a batch together, then decode one after the other."""
    rows = None
    if _is_by_rows(manifest, cells):
        cells = [_rows(manifest, cells[0])]
        rows = cells[0].inside[0].stop if cells[0].inside else None
        found = read_ranges(source, [(c.offset, c.offset + c.length) for c in cells])
    else:
        found = fetch(source, manifest, [c.index for c in cells])
    for cell, data in zip(cells, found, strict=True):
        values = manifest.fill if data is None else decode_chunk(source, manifest, cell.index, data, rows)[cell.inside]
        out[cell.region] = values


def places(manifest: Manifest, spans: tuple[Span, ...]) -> list[Span]:
    """Say which bytes of its file the HDF5 library reads a region from: chunks that fit into its cache as a whole."""
    cells = [cell for cell in manifest.cells(spans) if cell.length]
    if manifest.chunk_bytes > CACHE_BYTES and _is_by_rows(manifest, cells):
        cells = [_rows(manifest, cells[0])]
    return [(cell.offset, cell.offset + cell.length) for cell in cells]


def _is_by_rows(manifest: Manifest, cells: Sequence[Cell]) -> bool:
    """Say whether all that is wanted are rows of one chunk, which can be read without the others."""
    return not manifest.filters and len(cells) == 1 and cells[0].length > 0 and manifest.is_one_file


def _rows(manifest: Manifest, cell: Cell) -> Cell:
    """Narrow an unfiltered chunk to the bytes of the rows that are wanted."""
    if not cell.inside:
        return cell
    row = manifest.chunk_bytes // manifest.chunks[0]
    first = cell.inside[0]
    inside = (slice(0, first.stop - first.start), *cell.inside[1:])
    return Cell(cell.index, inside, cell.region, cell.offset + first.start * row, (first.stop - first.start) * row)


def decode_chunk(source: Source, manifest: Manifest, index: tuple[int, ...], data: Any, rows: int | None = None) -> Any:
    """Give the values of a whole chunk, as its file has them; chunks that the array's end cuts are padded there.

    Parameters
    ----------
    rows
        How many rows the bytes are of, where they are not of a whole chunk.

    Raises
    ------
    SourceError
        If the bytes are not what the filters wrote, or hold less than the array has there.
    """
    with _naming(source, manifest, index):
        values = np.frombuffer(
            decode(manifest.filters, data, manifest.chunk_bytes, skipped(manifest, index)), manifest.dtype
        )
        if not manifest.chunks:
            return values.reshape(())
        values = values.reshape(-1, *manifest.chunks[1:])
        least = rows or min(manifest.chunks[0], manifest.shape[0] - index[0] * manifest.chunks[0])
        if len(values) < least:  # numpy would spread a single row over all
            raise ValueError(f"it holds {len(values)} of {least} rows")
        return values


def without_checksum(source: Source, manifest: Manifest, index: tuple[int, ...], data: Any) -> Any:
    """Check a chunk by the checksum that its last filter added, and give it without.

    Raises
    ------
    SourceError
        If the bytes are not those that the checksum was made of.
    """
    with _naming(source, manifest, index):
        return decode(manifest.filters[-1:], data, manifest.chunk_bytes)


def skipped(manifest: Manifest, index: tuple[int, ...]) -> int:
    """Give a chunk's filter mask: bit i says that filter i was not applied."""
    return int(manifest.masks[index]) if manifest.masks is not None else 0


@contextmanager
def _naming(source: Source, manifest: Manifest, index: tuple[int, ...]) -> Iterator[None]:
    try:
        yield
    except FAULTS as error:
        raise SourceError(
            f"chunk {index} at byte {int(manifest.offsets[index])} can't be decoded",
            source.where,
            f"{type(error).__name__}: {error}",
            "the file is damaged: fetch it again",
        ) from error
