"""References to arrays in source files: what travels between workers instead of the arrays.

A `ReferenceArray` is an xarray backend array that holds no data: it names a variable of a source file. It survives
indexing, renaming, new attributes and pickling; reading a region opens the file where the reader is.
"""

from __future__ import annotations

import atexit
import math
import threading
import traceback
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends.common import BackendArray
from xarray.core import indexing

from bakehouse.chunks import span_of
from bakehouse.errors import BakehouseError, SourceError
from bakehouse.manifests import Manifest
from bakehouse.openers.hdf5 import forget, raw_group
from bakehouse.openers.index import manifest_of, references_of
from bakehouse.openers.local import as_local
from bakehouse.openers.ranges import read_region
from bakehouse.openers.raw import Raw
from bakehouse.storage import Source
from bakehouse.storage.identity import insist_still
from bakehouse.storage.memory import Memory
from bakehouse.storage.range_file import forget_heads

OPEN_FILES = 16
INDEX_BYTES = 2**25
"""How much is kept of what was opened and holds no file open, as what cfgrib opens."""
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


@dataclass(frozen=True)
class Opened:
    """How a source is opened: all that a worker needs to open it again."""

    source: Source
    engine: str
    kwargs: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def group(self) -> str:
        """Give the group inside the file."""
        return str(self.kwargs.get("group") or "").strip("/")

    @property
    def cache_key(self) -> tuple[Any, ...]:
        """Tell open files apart, by content and by way of opening."""
        return (self.source.location, self.source.identity, self.engine, repr(sorted(self.kwargs.items())))


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
            _let_go(error)
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


_files: OrderedDict[tuple[Any, ...], Raw] = OrderedDict()
_lock = threading.Lock()
_indexed = Memory(INDEX_BYTES)


def open_raw(opened: Opened) -> Raw:
    """Open a source undecoded, or give the copy that this process has open.

    Raises
    ------
    SourceError
        If the file can't be opened.
    """
    plain = opened.engine == "h5netcdf" and set(opened.kwargs) <= {"group"}
    if plain and (found := raw_group(opened.source, opened.group)) is not None:
        return found
    key = opened.cache_key
    known: Raw | None = _indexed.get(key)
    with _lock:
        if key in _files:
            _files.move_to_end(key)
            known = _files[key]
    return known or _kept(key, _open(opened), opened.engine)


def _kept(key: tuple[Any, ...], raw: Raw, engine: str) -> Raw:
    if engine == "cfgrib":
        from bakehouse.openers.messages import held_bytes

        _indexed.put(key, raw, held_bytes(raw))
        return raw
    with _lock:
        _files[key] = raw
        while len(_files) > OPEN_FILES:
            _files.popitem(last=False)
    return raw


def close_all() -> None:
    """Forget the files that this process has open, and what it knows of others."""
    with _lock:
        _files.clear()
    _indexed.clear()
    forget()
    forget_heads()


atexit.register(close_all)  # h5py complains about files that are still open when the interpreter ends


def _open(opened: Opened) -> Raw:
    source = opened.source
    engine, kwargs = opened.engine, dict(opened.kwargs)
    if engine == "kerchunk":
        engine, kwargs = "zarr", {"consolidated": False}
    try:
        raw = _undecoded(opened, engine, kwargs)
    except BakehouseError:
        raise
    except Exception as error:
        _let_go(error)
        raise SourceError(
            f"cannot open the file with engine '{opened.engine}'",
            source.where,
            f"{type(error).__name__}: {error}",
            "check that the file is whole and that file_type says what it is",
        ) from error
    return raw.readable()


def _let_go(error: BaseException | None) -> None:
    """Drop what the frames of an error hold, of what led to it, too.

    HDF5 lets go of what is left of an open file when the process ends. Is that an object of Python's, the process ends
    with a segmentation fault, since Python has ended before (h5py 3.16).
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def _undecoded(opened: Opened, engine: str, kwargs: Mapping[str, Any]) -> Raw:
    where = openable(opened)
    if engine == "cfgrib":
        from bakehouse.openers.messages import open_messages

        return open_messages(where, kwargs)
    return Raw.of(xr.open_dataset(where, engine=engine, decode_cf=False, chunks=None, cache=False, **kwargs))


def openable(opened: Opened) -> Any:
    """Give what the engine wants: a path, a URL, a local copy, or an open file."""
    from bakehouse.openers.formats import NEEDS_LOCAL_FILE

    source = opened.source
    if opened.engine == "zarr":
        return zarr_store(source)
    if opened.engine == "kerchunk":
        from bakehouse.openers import kerchunk

        return kerchunk.zarr_store(opened, references_of(opened))
    if source.is_local:
        return source.path
    return as_local(source) if opened.engine in NEEDS_LOCAL_FILE else source.open()


def zarr_store(source: Source) -> Any:
    """Open a zarr source for reading, over obstore."""
    from obstore.store import LocalStore
    from zarr.storage import ObjectStore

    from bakehouse.storage import Target

    if source.is_local:
        return ObjectStore(LocalStore(prefix=source.path), read_only=True)
    return ObjectStore(Target(source.location, source.options).store, read_only=True)


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
