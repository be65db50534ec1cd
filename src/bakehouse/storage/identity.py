"""What identifies a source file, and whether it is still what it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import NotSupportedError, PreconditionError

from bakehouse.errors import SourceError
from bakehouse.schema import Identity
from bakehouse.storage.remote import first_line, needs_fsspec, open_remote

if TYPE_CHECKING:
    from bakehouse.storage.source import Source

ZARR_ROOTS = ("zarr.json", ".zmetadata", ".zgroup")


def identify(source: Source) -> Identity:
    """Ask the place for what identifies the file; a zarr store is known by its root document."""
    if source.identity != Identity():
        return source.identity
    if source.is_local:
        return _stat(Path(source.path))
    if needs_fsspec(source.location, source.options):
        return fsspec_identity(source)
    store, key = open_remote(source.location, source.options)
    meta = _head_any(store, [key, *(f"{key.rstrip('/')}/{name}" for name in ZARR_ROOTS)])
    return identity_of(meta)


def _stat(path: Path) -> Identity:
    """Identify a file; a zarr store by its root document."""
    if path.is_dir():
        path = next((path / name for name in ZARR_ROOTS if (path / name).exists()), path)
    stat = path.stat()
    return Identity(stat.st_size, None, str(stat.st_mtime_ns))


def _head_any(store: Any, keys: list[str]) -> Any:
    """Ask for the first of several objects that is there: a file, else a zarr store's root document."""
    for key in keys:
        try:
            return obstore.head(store, key)
        except FileNotFoundError as error:
            missing = error
            if not keys[0].rstrip("/").endswith(".zarr"):
                break
    raise missing


def fsspec_identity(source: Source) -> Identity:
    """Ask fsspec for what identifies a file."""
    import fsspec

    fs, path = fsspec.core.url_to_fs(source.location, **source.options)
    info = fs.info(path)
    mtime = info.get("LastModified") or info.get("mtime") or info.get("updated")
    return Identity(info.get("size"), info.get("ETag") or info.get("etag"), str(mtime) if mtime else None)


def identity_of(meta: Any) -> Identity:
    """Give the identity that an answer states; obstore gives 1970 where there is no modification time."""
    modified = meta["last_modified"]
    return Identity(meta["size"], meta.get("e_tag"), modified.isoformat() if modified.timestamp() else None)


def insist_unchanged(source: Source, now: Identity) -> None:
    """Compare what a place says of a file now with what it said when the file was surveyed."""
    known = source.identity
    pairs = [
        (known.size_bytes, now.size_bytes),
        (known.etag, now.etag),
        (None if known.etag else known.mtime, now.mtime),
    ]
    for before, after in pairs:
        if before is not None and after is not None and before != after:
            raise SourceError(
                "the file changed since its header was read",
                source.where,
                f"it was {before}, it is {after}",
                "run again",
            )


def checked(source: Source, action: Any) -> Any:
    """Run an action on a source; failures name the input."""
    try:
        return action()
    except FileNotFoundError as error:
        raise SourceError(
            "no such file", source.where, first_line(error), "check the URL that the pattern makes"
        ) from error
    except PreconditionError as error:
        raise SourceError("the file changed while it was read", source.where, first_line(error), "run again") from error
    except NotSupportedError as error:
        fix = "copy the files to a place that does, and name it with --mirror"
        raise SourceError("the server does not serve byte ranges", source.where, first_line(error), fix) from error
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(
            "cannot reach the file", source.where, first_line(error), "check the URL, the network and the credentials"
        ) from error
