"""Kerchunk's references: read through the guarded client, and none that leads to one machine or one network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bakehouse.errors import AddressError, BakehouseError, LinkError
from bakehouse.link.place import Place, place_of
from bakehouse.link.store import Span
from bakehouse.storage.tables import read_table
from bakehouse.storage.web import Web
from bakehouse.writers.references.kerchunk import PARQUET_NAME
from bakehouse.writers.references.view import ReferenceView

FILES = 64
"""Parquet files of references in which every address is looked at."""


@dataclass(frozen=True)
class Folder:
    """A folder on the web in the place of a `Target`: it is only read."""

    web: Web
    place: Place
    name: str = ""
    is_local: bool = False

    @property
    def url(self) -> str:
        """Give its address."""
        return self.place.url

    def get(self, key: str) -> bytes | None:
        """Read an object; None if it is not there."""
        answer = self.web.get(self.place.web if key == self.name else self.place.address(key), limit=2**28)
        return answer.body if answer.ok else None


def view(web: Web, place: Place, key: str) -> ReferenceView:
    """Give the references at a place; `key` is the name of their document below it, or nothing if it is the place."""
    folder: Any = Folder(web, place, "" if key else place.web)
    return ReferenceView(folder, json_name=key or place.web)


def locating(found: ReferenceView, place: Place) -> Callable[[str], Span | bytes | None]:
    """Give the way from a chunk's key to where its reference points."""

    def locate(key: str) -> Span | bytes | None:
        reference = found.lookup(key)
        if reference is None or isinstance(reference, bytes):
            return reference
        return Span(_address(reference[0], place), *reference[1:])

    return locate


def check_references(web: Web, found: ReferenceView, place: Place) -> str | None:
    """Look at every address that is referred to; give the protocol, if it is one for all.

    Raises
    ------
    AddressError
        If one must not be connected to.
    """
    seen: dict[tuple[str, str], str] = {}
    for key, url in _addresses(found):
        scheme, _, rest = url.partition("://")
        seen.setdefault((scheme, rest.partition("/")[0]), f"{key}\0{url}")
    for text in seen.values():
        key, _, url = text.partition("\0")
        try:
            web.insist(_address(url, place))
        except AddressError as error:
            message = f"chunk '{key}': {error.message}"
            raise AddressError(message, error.where, "it is a reference", error.fix) from None
        except BakehouseError as error:
            message = f"chunk '{key}' can't be read: {error.message}"
            raise LinkError(message, error.where, error.cause, error.fix) from None
    schemes = {scheme for scheme, _ in seen}
    return schemes.pop() if len(schemes) == 1 else None


def _address(url: str, place: Place) -> str:
    """Say at which web address a file lies that is referred to; buckets are where the store's own bucket is."""
    return place_of(url, place.storage.endpoint if url.startswith("s3://") else None).web


def _addresses(found: ReferenceView) -> Iterator[tuple[str, str]]:
    """List the addresses that references name, each with a key."""
    if PARQUET_NAME not in found.documents or found.references is not None:
        refs = found.references or {}
        yield from ((key, found.expanded(said[0])) for key, said in refs.items() if isinstance(said, list) and said)
        return
    yield from _in_parquet(found)


def _in_parquet(found: ReferenceView) -> Iterator[tuple[str, str]]:
    arrays = [key.removesuffix("/.zarray") for key in found.documents if key.endswith("/.zarray")]
    left = FILES
    for name in arrays:
        number = 0
        while left and (data := found.target.get(f"{name}/refs.{number}.parq")):
            paths = read_table(data, columns=["path"])["path"].unique().to_pylist()
            yield from ((name, path) for path in paths if path)
            number, left = number + 1, left - 1
