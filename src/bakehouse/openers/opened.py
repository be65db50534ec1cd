"""Sources as their readers open them, undecoded: each once in a process, for as long as it is asked for."""

from __future__ import annotations

import atexit
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import xarray as xr

from bakehouse.errors import BakehouseError, SourceError
from bakehouse.openers.formats import NEEDS_LOCAL_FILE, group_in
from bakehouse.openers.hdf5 import forget, raw_group
from bakehouse.openers.index import references_of
from bakehouse.openers.local import as_local
from bakehouse.openers.raw import Raw
from bakehouse.storage import Source
from bakehouse.storage.memory import Memory
from bakehouse.storage.range_file import forget_heads

OPEN_FILES = 16
FILE_BYTES = 2**21
"""What an open file counts for, among what was opened and holds no file open."""

_known = Memory(OPEN_FILES * FILE_BYTES)


@dataclass(frozen=True)
class Opened:
    """How a source is opened: all that a worker needs to open it again."""

    source: Source
    engine: str
    kwargs: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def group(self) -> str:
        """Give the group inside the file."""
        return group_in(self.kwargs)

    @property
    def cache_key(self) -> tuple[Any, ...]:
        """Tell open files apart, by content and by way of opening."""
        return (self.source.location, self.source.identity, self.engine, repr(sorted(self.kwargs.items())))


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
    known: Raw | None = _known.get(opened.cache_key)
    if known is None:
        known = _open(opened)
        _known.put(opened.cache_key, known, known.index_bytes or FILE_BYTES)
    return known


def close_all() -> None:
    """Forget the files that this process has open, and what it knows of others."""
    _known.clear()
    forget()
    forget_heads()


atexit.register(close_all)  # h5py complains about files that are still open when the interpreter ends


def _open(opened: Opened) -> Raw:
    try:
        return _undecoded(opened).readable()
    except BakehouseError:
        raise
    except Exception as error:
        let_go(error)
        raise SourceError(
            f"cannot open the file with engine '{opened.engine}'",
            opened.source.where,
            f"{type(error).__name__}: {error}",
            "check that the file is whole and that file_type says what it is",
        ) from error


def _undecoded(opened: Opened) -> Raw:
    where, engine, kwargs = openable(opened), opened.engine, dict(opened.kwargs)
    if engine == "cfgrib":
        from bakehouse.openers.messages import open_messages

        return open_messages(where, kwargs)
    if engine == "kerchunk":
        engine, kwargs = "zarr", {"consolidated": False}
    return Raw.of(xr.open_dataset(where, engine=engine, decode_cf=False, chunks=None, cache=False, **kwargs))


def let_go(error: BaseException | None) -> None:
    """Drop what the frames of an error hold, of what led to it, too.

    HDF5 lets go of what is left of an open file when the process ends. Is that an object of Python's, the process ends
    with a segmentation fault, since Python has ended before (h5py 3.16).
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def openable(opened: Opened) -> Any:
    """Give what the engine wants: a path, a URL, a local copy, or an open file."""
    source = opened.source
    if opened.engine == "zarr":
        from bakehouse.openers.zarr import zarr_store

        return zarr_store(source)
    if opened.engine == "kerchunk":
        from bakehouse.openers import kerchunk

        return kerchunk.zarr_store(opened, references_of(opened))
    if source.is_local:
        return source.path
    return as_local(source) if opened.engine in NEEDS_LOCAL_FILE else source.open()
