"""From the address of a store to its entry in the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bakehouse.catalog.entry import Check, Digests, Entry, Provenance, Storage, Store
from bakehouse.catalog.said import author_fields
from bakehouse.errors import LinkError, UsageError, did_you_mean
from bakehouse.feedstock import Feedstock
from bakehouse.link.facts import gather, open_group, open_kwargs
from bakehouse.link.opened import Opened, opened
from bakehouse.link.place import Place, place_of
from bakehouse.link.probe import Probed, probe
from bakehouse.link.region import with_region
from bakehouse.meta.models import FeedstockMeta, LinkedStore
from bakehouse.meta.spdx import NO_SPDX, normalized, unknown_ids
from bakehouse.storage.public import Allowed
from bakehouse.storage.web import Web

TIMES = {"check": {"checked_at": None}, "published_at": None}
SOURCES = "the store was opened without credentials, and a chunk of it read; its sources are not known here"


@dataclass(frozen=True)
class Linking:
    """One store that is to be linked, and how far its address is trusted.

    `format` and `endpoint` go before what the feedstock says; `seconds` bounds all that is read.
    """

    feedstock: str
    meta: FeedstockMeta
    store: LinkedStore
    format: str = "auto"
    endpoint: str | None = None
    allowed: Allowed = Allowed()
    seconds: float = 300.0

    @property
    def id(self) -> str:
        """Give the id of the entry."""
        return f"{self.feedstock}/{self.store.id}"


def make_entry(linking: Linking) -> Entry:
    """Open a store, harvest its facts, read a chunk as a stranger would, and say all of it.

    Raises
    ------
    LinkError, AddressError, StorageError
        If it can't be linked; the message says why.
    """
    insist_license(linking.meta)
    kwargs = open_kwargs(linking.store.xarray_open_kwargs)
    place = place_of(linking.store.url, linking.endpoint or linking.store.endpoint_url)
    with Web(linking.allowed, linking.seconds) as web:
        place = with_region(web, place)
        with opened(web, place, linking.format, str(kwargs.get("group") or "")) as store:
            facts = gather(store, place, kwargs)
            probed = probe(web, place, store, open_group(store, str(kwargs.get("group") or "")))
            return _entry(linking, place, store, probed, kwargs, facts)


def _entry(
    linking: Linking, place: Place, store: Opened, probed: Probed, kwargs: dict[str, Any], facts: Any
) -> Entry:
    now = datetime.now(UTC)
    return Entry(
        feedstock=linking.feedstock,
        recipe=linking.store.id,
        kind="linked",
        **_said(linking),
        facts=facts,
        store=Store(
            url=place.url,
            format=store.format,
            zarr_format=store.zarr_format,
            consolidated=store.consolidated,
            storage=_storage(place),
            open_kwargs=kwargs,
            snapshot=store.snapshot,
            references=store.references,
        ),
        check=Check(level="reachable", checked_at=now, objects_checked=1, sources=SOURCES),
        access=probed.access,
        provenance=Provenance(options={"format": store.kind} if store.format == "kerchunk" else {}),
        digests=Digests(root=store.digest if store.format != "icechunk" else None),
        published_at=now,
    )


def _storage(place: Place) -> Storage:
    """Say how readers reach the store; who read it without credentials has not been charged."""
    bucket = {"requester_pays": False} if place.bucket else {}
    return place.storage.model_copy(update=bucket)


def _said(linking: Linking) -> dict[str, Any]:
    """Give what the author says; where a feedstock has several stores, each has its own name."""
    said, store = author_fields(linking.meta, linking.feedstock), linking.store
    if len(linking.meta.stores) > 1 and store.name:
        said["title"] = f"{said['title']}: {store.name}" if linking.meta.title else store.name
    return {**said, "description": store.description or said["description"]}


def insist_license(meta: FeedstockMeta) -> None:
    """Insist on a licence that SPDX knows, or on one that is said to have no name there.

    Raises
    ------
    LinkError
        If there is none.
    """
    text = meta.provenance.license if meta.provenance else None
    if not text:
        fix = "write provenance: {license: …}, or give --license"
        raise LinkError("nothing says under which licence the data may be used", "meta.yaml", None, fix)
    if text not in NO_SPDX and normalized(text) is None:
        wrong, fix_ = unknown_ids(text)
        raise LinkError(f"unknown licence {wrong!r}", "meta.yaml", "SPDX has no such identifier", fix_ or "see spdx.org")


def linked_stores(feedstock: Feedstock, only: str | None = None) -> list[LinkedStore]:
    """List the stores of a feedstock that are to be linked; their ids have to be those of its recipes.

    Raises
    ------
    UsageError
        If there are none, or none of the id that was asked for.
    """
    where, stores = f"{feedstock.folder}/meta.yaml", feedstock.meta.stores
    known = [store.id for store in stores]
    if not known:
        fix = "name one: bakehouse link ID --url URL, or stores: [{id: …, url: …}] in meta.yaml"
        raise UsageError(f"feedstock '{feedstock.id}' names no stores", where, None, fix)
    if only is not None and only not in known:
        raise UsageError(f"feedstock '{feedstock.id}' has no store '{only}'", where, None, did_you_mean(only, known))
    return [store for store in stores if only in (None, store.id)]


def insist_ids(feedstock: Feedstock, store: LinkedStore) -> None:
    """Insist that a store and a recipe have one id, where recipes have ids.

    Raises
    ------
    LinkError
        If the feedstock has no recipe of the store's id.
    """
    recipes = [entry.id for entry in feedstock.meta.recipes if entry.id]
    if recipes and not any(entry.dict_object for entry in feedstock.meta.recipes) and store.id not in recipes:
        where = f"{feedstock.folder}/meta.yaml"
        message = f"store '{store.id}' has no recipe of that id"
        raise LinkError(message, where, "the entry is found by the recipe's id", did_you_mean(store.id, recipes))


def unchanged(new: Entry, old: Entry | None) -> bool:
    """Say whether an entry says what another said, whenever it was said."""
    return old is not None and _timeless(new) == _timeless(old)


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
