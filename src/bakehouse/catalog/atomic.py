"""Files that are whole or not there, and a lock that leaves nothing behind."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".lock"
SCRATCH = ".tmp"


def write_if_changed(path: Path, content: bytes) -> bool:
    """Put a file in place at once, complete; say whether it was written. Equal content is left untouched."""
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(8)}{SCRATCH}")
    try:
        with scratch.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)
    return True


def sweep(folder: Path) -> None:
    """Remove what killed writers left; only for the holder of the folder's lock."""
    for path in folder.rglob(f".*{SCRATCH}"):
        path.unlink(missing_ok=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; others wait. A killed holder's lock is free at once.

    The lock file is removed while the lock is held, so a waiter may win a file that is no longer there: it tries
    again with the new one.
    """
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if _same_file(handle, path):
            break
        os.close(handle)
    try:
        sweep(folder)
        yield
    finally:
        os.unlink(path)
        os.close(handle)


def _same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False
