"""What a build found out and the next one need not: a table of texts and bytes on the disk."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path


class Cache:
    """Values by their keys; None as its place keeps nothing beyond the build.

    Examples
    --------
    >>> cache = Cache(None)
    >>> cache.put("a", "1")
    >>> cache.get("a"), cache.get("b")
    ('1', None)
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._table = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._table.execute("pragma journal_mode = wal")
        self._table.execute("pragma synchronous = off")
        self._table.execute("create table if not exists known (key text primary key, value text) without rowid")

    def get(self, key: str) -> str | None:
        """Give a value, if there is one."""
        with self._lock:
            found = self._table.execute("select value from known where key = ?", (key,)).fetchone()
        return found[0] if found else None

    def put(self, key: str, value: str) -> None:
        """Keep a value."""
        with self._lock:
            self._table.execute("insert or replace into known values (?, ?)", (key, value))

    def close(self) -> None:
        """Let go of the file."""
        self._table.close()
