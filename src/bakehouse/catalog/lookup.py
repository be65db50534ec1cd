"""Catalogs to read from: a folder or a web address, and which of them a reader looks in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urljoin
from urllib.request import urlopen

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.index import INDEX, entry_path, entry_paths, read_entries
from bakehouse.catalog.urls import is_relative, protocol_of
from bakehouse.errors import CatalogError, MetaError

ENVIRONMENT = "BAKEHOUSE_CATALOG"
LOCAL = ".bakehouse/catalog"
PUBLISHED = "catalog"
TIMEOUT_S = 30


class UnreachableCatalogError(CatalogError):
    """A catalog on the web that does not answer; readers go on to the next."""


class Catalog(Protocol):
    """A place that entries are read from."""

    @property
    def place(self) -> str:
        """Name the place as messages do."""
        ...

    def entry(self, entry_id: str) -> Entry | None:
        """Read one entry; None if there is none of that id."""
        ...

    def names(self) -> dict[str, tuple[str, ...]]:
        """List the ids of all entries, with their aliases."""
        ...

    def locate(self, url: str) -> str:
        """Resolve a store's url, which may be relative to the catalog."""
        ...


@dataclass(frozen=True)
class FolderCatalog:
    """A catalog on a disk; its entries are the truth, whatever its index says."""

    folder: Path

    @property
    def place(self) -> str:
        """Give the folder."""
        return str(self.folder)

    def entry(self, entry_id: str) -> Entry | None:
        """Read one entry; None if there is none of that id."""
        path = self.folder / entry_path(entry_id)
        return Entry.from_json(path.read_bytes(), str(path), lenient=True) if path.is_file() else None

    def names(self) -> dict[str, tuple[str, ...]]:
        """List the ids of all entries, with the aliases of those that can be read."""
        broken: dict[str, tuple[str, ...]] = {entry_id: () for entry_id, _ in entry_paths(self.folder)}
        return {**broken, **{entry.id: entry.aliases for entry in read_entries(self.folder)[0]}}

    def locate(self, url: str) -> str:
        """Resolve a store's url against the folder."""
        return str((self.folder / url).resolve()) if is_relative(url) else url


@dataclass(frozen=True)
class WebCatalog:
    """A catalog behind a web address: one request for an entry, one for all names."""

    base: str

    @property
    def place(self) -> str:
        """Give the address."""
        return self.base

    def entry(self, entry_id: str) -> Entry | None:
        """Fetch one entry; None if there is none of that id."""
        url = self._url(entry_path(entry_id))
        content = _fetch(url)
        return Entry.from_json(content, url, lenient=True) if content is not None else None

    def names(self) -> dict[str, tuple[str, ...]]:
        """Read the ids and aliases from the index."""
        content = _fetch(self._url(INDEX))
        if content is None:
            raise UnreachableCatalogError("no catalog there", self._url(INDEX), "no such file", "check the address")
        return _names(content, self._url(INDEX))

    def locate(self, url: str) -> str:
        """Resolve a store's url against the address; files of the reader's own machine are refused."""
        if not is_relative(url) and protocol_of(url) == "file":
            fix = "ask its maintainers for a published store"
            raise CatalogError(f"the entry's store is '{url}'", self.base, "a path on another machine", fix)
        return urljoin(self._url(""), url) if is_relative(url) else url

    def _url(self, path: str) -> str:
        return f"{self.base.rstrip('/')}/{quote(path)}"


def open_catalog(place: str | os.PathLike[str]) -> Catalog:
    """Open a catalog: a folder, its ``catalog.json``, or the web address of either.

    Raises
    ------
    CatalogError
        If the place is neither a folder nor an http(s) address.
    """
    text = os.fspath(place).removesuffix(f"/{INDEX}")
    if text.startswith(("http://", "https://")):
        return WebCatalog(text)
    if Path(text).expanduser().is_dir():
        return FolderCatalog(Path(text).expanduser())
    raise CatalogError(f"no catalog at '{text}'", None, "not a folder, nor an http(s) address", "check the path")


def catalogs(place: str | os.PathLike[str] | None, default_url: str | None = None) -> Iterator[Catalog]:
    """List where a reader looks, in order: the given place alone, or the environment's, the project's, the default."""
    if place is not None:
        yield open_catalog(place)
        return
    if named := os.environ.get(ENVIRONMENT):
        yield open_catalog(named)
    project = find_project(Path.cwd())
    for folder in [project / LOCAL, project / PUBLISHED] if project else [Path.cwd() / LOCAL]:
        if folder.is_dir():
            yield FolderCatalog(folder)
    if url := default_url or (published_url(project) if project else None):
        yield open_catalog(url)


def find_project(start: Path) -> Path | None:
    """Find the project around a folder; None outside of any."""
    from bakehouse.meta.load import find_project_root

    try:
        return find_project_root(start)
    except MetaError:
        return None


def published_url(project: Path) -> str | None:
    """Give the address of the project's published catalog; None if its meta.yaml names none, or is not valid."""
    from bakehouse.meta.load import load_project

    try:
        return load_project(project).catalog_url
    except MetaError:
        return None


def _fetch(url: str) -> bytes | None:
    try:
        with urlopen(url, timeout=TIMEOUT_S) as answer:
            return bytes(answer.read())
    except HTTPError as error:
        if error.code in (403, 404, 410):
            return None
        cause = f"HTTP {error.code} {error.reason}"
        raise UnreachableCatalogError("the catalog did not answer", url, cause, "try again later") from None
    except (URLError, OSError) as error:
        cause, fix = str(getattr(error, "reason", error)), "check the address and the network"
        raise UnreachableCatalogError("cannot reach the catalog", url, cause, fix) from None


def _names(content: bytes, where: str) -> dict[str, tuple[str, ...]]:
    try:
        links = [link for link in json.loads(content)["links"] if "bakehouse:id" in link]
        return {link["bakehouse:id"]: tuple(link.get("bakehouse:aliases", ())) for link in links}
    except (ValueError, KeyError, TypeError):
        raise CatalogError("not a Bakehouse catalog", where, "its index can't be read", "check the address") from None
