"""Where an Icechunk repository lies, and the one door to its package: both icechunk 1.1 and 2 are spoken here."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from bakehouse.errors import StorageError, did_you_mean
from bakehouse.storage import Target
from bakehouse.storage.locking import alone
from bakehouse.storage.remote import obstore_config

SPEC_VERSION = 1
"""icechunk 1.1, the last for Python 3.11, reads no later one."""
S3_NAMES = {
    "access_key_id": "access_key_id",
    "secret_access_key": "secret_access_key",
    "session_token": "session_token",
    "token": "session_token",
    "endpoint": "endpoint_url",
    "endpoint_url": "endpoint_url",
    "region": "region",
    "default_region": "region",
    "skip_signature": "anonymous",
    "request_payer": "requester_pays",
    "requester_pays": "requester_pays",
    "virtual_hosted_style_request": "virtual_hosted",
    "allow_http": "allow_http",
}
"""obstore's names of S3 options, without their ``aws_``, to icechunk's."""
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


@cache
def library() -> Any:
    """Import the icechunk package.

    Raises
    ------
    StorageError
        If it is not installed.
    """
    try:
        import icechunk
    except ImportError as error:
        raise StorageError(
            "Icechunk stores need the icechunk package", None, str(error), "pip install 'bakehouse[icechunk]'"
        ) from None
    if "ICECHUNK_LOG" not in os.environ:
        icechunk.set_logs_filter("error")  # it warns that local commits are unsafe, which `turn` makes safe
    return icechunk


def create_repository(target: Target) -> Any:
    """Open the repository below a target; make it where there is none."""
    icechunk = library()
    if target.is_local:
        os.makedirs(target.path, exist_ok=True)
    spec = {"create_version": SPEC_VERSION, "check_clean_root": False} if hasattr(icechunk, "SpecVersion") else {}
    with asked(target, "make the repository"):
        return icechunk.Repository.open_or_create(icechunk_storage(target), **spec)


def is_repository(target: Target) -> bool:
    """Say whether there is a repository below a target, without making anything."""
    icechunk = library()
    if target.is_absent:
        return False
    with asked(target, "look for the repository"):
        return bool(icechunk.Repository.exists(icechunk_storage(target)))


def open_repository(target: Target) -> Any:
    """Open the repository below a target, without making anything.

    Raises
    ------
    StorageError
        If there is none.
    """
    if not is_repository(target):
        raise StorageError("there is no Icechunk repository", target.url, None, "check the address, or bake it first")
    with asked(target, "open the repository"):
        return library().Repository.open(icechunk_storage(target))


def icechunk_storage(target: Target) -> Any:
    """Give icechunk's storage for a target: a folder on a disk or in an S3 bucket.

    Raises
    ------
    StorageError
        If the URL is of another kind, or an option is unknown.
    """
    icechunk, parts = library(), urlsplit(target.url)
    if target.is_local:
        return icechunk.local_filesystem_storage(os.path.abspath(target.path))
    if parts.scheme != "s3":
        raise StorageError(
            f"Icechunk repositories on {parts.scheme}:// can't be used yet",
            target.url,
            None,
            "use a target on s3:// or on a disk, or the format 'zarr'",
        )
    prefix = target.url.removeprefix(f"s3://{parts.netloc}").strip("/")
    return icechunk.s3_storage(bucket=parts.netloc, prefix=prefix or None, **s3_options(target.url, target.options))


def s3_options(url: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Translate storage options, in fsspec's or obstore's spelling, into icechunk's.

    Examples
    --------
    >>> s3_options("s3://b/x", {"anon": True, "region": "eu-west-1"})
    {'anonymous': True, 'region': 'eu-west-1', 'force_path_style': False, 'allow_http': False}
    """
    said: dict[str, Any] = {}
    for name, value in obstore_config(url, options).items():
        known = S3_NAMES.get(name.lower().removeprefix("aws_"))
        if known is None:
            raise StorageError(f"there is no storage option '{name}'", url, None, did_you_mean(name, S3_NAMES))
        said[known] = _flag(value) if known in ("anonymous", "requester_pays", "virtual_hosted") else value
    endpoint = said.get("endpoint_url") or next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), None)
    if endpoint:
        said["endpoint_url"] = endpoint
    if not said.get("anonymous") and "access_key_id" not in said:
        said["from_env"] = True
    virtual = said.pop("virtual_hosted", not endpoint)
    return {**said, "force_path_style": not virtual, "allow_http": str(endpoint).startswith("http://")}


def insist_conditional(target: Target) -> None:
    """Refuse endpoints that ignore conditional PUT: commits that race there would be lost without a word.

    Raises
    ------
    StorageError
        If an object can be created twice, or replaced under a wrong etag.
    """
    if target.is_local:
        return
    probe, key = target.child(".probe"), secrets.token_hex(8)
    try:
        probe.put(key, b"first")
        ignored = [shown for mode, shown in CONDITIONS if not _refuses(probe, key, mode)]
    finally:
        probe.delete([key])
    if ignored:
        raise StorageError(
            f"the endpoint ignores {' and '.join(ignored)}, without which Icechunk loses commits that race",
            target.url,
            "it has no conditional PUT",
            "use an endpoint that has, or the format 'zarr'",
        )


CONDITIONS: tuple[tuple[Any, str], ...] = (("create", "If-None-Match"), ({"e_tag": '"0"'}, "If-Match"))


def _refuses(probe: Target, key: str, mode: Any) -> bool:
    import obstore
    from obstore.exceptions import AlreadyExistsError, PreconditionError

    try:
        obstore.put(probe.store, key, b"second", mode=mode)
    except (AlreadyExistsError, PreconditionError):
        return True
    return False


@contextmanager
def turn(target: Target) -> Iterator[None]:
    """Wait for one's turn to move a branch: among the threads of this process, and on a disk among all processes.

    A local disk has no conditional replacement, so the folder is locked. Buckets have it; there, threads that queue
    spare one another the work of a commit that comes too late.
    """
    with _threads(target.url), alone(target.path) if target.is_local else nullcontext():
        yield


@contextmanager
def asked(target: Target, what: str) -> Iterator[None]:
    """Name the repository in what icechunk raises.

    Raises
    ------
    StorageError
        Instead of icechunk's own errors.
    """
    icechunk = library()
    try:
        yield
    except (icechunk.IcechunkError, icechunk.ConflictError, icechunk.RebaseFailedError) as error:
        raise StorageError(
            f"cannot {what}", target.url, reason(error), "check the address, the credentials and their rights"
        ) from error


def reason(error: BaseException) -> str:
    """Give the gist of icechunk's report: its first and its last line.

    Examples
    --------
    >>> reason(KeyError("x"))
    "KeyError: 'x'"
    """
    lines = [line.strip(" |`->x\t") for line in str(error).splitlines() if "->" in line or " x " in line]
    gist = dict.fromkeys([*lines[:1], *lines[-1:]] or str(error).splitlines()[:1])
    return f"{type(error).__name__}: {'; '.join(gist)}"


def _flag(value: Any) -> bool:
    return str(value).lower() in ("true", "1", "yes", "on", "requester")


@cache
def _threads(url: str) -> threading.Lock:
    return threading.Lock()
