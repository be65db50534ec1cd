"""Whether a catalog is whole: its entries valid, its names unique, its index what the entries make."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.index import Index, Problem, build_index, entry_path, name_problems, stale_files
from bakehouse.catalog.stac_rules import stac_checks

REBUILD = "run: bakehouse catalog build"


def check(catalog_dir: Path) -> list[Problem]:
    """List every problem of a catalog, in order of path; one broken entry hides no other's.

    Raises nothing for what it finds in the catalog; an empty list means that all is well.
    """
    index = build_index(catalog_dir)
    found = [
        *index.problems,
        *name_problems({entry.id: entry.aliases for entry in index.entries}),
        *_not_canonical(catalog_dir, index.entries),
        *_index_problems(catalog_dir, index),
        *_stac_problems(catalog_dir, index),
        *_strangers(catalog_dir),
    ]
    return sorted(found, key=lambda problem: (problem.path, problem.code, problem.message))


def _not_canonical(catalog_dir: Path, entries: Iterable[Entry]) -> Iterator[Problem]:
    for entry in entries:
        path = entry_path(entry.id)
        if (catalog_dir / path).read_bytes() != entry.to_json().encode():
            yield Problem(path, "CAT07", "the file is not in canonical form", REBUILD)


def _index_problems(catalog_dir: Path, index: Index) -> Iterator[Problem]:
    for path, content in index.files.items():
        file = catalog_dir / path
        if not file.is_file():
            yield Problem(path, "CAT05", "the file is missing", REBUILD)
        elif file.read_bytes() != content:
            yield Problem(path, "CAT05", "the file is not what the entries make", REBUILD)
    for path in stale_files(catalog_dir, index):
        yield Problem(path, "CAT05", "no entry makes this file", REBUILD)


def _stac_problems(catalog_dir: Path, index: Index) -> Iterator[Problem]:
    """Check what the entries make; links are looked for beside it."""
    ids: dict[str, str] = {}
    for path, content in index.files.items():
        document = json.loads(content)
        for fault in stac_checks(document, _folder(catalog_dir / path)):
            yield Problem(path, "CAT06", fault, "correct the feedstock's meta.yaml or its store, and register it again")
        if (other := ids.setdefault(document["id"], path)) != path:
            yield Problem(path, "CAT06", f"id '{document['id']}' is also that of {other}", "rename one of the recipes")


def _folder(path: Path) -> Path | None:
    """Give a document's folder; while the document is missing, its links lead nowhere and say nothing."""
    return path.parent if path.is_file() else None


def _strangers(catalog_dir: Path) -> Iterator[Problem]:
    for path in sorted(catalog_dir.glob("*/*")):
        hidden = path.name.startswith(".") or path.parent.name.startswith(".")
        if path.is_file() and path.suffix != ".json" and not hidden:
            name = path.relative_to(catalog_dir).as_posix()
            yield Problem(name, "CAT08", "only entries (.json) belong here", "move or remove the file")
