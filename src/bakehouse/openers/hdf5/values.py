"""Values of HDF5 variables as the HDF5 library reads them: small arrays, and whatever no manifest describes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from typing import Any

import h5py
import numpy as np
from xarray.backends.common import BackendArray
from xarray.core import indexing

from bakehouse.openers.hdf5.filters import PLUGINS
from bakehouse.openers.hdf5.header import HeaderVariable
from bakehouse.storage import Source

OPEN_FILES = 16

_files: OrderedDict[Any, h5py.File] = OrderedDict()
_lock = threading.Lock()


class HDF5Array(BackendArray):
    """A variable of an HDF5 file, read by the HDF5 library; what lies beyond its end is fill."""

    def __init__(self, source: Source, path: str, found: HeaderVariable) -> None:
        self.source, self.path = source, path
        self.shape, self.dtype, self.values = found.shape, found.dtype, found.values
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
        held: Any = open_file(self.source)[self.path]
        found = held[key] if held.shape == self.shape else _padded(held, self.shape)[key]
        return found.astype(self.dtype, copy=False)


def open_file(source: Source) -> h5py.File:
    """Open a file, or give the one that this process has open."""
    key = (source.location, source.held)
    with _lock:
        if key in _files:
            _files.move_to_end(key)
            return _files[key]
    file = h5py.File(source.path if source.is_local else source.open(), "r")
    with _lock:
        _files[key] = file
        while len(_files) > OPEN_FILES:
            _files.popitem(last=False)
    return file


def close_files() -> None:
    """Let go of the files that this process has open."""
    with _lock:
        _files.clear()


def _padded(held: h5py.Dataset, shape: tuple[int, ...]) -> Any:
    """Read a variable that is shorter than its dimensions."""
    values = np.full(shape, held.fillvalue, held.dtype)

    values[tuple(slice(0, n) for n in held.shape)] = held[()]
    return values
