"""`zarr.storage.FSStore`, which zarr 3 no longer has: a store on an fsspec file system."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem
from zarr.abc.store import Store
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import FsspecStore, LocalStore, WrapperStore

from bakehouse.storage import Target
from bakehouse.writers.publish import reveal
from bakehouse.writers.store import CandidateStore


class FSStore(WrapperStore[Store]):
    """A zarr store by its URL, with the file system `fs` and the `path` in it.

    zarr 3 reads and writes it; besides, single keys can be taken as from a mapping.

    Parameters
    ----------
    url
        Where the store lies; a path, if `fs` is given.
    fs
        The fsspec file system.
    mode
        ``r`` refuses to write.
    storage_options
        Options of the file system, if `fs` is not given. What else zarr 2 took changes nothing.

    Examples
    --------
    >>> import tempfile, zarr
    >>> store = FSStore(f"file://{tempfile.mkdtemp()}/a.zarr")
    >>> zarr.open_group(store, mode="w").attrs.update(title="Sea")
    >>> "zarr.json" in store, store.fs.protocol[0]
    (True, 'file')
    """

    def __init__(
        self,
        url: str,
        normalize_keys: bool = False,
        key_separator: str | None = None,
        mode: str = "w",
        exceptions: Any = (),
        dimension_separator: str | None = None,
        fs: Any = None,
        check: bool = False,
        create: bool = False,
        missing_exceptions: Any = None,
        **storage_options: Any,
    ) -> None:
        found, path = (fs, fs._strip_protocol(url)) if fs else fsspec.core.url_to_fs(url, **storage_options)
        super().__init__(_opened(found, path, read_only=mode == "r"))
        self._fs, self._path, self._mode = found, path, mode

    @property
    def fs(self) -> Any:
        """Give the fsspec file system."""
        return self._fs

    @property
    def path(self) -> str:
        """Give the path in the file system, without protocol."""
        return str(self._path)

    def __reduce__(self) -> Any:
        """Travel as a path and a file system."""
        return _reopened, (self._path, self._fs, self._mode)

    def with_read_only(self, read_only: bool = False) -> Any:
        """Give the same store for reading only, or for writing."""
        return self._store.with_read_only(read_only)

    def __getitem__(self, key: str) -> bytes:
        """Read one object."""
        found = sync(self._store.get(key, default_buffer_prototype()))
        if found is None:
            raise KeyError(key)
        return found.to_bytes()

    def __setitem__(self, key: str, value: bytes) -> None:
        """Write one object."""
        sync(self.set(key, default_buffer_prototype().buffer.from_bytes(bytes(value))))

    def __delitem__(self, key: str) -> None:
        """Delete one object."""
        sync(self.delete(key))

    def __contains__(self, key: str) -> bool:
        """Say whether there is an object of that name."""
        return bool(sync(self._store.exists(key)))

    def __iter__(self) -> Iterator[str]:
        """List all keys."""
        return iter(self.keys())

    def keys(self) -> list[str]:
        """List all keys."""

        async def collect() -> list[str]:
            return [key async for key in self._store.list()]

        return sorted(sync(collect()))


class Candidate(FSStore):
    """What steps after the store get during a bake: all of it is there, but nobody else sees it yet.

    Reading and writing through zarr shows nothing at the prefix. A step that asks for `path` may hand it to other
    programs, so its documents are put there then; no entry names the version before it has been verified. A run that
    appends to a published store leaves its documents alone: there the path shows what was published before.
    """

    def __init__(self, candidate: CandidateStore) -> None:
        WrapperStore.__init__(self, candidate)
        self.candidate = candidate

    def __reduce__(self) -> Any:
        """Travel as the candidate."""
        return Candidate, (self.candidate,)

    @property
    def url(self) -> str:
        """Give the store's URL."""
        return self.candidate.path

    @property
    def fs(self) -> Any:
        """Open the target's file system."""
        return fsspec.core.url_to_fs(self.url, **_options(self.candidate))[0]

    @property
    def path(self) -> str:
        """Give the path in the file system, where the documents are put so that others can read the store."""
        reveal(self.candidate)
        return str(self.fs._strip_protocol(self.url))


def _options(candidate: CandidateStore) -> dict[str, Any]:
    return dict(candidate.target.options) if isinstance(candidate.target, Target) else {}


def _opened(fs: Any, path: str, read_only: bool) -> Store:
    if isinstance(fs, LocalFileSystem):
        return LocalStore(path, read_only=read_only)
    return FsspecStore.from_mapper(fs.get_mapper(path), read_only=read_only)


def _reopened(path: str, fs: Any, mode: str) -> FSStore:
    return FSStore(path, fs=fs, mode=mode)
