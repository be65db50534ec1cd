"""What a process remembers of the inputs that it met, up to a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any


class Memory:
    """The latest of what was learnt, up to a number of bytes; threads share it.

    Examples
    --------
    >>> memory = Memory(10)
    >>> memory.put("a", 1, 6)
    >>> memory.put("b", 2, 6)
    >>> memory.get("a"), memory.get("b")
    (None, 2)
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes, self.held_bytes = limit_bytes, 0
        self.entries: OrderedDict[Any, tuple[Any, int]] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, key: Any) -> Any:
        """Give what was put under a key, None if it is not there (any more)."""
        with self.lock:
            if key not in self.entries:
                return None
            self.entries.move_to_end(key)
            return self.entries[key][0]

    def put(self, key: Any, value: Any, size_bytes: int) -> None:
        """Keep a value; what was not asked for longest makes room."""
        with self.lock:
            _, before = self.entries.pop(key, (None, 0))
            self.entries[key] = (value, size_bytes)
            self.held_bytes += size_bytes - before
            while self.held_bytes > self.limit_bytes and len(self.entries) > 1:
                _, (_, gone) = self.entries.popitem(last=False)
                self.held_bytes -= gone

    def clear(self) -> None:
        """Forget everything."""
        with self.lock:
            self.entries.clear()
            self.held_bytes = 0
