"""Ask the C library to keep little of the memory that was freed: many threads allocate, each for a short time.

glibc gives every thread a heap of its own, up to eight for each processor, and keeps what was freed in all of them.
Other C libraries are left as they are.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

M_ARENA_MAX = -8
HEAPS = 2
"""Heaps for all threads together; large arrays are rarely allocated at the same instant."""


def few_heaps() -> None:
    """Let threads share heaps, so that one uses what another has freed; those that there are already stay."""
    if (library := _glibc()) is not None:
        library.mallopt(M_ARENA_MAX, HEAPS)


def give_back() -> None:
    """Give freed memory back to the system: what comes next is of other sizes."""
    if (library := _glibc()) is not None:
        library.malloc_trim(0)


@cache
def _glibc() -> Any | None:
    """Find glibc in this process; None if it runs on another C library."""
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "gnu_get_libc_version") and hasattr(library, "malloc_trim") else None
    except (OSError, TypeError):
        return None
