"""What a build found out and the next one need not: a table of texts on the disk."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

KEPT_DAYS = 60
"""What no build asked for in so many days is dropped."""


class Cache:
    """Values by their keys; None as its place keeps nothing beyond the build.

    Examples
    --------
    >>> cache = Cache(None)
    >>> cache.put("a", "1")
    >>> cache.get("a"), cache.get("b")
    ('1', None)
    """

    def __init__(self, path: Path | None, today: date | None = None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._today = today or datetime.now(UTC).date()
        self._asked: set[str] = set()
        self._table = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._table.execute("pragma journal_mode = wal")
        self._table.execute("pragma synchronous = off")
        self._table.execute("drop table if exists known")  # of releases that never dropped anything
        self._table.execute("create table if not exists kept (key text primary key, value text, used text)")

    def get(self, key: str) -> str | None:
        """Give a value, if there is one."""
        with self._lock:
            self._asked.add(key)
            found = self._table.execute("select value from kept where key = ?", (key,)).fetchone()
        return found[0] if found else None

    def put(self, key: str, value: str) -> None:
        """Keep a value."""
        with self._lock:
            self._table.execute("insert or replace into kept values (?, ?, ?)", (key, value, str(self._today)))

    def close(self) -> None:
        """Drop what was not asked for in a long time, and let go of the file."""
        with self._lock:
            self._table.execute("begin")
            asked = [(str(self._today), key) for key in self._asked]
            self._table.executemany("update kept set used = ? where key = ?", asked)
            oldest = str(self._today - timedelta(days=KEPT_DAYS))
            dropped = self._table.execute("delete from kept where used < ?", (oldest,)).rowcount
            self._table.execute("commit")
            if dropped:
                self._table.execute("vacuum")
            self._table.close()
