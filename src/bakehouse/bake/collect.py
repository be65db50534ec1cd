"""Remove versions that nothing needs any more, and what interrupted runs left behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bakehouse.bake.held import Held, drop_empty_folders, held_on, remove
from bakehouse.bake.history import complete, prefix_of, saved_versions
from bakehouse.catalog.entry import Entry
from bakehouse.catalog.register import register
from bakehouse.context import SURVEYS
from bakehouse.errors import PublishError
from bakehouse.openers.survey import engine_state
from bakehouse.storage import Target
from bakehouse.writers.icechunk import Repository
from bakehouse.writers.icechunk import versions as snapshots
from bakehouse.writers.lock import LOCK
from bakehouse.writers.versions import INPUTS, PREVIEW, PROOF, VERSION, beside, preview_folder

TEMPORARY = (".runs", ".staging", SURVEYS)
REPOSITORY = ".icechunk"
KINDS = (".zarr", ".kerchunk")
"""How folders of versions end: stores, and references."""


@dataclass(frozen=True)
class Collected:
    """What was removed, or would be: versions by name, leftover folders and files, and how much they hold."""

    versions: tuple[str, ...]
    leftovers: tuple[str, ...]
    objects: int
    bytes_freed: int


def collect(
    catalog: Path,
    target: Target,
    entry: Entry | None,
    keep: int,
    older_than_days: float,
    dry: bool = False,
    others: Sequence[Entry] = (),
) -> Collected:
    """Remove earlier versions and leftovers.

    The version that the entry names always stays, and so do the `keep` latest before it and whatever is younger than
    `older_than_days`. A prefix goes once no version that stays lies there. Leftovers are what runs that never ended
    left: folders without a version, files that were being written, and notes of runs; and surveys that other states of
    the engine kept.

    Parameters
    ----------
    target
        The recipe's folder.
    dry
        Only say what would be removed.
    others
        Entries of other catalogs that name stores on the same target: those stay, too.

    Raises
    ------
    PublishError
        If a run is adding to a store.
    """
    entry = (complete(catalog, target, entry) or entry) if entry and not dry else entry
    border = datetime.now(UTC) - timedelta(days=older_than_days)
    saved = [found for found, _ in saved_versions(target)]
    named = {each.version for each in others}
    going = _expired(saved, entry, keep, border) - named
    staying = [e for e in saved if e.version not in going]
    needed = {prefix_of(e) for e in [*staying, *others, *([entry] if entry else [])]}
    parts = _parts(target)
    leftovers = [name for name, held in parts.items() if _is_left(name, held, saved, needed, border)]
    doomed = [name for name in parts if _belongs(name, going, {prefix_of(e) for e in saved} - needed, needed)]
    partial = _partial({name: held for name, held in parts.items() if name not in {*leftovers, *doomed}}, border)
    gone = [*partial, *(held for name in {*leftovers, *doomed} for held in parts[name])]
    freed = sum(held.size_bytes for held in gone)
    if not dry:
        _insist_idle(target, parts)
        _forget(catalog, entry, going)
        remove(target, gone)
        freed += _collect_snapshots(target, [*staying, *others, *([entry] if entry else [])], border)
        drop_empty_folders(target)
    left = sorted([*leftovers, *(held.key for held in partial)])
    return Collected(tuple(sorted(going)), tuple(left), len(gone), freed)


def _collect_snapshots(target: Target, staying: list[Entry], border: datetime) -> int:
    """Drop the snapshots of repositories that no version which stays has; give the freed bytes."""
    kept: dict[str, set[str]] = defaultdict(set)
    for each in staying:
        if each.store.snapshot is not None:
            kept[each.store.url].add(each.store.snapshot)
    found = [(Repository(replace(target, url=url)), ids) for url, ids in kept.items()]
    return sum(snapshots.collect(each, ids & set(each.tagged()), border) for each, ids in found)


def _insist_idle(target: Target, parts: Mapping[str, list[Held]]) -> None:
    """Refuse while a run holds the lock of a store; one that stands still for long is a dead run's."""
    recent = datetime.now(UTC) - timedelta(minutes=5)
    for name, held in parts.items():
        if any(each.key == f"{name}/{LOCK}" and each.modified > recent for each in held):
            raise PublishError("a run is adding to a store", f"{target.url}/{name}", None, "collect when it has ended")


