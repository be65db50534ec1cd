"""From URLs and the storage options that people know to obstore's stores."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from obstore.store import HTTPStore, from_url

from bakehouse.storage.memory import Memory

RETRIES: Any = {
    "max_retries": 6,
    "backoff": {"init_backoff": timedelta(seconds=0.2), "max_backoff": timedelta(seconds=15), "base": 2},
    "retry_timeout": timedelta(minutes=3),
}
STORES = 64
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
GCS_LOGINS = ("google_default", "cloud", "cache", "browser")
"""What gcsfs calls the credentials that it finds by itself, which obstore does too."""
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
    web = parts.scheme in ("http", "https")
    key = url.removeprefix(root).lstrip("/")  # keys in buckets are not percent-encoded
    return _store(root, options), unquote(parts.path.lstrip("/")) if web else key


_stores = Memory(STORES)


def _store(root: str, options: Mapping[str, Any]) -> Any:
    """Make the store of a server or a bucket, or give the one that keeps connections to it."""
    web = root.startswith(("http://", "https://"))
    said: dict[str, Any] = {"client_options": client_options(options), "retry_config": RETRIES}
    said |= {} if web else {"config": obstore_config(root, options)}
    key = (root, repr(sorted(said.items())))
    if (found := _stores.get(key)) is None:
        found = HTTPStore.from_url(root, **said) if web else from_url(root, **said)
        _stores.put(key, found, 1)
    return found


def obstore_config(url: str, options: Mapping[str, Any]) -> Any:
    """Translate fsspec's storage options, which people know, into obstore's."""
    client = dict(options.get("client_kwargs", {}))
    said = {**options, **client}
    flat = {k: v for k, v in said.items() if k not in ("client_kwargs", "client_options", *TUNING)}
    if url.startswith(("gs://", "gcs://")):
        return _gcs_config(flat)
    if not url.startswith("s3://"):
        return {"skip_signature": True} if flat.get("token") == "anon" or flat.get("anon") else flat
    config = {S3_OPTIONS.get(key, key): value for key, value in flat.items()}
    if "endpoint" in config:
        config.setdefault("virtual_hosted_style_request", False)
        config.setdefault("region", os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1")
    return config


def _gcs_config(options: dict[str, Any]) -> dict[str, Any]:
    """Translate gcsfs' `token`: who is meant, credentials, or the file that holds them."""
    rest, token = {key: value for key, value in options.items() if key != "token"}, options.get("token")
    if token == "anon" or rest.get("anon"):
        return {"skip_signature": True}
    if isinstance(token, dict):
        return {**rest, "service_account_key": json.dumps(token)}
    return rest if token in (None, *GCS_LOGINS) else {**rest, "application_credentials": token}


def client_options(options: Mapping[str, Any]) -> Any:
    """Give the options of the HTTP client below a store."""
    return {"allow_http": True, "timeout": "120s", "connect_timeout": "20s", **options.get("client_options", {})}


def needs_fsspec(location: str, options: Mapping[str, Any]) -> bool:
    """Say whether a source needs fsspec: another protocol, a query string, or options that only fsspec knows."""
    parts = urlsplit(location)
    known = {"s3": {"anon", *S3_OPTIONS}, "gs": {"anon"}}.get(parts.scheme, set())
    plain = set(options) <= known
    return parts.scheme not in ("http", "https", "s3", "gs") or bool(parts.query) or not plain


def first_line(error: BaseException) -> str:
    """Give an exception's kind and the first line of its text."""
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
