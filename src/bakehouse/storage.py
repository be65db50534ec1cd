"""Targets that are written and sources that are read, by URL.

Objects go through obstore (local disk, S3, GCS, HTTP): no event loop, byte ranges, retries with backoff and
conditional writes. Sources that obstore does not speak, or that need fsspec's own options, go through fsspec.
"""

from __future__ import annotations

import io
import os
import posixpath
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotSupportedError,
    PreconditionError,
    UnknownConfigurationKeyError,
)
from obstore.store import HTTPStore, LocalStore, from_url

from bakehouse.chunks import Span
from bakehouse.errors import SourceError, StorageError, did_you_mean
from bakehouse.schema import Identity

RETRIES: Any = {
    "max_retries": 6,
    "backoff": {"init_backoff": timedelta(seconds=0.2), "max_backoff": timedelta(seconds=15), "base": 2},
    "retry_timeout": timedelta(minutes=3),
}
BLOCK_BYTES = 2**16
KEPT_BLOCKS = 64
GAP_BYTES = 2**16
ZARR_ROOTS = ("zarr.json", ".zmetadata", ".zgroup")
S3_OPTIONS = {
    "anon": "skip_signature",
    "key": "access_key_id",
    "secret": "secret_access_key",
    "token": "session_token",
    "endpoint_url": "endpoint",
    "endpoint": "endpoint",
    "region": "region",
    "region_name": "region",
    "requester_pays": "request_payer",
}
TUNING = {
    "use_ssl",
    "asynchronous",
    "config_kwargs",
    "default_block_size",
    "default_cache_type",
    "default_fill_cache",
    "max_concurrency",
    "skip_instance_cache",
    "use_listings_cache",
    "listings_expiry_time",
    "project",
    "access",
}
"""Options of fsspec's file systems that say how, not where or by whom; obstore needs none of them."""


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
                config=_obstore_config(self.url, self.options),
                retry_config=RETRIES,
                client_options=_client_options(self.options),
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
            _first_line(error),
            "check the address, the credentials and their rights",
        )


