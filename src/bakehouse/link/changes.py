"""What changed in a store since it was linked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bakehouse.catalog.entry import Entry


def carried(new: Entry, old: Entry | None) -> Entry:
    """Keep what a person said of a store; what a program saw of it is over."""
    keep = old is not None and old.status.seen is None
    return new.model_copy(update={"status": old.status}) if old and keep else new


def unchanged(new: Entry, old: Entry) -> bool:
    """Say whether an entry says what another said, whenever it was said."""
    return _timeless(new) == _timeless(old)


def _timeless(entry: Entry) -> Entry:
    check = entry.check.model_copy(update={"checked_at": None})
    return entry.model_copy(update={"check": check, "published_at": None})


def differences(new: Entry, old: Entry | None) -> Iterator[str]:
    """Say what changed in a store since it was linked, in words."""
    if old is None:
        return
    before, now = old.model_dump(mode="json"), new.model_dump(mode="json")
    for key in sorted({*before, *now} - {"check", "published_at"}):
        yield from _differ(key, before.get(key), now.get(key))


def _differ(key: str, before: Any, now: Any) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        for inner in sorted({*before, *now}):
            yield from _differ(f"{key}.{inner}", before.get(inner), now.get(inner))
    elif _is_named(before) and _is_named(now):
        by_name = [{each["name"]: each for each in side} for side in (before, now)]
        yield from _differ(key, *by_name)
    elif before != now:
        yield f"{key}: {_short(before)} → {_short(now)}"


def _is_named(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) and "name" in each for each in value)


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
