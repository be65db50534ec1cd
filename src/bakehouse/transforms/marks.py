"""When a run reached which point, noted for whoever started it."""

from __future__ import annotations

import time
from typing import TypeVar

from bakehouse.context import Context

T = TypeVar("T")


def mark(value: T, context: Context, name: str) -> T:
    """Pass a value on, and note the time."""
    if context.mode == "bake":
        context.marks.put(name, repr(time.time()).encode())
    return value
