"""Values of HDF5 variables as the HDF5 library reads them: small arrays, and whatever no manifest describes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5s
from xarray.backends.common import BackendArray
from xarray.core import indexing

from bakehouse.chunks import Span, span_of
from bakehouse.openers.hdf5.filters import PLUGINS
from bakehouse.openers.hdf5.header import HeaderVariable, open_path
from bakehouse.openers.ranges import places
from bakehouse.storage import Source
from bakehouse.storage.memory import Memory
from bakehouse.storage.range_file import foreseen

OPEN_BYTES = 2**26
LOCAL_BYTES, REMOTE_BYTES = 2**20, 2**22
"""About what an open file holds: of a remote one also the latest blocks."""
Opening = tuple[Any, Any]
"""h5py's low-level identifier of a file, and the Python file that it reads from, if it does."""

_files = Memory(OPEN_BYTES)


class HDF5Array(BackendArray):
    """A variable of an HDF5 file, read by the HDF5 library; what lies beyond its end is fill."""

    def __init__(self, source: Source, path: str, found: HeaderVariable) -> None:
        self.source, self.path = source, path
        self.shape, self.dtype, self.values = found.shape, found.dtype, found.values
        self.manifest = found.manifest
        filters = () if isinstance(found.manifest, str) else found.manifest.filters
        self.needs_plugin = any(step.id in PLUGINS for step in filters)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """Read a region."""
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER_1VECTOR, self._read)

    def _read(self, key: tuple[Any, ...]) -> Any:
        if self.values is not None:
            return np.array(self.values[key])
        if self.needs_plugin:
            with suppress(ImportError):  # without it, the library says which filter it lacks
                import hdf5plugin  # noqa: F401 - registers its filters
        file = open_file(self.source)  # held while it is read: somebody else may forget it meanwhile
        with foreseen(file[1], self._ranges(key)):
            return _read(h5d.open(file[0], self.path.encode()), key, self.shape, self.dtype)

    def _ranges(self, key: tuple[Any, ...]) -> list[Span]:
        """Say which bytes the library is going to ask for, as far as the manifest tells."""
        spans = tuple(s for k, n in zip(key, self.shape, strict=True) if (s := span_of(k, n)) is not None)
        if self.source.is_local or isinstance(self.manifest, str) or len(spans) < len(key):
            return []
        return places(self.manifest, spans)


def open_file(source: Source) -> Opening:
    """Open a file, or give the one that this process has open."""
    key = (source.location, source.held)
    file: Opening | None = _files.get(key)
    if file is None:
        below = None if source.is_local else source.open()
        file = (open_path(source.path) if below is None else h5py.File(below, "r").id, below)
        _files.put(key, file, LOCAL_BYTES if below is None else REMOTE_BYTES)
    return file


def close_files() -> None:
    """Let go of the files that this process has open."""
    _files.clear()


def _read(dataset: Any, key: tuple[Any, ...], shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Read a region of an open variable; numbers that are wanted whole take the shortest way."""
    if dataset.shape == shape and dtype.kind in "iuf" and _is_whole(key, shape):
        values = np.empty(shape, dtype)
        dataset.read(h5s.ALL, h5s.ALL, values)
        return values
    held: Any = h5py.Dataset(dataset)
    found = held[key] if held.shape == shape else _padded(held, key, shape)
    return found.astype(dtype, copy=False)


def _is_whole(key: tuple[Any, ...], shape: tuple[int, ...]) -> bool:
    return all(isinstance(k, slice) and k.indices(n) == (0, n, 1) for k, n in zip(key, shape, strict=True))


def _padded(held: h5py.Dataset, key: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """Read a region of a variable that is shorter than its dimensions: what is there, and fill beyond its end."""
    wanted = [np.atleast_1d(np.arange(n)[k]) for k, n in zip(key, shape, strict=True)]
    there = [at[at < n] for at, n in zip(wanted, held.shape, strict=True)]
    out = np.full([at.size for at in wanted], held.fillvalue, held.dtype)
    if all(at.size for at in there):
        out[tuple(slice(at.size) for at in there)] = held[tuple(_selected(at) for at in there)]
    return out[tuple(0 if isinstance(k, int | np.integer) else slice(None) for k in key)]


def _selected(at: np.ndarray[Any, Any]) -> Any:
    """Give rising positions as a slice where they are one: HDF5 takes a single list of them only."""
    steps = set(np.diff(at).tolist()) or {1}
    return slice(int(at[0]), int(at[-1]) + 1, steps.pop()) if len(steps) == 1 else at
