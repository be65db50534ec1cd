from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

from bakehouse.site.cache import KEPT_DAYS, Cache

FIRST = date(2024, 1, 1)


def _keys(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as table:
        return [key for (key,) in table.execute("select key from kept order by key")]


def test_what_no_build_asks_for_in_a_long_time_is_dropped_and_the_file_shrinks(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    first = Cache(path, FIRST)
    for key in ("asked", "idle"):
        first.put(key, "x" * 200_000)
    first.close()
    large = path.stat().st_size
    for days, kept in ((KEPT_DAYS, ["asked", "idle"]), (KEPT_DAYS + 1, ["asked"])):
        later = Cache(path, FIRST + timedelta(days=days))
        assert later.get("asked") == "x" * 200_000
        later.close()
        assert _keys(path) == kept
    assert path.stat().st_size < large * 0.75


def test_a_cache_of_an_earlier_release_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as table:
        table.execute("create table known (key text primary key, value text) without rowid")
        table.execute("insert into known values ('a', '1')")
    cache = Cache(path)
    assert cache.get("a") is None
    cache.put("a", "2")
    cache.close()
    assert _keys(path) == ["a"]
