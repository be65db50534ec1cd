"""Index the chunks of HDF5 variables, so that regions are read as byte ranges and decoded outside HDF5's lock."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import h5py
import numpy as np

from bakehouse.manifests import Filter, Manifest
from bakehouse.storage import Source

INDEXES = 512
DEFLATE, SHUFFLE, FLETCHER32 = 1, 2, 3

_known: OrderedDict[tuple[Any, ...], Manifest | str] = OrderedDict()
_lock = threading.Lock()


def manifest_of(source: Source, path: str, shape: tuple[int, ...]) -> Manifest | str:
    """Index a variable's chunks, or say why they can't be read as byte ranges.

    Parameters
    ----------
    path
        The variable's name in the file, with its groups.
    shape
        What the reader library reports; it pads variables that are shorter than their unlimited dimension.
    """
    key = (source.location, source.identity, path)
    with _lock:
        if key in _known:
            _known.move_to_end(key)
            return _known[key]
    with h5py.File(source.path if source.is_local else source.open(), "r") as file:
        found = _index(file[path], shape) if path in file else "the file has no variable of that name"
    with _lock:
        _known[key] = found
        while len(_known) > INDEXES:
            _known.popitem(last=False)
    return found


def _index(dataset: h5py.Dataset, shape: tuple[int, ...]) -> Manifest | str:
    filters = _filters(dataset)
    if isinstance(filters, str):
        return filters
    if dataset.dtype.kind not in "iuf" or h5py.check_enum_dtype(dataset.dtype):
        return f"dtype {dataset.dtype} needs the HDF5 library"
    if dataset.shape != shape:
        return "the variable is shorter than its unlimited dimension"
    if dataset.chunks is None:
        return _contiguous(dataset)
    return _chunked(dataset, filters)


def _filters(dataset: h5py.Dataset) -> tuple[Filter, ...] | str:
    plist = dataset.id.get_create_plist()
    found = []
    for i in range(plist.get_nfilters()):
        code, _, values, name = plist.get_filter(i)
        if code == DEFLATE:
            found.append(Filter.of("zlib", level=values[0]))
        elif code == SHUFFLE:
            found.append(Filter.of("shuffle", elementsize=dataset.dtype.itemsize))
        elif code == FLETCHER32:
            found.append(Filter("fletcher32"))
        else:
            return f"filter {name.decode(errors='replace') or code} needs the HDF5 library"
    return tuple(found)


def _contiguous(dataset: h5py.Dataset) -> Manifest | str:
    plist = dataset.id.get_create_plist()
    if plist.get_layout() != h5py.h5d.CONTIGUOUS or dataset.external:
        return "the variable is stored inside the header or in another file"
    offset = dataset.id.get_offset()
    grid = (1,) * dataset.ndim
    offsets = np.full(grid, offset or 0, "u8")
    lengths = np.full(grid, 0 if offset is None else dataset.size * dataset.dtype.itemsize, "u8")
    return Manifest(
        dataset.shape, tuple(max(n, 1) for n in dataset.shape), dataset.dtype, (), dataset.fillvalue, offsets, lengths
    )


def _chunked(dataset: h5py.Dataset, filters: tuple[Filter, ...]) -> Manifest:
    grid = tuple(-(-n // c) for n, c in zip(dataset.shape, dataset.chunks, strict=True))
    offsets, lengths, masks = (np.zeros(grid, "u8") for _ in range(3))

    def note(chunk: Any) -> None:
        index = tuple(a // c for a, c in zip(chunk.chunk_offset, dataset.chunks, strict=True))
        if all(i < n for i, n in zip(index, grid, strict=True)):
            offsets[index], lengths[index], masks[index] = chunk.byte_offset, chunk.size, chunk.filter_mask

    dataset.id.chunk_iter(note)
    return Manifest(
        dataset.shape,
        dataset.chunks,
        dataset.dtype,
        filters,
        dataset.fillvalue,
        offsets,
        lengths,
        masks if masks.any() else None,
    )
