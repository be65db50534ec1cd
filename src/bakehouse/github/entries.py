"""Entries that a job with recipe code made, held against what was reviewed: nothing is believed that can be known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakehouse.bake.entry import storage_of
from bakehouse.catalog.entry import Entry, Status, Storage
from bakehouse.catalog.said import author_fields
from bakehouse.catalog.urls import as_url
from bakehouse.errors import CatalogError, PublishError
from bakehouse.feedstock import Feedstock, recipe_ids
from bakehouse.github.handed import handed_files, read_handed
from bakehouse.github.masking import Mask
from bakehouse.github.runs import ENTRIES
from bakehouse.storage import Target

MAX_ENTRY_BYTES = 2_000_000
AUTHORED = (
    *("title", "description", "license", "license_link", "providers", "maintainers", "tags", "links", "citation"),
    "thumbnail",
)
"""What an entry says in its author's words."""
UNTOLD: dict[str, Any] = {"previous": (), "change": None}
"""What only the catalog knows: the versions before, and what changed since."""
UNSAID = ("doi", "access")
"""What no bake says."""
_NAME = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9_])?"
_FILE = re.compile(rf"{_NAME}/{_NAME}\.json")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Expected:
    """What the reviewed project says about entries: whose they are, and below which target their stores lie."""

    feedstock: Feedstock
    target: Target
    recipe: str | None = None

    @property
    def has_open_ids(self) -> bool:
        """Say whether recipes' ids are known only to Python that is not run here."""
        return any(each.kind == "dict_object" for each in self.feedstock.meta.recipes)

    @property
    def recipes(self) -> list[str]:
        """List the recipes that may have an entry."""
        known = recipe_ids(self.feedstock)
        return [each for each in known if self.recipe in (None, each)]


def handed_entries(folder: Path) -> list[Entry]:
    """Read the entries of a run, each where its id says.

    Raises
    ------
    PublishError
        If a file is no entry, too big, a link, or lies elsewhere.
    """
    entries = folder / ENTRIES
    if not entries.exists() and not entries.is_symlink():
        return []
    return [_read(entries / name, name) for name in handed_files(entries, _FILE)]


def _read(path: Path, name: str) -> Entry:
    try:
        entry = Entry.from_json(read_handed(path, MAX_ENTRY_BYTES), name)
    except CatalogError as error:
        raise PublishError(f"{name} is not a valid entry", str(path), error.cause, None) from None
    if name != f"{entry.id}.json":
        raise PublishError(f"the entry in {name} calls itself '{entry.id}'", str(path), None, None)
    return entry


def accepted(entry: Entry, expected: Expected, registered: Entry | None) -> Entry:
    """Give the entry as it may be registered; what it says of earlier versions is left to the catalog.

    An entry of a version that is registered already only brings what the reviewed meta.yaml says of it now.

    Raises
    ------
    PublishError
        If it says what it has no right to; the message lists everything.
    """
    said = author_fields(expected.feedstock.meta, expected.feedstock.id)
    if registered is not None and same_version(entry, registered) and entry.feedstock == expected.feedstock.id:
        return registered.model_copy(update=said)
    faults = [*_identity(entry, expected), *_place(entry, expected), *_words(entry, said), *_age(entry, registered)]
    if faults:
        fix = "nothing was published; if the feedstock is right, bake it again from the commit that is published"
        raise PublishError(f"the entry of '{entry.id}' can't be published", None, "\n".join(faults), fix)
    return entry.model_copy(update=UNTOLD)


def same_version(entry: Entry, other: Entry) -> bool:
    """Say whether two entries are about the very same store; what else they say may differ."""
    return all(getattr(entry, each) == getattr(other, each) for each in ("id", "version", "digests", "store", "kind"))


def _identity(entry: Entry, expected: Expected) -> Iterator[str]:
    if entry.feedstock != expected.feedstock.id:
        yield f"its feedstock is '{entry.feedstock}', asked for was '{expected.feedstock.id}'"
    known = expected.recipes
    if entry.recipe not in known and not (expected.has_open_ids and expected.recipe in (None, entry.recipe)):
        yield f"its recipe is '{entry.recipe}', asked for was {' or '.join(map(repr, known)) or 'none that there is'}"
    if entry.kind not in ("baked", "virtual"):
        yield f"its kind is '{entry.kind}'; a run makes baked and virtual entries"
    if entry.status != Status():
        yield f"it says that the store is '{entry.status.state}'; a run makes live ones"
    if claimed := [name for name in UNSAID if getattr(entry, name)]:
        yield f"it says what no bake does: {', '.join(claimed)}"
    if not _VERSION.fullmatch(entry.version or ""):
        yield f"its version is {str(entry.version)[:300]!r}; letters, digits, '.', '_' and '-' name one"
    if not entry.digests.root:
        yield "it has no digest of the store's root"


def _place(entry: Entry, expected: Expected) -> Iterator[str]:
    target = expected.target.child(expected.feedstock.id, entry.recipe)
    urls = [("store", entry.store.url), *([("preview", entry.preview.url)] if entry.preview else [])]
    for name, url in urls:
        if not _is_below(url, as_url(target.url)):
            yield f"its {name} is at {url[:300]!r}, which is no folder in {target.url}/"
    found, known = (_reached(each) for each in (entry.store.storage, storage_of(target)))
    if found != known:
        yield f"its store is reached by {found}, the bakery's by {known}"


def _reached(storage: Storage) -> str:
    return ", ".join(filter(None, (storage.protocol, storage.endpoint, storage.region)))


def _is_below(url: str, target: str) -> bool:
    """Say whether a url is a folder right below another, spelled as plainly as can be."""
    start = f"{target.rstrip('/')}/"
    return url.startswith(start) and bool(_FOLDER.fullmatch(url.removeprefix(start)))


def _words(entry: Entry, said: dict[str, object]) -> Iterator[str]:
    for name, value in said.items():
        found = getattr(entry, name)
        if found != value:
            yield f"its {name} is {str(found)[:300]!r}, the reviewed meta.yaml says {str(value)[:300]!r}"
    if Mask.of()(entry.to_json()) != entry.to_json():
        yield "it holds what looks like a credential"


def _age(entry: Entry, registered: Entry | None) -> Iterator[str]:
    newer = registered is not None and registered.published_at
    if newer and (entry.published_at is None or entry.published_at < newer):
        yield f"it was made at {entry.published_at}; the catalog has a version of {newer}"
