"""What identifies a source file, and whether it is still what it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import GenericError, NotSupportedError, PreconditionError

from bakehouse.errors import SourceError
from bakehouse.schema import Identity
from bakehouse.storage.remote import first_line, needs_fsspec, open_remote

if TYPE_CHECKING:
    from bakehouse.storage.source import Source

NO_LENGTH = "Content-Length Header missing"
"""What obstore, which insists on one, says of an answer without a length."""
MTIMES = ("LastModified", "Last-Modified", "mtime", "updated", "modify")
"""What fsspec's file systems call the modification time."""
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
    try:
        return identity_of(_head_any(store, [key, *(f"{key.rstrip('/')}/{name}" for name in ZARR_ROOTS)]))
    except GenericError as error:
        if NO_LENGTH in str(error):
            return fsspec_identity(source)
        raise


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
    mtime = next((info[name] for name in MTIMES if info.get(name)), None)
    return Identity(info.get("size"), info.get("ETag") or info.get("etag"), str(mtime) if mtime else None)


def identity_of(meta: Any) -> Identity:
    """Give the identity that an answer states; obstore gives 1970 where there is no modification time."""
    modified = meta["last_modified"]
    return Identity(meta["size"], meta.get("e_tag"), modified.isoformat() if modified.timestamp() else None)


def insist_unchanged(source: Source, now: Identity) -> None:
    """Compare what a place says of a file now with what it said when the file was surveyed."""
    if change := what_changed(source.held, now):
        what = "the cached copy of the file changed" if source.copy else "the file changed since its header was read"
        raise SourceError(what, source.where, change, "run again")


def what_changed(known: Identity, now: Identity) -> str | None:
    """Say what differs, of all that both identities state; a modification time counts for little beside an etag.

    Examples
    --------
    >>> what_changed(Identity(10, '"a"'), Identity(10, '"b"'))
    'it was "a", it is "b"'
    """
    pairs = [
        (known.size_bytes, now.size_bytes),
        (known.etag, now.etag),
        (None if known.etag else known.mtime, now.mtime),
    ]
    differing = ((a, b) for a, b in pairs if a is not None and b is not None and a != b)
    return next((f"it was {a}, it is {b}" for a, b in differing), None)


def compare(known: Identity, now: Identity) -> tuple[bool | None, str]:
    """Say whether two identities are of different states of a file, by the best evidence that both have, and which.

    Returns
    -------
    True, False or, where they have no evidence in common that could tell, None; and the reason.

    Examples
    --------
    >>> compare(Identity(10, '"a"', "2001"), Identity(10, 'W/"a"', "2002"))
    (False, 'same etag')
    >>> compare(Identity(10, mtime="2001"), Identity(10, mtime="2002"))
    (True, 'mtime was 2001, is 2002')
    >>> compare(Identity(10), Identity(10))
    (None, 'nothing but a size is known')
    """
    if None not in (known.size_bytes, now.size_bytes) and known.size_bytes != now.size_bytes:
        return True, f"size was {known.size_bytes} bytes, is {now.size_bytes}"
    for name in ("sha256", "etag", "mtime"):
        before, after = getattr(known, name), getattr(now, name)
        if before and after:
            differ = before.removeprefix("W/") != after.removeprefix("W/")
            return differ, f"{name} was {before}, is {after}" if differ else f"same {name}"
    if is_weak(known):
        return None, "nothing but a size is known"
    return None, f"it was known by {known.strength}, it now states {now.strength}"


def is_weak(identity: Identity) -> bool:
    """Say whether nothing but a size, or nothing at all, tells one state of the file from another.

    Examples
    --------
    >>> is_weak(Identity(10)), is_weak(Identity(10, mtime="2001-01-01"))
    (True, False)
    """
    return not (identity.etag or identity.mtime or identity.sha256)


def insist_still(source: Source) -> None:
    """Insist that a local file, which a library may have kept open, is what it was when it was surveyed.

    Raises
    ------
    SourceError
        If it is gone, or changed.
    """
    if source.is_local:
        checked(source, lambda: insist_unchanged(source, _stat(Path(source.path))))


def checked(source: Source, action: Any) -> Any:
    """Run an action on a source; failures name the input."""
    try:
        return action()
    except FileNotFoundError as error:
        if source.copy:
            what = "the cached copy of the file is gone"
            raise SourceError(what, source.where, first_line(error), "run again") from error
        raise SourceError(
            "no such file", source.where, first_line(error), "check the URL that the pattern makes"
        ) from error
    except PreconditionError as error:
        raise SourceError("the file changed while it was read", source.where, first_line(error), "run again") from error
    except NotSupportedError as error:
        fix = "name a cache with --cache, or a copy of the files with --mirror"
        raise SourceError("the server does not serve byte ranges", source.where, first_line(error), fix) from error
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(
            "cannot reach the file", source.where, first_line(error), "check the URL, the network and the credentials"
        ) from error
