"""How a run reaches its inputs: by byte ranges, through the input cache, or by whole copies that live as long as it."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotSupportedError

from bakehouse.storage.cache import Cache, alone_here
from bakehouse.storage.identity import is_weak
from bakehouse.storage.remote import needs_fsspec, open_remote
from bakehouse.storage.source import Source
from bakehouse.storage.target import Target

REMEMBERED = 2**14

_ranged: OrderedDict[str, bool] = OrderedDict()
_copied: OrderedDict[tuple[str, str, str], Source] = OrderedDict()
_guard = threading.Lock()


@dataclass(frozen=True)
class Reach:
    """What a run does with an input once it is identified.

    Parameters
    ----------
    cache
        The input cache, if there is one.
    spare
        Where whole copies go that only this run needs.
    notes
        Where it is noted which places made copies necessary; without it, they are logged.
    fill
        Whether inputs that could be read by byte ranges are copied into the cache too.
    """

    cache: Target | None
    spare: Target
    notes: Target | None = None
    fill: bool = True

    def __call__(self, source: Source) -> Source:
        """Give the source as it is to be read.

        Raises
        ------
        SourceError, StorageError
            If it has to be copied, and can't be.
        """
        if source.is_local or source.location.partition("?")[0].rstrip("/").endswith(".zarr"):
            return source
        if self.cache and not is_weak(source.identity):
            cache = Cache(self.cache)
            if found := cache.hold(source) if self.fill else cache.find(source):
                return found
        if why := _why_whole(source):
            self._note(source, why)
            return self._copy(source)
        return source

    def _copy(self, source: Source) -> Source:
        """Copy a source, once for all its positions in this run."""
        key = (self.spare.url, source.url, source.location)
        with _guard:
            if key in _copied:
                return _copied[key]
        copy = Cache(self.cache or self.spare).hold(source)
        _remember(_copied, key, copy)
        return copy

    def _note(self, source: Source, why: str) -> None:
        where = _host(source)
        text = f"inputs of {where} {why}"
        if self.notes:
            self.notes.create(hashlib.sha256(text.encode()).hexdigest()[:16], text.encode())
        else:
            logging.getLogger(__name__).warning(text)


def as_target(cache: Any) -> Any:
    """Understand what a recipe names as its cache; None and ``...`` stay what they are.

    Examples
    --------
    >>> as_target("s3://bucket/cache").url
    's3://bucket/cache'
    """
    if cache is None or cache is ... or isinstance(cache, Target):
        return cache
    root = str(getattr(cache, "root_path", cache))
    fs = getattr(cache, "fs", None)
    url = root if fs is None or "://" in root else str(fs.unstrip_protocol(root))
    local = "://" not in url
    return Target(str(Path(url).expanduser().absolute()) if local else url, dict(getattr(fs, "storage_options", {})))


def _why_whole(source: Source) -> str | None:
    """Say why a source has to be read whole, if it has to."""
    if is_weak(source.identity):
        return "are read whole and identified by their content: the server tells neither etag nor modification time"
    if not _serves_ranges(source):
        return "are copied whole before they are read: the server does not serve byte ranges"
    return None


def _serves_ranges(source: Source) -> bool:
    """Ask a web server for one byte, once for each folder."""
    if urlsplit(source.location).scheme not in ("http", "https") or source.identity.size_bytes == 0:
        return True
    if source.identity.size_bytes is None:
        return False
    folder = source.location.partition("?")[0].rpartition("/")[0]
    with alone_here(f"ranges of {folder}"):
        if folder in _ranged:
            return True
        answer = _asked_by_fsspec(source) if needs_fsspec(source.location, source.options) else _asked(source)
        if answer:
            _remember(_ranged, folder, True)
        return answer


def _asked(source: Source) -> bool:
    store, key = open_remote(source.location, source.options)
    try:
        obstore.get(store, key, options={"range": (0, 1)})
    except NotSupportedError:
        return False
    except BaseError:  # whatever else is wrong is said where the file is read
        return True
    return True


def _asked_by_fsspec(source: Source) -> bool:
    import fsspec

    fs, path = fsspec.core.url_to_fs(source.location, **source.options)
    last = (source.identity.size_bytes or 1) - 1
    try:
        with fs.open(path, "rb", block_size=1024, cache_type="none") as file:
            file.seek(last)
            file.read(1)
    except ValueError:  # fsspec's word for it
        return last == 0
    except Exception:  # whatever else is wrong is said where the file is read
        return True
    return True


def _remember(memo: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    with _guard:
        memo[key] = value
        while len(memo) > REMEMBERED:
            memo.popitem(last=False)


def _host(source: Source) -> str:
    """Name the place of an input, without credentials."""
    return urlsplit(source.url).netloc.rpartition("@")[2] or urlsplit(source.url).scheme or "the pattern"
