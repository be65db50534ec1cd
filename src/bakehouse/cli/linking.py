"""From the words of `bakehouse link` to entries: what is linked, and what became of each store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.lookup import LOCAL, PUBLISHED, FolderCatalog
from bakehouse.cli.bakeries import Place
from bakehouse.cli.findings import stop_on_lints
from bakehouse.cli.linked_meta import default_id, drafted, write_feedstock
from bakehouse.cli.options import debugging
from bakehouse.cli.projects import feedstock_ids, find_feedstock, insist_id, parse_name
from bakehouse.cli.reply import explained, say
from bakehouse.cli.text import labelled
from bakehouse.errors import BakehouseError, LinkError, UsageError
from bakehouse.feedstock import Feedstock
from bakehouse.meta.models import FeedstockMeta, LinkedStore
from bakehouse.storage.public import Allowed


@dataclass(frozen=True)
class How:
    """Where entries go, and how stores are read."""

    place: Place
    catalog: str | None
    format: str
    endpoint: str | None
    allowed: Allowed
    seconds: float

    @property
    def folder(self) -> Path:
        """Give the catalog to register in: the one that was asked for, else the bakery's."""
        folders = {"local": LOCAL, "published": PUBLISHED}
        return self.place.root / folders[self.catalog] if self.catalog else self.place.catalog

    @property
    def publishes(self) -> bool:
        """Say whether the catalog is the published one."""
        return self.folder == self.place.root / PUBLISHED


@dataclass(frozen=True)
class Linked:
    """What became of one store: `state` is linked, updated, unchanged or refused."""

    id: str
    url: str
    state: str
    entry: Entry | None = None
    file: Path | None = None
    changes: tuple[str, ...] = ()
    wrote: Path | None = None
    error: BakehouseError | None = None

    @property
    def text(self) -> str:
        """Say it to people."""
        from bakehouse.catalog.lines import opening_line

        if self.entry is None:
            return ""
        rows = [*_rows(self.entry), *(("changed", each) for each in self.changes), ("entry", str(self.file))]
        rows += [("wrote", str(self.wrote))] if self.wrote else []
        return f"{self.id}: {self.state}\n{labelled([*rows, ('open it', opening_line(self.entry))])}"

    def as_dict(self) -> dict[str, Any]:
        """Say it to programs."""
        return {
            **{"id": self.id, "url": self.url, "state": self.state, "changes": list(self.changes)},
            "entry": self.entry.model_dump(mode="json") if self.entry else None,
            "file": str(self.file) if self.file else None,
            "wrote": str(self.wrote) if self.wrote else None,
            "error": self.error.as_dict() if self.error else None,
        }


def link_all(how: How, name: str | None, url: str | None, said: Mapping[str, str | None]) -> list[Linked]:
    """Link one store by its address, or all stores of a feedstock; one that is refused stops no other.

    Raises
    ------
    UsageError
        If there is nothing to link by that name, or something has to be said first.
    """
    if url is None:
        return list(_of_feedstock(how, name, said))
    named = parse_name(name or default_id(url))
    for part in filter(None, (named.feedstock, named.recipe)):
        insist_id(part)
    store = LinkedStore(id=named.recipe or named.feedstock, url=url, endpoint_url=how.endpoint)
    if named.feedstock in feedstock_ids(how.place.root):
        return [_again(how, find_feedstock(how.place.root, named.feedstock), store)]
    draft = drafted(named.feedstock, store, said, how.place)
    done = _linked(how, named.feedstock, draft.meta, store)
    if done.error is None:
        file = write_feedstock(how.place.root, draft)
        return [Linked(done.id, url, done.state, done.entry, done.file, done.changes, file)]
    return [done]


def _of_feedstock(how: How, name: str | None, said: Mapping[str, str | None]) -> Iterator[Linked]:
    from bakehouse.link.described import linked_stores

    if name is None:
        raise UsageError("link what?", None, None, "bakehouse link ID, or bakehouse link ID --url URL")
    if given := [f"--{key}" for key, value in said.items() if value]:
        fix = "give --url URL too, or write it into the feedstock's meta.yaml"
        raise UsageError(f"{', '.join(given)}: only for a store that is named by --url", None, None, fix)
    named = parse_name(name)
    feedstock = find_feedstock(how.place.root, named.feedstock)
    stop_on_lints(feedstock.folder, how.place.root, publishing=how.publishes)
    for store in linked_stores(feedstock, named.recipe):
        yield _checked(how, feedstock, store)


def _again(how: How, feedstock: Feedstock, store: LinkedStore) -> Linked:
    """Link a store that the feedstock names already, by the same address."""
    for known in feedstock.meta.stores:
        if (known.id, known.url) == (store.id, store.url):
            return _checked(how, feedstock, known)
    message = f"there is a feedstock '{feedstock.id}', which names no store '{store.id}' at this address"
    fix = f"choose another id, or add it to stores: in meta.yaml and run: bakehouse link {feedstock.id}"
    raise UsageError(message, str(feedstock.folder), None, fix)


def _checked(how: How, feedstock: Feedstock, store: LinkedStore) -> Linked:
    from bakehouse.link.described import insist_ids

    try:
        insist_ids(feedstock, store)
    except LinkError as error:
        return _refused(f"{feedstock.id}/{store.id}", store.url, error)
    return _linked(how, feedstock.id, feedstock.meta, store)


def _linked(how: How, feedstock: str, meta: FeedstockMeta, store: LinkedStore) -> Linked:
    """Open a store and register it, unless nothing has changed."""
    from bakehouse.link.entry import Linking, make_entry

    linking = Linking(feedstock, meta, store, how.format, how.endpoint, how.allowed, how.seconds)
    say(f"{linking.id}: opening {linking.shown}")
    try:
        before = _before(how, linking.id)
        return _registered(how, linking.id, store.url, make_entry(linking), before)
    except Exception as error:
        return _refused(linking.id, store.url, explained(error, debugging()))


def _registered(how: How, id: str, url: str, entry: Entry, before: Entry | None) -> Linked:
    from bakehouse.catalog.index import entry_path
    from bakehouse.catalog.register import register
    from bakehouse.link.changes import carried, differences, unchanged

    file, entry = how.folder / entry_path(id), carried(entry, before)
    if before and unchanged(entry, before):
        return Linked(id, url, "unchanged", before, file)
    register(how.folder, entry)
    return Linked(id, url, "updated" if before else "linked", entry, file, tuple(differences(entry, before)))


def _before(how: How, id: str) -> Entry | None:
    """Give the entry that is there; one that was baked is never replaced by a link."""
    before = FolderCatalog(how.folder).entry(id)
    if before is not None and before.kind != "linked":
        fix = "link the store under another id"
        raise LinkError(f"'{id}' was {before.kind} by this project", str(how.folder), before.store.url, fix)
    return before


def _refused(id: str, url: str, error: BakehouseError) -> Linked:
    from bakehouse.storage.public import redacted

    say(f"{id}: refused\n{error}")
    return Linked(id, redacted(url), "refused", error=error)


def _rows(entry: Entry) -> Iterator[tuple[str, str]]:
    from bakehouse.catalog.words import access_words

    store, access = entry.store, entry.access
    consolidated = ", consolidated" if store.consolidated else ""
    yield "store", f"{store.url} ({store.format}, zarr v{store.zarr_format}{consolidated})"
    if entry.facts:
        yield "holds", f"{entry.facts.shape}, {len(entry.facts.variables)} variables"
    if access:
        yield "access", ", ".join(access_words(access))
