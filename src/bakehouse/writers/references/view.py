"""Read a virtual store: its documents, what it refers to, and through zarr the values."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bakehouse.storage import Source, Target
from bakehouse.writers.references.chunks import Reader, Reference, ReferenceStore
from bakehouse.writers.references.kerchunk import JSON_NAME, PARQUET_NAME
from bakehouse.writers.references.records import from_parquet
from bakehouse.writers.references.table import Table
from bakehouse.writers.template import Documents, is_metadata

SUFFIX = ".kerchunk"
TEMPLATE_CHARACTERS, MOST_TEMPLATES = 2000, 8
_TEMPLATE = re.compile(r"\{\{([^{}]+)\}\}")


def references_at(url: str, options: Mapping[str, Any]) -> ReferenceView | None:
    """Read what lies at an address as a virtual store, if its name says that it is one."""
    return ReferenceView(Target(url, options)) if url.rstrip("/").endswith(SUFFIX) else None


@dataclass(frozen=True)
class ReferenceView:
    """A published virtual store as a store that is read.

    Parameters
    ----------
    target
        Its folder.
    options
        Access to what it refers to, in fsspec's spelling.
    sources
        The inputs by the address that references have, where they are not to be read at that address.
    json_name
        How a document of references is called.
    """

    target: Target
    options: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    sources: Mapping[str, Source] = field(default_factory=dict, repr=False, compare=False)
    json_name: str = JSON_NAME

    def __getstate__(self) -> dict[str, Any]:
        """Leave what was read behind: each process reads its own."""
        return {name: getattr(self, name) for name in ("target", "options", "sources", "json_name")}

    @property
    def url(self) -> str:
        """Give the store's address."""
        return self.target.url

    @property
    def is_local(self) -> bool:
        """Say whether the references lie on this machine."""
        return self.target.is_local

    @cached_property
    def documents(self) -> Documents:
        """Read all metadata documents; none if there is no store."""
        if self.references is not None:
            return {key: _text(value) for key, value in self.references.items() if is_metadata(key)}
        root = self.target.get(PARQUET_NAME)
        found = json.loads(root or b"{}").get("metadata", {})
        return {
            **{key: json.dumps(said).encode() for key, said in found.items()},
            **({PARQUET_NAME: root} if root else {}),
        }

    @cached_property
    def zarr_store(self) -> ReferenceStore:
        """Open it as a zarr store."""
        return ReferenceStore(self.documents, self.lookup, Reader(self.options, self.sources), self.url)

    def get(self, key: str) -> bytes | None:
        """Read a document, or one of the objects that hold references; None if it is not there."""
        return self.documents.get(key) if is_metadata(key) else self.target.get(key)

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """List documents and the objects that hold references, with their sizes in bytes."""
        yield from ((key, len(data)) for key, data in self.documents.items() if key.startswith(prefix))
        yield from ((key, size) for key, size in self.target.list(prefix) if not is_metadata(key))

    def size(self, key: str) -> int | None:
        """Give the size of a document or an object in bytes; None if it is not there."""
        if is_metadata(key):
            return len(self.documents[key]) if key in self.documents else None
        return self.target.size(key)

    def lookup(self, key: str) -> Reference:
        """Give what a chunk's key refers to."""
        if self.references is None:
            return from_parquet(self.target, self.documents, key)
        found = self.references.get(key)
        if isinstance(found, str):
            return base64.b64decode(found.removeprefix("base64:")) if found.startswith("base64:") else found.encode()
        return (self.expanded(found[0]), *found[1:]) if found else None

    def expanded(self, url: str) -> str:
        """Put the document's templates into an address, which kerchunk writes as ``{{name}}``.

        What is put in is not looked at again, and long texts stay out: templates of templates grow without end.
        """
        templates = self._document.get("templates")
        known = templates if isinstance(templates, dict) else {}
        return _TEMPLATE.sub(lambda found: _short(known.get(found[1])) or found[0], url, count=MOST_TEMPLATES)

    @property
    def references(self) -> dict[str, Any] | None:
        """Give what the JSON document refers to, by key; None if the references lie in Parquet files."""
        return None if self._document is None else self._document["refs"]

    @cached_property
    def _document(self) -> Any:
        """Read the JSON document; one of kerchunk's version 0 is all references."""
        data = self.target.get(self.json_name)
        try:
            found = None if data is None else dict(json.loads(data))
            return found if found is None or isinstance(found.get("refs"), dict) else {"refs": found}
        except (ValueError, TypeError):  # it is damaged: then it has no documents, which `verify` reports
            return {"refs": {}}


def _short(text: Any) -> str | None:
    return text if isinstance(text, str) and len(text) <= TEMPLATE_CHARACTERS else None


def _text(document: Any) -> bytes:
    """Write a document that is held as text, or as what the text says."""
    return document.encode() if isinstance(document, str) else json.dumps(document).encode()


def _metadata(root: bytes | None) -> dict[str, Any]:
    try:
        return dict(json.loads(root or b"")["metadata"])
    except (ValueError, KeyError, TypeError):
        return {}


@dataclass(frozen=True)
class TableView:
    """References that are not published yet, read through zarr; documents are held apart from it."""

    url: str
    table: Table = field(repr=False, compare=False)
    sources: Mapping[str, Source] = field(default_factory=dict, repr=False, compare=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    is_local: bool = True

    @cached_property
    def zarr_store(self) -> ReferenceStore:
        """Open it as a zarr store without documents."""
        return ReferenceStore({}, self.table.at, Reader(self.options, self.sources), self.url)

    def get(self, key: str) -> bytes | None:
        """Nothing lies in a store of its own yet."""
        return None

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """List nothing."""
        return iter(())

    def size(self, key: str) -> int | None:
        """Nothing lies in a store of its own yet."""
        return None
