"""Targets: folders on a disk or in a bucket that stores are written to."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import obstore
from obstore.exceptions import BaseError, NotSupportedError, UnknownConfigurationKeyError
from obstore.store import LocalStore, from_url

from bakehouse.errors import StorageError, did_you_mean
from bakehouse.storage.locking import alone
from bakehouse.storage.remote import RETRIES, S3_OPTIONS, client_options, first_line, local_path, obstore_config

BUFFER_BYTES = 2**16
"""Parts that are longer are written as they are."""
FULL = ("No space left", "Disk quota exceeded", "File too large")


@dataclass(frozen=True)
class Target:
    """A folder on a local disk or in a bucket, as a URL with its storage options.

    Examples
    --------
    >>> Target("s3://bucket/stores").child("noaa-oisst", "daily").url
    's3://bucket/stores/noaa-oisst/daily'
    """

    url: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the open store behind: each process opens its own."""
        return {"url": self.url, "options": dict(self.options)}

    @cached_property
    def store(self) -> Any:
        """Open the obstore store behind the URL.

        Raises
        ------
        StorageError
            If an option is unknown.
        """
        if self.is_local:
            return LocalStore(prefix=self.path, mkdir=True, automatic_cleanup=True)
        scheme, _, path = self.url.partition("://")
        try:
            return from_url(
                f"{scheme}://{quote(path, safe='/:@')}",
                config=obstore_config(self.url, self.options),
                retry_config=RETRIES,
                client_options=client_options(self.options),
            )
        except UnknownConfigurationKeyError as error:
            name = str(error).partition("'")[2].partition("'")[0]
            raise StorageError(
                f"there is no storage option '{name}'",
                self.url,
                None,
                did_you_mean(name, {"client_kwargs", *S3_OPTIONS}),
            ) from None

    @property
    def is_local(self) -> bool:
        """Say whether the folder lies on this machine."""
        return "://" not in self.url or self.url.startswith("file://")

    @cached_property
    def _whole(self) -> Target:
        """Give the bucket or the disk that the folder lies on."""
        parts = urlsplit(self.url)
        return Target("/") if self.is_local else replace(self, url=f"{parts.scheme}://{parts.netloc}")

    @property
    def _start(self) -> str:
        """Give what keys of this folder begin with on the whole."""
        return os.path.abspath(self.path) if self.is_local else self.url.removeprefix(self._whole.url).strip("/")

    @property
    def path(self) -> str:
        """Give the path of a local folder."""
        return local_path(self.url)

    @property
    def is_absent(self) -> bool:
        """Say whether a local folder is not there yet; opening its store would make it."""
        return self.is_local and not Path(self.path).is_dir()

    def child(self, *parts: str) -> Target:
        """Name a folder below this one."""
        return replace(self, url="/".join([self.url.rstrip("/"), *(p.strip("/") for p in parts)]))

    def get(self, key: str) -> bytes | None:
        """Read one object; None if it is not there."""
        try:
            return None if self.is_absent else bytes(obstore.get(self.store, key).bytes())
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise self.failed("read", key, error) from error

    def put(self, key: str, data: Any) -> None:
        """Write one object, replacing what was there."""
        try:
            obstore.put(self.store, key, data)
        except (BaseError, OSError) as error:
            raise self.failed("write", key, error) from error

    def put_parts(self, key: str, parts: Iterable[Any]) -> None:
        """Write one object from its parts; on a disk each is written as it comes.

        The name of an unfinished file is one that obstore passes over when it lists a folder.
        """
        if not self.is_local:
            return self.put(key, joined(parts))
        path = Path(self.path, key)
        partial = path.with_name(f"{path.name}#{os.getpid()}{threading.get_ident()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb", buffering=BUFFER_BYTES) as file:
                file.writelines(parts)
            os.replace(partial, path)
        except OSError as error:
            raise self.failed("write", key, error) from error
        finally:
            partial.unlink(missing_ok=True)
        return None

    def create(self, key: str, data: bytes) -> bool:
        """Write one object only if there is none; say whether what is there now is what this call wrote.

        When the answer to a write is lost, or a repeated request is refused because the first one landed, the object
        is read back: the same bytes count as written. Who must know that nobody else wrote them writes bytes of its
        own. Endpoints without conditional writes replace the object and answer as if there had been none.

        Raises
        ------
        StorageError
            If it can't be written, or can't be found out whether it was.
        """
        try:
            obstore.put(self.store, key, data, mode="create")
        except (BaseError, OSError) as error:
            return self._landed(key, data, None, error)
        return True

    def replace(self, key: str, data: bytes, expected: bytes) -> bool:
        """Replace one object only if it holds what is expected; say whether what is there now is what this call wrote.

        The endpoint compares where it can (S3 by etag). Elsewhere the object is compared, then written: on a local disk
        under a lock that other processes respect, on endpoints without conditional writes with a gap in between. Lost
        answers, and the same bytes from somebody else, are taken as in `create`.

        Raises
        ------
        StorageError
            If it can't be read or written, or can't be found out whether it was.
        """
        with alone(self.path) if self.is_local and not self.is_absent else nullcontext():
            found, tag = self._tagged(key)
            if found != expected:
                return found == data
            try:
                self._put_over(key, data, tag)
            except (BaseError, OSError) as error:
                return self._landed(key, data, expected, error)
        return True

    def copy(self, key: str, to: Target, to_key: str) -> None:
        """Copy one object, replacing what is there: a bucket's server copies, a disk makes a hard link.

        What can be copied in neither way is read and written. A hard link stays as it is when one of its names is put
        anew.

        Raises
        ------
        StorageError
            If there is no such object, or it can't be copied.
        """
        if self._whole == to._whole:
            with suppress(BaseError, OSError, NotImplementedError):
                obstore.copy(self._whole.store, f"{self._start}/{key}", f"{to._start}/{to_key}")
                return
        if (data := self.get(key)) is None:
            raise self.failed("copy", key, FileNotFoundError("there is no such object"))
        to.put(to_key, data)

    def size(self, key: str) -> int | None:
        """Give the size of one object in bytes; None if it is not there."""
        try:
            return None if self.is_absent else int(obstore.head(self.store, key)["size"])
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise self.failed("read", key, error) from error

    def delete(self, keys: list[str]) -> None:
        """Delete objects; those that are not there are no error."""
        try:
            if keys:
                obstore.delete(self.store, keys)
        except FileNotFoundError:  # a local disk stops at the first that is not there
            for key in keys if len(keys) > 1 else []:
                self.delete([key])
        except BaseError as error:
            raise self.failed("delete", keys[0], error) from error

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """List keys below a prefix, with their sizes in bytes."""
        try:
            for batch in [] if self.is_absent else obstore.list(self.store, prefix or None):
                yield from ((meta["path"], meta["size"]) for meta in batch)
        except FileNotFoundError:
            return
        except BaseError as error:
            raise self.failed("list", prefix, error) from error

    def _tagged(self, key: str) -> tuple[bytes | None, str | None]:
        """Read one object with its etag."""
        try:
            found = obstore.get(self.store, key)
            return bytes(found.bytes()), found.meta.get("e_tag")
        except FileNotFoundError:
            return None, None
        except (BaseError, OSError) as error:
            raise self.failed("read", key, error) from error

    def _put_over(self, key: str, data: bytes, tag: str | None) -> None:
        if not self.is_local and tag:
            with suppress(NotImplementedError, NotSupportedError):
                obstore.put(self.store, key, data, mode={"e_tag": tag})
                return
        obstore.put(self.store, key, data)

    def _landed(self, key: str, data: bytes, before: bytes | None, error: Exception) -> bool:
        """Find out by reading back whether a conditional write landed whose answer was an error."""
        try:
            there = self.get(key)
        except StorageError:
            raise self.failed("write", key, error) from error
        if there == before:
            raise self.failed("write", key, error) from error
        return there == data

    def failed(self, verb: str, key: str, error: Exception) -> StorageError:
        """Say what could not be done with which object, why, and what to check."""
        full = any(words in str(error) for words in FULL)
        return StorageError(
            f"cannot {verb} '{key}'",
            self.url,
            first_line(error),
            "make room, and run again: finished tasks stay done"
            if full
            else "check the address, the credentials and their rights",
        )


def joined(parts: Iterable[Any]) -> Any:
    """Put parts together as they come, so that only the whole is held."""
    buffer = io.BytesIO()
    buffer.writelines(parts)
    return buffer.getbuffer()