def _forget(catalog: Path, entry: Entry | None, going: set[str]) -> None:
    """Take versions that go out of the entry, as it is now: an update may have registered another one meanwhile."""
    path = catalog / entry.feedstock / f"{entry.recipe}.json" if entry else None
    if path is None or not path.is_file():
        return
    now = Entry.from_json(path.read_bytes(), str(path))
    if going & {version.version for version in now.previous}:
        previous = tuple(version for version in now.previous if version.version not in going)
        register(catalog, now.model_copy(update={"previous": previous}), keep_history=False)


def _expired(saved: Iterable[Entry], entry: Entry | None, keep: int, border: datetime) -> set[str]:
    """Name the versions that may go: of those before the present one, the latest stay; later ones count for nothing."""
    others = [e for e in saved if entry is None or e.version != entry.version]
    others.sort(key=lambda e: str(e.published_at), reverse=True)
    earlier = [e for e in others if entry is None or str(e.published_at) < str(entry.published_at)]
    kept = {e.version for e in earlier[:keep]}
    old = (e for e in others if e.published_at is None or e.published_at <= border)
    return {str(e.version) for e in old if e.version not in kept}


def _parts(target: Target) -> Mapping[str, list[Held]]:
    """Group all objects by the file or folder right below the target; each run's notes stand alone."""
    parts: dict[str, list[Held]] = defaultdict(list)
    for held in held_on(target):
        name, _, rest = held.key.partition("/")
        parts[f"{name}/{rest.partition('/')[0]}" if name in TEMPORARY else name].append(held)
    return parts


def _partial(parts: Mapping[str, list[Held]], border: datetime) -> list[Held]:
    """List what killed processes left of files, in folders that stay and are a version's or a run's."""
    kinds = (*KINDS, REPOSITORY, PREVIEW)
    ours = [held for name, held in parts.items() if name.startswith(TEMPORARY) or any(kind in name for kind in kinds)]
    return [each for held in ours for each in held if each.is_partial and each.modified <= border]


def _is_left(name: str, held: list[Held], saved: list[Entry], needed: set[str], border: datetime) -> bool:
    """Say whether a folder is what a run that never ended left, and old enough not to be one that is under way."""
    known = {prefix_of(e) for e in saved} | needed
    kind = next((each for each in KINDS if each in name), "")
    folder = name.removeprefix(".").partition(kind)[0] + kind if kind else name
    if name.endswith(PREVIEW):
        return not any(name == preview_folder(str(e.version)) for e in saved) and all(
            h.modified <= border for h in held
        )
    if name.endswith(REPOSITORY):
        return name not in known and all(each.modified <= border for each in held)
    if name == f"{SURVEYS}/{engine_state()}" and (saved or needed):
        return False
    unfinished = bool(kind) and folder not in known and not any(str(e.version) in name for e in saved)
    return (unfinished or name.startswith(TEMPORARY)) and all(each.modified <= border for each in held)


def _belongs(name: str, going: set[str], unused: set[str], needed: set[str]) -> bool:
    """Say whether a file or folder belongs to versions that go, or to a prefix that none needs."""
    files = {beside(version, what) for version in going for what in (PROOF, INPUTS, VERSION)}
    files |= {preview_folder(version) for version in going}
    files |= {f".{version}.zarr.work" for version in going if f"{version}.zarr" not in needed}
    works = tuple(f".{prefix}." for prefix in unused)
    inner = tuple(f".zarr.{version}.work" for version in going)
    return name in files or name in unused or name.startswith(works) or name.endswith(inner)
