"""The input cache: whole copies of inputs, used only while they are what their source is.

A copy is an object of its own name, written once. A sidecar beside it, one per input, names the copy that is current
and says what it was made from; it is written last and conditionally, so nobody finds a copy before it is whole.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import obstore
from obstore.exceptions import BaseError

from bakehouse.errors import SourceError, StorageError
from bakehouse.storage.identity import compare, identify, is_weak
from bakehouse.storage.remote import S3_OPTIONS, TUNING, first_line
from bakehouse.storage.sidecar import Kept, sidecar_of
from bakehouse.storage.source import Source
from bakehouse.storage.target import Target
from bakehouse.storage.whole import Whole, read_whole

PARTIAL = ".bakehouse-partial-"
LEFT_S = 86_400
"""Age of a partial copy, in seconds since it was last written, after which nobody writes it any more."""
_locks: WeakValueDictionary[str, Any] = WeakValueDictionary()
_guard = threading.Lock()


@dataclass(frozen=True)
class Cache:
    """Copies of inputs in a folder or a bucket; several workers and processes may use it at once.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.nc").write_bytes(b"0123456789")
    >>> source = Source("https://example.org/a.nc", str(folder / "a.nc")).identified()
    >>> copy = Cache(Target(str(folder / "cache"))).hold(source)
    >>> copy.url, copy.location == source.location, copy.read()
    ('https://example.org/a.nc', False, b'0123456789')
    """

    target: Target

    def find(self, source: Source) -> Source | None:
        """Give the copy of an identified source, if there is one and it is whole and current.

        A source that tells neither etag nor time never has one that is known to be current: see `hold`.
        """
        known = Kept.from_json(self.target.get(sidecar_of(source)))
        if known is None or is_weak(source.identity) or compare(known.identity, source.identity)[0] is not False:
            return None
        return self._copy(source, known)

    def hold(self, source: Source) -> Source:
        """Give the copy of an identified source, made now if there is none that is whole and current.

        A source that tells neither etag nor time is read whole, and is identified by its content from then on.

        Raises
        ------
        SourceError
            If the source can't be read whole.
        StorageError
            If the copy can't be written.
        """
        with alone_here(self.target.url + sidecar_of(source)):
            return self.find(source) or self._make(source)

    def _copy(self, source: Source, known: Kept) -> Source | None:
        """Give a copy if it is as it was stored; one that looks otherwise is compared by its content."""
        copy = Source(source.url, self._place(known.key), self._options, index=source.index)
        try:
            found = identify(copy)
            whole = found == known.copy or (
                found.size_bytes == known.size_bytes and read_whole(copy).sha256 == known.sha256
            )
        except (FileNotFoundError, BaseError, SourceError):
            return None
        return replace(copy, identity=source.identity, copy=found) if whole else None

    def _make(self, source: Source) -> Source:
        """Read the source; what it holds is stored, unless that is what the current copy holds."""
        there = self.target.get(sidecar_of(source))
        known = Kept.from_json(there)
        name = re.sub(r"[^\w.-]", "_", source.url.rstrip("/").rpartition("/")[2], flags=re.ASCII)[-80:]
        key = f"{sidecar_of(source).removesuffix('.json')}/{uuid.uuid4().hex[:12]}-{name}"
        with self._partial() as file:
            whole = read_whole(source, file)
            if known and known.sha256 == whole.sha256 and (copy := self._copy(whole.identified, known)):
                self._point(there, replace(known, identity=whole.identified.identity))
                return copy
            self._store(file, key)
        return self._register(whole, key, there, known)

    def _register(self, whole: Whole, key: str, there: bytes | None, known: Kept | None) -> Source:
        """Make a new copy the current one; if somebody else was faster, theirs is used."""
        source = whole.identified
        place = Source(source.url, self._place(key), self._options)
        made = Kept(
            source.url, key, whole.size_bytes, whole.sha256, source.identity, identify(place),
            known.key if known else None,
        )  # fmt: skip
        if made.copy.size_bytes != whole.size_bytes:
            raise StorageError(
                f"the copy has {made.copy.size_bytes} bytes of {whole.size_bytes}",
                place.location,
                source.where,
                "run again",
            )
        if not self._point(there, made):
            theirs = Kept.from_json(self.target.get(sidecar_of(source)))
            if theirs and theirs.sha256 == whole.sha256 and (copy := self._copy(source, theirs)):
                self.target.delete([key])
                return copy
        elif known and known.before:
            self.target.delete([known.before])  # the copy that was current until now may still be read
        return replace(place, index=source.index, identity=source.identity, copy=made.copy)

    def _point(self, there: bytes | None, kept: Kept) -> bool:
        """Write the sidecar, if it is still as it was read."""
        name, data = f"{kept.key.partition('/')[0]}.json", kept.to_json()
        if there is None:
            return self.target.create(name, data)
        return there == data or self.target.replace(name, data, there)

    def _place(self, key: str) -> str:
        """Give the URL or the path of a copy."""
        return str(Path(self.target.path, key)) if self.target.is_local else self.target.child(key).url

    @property
    def _options(self) -> dict[str, Any]:
        """Give the target's options in the plainest spelling, which is read without fsspec."""
        options = dict(self.target.options)
        client = options.pop("client_kwargs", {})
        flat = {k: v for k, v in {**options, **client}.items() if k not in TUNING}
        return flat if self.target.url.startswith("s3://") and set(flat) <= {"anon", *S3_OPTIONS} else options

    @contextmanager
    def _partial(self) -> Iterator[Any]:
        """Open a file that nobody sees: in the cache's own folder, else in the system's for temporary files."""
        folder = Path(self.target.path if self.target.is_local else tempfile.gettempdir())
        path = folder / f"{PARTIAL}{uuid.uuid4().hex}"
        try:
            _sweep(folder)
            file = path.open("xb")
        except OSError as error:
            raise self._failed(error) from error
        with file:
            try:
                yield file
            finally:
                path.unlink(missing_ok=True)

    def _store(self, file: Any, key: str) -> None:
        """Give a whole file its place."""
        file.close()
        try:
            if self.target.is_local:
                place = Path(self._place(key))
                place.parent.mkdir(parents=True, exist_ok=True)
                os.replace(file.name, place)
            else:
                obstore.put(self.target.store, key, Path(file.name))
        except (BaseError, OSError) as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> StorageError:
        fix = "check the address, the room, the credentials and their rights, or leave out the cache"
        return StorageError("cannot keep a copy of an input", self.target.url, first_line(error), fix)


def _sweep(folder: Path) -> None:
    """Make the folder, and drop the partial copies that killed processes left there."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{PARTIAL}*"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > LEFT_S:
                left.unlink()


@contextmanager
def alone_here(name: str) -> Iterator[None]:
    """Let one thread of this process at a time do what has this name."""
    with _guard:
        lock = _locks.setdefault(name, threading.Lock())
    with lock:
        yield
