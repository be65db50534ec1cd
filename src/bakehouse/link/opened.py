"""An opened store, whatever its format: its documents, where its chunks lie, and what identifies its state."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from bakehouse.catalog.record import Seen
from bakehouse.errors import BakehouseError, LinkError
from bakehouse.link.documents import documents, is_consolidated, zarr_format
from bakehouse.link.found import Found, PrivateError, find
from bakehouse.link.gateway import BUCKET, Gateway, gateway
from bakehouse.link.place import Place, place_of
from bakehouse.link.references import check_references, locating, view
from bakehouse.link.store import PublicStore, Span
from bakehouse.storage.answers import Answer
from bakehouse.storage.web import Web


@dataclass(frozen=True)
class Opened:
    """A store that zarr reads, all of it through the guarded client.

    Parameters
    ----------
    store
        What zarr reads.
    locate
        Where a chunk of a key lies; None where that is Icechunk's to know.
    reads
        The addresses that Icechunk asked for.
    root
        What was answered for the root document.
    """

    format: Literal["zarr", "icechunk", "kerchunk"]
    kind: str
    zarr_format: Literal[2, 3]
    consolidated: bool
    store: Any = field(repr=False)
    root: Answer = field(repr=False)
    locate: Callable[[str], Span | bytes | None] | None = field(default=None, repr=False)
    reads: list[str] = field(default_factory=list, repr=False)
    snapshot: str | None = None
    references: str | None = None

    @property
    def digest(self) -> str:
        """Give the digest of the root document; of all documents, where the root does not hold them."""
        if self.consolidated or self.format == "kerchunk":
            return digest(self.root.body)
        documents: Mapping[str, bytes] = self.store.documents
        return digest(b"".join(f"{key}\0{len(data)}\0".encode() + data for key, data in sorted(documents.items())))

    @property
    def private(self) -> list[str]:
        """List addresses that answered that they are not for everybody."""
        return getattr(self.store, "private", [])


def digest(data: bytes) -> str:
    """Give the digest of a document.

    Examples
    --------
    >>> digest(b"")[:15]
    'sha256:e3b0c442'
    """
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def seen(answer: Answer, key: str) -> Seen:
    """Give what identifies an object's state."""
    return Seen(key=key, etag=answer.etag, size_bytes=answer.size_bytes)


@contextmanager
def opened(
    web: Web, place: Place, format: str = "auto", group: str = "", snapshot: str | None = None
) -> Iterator[Opened]:
    """Open what lies at a place, until the context ends.

    Parameters
    ----------
    group
        The group that is read, below the root.
    snapshot
        Of an Icechunk repository, instead of what its branch ``main`` has.

    Raises
    ------
    LinkError, AddressError, StorageError
        If there is no store that everybody can read.
    """
    found = find(web, place, format)
    if found.kind == "icechunk":
        with _icechunk(web, place, found, snapshot) as result:
            yield result
    elif found.kind == "zarr":
        yield _zarr(web, place, found, group)
    else:
        yield _kerchunk(web, place, found)


def _zarr(web: Web, place: Place, found: Found, group: str) -> Opened:
    def locate(key: str) -> Span:
        return Span(place.address(key))

    store = PublicStore(web, documents(web, place, found, group), locate)
    version: Any = zarr_format(found)
    return Opened("zarr", "zarr", version, is_consolidated(found), store, found.answer, locate)


def _kerchunk(web: Web, place: Place, found: Found) -> Opened:
    references = view(web, place, found.key if found.kind == "kerchunk-json" else "refs.json")
    protocol = check_references(web, references, place)
    locate = locating(references, place)
    store = PublicStore(web, references.documents, locate)
    version: Any = 3 if "zarr.json" in references.documents else 2
    consolidated = ".zmetadata" in references.documents and found.kind == "kerchunk-json"
    return Opened("kerchunk", found.kind, version, consolidated, store, found.answer, locate, references=protocol)


@contextmanager
def _icechunk(web: Web, place: Place, found: Found, snapshot: str | None) -> Iterator[Opened]:
    from bakehouse.storage import Target
    from bakehouse.writers.icechunk import Repository

    if place.storage.protocol != "s3" or place.bucket is None:
        cause = f"Icechunk repositories are read from s3://, this one is on {place.storage.protocol}://"
        fix = "give its s3:// address, with --endpoint-url if it is not at Amazon"
        raise LinkError("the repository can't be opened yet", place.url, cause, fix)
    with gateway(web, place) as server:
        options = {"anon": True, "endpoint_url": server.endpoint, "region": place.storage.region or "us-east-1"}
        repository = Repository(Target(f"s3://{BUCKET}/{place.bucket[1]}", options))
        with _blamed(server, place):
            current = snapshot or repository.tip()
            session = repository.opened.readonly_session(snapshot_id=current)
            _refuse_virtual(web, session.all_virtual_chunk_locations(), place)
            yield Opened(
                "icechunk", "icechunk", 3, False, session.store, found.answer, reads=server.reads, snapshot=current
            )


@contextmanager
def _blamed(server: Gateway, place: Place) -> Iterator[None]:
    """Say what the guarded client met, not what Icechunk made of it."""
    try:
        yield
    except LinkError:
        raise
    except Exception as error:
        if server.failures:
            raise server.failures[0] from None
        if isinstance(error, BakehouseError):
            raise LinkError(error.message, place.url, error.cause, error.fix) from None
        raise


def _refuse_virtual(web: Web, locations: list[str], place: Place) -> None:
    """Refuse chunks that lie elsewhere, first of all on one machine or in one network."""
    for location in sorted(set(locations)):
        web.insist(place_of(location).web)
    if locations:
        cause = f"such as {sorted(locations)[0]}; a reader has to allow that, and bakehouse.open does not"
        raise LinkError("chunks of the repository lie elsewhere", place.url, cause, "link one that holds its own")


__all__ = ["Opened", "PrivateError", "digest", "opened", "seen"]
