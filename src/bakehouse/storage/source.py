"""Sources: input files by URL, where they are read from, and what identifies them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bakehouse.schema import Identity
from bakehouse.storage.identity import checked, identify
from bakehouse.storage.packages import package_file
from bakehouse.storage.range_file import BLOCK_BYTES, RangeFile
from bakehouse.storage.ranges import fsspec_open, open_local
from bakehouse.storage.remote import local_path, needs_fsspec


@dataclass(frozen=True)
class Source:
    """One input file: its URL as the recipe gives it, and where it is read from.

    `location` differs from `url` for mirrors, ``package://`` files and cached copies. `options` are fsspec's.
    `identity` is of the file that the URL names; `copy`, where `location` is a copy of it, is of the copy.
    """

    url: str
    location: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    identity: Identity = Identity()
    index: str = ""
    copy: Identity | None = None

    @property
    def held(self) -> Identity:
        """Give what identifies the file that is read, at `location`."""
        return self.copy or self.identity

    @property
    def path(self) -> str:
        """Give the place as fsspec's open files do."""
        return local_path(self.location) if self.is_local else self.location

    @property
    def is_local(self) -> bool:
        """Say whether the file lies on this machine."""
        return "://" not in self.location or self.location.startswith("file://")

    @property
    def where(self) -> str:
        """Name the input as messages do."""
        return f"input {self.index} ({self.url})" if self.index else self.url

    def open(self) -> Any:
        """Open for random reading, in binary."""
        if self.is_local:
            return checked(self, lambda: open_local(self))
        if needs_fsspec(self.location, self.options):
            return checked(self, lambda: fsspec_open(self))
        return io.BufferedReader(RangeFile(self), BLOCK_BYTES // 8)

    @property
    def is_ranged(self) -> bool:
        """Say whether it is read by byte ranges of a remote object."""
        return not self.is_local and not needs_fsspec(self.location, self.options)

    def read(self) -> bytes:
        """Read the whole file."""
        with self.open() as file:
            return bytes(file.read())

    def identified(self) -> Source:
        """Ask the place for the file's size, etag and modification time.

        Raises
        ------
        SourceError
            If the file can't be reached.
        """
        return replace(self, identity=checked(self, lambda: identify(self)))


def make_source(url: str, options: Mapping[str, Any], url_map: Mapping[str, str], index: str = "") -> Source:
    """Resolve an input's URL: mirrors, ``package://`` names and plain paths.

    Raises
    ------
    SourceError
        If a package that the URL names is not installed, or has no such file.
    """
    if url.startswith("package://"):
        path, identity = package_file(url, index)
        return Source(url, path, dict(options), identity, index)
    for start, replacement in sorted(url_map.items(), key=lambda pair: -len(pair[0])):
        if url.startswith(start):
            return Source(url, replacement + url[len(start) :], dict(options), index=index)
    return Source(url, url, dict(options), index=index)
