"""The lock of a folder on a local disk, which processes of one machine respect."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def alone(path: str) -> Iterator[None]:
    """Hold a folder's lock; whoever else asks for it waits. The system lets go of it when a process dies.

    Examples
    --------
    >>> with alone("."):
    ...     pass
    """
    import fcntl

    folder = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
