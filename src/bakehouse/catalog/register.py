"""Put an entry into a catalog: whole, once, and beside whatever others register meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bakehouse.catalog.atomic import locked, write_if_changed
from bakehouse.catalog.changes import changes
from bakehouse.catalog.entry import Change, Entry, Status, Version
from bakehouse.catalog.index import (
    Problem,
    build_index,
    entry_path,
    index_of,
    name_problems,
    read_entries,
    write_index,
)
from bakehouse.errors import CatalogError


def register(catalog_dir: Path, entry: Entry, *, keep_history: bool = True) -> bool:
    """Write an entry and the index over all entries; say whether the entry is new or changed.

    The version that the entry pointed to before joins its `previous` versions, unless `keep_history` is off.
    The entry is written first: a crash before the index is healed by the next registration or `rebuild`.

    Raises
    ------
    CatalogError
        If the entry's id or an alias would hide another entry. Nothing is written.
    """
    path = catalog_dir / entry_path(entry.id)
    with locked(catalog_dir):
        entries, problems = read_entries(catalog_dir)
        others = [other for other in entries if other.id != entry.id]
        _refuse_clashes(catalog_dir, entry, others)
        complete = _with_history(entry, _existing(path)) if keep_history else entry
        changed = write_if_changed(path, complete.to_json().encode())
        kept = [problem for problem in problems if problem.path != entry_path(entry.id)]
        write_index(catalog_dir, index_of([*others, complete], kept))
    return changed


def mark(catalog_dir: Path, statuses: Mapping[str, tuple[Entry, Status]]) -> list[str]:
    """Change the status of entries, each given as it was when its store was looked at; list those that were changed.

    An entry that was registered anew meanwhile is left alone.
    """
    with locked(catalog_dir):
        entries, problems = read_entries(catalog_dir)
        marked = {each.id: _marked(each, *statuses[each.id]) for each in entries if each.id in statuses}
        changed = [each.id for each in entries if marked.get(each.id, each) != each]
        for entry_id in changed:
            write_if_changed(catalog_dir / entry_path(entry_id), marked[entry_id].to_json().encode())
        if changed:
            write_index(catalog_dir, index_of([marked.get(each.id, each) for each in entries], problems))
    return changed


def _marked(entry: Entry, looked_at: Entry, status: Status) -> Entry:
    return entry.model_copy(update={"status": status}) if entry == looked_at else entry


def remove(catalog_dir: Path, entry_id: str) -> bool:
    """Take an entry out of a catalog; say whether it was there. The store is left alone."""
    with locked(catalog_dir):
        path = catalog_dir / entry_path(entry_id)
        there = path.is_file()
        path.unlink(missing_ok=True)
        if there and not any(path.parent.iterdir()):
            path.parent.rmdir()
        write_index(catalog_dir, build_index(catalog_dir))
    return there


def rebuild(catalog_dir: Path) -> list[Problem]:
    """Write every entry in canonical form and the index over them; list what is wrong with entries left out."""
    with locked(catalog_dir):
        index = build_index(catalog_dir)
        for entry in index.entries:
            write_if_changed(catalog_dir / entry_path(entry.id), entry.to_json().encode())
        write_index(catalog_dir, index)
    return list(index.problems)


def _refuse_clashes(catalog_dir: Path, entry: Entry, others: list[Entry]) -> None:
    before = {each.id: each.aliases for each in others}
    known = set(name_problems(before))
    clashes = [problem for problem in name_problems({**before, entry.id: entry.aliases}) if problem not in known]
    if clashes:
        faults = "\n".join(f"{problem.path}: {problem.message}" for problem in clashes)
        raise CatalogError(f"cannot register '{entry.id}'", str(catalog_dir), faults, "rename one of them")


def _existing(path: Path) -> Entry | None:
    """Read the entry that is being replaced; a broken one is simply replaced."""
    try:
        return Entry.from_json(path.read_bytes(), lenient=True)
    except (CatalogError, FileNotFoundError):
        return None


def _with_history(entry: Entry, existing: Entry | None) -> Entry:
    """Keep every version that was named before, the oldest first, each once and never the current one."""
    if existing is None:
        return entry
    named = [*existing.previous, *_left_behind(existing), *entry.previous]
    previous = {each.version: each for each in named if each.version != entry.version}
    return entry.model_copy(update={"previous": tuple(previous.values()), "change": _change(entry, existing)})


def _left_behind(entry: Entry) -> list[Version]:
    if not entry.version:
        return []
    store, change = entry.store, entry.change
    version = Version(version=entry.version, url=store.url, published_at=entry.published_at, snapshot=store.snapshot)
    return [version.model_copy(update={"change": change})]


def _change(entry: Entry, existing: Entry) -> Change | None:
    """Say what a new version changes; of one that was there before, what was said when it was new."""
    if entry.version == existing.version or not existing.version:
        return existing.change
    known = {each.version: each.change for each in existing.previous}
    if entry.version in known:
        return known[entry.version]
    return Change(since=existing.version, said=changes(existing, entry))
