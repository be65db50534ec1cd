"""The index over a catalog's entries: a STAC catalog and one collection for each entry.

Layout below the catalog's folder; everything but the entries is made from the entries::

    <feedstock>/<recipe>.json                    an entry
    catalog.json                                 STAC Catalog; its child links also carry the entries' ids and aliases
    stac/<feedstock>/<recipe>/collection.json    STAC Collection
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakehouse.catalog.atomic import write_if_changed
from bakehouse.catalog.canonical import dumps
from bakehouse.catalog.entry import Entry
from bakehouse.catalog.stac import STAC_VERSION, collection_path, to_collection
from bakehouse.errors import CatalogError

INDEX = "catalog.json"


@dataclass(frozen=True)
class Problem:
    """Something wrong in a catalog, at a path relative to its folder; `code` is explained in `CODES`."""

    path: str
    code: str
    message: str
    fix: str


CODES = {
    "CAT01": "An entry's file is not a valid entry. It is left out of the index, so nobody can find its store.",
    "CAT02": "An entry's id is not what its path says; one of the two would be found under the wrong name.",
    "CAT03": "Two names differ only in case, and are one file on many file systems.",
    "CAT04": "A name leads to several entries, so opening by that name would be a guess.",
    "CAT05": "A file of the index is not what its entries make; it was edited, or lost a race between two branches.",
    "CAT06": "A STAC document breaks the specification or contradicts itself; STAC tools will fail on it.",
    "CAT07": "An entry's file is not in canonical form, so its next registration would show a diff of unrelated lines.",
    "CAT08": "A file lies where only entries belong.",
}


@dataclass(frozen=True)
class Index:
    """Every generated file of a catalog, by its path, the entries it is made from, and those it could not use."""

    files: dict[str, bytes]
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]


def entry_path(entry_id: str) -> str:
    """Say where an entry lies below the catalog's folder.

    Examples
    --------
    >>> entry_path("noaa-oisst/daily")
    'noaa-oisst/daily.json'
    """
    return f"{entry_id}.json"


def entry_paths(catalog_dir: Path) -> Iterator[tuple[str, Path]]:
    """List every entry's id and file, in order, by their paths alone."""
    for path in sorted(catalog_dir.glob("*/*.json")):
        if not path.name.startswith(".") and not path.parent.name.startswith("."):
            yield f"{path.parent.name}/{path.stem}", path


def read_entries(catalog_dir: Path) -> tuple[list[Entry], list[Problem]]:
    """Read every entry; a broken one is reported and left out."""
    entries, problems = [], []
    for entry_id, path in entry_paths(catalog_dir):
        try:
            entry = Entry.from_json(path.read_bytes())
            if entry.id != entry_id:
                raise CatalogError(f"the entry's id is '{entry.id}', its path says '{entry_id}'")
            entries.append(entry)
        except (CatalogError, OSError) as error:
            problems.append(_unusable(entry_path(entry_id), error))
    return entries, problems


def _unusable(path: str, error: CatalogError | OSError) -> Problem:
    if isinstance(error, CatalogError) and error.cause is None:
        return Problem(path, "CAT02", error.message, "move the file, or register the store again")
    detail = f"{error.message}: {error.cause}" if isinstance(error, CatalogError) else str(error)
    return Problem(path, "CAT01", detail, "register the store again, or restore the file")


def build_index(catalog_dir: Path) -> Index:
    """Make the index from the entries alone: the same entries give the same bytes."""
    return index_of(*read_entries(catalog_dir))


def index_of(entries: Iterable[Entry], problems: Iterable[Problem] = ()) -> Index:
    """Make the index over entries that were read, in whatever order."""
    files, usable, faults = {}, [], list(problems)
    for entry in sorted(entries, key=lambda entry: entry.id):
        try:
            files[collection_path(entry.feedstock, entry.recipe)] = dumps(to_collection(entry)).encode()
            usable.append(entry)
        except Exception as error:  # whatever one entry does to the STAC library, the others stay
            fault = f"cannot be written as STAC: {error}"
            faults.append(Problem(entry_path(entry.id), "CAT06", fault, "correct the entry"))
    files[INDEX] = dumps(catalog_document(usable)).encode()
    return Index(files, tuple(usable), tuple(faults))


def catalog_document(entries: Iterable[Entry]) -> dict[str, Any]:
    """Write the STAC Catalog over entries that are in order of their ids."""
    import pystac

    catalog = pystac.Catalog("catalog", "Datasets, each checked as its entry says", "Bakehouse catalog")
    document = catalog.to_dict(include_self_link=False, transform_hrefs=False)
    root = {"rel": "root", "href": f"./{INDEX}", "type": "application/json"}
    return {**document, "stac_version": STAC_VERSION, "links": [root, *map(_child, entries)]}


def _child(entry: Entry) -> dict[str, Any]:
    """Link to a collection; the extra fields let a reader find an entry by any of its names in one request."""
    named = {"bakehouse:id": entry.id, "bakehouse:aliases": list(entry.aliases)}
    href = f"./{collection_path(entry.feedstock, entry.recipe)}"
    return {"rel": "child", "href": href, "type": "application/json", "title": entry.title or entry.id, **named}


def write_index(catalog_dir: Path, index: Index) -> None:
    """Write what changed of the index, the catalog last; remove collections whose entry is gone."""
    for path in sorted(index.files, key=lambda path: (path == INDEX, path)):
        write_if_changed(catalog_dir / path, index.files[path])
    for path in stale_files(catalog_dir, index):
        (catalog_dir / path).unlink(missing_ok=True)
        _remove_empty_parents(catalog_dir / path, catalog_dir)


def stale_files(catalog_dir: Path, index: Index) -> list[str]:
    """List collections that no entry makes."""
    found = (path.relative_to(catalog_dir).as_posix() for path in sorted(catalog_dir.glob("stac/*/*/collection.json")))
    return [path for path in found if path not in index.files]


def _remove_empty_parents(path: Path, top: Path) -> None:
    for folder in path.parents:
        if folder == top or any(folder.iterdir()):
            return
        folder.rmdir()


def name_problems(names: Mapping[str, Iterable[str]]) -> Iterator[Problem]:
    """Find ids that differ only in case, and aliases that lead to several entries; `names` maps ids to aliases."""
    feedstocks = {entry_id.partition("/")[0] for entry_id in names}
    by_case = Counter(name.casefold() for name in (*names, *feedstocks))
    taken = Counter(alias for aliases in names.values() for alias in set(aliases))
    for entry_id, aliases in names.items():
        path, own = entry_path(entry_id), (entry_id, entry_id.partition("/")[0])
        if any(by_case[name.casefold()] > 1 for name in own):
            yield Problem(path, "CAT03", f"'{entry_id}' differs from another id only in case", "rename one of them")
        for alias in sorted(set(aliases)):
            if taken[alias] > 1 or (alias not in own and (alias in names or alias in feedstocks)):
                yield Problem(path, "CAT04", f"alias '{alias}' also names another entry", "choose another store_name")
