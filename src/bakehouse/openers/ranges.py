"""Read a region of an array from its manifest: fetch byte ranges, undo the filters, put the values in place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import deflate
import numcodecs
import numpy as np

from bakehouse.chunks import Span
from bakehouse.errors import SourceError
from bakehouse.manifests import Cell, Filter, Manifest
from bakehouse.openers.fetch import fetch
from bakehouse.storage import Source, read_ranges

BATCH_BYTES = 2**24
SPARE_BYTES = 64
"""Room for what a filter inside of a compressor adds: a checksum."""


def read_region(source: Source, manifest: Manifest, spans: tuple[Span, ...]) -> Any:
    """Read a region in the stored dtype; each chunk is fetched and decoded once.

    Raises
    ------
    SourceError
        If a range can't be read, or a chunk does not decode to what the manifest says.
    """
    out = np.full([b - a for a, b in spans], manifest.fill, dtype=manifest.dtype)
    batch: list[Cell] = []
    for cell in manifest.cells(spans):
        if cell.length:
            batch.append(cell)
        if sum(c.length for c in batch) > BATCH_BYTES:
            _read_batch(source, manifest, batch, out)
            batch = []
    _read_batch(source, manifest, batch, out)
    return out


def _read_batch(source: Source, manifest: Manifest, cells: Sequence[Cell], out: Any) -> None:
    """Fetch the chunks of a batch together, then decode one after the other."""
    if not manifest.filters and len(cells) == 1 and manifest.keys is None:
        cells = [_rows(manifest, cells[0])]
        found = read_ranges(source, [(c.offset, c.offset + c.length) for c in cells])
    else:
        found = fetch(source, manifest, [c.index for c in cells])
    for cell, data in zip(cells, found, strict=True):
        if data is not None:
            out[cell.region] = _decoded(source, manifest, cell, data)


def _rows(manifest: Manifest, cell: Cell) -> Cell:
    """Narrow an unfiltered chunk to the bytes of the rows that are wanted."""
    if not cell.inside:
        return cell
    row = manifest.chunk_bytes // manifest.chunks[0]
    first = cell.inside[0]
    inside = (slice(0, first.stop - first.start), *cell.inside[1:])
    return Cell(cell.index, inside, cell.region, cell.offset + first.start * row, (first.stop - first.start) * row)


def _decoded(source: Source, manifest: Manifest, cell: Cell, data: Any) -> Any:
    skipped = int(manifest.masks[cell.index]) if manifest.masks is not None else 0
    try:
        for i in reversed(range(len(manifest.filters))):
            if not skipped >> i & 1:
                data = undo(manifest.filters[i], data, manifest.chunk_bytes)
        values = np.frombuffer(data, manifest.dtype)
        return values.reshape(-1, *manifest.chunks[1:])[cell.inside] if manifest.chunks else values.reshape(())
    except (ValueError, RuntimeError, deflate.DeflateError) as error:
        raise SourceError(
            f"chunk {cell.index} at byte {cell.offset} can't be decoded",
            source.where,
            f"{type(error).__name__}: {error}",
            "the file is damaged: fetch it again",
        ) from error


def undo(step: Filter, data: Any, size_bytes: int) -> Any:
    """Undo one filter; `size_bytes` is what a whole chunk decodes to."""
    if step.id == "zlib":
        return deflate.zlib_decompress(data, size_bytes + SPARE_BYTES)
    if step.id == "gzip":
        return deflate.gzip_decompress(data, size_bytes + SPARE_BYTES)
    if step.id == "grib":
        from bakehouse.openers.grib import field_values

        return field_values(data, str(dict(step.config)["dtype"]))
    return codec_of(step).decode(data)


@cache
def codec_of(step: Filter) -> Any:
    """Give the numcodecs codec of a filter."""
    return numcodecs.get_codec(step.as_config())
