"""References to arrays in source files: what travels between workers instead of the arrays.

A `ReferenceArray` is an xarray backend array that holds no data: it names a variable of a source file. It survives
indexing, renaming, new attributes and pickling; reading a region opens the file where the reader is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends.common import BackendArray
from xarray.core import indexing

from bakehouse.chunks import span_of
from bakehouse.errors import BakehouseError, SourceError
from bakehouse.manifests import Manifest
from bakehouse.openers.index import manifest_of
from bakehouse.openers.opened import Opened, let_go, open_raw
from bakehouse.openers.ranges import read_region
from bakehouse.storage import Source
from bakehouse.storage.identity import insist_still

DRY_BYTES = 2**16
DIRECT_BYTES = 2**15


_library: ContextVar[bool] = ContextVar("bakehouse_library", default=False)


@contextmanager
def library_reads(asked: bool = True) -> Iterator[None]:
    """While active, values come from the reader library alone: a second opinion on what the manifests gave."""
    token = _library.set(asked)
    try:
        yield
    finally:
        _library.reset(token)


def is_library_asked() -> bool:
    """Say whether values are to come from the reader library."""
    return _library.get()


class ReferenceArray(BackendArray):
    """A variable of a source file, as the file stores it: not decoded, not loaded.

    A dry one never touches its source: it reads as zeros unless it is small or a dimension's coordinate.
    """

    def __init__(self, opened: Opened, name: str, raw: xr.Variable, dry: bool = False) -> None:
        self.opened, self.name = opened, name
        self.shape, self.dtype = raw.shape, raw.dtype
        self.attrs = dict(raw.attrs)
        self.chunks = raw.encoding.get("preferred_chunks") or _chunksizes(raw)
        self.dry = dry and raw.dims != (name,) and raw.dtype.kind != "O" and raw.nbytes > DRY_BYTES

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """Read a region."""
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

    @property
    def place(self) -> Source:
        """Name the file that the manifest is about."""
        return self.opened.source

    def manifest(self) -> Manifest | str:
        """Tell where the chunks lie, or why they can't be read as byte ranges."""
        return manifest_of(self.opened, self.name, self.shape)

    def _read(self, key: tuple[Any, ...]) -> Any:
        if self.dry:
            return _zeros(self.dtype, self.shape, key)
        if not _library.get() and (direct := self._direct(key)) is not None:
            return direct
        try:
            values = np.asarray(open_raw(self.opened).variables[self.name][key].values)
        except BakehouseError:
            raise
        except Exception as error:
            let_go(error)
            raise SourceError(
                f"cannot read variable '{self.name}'",
                self.opened.source.where,
                f"{type(error).__name__}: {error}",
                "the file may be damaged: fetch it again and compare its size",
            ) from error
        insist_still(self.opened.source)
        return values

    def _direct(self, key: tuple[Any, ...]) -> Any | None:
        """Read by byte ranges, where the file's chunks can be read so; None where the library has to, or is cheaper."""
        spans = tuple(s for k, n in zip(key, self.shape, strict=True) if (s := span_of(k, n)) is not None)
        if len(spans) < len(key) or math.prod(b - a for a, b in spans) * self.dtype.itemsize < DIRECT_BYTES:
            return None
        manifest = self.manifest()
        if isinstance(manifest, str):
            return None
        values = read_region(self.opened.source, manifest, spans).astype(self.dtype, copy=False)
        return values[tuple(0 if isinstance(k, int | np.integer) else slice(None) for k in key)]


def _chunksizes(raw: xr.Variable) -> dict[str, int] | None:
    sizes = raw.encoding.get("chunksizes")
    return dict(zip(raw.dims, sizes, strict=True)) if sizes else None  # type: ignore[arg-type]


def _zeros(dtype: np.dtype[Any], shape: tuple[int, ...], key: tuple[Any, ...]) -> Any:
    """Stand in for a region without reading it: zeros of the right shape that take no memory."""
    lengths = [
        len(range(*k.indices(n))) if isinstance(k, slice) else np.size(k) for k, n in zip(key, shape, strict=True)
    ]
    kept = [n for k, n in zip(key, lengths, strict=True) if not isinstance(k, int | np.integer)]
    return np.broadcast_to(np.zeros((), dtype), kept)
