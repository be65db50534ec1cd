"""Index the chunks of HDF5 variables, so that regions are read as byte ranges and decoded outside HDF5's lock."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5t

from bakehouse.manifests import Manifest
from bakehouse.openers.hdf5.filters import filters_of


def index_chunks(dataset: Any, plist: Any, shape: tuple[int, ...]) -> Manifest | str:
    """Index a variable's chunks, or say why they can't be read as byte ranges.

    Parameters
    ----------
    dataset, plist
        Open, as h5py's low-level identifiers: the dataset, and how it was created.
    shape
        What a reader sees, which is longer where a variable is shorter than its unlimited dimension.
    """
    dtype = dataset.dtype
    filters = filters_of(plist, dtype.itemsize)
    if isinstance(filters, str):
        return filters
    if dtype.kind not in "iuf" or h5py.check_enum_dtype(dtype):
        return f"dtype {dtype} needs the HDF5 library"
    if not dataset.get_type().equal(h5t.py_create(dtype)):
        return "its numbers are stored with another precision than memory has, and need the HDF5 library"
    if dataset.shape != shape:
        return "the variable is shorter than its unlimited dimension"
    fill = np.zeros((), dtype)
    plist.get_fill_value(fill)
    if plist.get_layout() == h5d.CHUNKED:
        chunks = plist.get_chunk()
        offsets, lengths, masks = _chunked(dataset, chunks, shape)
        if filters and (lengths[_cut(chunks, shape)] == math.prod(chunks) * dtype.itemsize).any():
            return "its chunks at the edge may be stored without filters, which the HDF5 library tells alone"
        return Manifest(shape, chunks, dtype, filters, fill[()], offsets, lengths, masks)
    if plist.get_layout() != h5d.CONTIGUOUS or plist.get_external_count() > 0:
        return "the variable is stored inside the header or in another file"
    offset = dataset.get_offset()
    offsets = np.full((1,) * len(shape), offset or 0, "u8")
    lengths = np.full((1,) * len(shape), 0 if offset is None else math.prod(shape) * dtype.itemsize, "u8")
    return Manifest(shape, tuple(max(n, 1) for n in shape), dtype, (), fill[()], offsets, lengths)


def _chunked(dataset: Any, chunks: tuple[int, ...], shape: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """List offsets, lengths and filter masks on the grid of chunks."""
    grid = tuple(-(-n // c) for n, c in zip(shape, chunks, strict=True))
    offsets, lengths, masks = (np.zeros(grid, "u8") for _ in range(3))

    def note(chunk: Any) -> None:
        index = tuple(a // c for a, c in zip(chunk.chunk_offset, chunks, strict=True))
        if all(i < n for i, n in zip(index, grid, strict=True)):
            offsets[index], lengths[index], masks[index] = chunk.byte_offset, chunk.size, chunk.filter_mask

    dataset.chunk_iter(note)
    return offsets, lengths, masks if masks.any() else None


def _cut(chunks: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """Mark the chunks that the end of the array cuts; files may leave those unfiltered, without a filter mask."""
    grid = tuple(-(-n // c) for n, c in zip(shape, chunks, strict=True))
    at_end = [(np.arange(g) + 1) * c > n for g, n, c in zip(grid, shape, chunks, strict=True)]
    return reduce(np.logical_or.outer, at_end)
