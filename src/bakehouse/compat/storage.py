"""Names of `pangeo_forge_recipes.storage` that would give stale data."""

from __future__ import annotations

from typing import Any

import fsspec
from pangeo_forge_recipes.storage import CacheFSSpecTarget as Upstream
from pangeo_forge_recipes.storage import _add_query_string_secrets

__all__ = ["CacheFSSpecTarget"]

TOKENS = ("ETag", "etag", "LastModified", "Last-Modified", "mtime", "updated", "size")


class CacheFSSpecTarget(Upstream):
    """A folder of copies of inputs, each fetched anew if its source has another etag, time or size than when it was."""

    def cache_file(
        self, fname: str, secrets: dict[str, Any] | None, fsspec_sync_patch: bool = False, **open_kwargs: Any
    ) -> None:
        """Copy an input, unless the copy that is there is of what the source has now.

        Parameters
        ----------
        fname
            The input's URL.
        secrets
            Query parameters to read it with.
        fsspec_sync_patch
            Accepted for upstream's sake.
        open_kwargs
            Options of `fsspec.open`.
        """
        place = _add_query_string_secrets(fname, secrets) if secrets else fname
        note, token = f"{fname}.source", _token(place, open_kwargs)
        if self.exists(fname) and self.exists(note) and self._read(note) == token:
            return
        with fsspec.open(place, mode="rb", **open_kwargs) as source, self.open(fname, mode="wb") as copy:
            while data := source.read(2**24):
                copy.write(data)
        with self.open(note, mode="wb") as file:
            file.write(token)

    def _read(self, name: str) -> bytes:
        with self.open(name, mode="rb") as file:
            return bytes(file.read())


def _token(place: str, options: dict[str, Any]) -> bytes:
    """Say what identifies a source as it is now."""
    fs, path = fsspec.core.url_to_fs(place, **options)
    fs.invalidate_cache(path)
    info = fs.info(path)
    return repr([(name, str(info[name])) for name in TOKENS if info.get(name) is not None]).encode()
