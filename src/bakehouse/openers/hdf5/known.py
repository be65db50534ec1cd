"""What this process knows of the HDF5 files that it met: each header is read once, and kept while there is room."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import h5py
import xarray as xr
from h5py._objects import phil
from xarray.core import indexing

from bakehouse.errors import SourceError
from bakehouse.manifests import Manifest
from bakehouse.openers.hdf5 import alike
from bakehouse.openers.hdf5.chunks import index_chunks
from bakehouse.openers.hdf5.header import Header, HeaderVariable, open_path, read_header
from bakehouse.openers.hdf5.values import HDF5Array, close_files
from bakehouse.openers.raw import Raw
from bakehouse.storage import Source
from bakehouse.storage.identity import insist_still
from bakehouse.storage.memory import Memory
from bakehouse.storage.together import together

KEPT_BYTES = 2**28
LEARNT_CHUNKS = 2**11
"""Of how many chunks the nodes of an index, 32 chunks each at least, are among the blocks that a far file keeps."""

_headers = Memory(KEPT_BYTES)
_raw = Memory(KEPT_BYTES)
_single = Memory(KEPT_BYTES)


def header_of(source: Source, group: str) -> Header | None:
    """Give the header of a group, or None where the reader library has to read it.

    Raises
    ------
    SourceError
        If the file changed since it was surveyed.
    """
    key = (source.location, source.held, group)
    found = _headers.get(key)
    if found is None:
        found = _read(source, group) or "unclear"
        _headers.put(key, found, found.size_bytes if isinstance(found, Header) else 2**10)
    return found if isinstance(found, Header) else None


def known_header(source: Source, group: str) -> Header | None:
    """Give the header of a group if this process has read it, or was told it."""
    found = _headers.get((source.location, source.held, group))
    return found if isinstance(found, Header) else None


def remember(source: Source, group: str, header: Header) -> None:
    """Know the header of a group, as an earlier run read it from the same state of the file."""
    _headers.put((source.location, source.held, group), header, header.size_bytes)


def read_headers(sources: Iterable[Source], group: str) -> None:
    """Read the headers of several files at the same time; the first alone, since others may be of its kind.

    What goes wrong is for whoever opens the file to tell.
    """

    def read(source: Source) -> None:
        with suppress(SourceError):
            header_of(source, group)

    asked = [*sources]
    for some in (asked[:1], asked[1:]):
        for _ in together(read, some):
            pass


def _read(source: Source, group: str) -> Header | None:
    try:
        with _opened(source) as file:
            found = _known_or_read(source, file, group)
    except Exception:  # what this reader stumbles over, the library reads, or says what is wrong
        return None
    insist_still(source)
    return found


def _known_or_read(source: Source, file: Any, group: str) -> Header:
    """Read a header with the library, unless another file has said it in the same bytes."""
    look = found = None
    if not group and (source.is_local or source.is_ranged):  # what fsspec opens may fetch megabytes for each look
        with suppress(Exception):  # whatever is odd about it
            look = alike.look_at(file)
            found = alike.recall(look)
    if found is None:
        found = _whole(source, file, group)
        if look and (source.is_local or _is_near(found)):
            alike.learn(look, found)
    return found


def _is_near(header: Header) -> bool:
    """Say whether what the library read of a far file is still at hand: learning reads the chunk indexes once more."""
    found = (variable.manifest for variable in header.variables.values())
    return sum(m.offsets.size for m in found if isinstance(m, Manifest)) <= LEARNT_CHUNKS


def _opened(source: Source) -> Any:
    return _unlocked(open(source.path, "rb", buffering=0)) if source.is_local else source.open()


def _unlocked(file: Any) -> Any:
    """Insist that nobody is writing a file, as the HDF5 library does where the system has locks."""
    with suppress(ImportError):
        import fcntl

        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return file


def _whole(source: Source, file: Any, group: str) -> Header:
    with phil:  # taken once for all: threads that take turns call by call cost twice the time
        opened = open_path(source.path) if source.is_local else h5py.File(file, "r").id
        try:
            return read_header(opened, group)
        finally:
            opened.close()


def raw_group(source: Source, group: str) -> Raw | None:
    """Give a group undecoded, as xarray's ``h5netcdf`` engine does; None where that engine has to read it.

    Raises
    ------
    SourceError
        If the file changed since it was surveyed.
    """
    header, key = header_of(source, group), (source.location, source.held, group)
    if header is None:
        return None
    known: Raw | None = _raw.get(key)
    if known is not None:
        return known
    found = header.variables
    names = sorted(found, key=lambda name: found[name].dims == (name,))  # xarray lists coordinates last
    variables = {name: _variable(source, group, name, found[name]) for name in names}
    held = {name: v.values for name, v in found.items() if v.values is not None}
    raw = Raw(variables, dict(header.attrs), {"unlimited_dims": set(header.unlimited)}, held=held)
    _raw.put(key, raw, 2**12 * (1 + len(variables)))
    return raw


def _variable(source: Source, group: str, name: str, found: HeaderVariable) -> xr.Variable:
    data = indexing.LazilyIndexedArray(HDF5Array(source, f"{group}/{name}", found))
    encoding = {**found.encoding, "source": source.path}
    return xr.Variable(found.dims, data, dict(found.attrs), encoding, fastpath=True)


def manifest_of(source: Source, path: str, shape: tuple[int, ...]) -> Manifest | str:
    """Tell where a variable's chunks lie, or why they can't be read as byte ranges.

    Parameters
    ----------
    path
        The variable's name in the file, with its groups.
    shape
        What a reader sees; it pads variables that are shorter than their unlimited dimension.
    """
    group, _, name = path.strip("/").rpartition("/")
    header = header_of(source, group)
    if header is not None and name in header.variables:
        return header.variables[name].manifest
    key = (source.location, source.held, path)
    found = _single.get(key)
    if found is None:
        found = _indexed(source, path, shape)
        _single.put(key, found, 2**10 if isinstance(found, str) else 2**10 + 3 * found.offsets.nbytes)
    return found


def _indexed(source: Source, path: str, shape: tuple[int, ...]) -> Manifest | str:
    """Index one variable of a file whose header only the library reads."""
    with h5py.File(source.path if source.is_local else source.open(), "r") as file:
        found = file.get(path)
        if not isinstance(found, h5py.Dataset):
            return "the file has no variable of that name"
        if found.file.filename != file.filename:
            return "the variable lies in another file"
        return index_chunks(found.id, found.id.get_create_plist(), shape)


def forget() -> None:
    """Forget every header, and let go of the files that this process has open."""
    for memory in (_headers, _raw, _single):
        memory.clear()
    alike.forget()
    close_files()
