"""Local copies of remote files, for readers that can't read byte ranges."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
from functools import cache
from pathlib import Path

from bakehouse.errors import SourceError
from bakehouse.storage import Source

_lock = threading.Lock()


@cache
def _folder() -> Path:
    """Make this process's folder for copies; it is removed when the process ends."""
    import atexit

    folder = Path(tempfile.mkdtemp(prefix="bakehouse-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def as_local(source: Source) -> str:
    """Give a path to the file, copying it first if it is remote.

    Raises
    ------
    SourceError
        If the copy's size is not what the server announced.
    """
    if source.is_local:
        return source.path
    name = hashlib.sha256(f"{source.location}{source.identity}".encode()).hexdigest()[:24]
    copy = _folder() / f"{name}-{Path(source.location).name[-80:]}"
    with _lock:
        if not copy.exists():
            _fetch(source, copy)
    return str(copy)


def _fetch(source: Source, copy: Path) -> None:
    partial = copy.with_suffix(".partial")
    with source.open() as remote, partial.open("wb") as file:
        shutil.copyfileobj(remote, file, 2**23)
    size, announced = partial.stat().st_size, source.identity.size_bytes
    if announced is not None and size != announced:
        raise SourceError(
            f"got {size} bytes of a file of {announced} bytes", source.where, "the transfer was cut", "run again"
        )
    os.replace(partial, copy)
