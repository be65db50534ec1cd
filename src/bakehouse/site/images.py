"""Pictures of an entry, brought from its preview or from its author's address into the site."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.urls import protocol_of
from bakehouse.errors import BakehouseError
from bakehouse.site.cache import Cache
from bakehouse.site.files import Output
from bakehouse.site.running import Budget, place_of

MAGIC = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpg", b"RIFF": "webp"}
MAX_BYTES = 2_000_000
TIMEOUT_S = 10


@dataclass(frozen=True)
class Pictures:
    """Paths of an entry's pictures below the site's top, by the preview's own file names."""

    thumbnail: str | None = None
    thumbnail_alt: str = ""
    files: dict[str, str] | None = None

    def of(self, name: str | None) -> str | None:
        """Give the path of a preview's file that was brought."""
        return (self.files or {}).get(name or "")


def bring(entry: Entry, out: Output, cache: Cache, budget: Budget) -> Pictures:
    """Copy an entry's pictures; what can't be had is left out."""
    preview = entry.preview
    if preview is None:
        return _authors(entry, out, cache, budget)
    names = [preview.thumbnail, *(name for each in preview.variables for name in (each.map, each.series))]
    files = {}
    for name in filter(None, names):
        content = _read(f"{preview.url.rstrip('/')}/{name}", entry, cache, budget)
        if content and _kind(content):
            files[name] = f"images/{entry.id}/{name}"
            out.bytes(files[name], content)
    return Pictures(files.get(preview.thumbnail or ""), preview.thumbnail_alt or "", files)


def _authors(entry: Entry, out: Output, cache: Cache, budget: Budget) -> Pictures:
    """Bring the picture that the author names, if it is one."""
    content = _read(entry.thumbnail, entry, cache, budget) if entry.thumbnail else None
    kind = _kind(content or b"")
    if not content or not kind:
        return Pictures()
    path = f"images/{entry.id}/thumbnail.{kind}"
    out.bytes(path, content)
    return Pictures(path, "")


def _kind(content: bytes) -> str | None:
    return next((kind for start, kind in MAGIC.items() if content.startswith(start)), None)


def _read(url: str, entry: Entry, cache: Cache, budget: Budget) -> bytes | None:
    """Read a file from the disk, or from elsewhere within the build's time and only once."""
    if protocol_of(url) == "file":
        return _local(url)
    key = f"picture {url} {entry.version}"
    if known := cache.get(key):
        return bytes.fromhex(known)
    place = url.split("/")[2]
    if budget.over or place in budget.silent or place_of(entry) in budget.silent:
        return None
    content = _fetch(url, entry)
    if content is None:
        budget.silent[place] = f"{place} did not give a picture"
    else:
        cache.put(key, content.hex())
    return content


def _local(url: str) -> bytes | None:
    from bakehouse.storage import local_path

    path = Path(local_path(url))
    try:
        return path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError:
        return None


def _fetch(url: str, entry: Entry) -> bytes | None:
    from obstore.exceptions import BaseError

    try:
        if protocol_of(url) in ("http", "https"):
            with urlopen(url, timeout=TIMEOUT_S) as answer:
                content = bytes(answer.read(MAX_BYTES + 1))
        else:
            content = _from_bucket(url, entry) or b""
    except (OSError, ValueError, BaseError, BakehouseError):
        return None
    return content if len(content) <= MAX_BYTES else None


def _from_bucket(url: str, entry: Entry) -> bytes | None:
    from bakehouse.catalog.opening import obstore_options
    from bakehouse.storage import Target

    folder, _, name = url.rpartition("/")
    return Target(folder, obstore_options(entry.store)).get(name)
