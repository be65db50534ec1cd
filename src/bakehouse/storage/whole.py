"""Whole files, read once from beginning to end: counted, hashed, and asked for again when a transfer is cut."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import obstore

from bakehouse.errors import BakehouseError, SourceError, StorageError
from bakehouse.schema import Identity
from bakehouse.storage.identity import checked, fsspec_identity, identity_of, is_weak, what_changed
from bakehouse.storage.ranges import fsspec_open, open_local
from bakehouse.storage.remote import RETRIES, first_line, needs_fsspec, open_remote

if TYPE_CHECKING:
    from bakehouse.storage.source import Source

BLOCK_BYTES = 2**23


@dataclass(frozen=True)
class Whole:
    """A file that was read whole: the source with the identity that it had meanwhile, and what was read."""

    source: Source
    size_bytes: int
    sha256: str

    @property
    def identified(self) -> Source:
        """Give the source; one whose place tells neither etag nor time is identified by its content."""
        if not is_weak(self.source.identity):
            return self.source
        return replace(self.source, identity=Identity(self.size_bytes, None, None, self.sha256))


class _Cut(Exception):
    """A transfer that did not give the file that its place announced."""


def read_whole(source: Source, file: Any = None) -> Whole:
    """Read a source from its beginning to its end, into a file if one is given.

    A transfer that is cut, or whose length is not the announced one, starts over; so does one whose source was
    replaced since it was identified, with its new identity.

    Raises
    ------
    SourceError
        If the source can't be reached, or no transfer was whole.
    StorageError
        If the file can't be written.
    """
    for pause in (*_pauses(), None):
        try:
            return Whole(source, *_once(source, file))
        except _Cut as error:
            if pause is None:
                raise SourceError("the file did not arrive whole", source.where, str(error), "run again") from error
            time.sleep(pause)
            source = replace(source, identity=Identity()).identified()
    raise AssertionError("the last attempt returns or raises")


def _pauses() -> Iterator[float]:
    """Give the seconds to wait before each further attempt: longer each time, never quite the same."""
    backoff = RETRIES["backoff"]
    for attempt in range(RETRIES["max_retries"]):
        most = backoff["init_backoff"].total_seconds() * backoff["base"] ** attempt
        yield min(most, backoff["max_backoff"].total_seconds()) * random.uniform(0.5, 1)


def _once(source: Source, file: Any) -> tuple[int, str]:
    """Read the file once; give its size in bytes and its sha256."""
    digest, size = hashlib.sha256(), 0
    if file is not None:
        file.seek(0)
        file.truncate()
    for block in _blocks(source):
        digest.update(block)
        size += len(block)
        if file is not None:
            _write(file, block)
    announced = source.identity.size_bytes
    if announced is not None and size != announced:
        raise _Cut(f"got {size} bytes of a file of {announced} bytes")
    return size, digest.hexdigest()


def _write(file: Any, block: Any) -> None:
    try:
        file.write(block)
    except OSError as error:
        fix = "make room, or name another place with --cache"
        raise StorageError("cannot keep a copy of an input", str(file.name), first_line(error), fix) from error


def _blocks(source: Source) -> Iterator[Any]:
    """Give the file in blocks; what goes wrong after the first answer is a cut."""
    blocks = checked(source, lambda: _begin(source))
    try:
        yield from blocks
    except (BakehouseError, _Cut):
        raise
    except Exception as error:
        raise _Cut(first_line(error)) from error


def _begin(source: Source) -> Iterator[Any]:
    """Ask for the file; fsspec asks where obstore can't: it insists on a stated length."""
    if source.is_local:
        return _read(open_local(source))
    if needs_fsspec(source.location, source.options) or source.identity.size_bytes is None:
        return _read(_stream(source), source)
    store, key = open_remote(source.location, source.options)
    found = obstore.get(store, key)
    return _unchanged(source, identity_of(found.meta), iter(found.stream(min_chunk_size=BLOCK_BYTES)))


def _stream(source: Source) -> Any:
    """Open a source through fsspec; over HTTP as one answer, for servers without byte ranges."""
    import fsspec

    if not source.location.startswith(("http://", "https://")):
        return fsspec_open(source)
    fs, path = fsspec.core.url_to_fs(source.location, **source.options)
    return fs.open(path, "rb", block_size=0)


def _read(file: Any, source: Source | None = None) -> Iterator[Any]:
    """Read an open file to its end; then see that its place still says the same of it."""
    with file:
        while block := file.read(BLOCK_BYTES):
            yield block
    if source is not None:
        yield from _unchanged(source, fsspec_identity(source), iter(()))


def _unchanged(source: Source, now: Identity, blocks: Iterator[Any]) -> Iterator[Any]:
    if change := what_changed(source.held, now):
        raise _Cut(f"the file was replaced meanwhile: {change}")
    yield from blocks
