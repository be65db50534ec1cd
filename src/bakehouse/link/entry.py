"""From the address of a store to its entry in the catalog."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bakehouse.catalog.entry import Check, Digests, Entry, Provenance, Storage, Store
from bakehouse.catalog.said import author_fields
from bakehouse.link.described import insist_license
from bakehouse.link.facts import gather, open_group, open_kwargs
from bakehouse.link.opened import Opened, opened
from bakehouse.link.place import Place, place_of
from bakehouse.link.probe import Probed, probe
from bakehouse.link.region import with_region
from bakehouse.meta.models import FeedstockMeta, LinkedStore
from bakehouse.storage.public import Allowed, redacted
from bakehouse.storage.web import Web

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
    def shown(self) -> str:
        """Give the address without what may be a credential."""
        return redacted(self.store.url)

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


def _entry(linking: Linking, place: Place, store: Opened, probed: Probed, kwargs: dict[str, Any], facts: Any) -> Entry:
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