@dataclass(frozen=True)
class Source:
    """One input file: its URL as the recipe gives it, and where it is read from.

    `location` differs from `url` for mirrors, ``package://`` files and cached copies. `options` are fsspec's.
    """

    url: str
    location: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    identity: Identity = Identity()
    index: str = ""

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
            return _checked(self, lambda: _open_local(self))
        if _needs_fsspec(self.location, self.options):
            return _checked(self, lambda: _fsspec_open(self))
        return io.BufferedReader(RangeFile(self), BLOCK_BYTES // 8)

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
        return replace(self, identity=_checked(self, lambda: _identify(self)))


class RangeFile(io.RawIOBase):
    """A remote object as a seekable file, read by byte ranges in blocks, of which the latest are kept.

    Headers are read in many small pieces, near each other: kept blocks spare most of the requests. Long reads are
    passed through. A change of the object between two reads raises SourceError.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.store, self.key = open_remote(source.location, source.options)
        self.size = source.identity.size_bytes
        if self.size is None:
            self.size = _checked(source, lambda: int(obstore.head(self.store, self.key)["size"]))
        self.position = 0
        self.blocks: OrderedDict[int, Any] = OrderedDict()

    def readable(self) -> bool:
        """Say that it can be read, which is all it can do."""
        return True

    def seekable(self) -> bool:
        """Byte ranges make every position reachable."""
        return True

    def tell(self) -> int:
        """Give the position in bytes."""
        return self.position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move without reading."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.size or 0}[whence]
        self.position = max(0, base + offset)
        return self.position

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer from one byte range."""
        want = min(len(buffer), max(0, (self.size or 0) - self.position))
        if want == 0:
            return 0
        start = self.position
        read = self.fetch if want > KEPT_BLOCKS * BLOCK_BYTES // 2 else self._from_blocks
        data = _checked(self.source, lambda: read(start, want))
        if len(data) != want:
            raise SourceError(
                f"got {len(data)} bytes where {want} were asked for at offset {self.position}", self.source.where
            )
        buffer[:want] = data
        self.position += want
        return want

    def _from_blocks(self, start: int, length: int) -> Any:
        """Give a byte range from kept blocks; missing neighbours come in one request."""
        wanted = range(start // BLOCK_BYTES, -(-(start + length) // BLOCK_BYTES))
        missing = [b for b in wanted if b not in self.blocks]
        if missing:
            first, last = missing[0], missing[-1] + 1
            end = min(last * BLOCK_BYTES, self.size or 0)
            data = self.fetch(first * BLOCK_BYTES, end - first * BLOCK_BYTES)
            self.blocks |= {b: data[(b - first) * BLOCK_BYTES :][:BLOCK_BYTES] for b in range(first, last)}
        joined = b"".join(self.blocks[b] for b in wanted)
        while len(self.blocks) > KEPT_BLOCKS:
            self.blocks.popitem(last=False)
        return joined[start - wanted[0] * BLOCK_BYTES :][:length]

    def fetch(self, start: int, length: int) -> Any:
        """Get one byte range, if the object is still what it was."""
        options: Any = {"range": (start, start + length)}
        etag = self.source.identity.etag
        if etag and not etag.startswith("W/"):  # a weak etag matches nothing (RFC 9110, 13.1.1)
            options["if_match"] = etag
        found = obstore.get(self.store, self.key, options=options)
        _insist_unchanged(self.source, _identity_of(found.meta))
        return memoryview(found.bytes())


def read_ranges(source: Source, ranges: list[Span]) -> list[Any]:
    """Read byte ranges of a source; neighbours are fetched in one request.

    Raises
    ------
    SourceError
        If the source can't be read, or gives fewer bytes than asked for.
    """
    found = _checked(source, lambda: _ranges(source, ranges)) if ranges else []
    for (start, stop), data in zip(ranges, found, strict=True):
        if len(data) != stop - start:
            raise SourceError(
                f"got {len(data)} bytes where {stop - start} were asked for at offset {start}",
                source.where,
                "the file is shorter than it was",
                "run again",
            )
    return found


def _ranges(source: Source, ranges: list[Span]) -> list[Any]:
    if source.is_local:
        return _local_ranges(source, ranges)
    if _needs_fsspec(source.location, source.options):
        with _fsspec_open(source) as file:
            return [_read_at(file, start, stop) for start, stop in ranges]
    remote = RangeFile(source)
    found: dict[Span, Any] = {span: b"" for span in ranges if span[0] == span[1]}
    for first, last, members in coalesced(ranges):
        data = remote.fetch(first, last - first)
        found |= {(a, b): data[a - first : b - first] for a, b in members}
    return [found[span] for span in ranges]


def _local_ranges(source: Source, ranges: list[Span]) -> list[bytes]:
    with _open_local(source) as file:
        return [os.pread(file.fileno(), stop - start, start) for start, stop in ranges]


def _open_local(source: Source) -> Any:
    file = Path(source.path).open("rb")  # noqa: SIM115 - handed to the caller, who closes it
    stat = os.fstat(file.fileno())
    _insist_unchanged(source, Identity(stat.st_size, None, str(stat.st_mtime_ns)))
    return file


def _insist_unchanged(source: Source, now: Identity) -> None:
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


def _identity_of(meta: Any) -> Identity:
    """Give the identity that an answer states; obstore gives 1970 where there is no modification time."""
    modified = meta["last_modified"]
    return Identity(meta["size"], meta.get("e_tag"), modified.isoformat() if modified.timestamp() else None)


def _read_at(file: Any, start: int, stop: int) -> bytes:
    file.seek(start)
    return bytes(file.read(stop - start))


def coalesced(ranges: list[Span]) -> Iterator[tuple[int, int, list[Span]]]:
    """Group byte ranges that lie close together, so that one request fetches each group; empty ones need none.

    Examples
    --------
    >>> list(coalesced([(500_000, 500_010), (0, 10), (10, 30)]))
    [(0, 30, [(0, 10), (10, 30)]), (500000, 500010, [(500000, 500010)])]
    """
    group: list[Span] = []
    for span in sorted(span for span in ranges if span[0] < span[1]):
        if group and span[0] > max(b for _, b in group) + GAP_BYTES:
            yield group[0][0], max(b for _, b in group), group
            group = []
        group.append(span)
    if group:
        yield group[0][0], max(b for _, b in group), group


def make_source(url: str, options: Mapping[str, Any], url_map: Mapping[str, str], index: str = "") -> Source:
    """Resolve an input's URL: mirrors, ``package://`` names and plain paths.

    Raises
    ------
    SourceError
        If a package that the URL names is not installed, or has no such file.
    """
    if url.startswith("package://"):
        path, identity = _package_file(url, index)
        return Source(url, path, dict(options), identity, index)
    for start, replacement in sorted(url_map.items(), key=lambda pair: -len(pair[0])):
        if url.startswith(start):
            return Source(url, replacement + url[len(start) :], dict(options), index=index)
    return Source(url, url, dict(options), index=index)


def local_path(url: str) -> str:
    """Turn a ``file://`` URL or a plain path into a path.

    Examples
    --------
    >>> local_path("file:///tmp/a%20b.nc"), local_path("a.nc")
    ('/tmp/a b.nc', 'a.nc')
    """
    return unquote(urlsplit(url).path) if url.startswith("file://") else os.path.expanduser(url)


def open_remote(url: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    """Open the obstore store of a remote URL, and give the object's key in it."""
    parts = urlsplit(url)
    root = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme in ("http", "https"):
        key = unquote(parts.path.lstrip("/"))
        return HTTPStore.from_url(root, client_options=_client_options(options), retry_config=RETRIES), key
    key = url.removeprefix(root).lstrip("/")  # keys in buckets are not percent-encoded
    config = _obstore_config(url, options)
    return from_url(root, config=config, client_options=_client_options(options), retry_config=RETRIES), key


def _obstore_config(url: str, options: Mapping[str, Any]) -> Any:
    """Translate fsspec's storage options, which people know, into obstore's."""
    client = dict(options.get("client_kwargs", {}))
    said = {**options, **client}
    flat = {k: v for k, v in said.items() if k not in ("client_kwargs", "client_options", *TUNING)}
    if not url.startswith("s3://"):
        return {"skip_signature": True} if flat.get("token") == "anon" or flat.get("anon") else flat
    config = {S3_OPTIONS.get(key, key): value for key, value in flat.items()}
    if "endpoint" in config:
        config.setdefault("virtual_hosted_style_request", False)
        config.setdefault("region", os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1")
    return config


def _client_options(options: Mapping[str, Any]) -> Any:
    return {"allow_http": True, "timeout": "120s", "connect_timeout": "20s", **options.get("client_options", {})}


def _needs_fsspec(location: str, options: Mapping[str, Any]) -> bool:
    """Say whether a source needs fsspec: another protocol, a query string, or options that only fsspec knows."""
    parts = urlsplit(location)
    plain = set(options) <= ({"anon", *S3_OPTIONS} if parts.scheme == "s3" else set())
    return parts.scheme not in ("http", "https", "s3", "gs") or bool(parts.query) or not plain


def _fsspec_open(source: Source) -> Any:
    import fsspec

    if source.identity != Identity():
        _insist_unchanged(source, _fsspec_identity(source))
    return fsspec.open(source.location, mode="rb", **source.options).open()


def _identify(source: Source) -> Identity:
    if source.identity != Identity():
        return source.identity
    if source.is_local:
        return _stat(Path(source.path))
    if _needs_fsspec(source.location, source.options):
        return _fsspec_identity(source)
    store, key = open_remote(source.location, source.options)
    meta = _head_any(store, [key, *(f"{key.rstrip('/')}/{name}" for name in ZARR_ROOTS)])
    return _identity_of(meta)


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


def _fsspec_identity(source: Source) -> Identity:
    import fsspec

    fs, path = fsspec.core.url_to_fs(source.location, **source.options)
    info = fs.info(path)
    mtime = info.get("LastModified") or info.get("mtime") or info.get("updated")
    return Identity(info.get("size"), info.get("ETag") or info.get("etag"), str(mtime) if mtime else None)


def _package_file(url: str, index: str) -> tuple[str, Identity]:
    """Find a file inside an installed package; its digest comes from the package's own record."""
    from importlib.util import find_spec

    package, _, inside = url.removeprefix("package://").partition("/")
    where = f"input {index} ({url})" if index else url
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise SourceError(
            f"package '{package}' is not installed", where, None, f"pip install {package.replace('_', '-')}"
        )
    path = Path(spec.submodule_search_locations[0], inside)
    outside = not inside or inside.startswith("/") or ".." in posixpath.normpath(inside).split("/")
    if outside or not path.exists():
        raise SourceError(f"package '{package}' has no file '{inside}'", where)
    return str(path), _recorded(package, inside, path)


def _recorded(package: str, inside: str, path: Path) -> Identity:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        files = distribution(package.replace("_", "-")).files or []
        found = next((f for f in files if f.as_posix() == f"{package}/{inside}" and f.hash), None)
    except PackageNotFoundError:
        found = None
    size = path.stat().st_size if path.is_file() else None
    return Identity(size, None, None, f"{found.hash.mode}-{found.hash.value}" if found and found.hash else None)


def _checked(source: Source, action: Any) -> Any:
    """Run an action on a source; failures name the input."""
    try:
        return action()
    except FileNotFoundError as error:
        raise SourceError(
            "no such file", source.where, _first_line(error), "check the URL that the pattern makes"
        ) from error
    except PreconditionError as error:
        raise SourceError(
            "the file changed while it was read", source.where, _first_line(error), "run again"
        ) from error
    except NotSupportedError as error:
        fix = "copy the files to a place that does, and name it with --mirror"
        raise SourceError("the server does not serve byte ranges", source.where, _first_line(error), fix) from error
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(
            "cannot reach the file", source.where, _first_line(error), "check the URL, the network and the credentials"
        ) from error


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
