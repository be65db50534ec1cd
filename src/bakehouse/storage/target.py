"""Targets: folders on a disk or in a bucket that stores are written to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError, UnknownConfigurationKeyError
from obstore.store import LocalStore, from_url

from bakehouse.errors import StorageError, did_you_mean
from bakehouse.storage.remote import RETRIES, S3_OPTIONS, client_options, first_line, local_path, obstore_config


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
            return LocalStore(prefix=local_path(self.url), mkdir=True, automatic_cleanup=True)
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

    @property
    def is_absent(self) -> bool:
        """Say whether a local folder is not there yet; opening its store would make it."""
        return self.is_local and not Path(local_path(self.url)).is_dir()

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
            raise self._failed("read", key, error) from error

    def put(self, key: str, data: bytes) -> None:
        """Write one object, replacing what was there."""
        try:
            obstore.put(self.store, key, data)
        except (BaseError, OSError) as error:
            raise self._failed("write", key, error) from error

    def create(self, key: str, data: bytes) -> bool:
        """Write one object only if there is none; say whether it was written.

        Endpoints without conditional writes replace the object and answer as if it had been written.
        """
        try:
            obstore.put(self.store, key, data, mode="create")
        except (AlreadyExistsError, PreconditionError):
            return False
        except (BaseError, OSError) as error:
            raise self._failed("write", key, error) from error
        return True

    def delete(self, keys: list[str]) -> None:
        """Delete objects; those that are not there are no error."""
        try:
            if keys:
                obstore.delete(self.store, keys)
        except FileNotFoundError:  # a local disk stops at the first that is not there
            for key in keys if len(keys) > 1 else []:
                self.delete([key])
        except BaseError as error:
            raise self._failed("delete", keys[0], error) from error

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """List keys below a prefix, with their sizes in bytes."""
        try:
            for batch in [] if self.is_absent else obstore.list(self.store, prefix or None):
                yield from ((meta["path"], meta["size"]) for meta in batch)
        except FileNotFoundError:
            return
        except BaseError as error:
            raise self._failed("list", prefix, error) from error

    def _failed(self, verb: str, key: str, error: Exception) -> StorageError:
        return StorageError(
            f"cannot {verb} '{key}'",
            self.url,
            first_line(error),
            "check the address, the credentials and their rights",
        )
