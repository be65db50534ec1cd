"""From the address of a store to where it lies: how readers name it, and at which web address its objects are.

Without credentials, buckets are plain web servers: every object of a public store has an https address. So all that is
read of a linked store goes through one guarded client, whatever its protocol.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from bakehouse.catalog.record import Storage
from bakehouse.errors import AddressError
from bakehouse.meta.urls import path_escapes
from bakehouse.storage.public import as_url, redacted, without_secrets

GOOGLE = "https://storage.googleapis.com"
AMAZON = "https://s3.amazonaws.com"
OSN = (".osn.mghpcc.org", ".osn.xsede.org")
"""Open Storage Network: path-style S3 endpoints, free to read."""
FREE = (*OSN, ".r2.dev", ".r2.cloudflarestorage.com")
"""Hosts that charge nobody for what is read."""
SCHEMES = ("https", "http", "s3", "gs", "gcs")

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,221}")
_AMAZON_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?:[.-](?P<region>[a-z]{2}(?:-[a-z]+)+-\d))?\.amazonaws\.com")
_SECRET = re.compile(r"(?i)(signature|credential|token|secret|api_?key|accesskeyid|(^|[?&])(sig|key)=)")
_FIX = "write https://…, s3://BUCKET/… or gs://BUCKET/…"


@dataclass(frozen=True)
class Place:
    """Where a store lies.

    Parameters
    ----------
    url, storage
        As an entry names it.
    web
        The web address of its root.
    bucket
        The web address of its bucket, and what keys in it begin with; None on a plain web server, which can't list.
    """

    url: str
    storage: Storage
    web: str
    bucket: tuple[str, str] | None = None

    def address(self, key: str = "") -> str:
        """Give the web address of an object.

        Examples
        --------
        >>> place_of("gs://bucket/a b.zarr").address("sst/c/0")
        'https://storage.googleapis.com/bucket/a%20b.zarr/sst/c/0'
        """
        return f"{self.web}/{quote(key)}" if key else self.web

    @property
    def is_free(self) -> bool:
        """Say whether its provider is known to charge nobody for reading."""
        return (as_url(self.web).raw_host or "").endswith(FREE)


def place_of(url: str, endpoint: str | None = None, region: str | None = None) -> Place:
    """Understand the address of a store; web addresses of buckets at known providers become those of buckets.

    Parameters
    ----------
    endpoint
        The S3 endpoint that the bucket is at, if it is none of a known provider.

    Raises
    ------
    AddressError
        If the address can't be one of a public store.

    Examples
    --------
    >>> place_of("https://nyu1.osn.mghpcc.org/leap-pangeo-pipeline/a.zarr").url
    's3://leap-pangeo-pipeline/a.zarr'
    >>> place_of("https://bucket.s3.eu-west-1.amazonaws.com/a.zarr").storage.region
    'eu-west-1'
    """
    scheme = _scheme(url)
    if scheme in ("gs", "gcs"):
        return _google(*_split(url))
    if scheme == "s3":
        bucket, key = _split(url)
        return _s3(bucket, key, endpoint.rstrip("/"), region) if endpoint else _amazon(bucket, key, region)
    return _on_the_web(url, endpoint, region)


def _scheme(url: str) -> str:
    """Give the scheme of an address, if it is one that can be linked."""
    if "::" in url.partition("://")[0] or re.search(r"::\w+:", url):
        first = url.partition("::")[0]
        raise AddressError(
            f"'{first}::' chains addresses", redacted(url), "fsspec would read one through another", _FIX
        )
    scheme, there, rest = url.partition("://")
    scheme = scheme.lower()
    if not there or scheme in ("file", "local"):
        raise AddressError("the store is a path on one machine", redacted(url), None, f"publish it; then {_FIX}")
    if scheme not in SCHEMES:
        raise AddressError(f"stores on {scheme}:// can't be linked", redacted(url), None, _FIX)
    if "?" in rest or "#" in rest:
        what = "holds a credential" if _SECRET.search(rest) else "has a query"
        cause = "the store's objects lie below it, so it ends with a path"
        raise AddressError(f"the address {what}", redacted(url), cause, "leave out all after the path")
    if "@" in rest.partition("/")[0]:
        raise AddressError(
            "the address holds a name or a password", redacted(url), None, "link a store that needs none"
        )
    if escape := path_escapes(url):
        raise AddressError(escape, redacted(url), None, _FIX)
    return scheme


def _split(url: str) -> tuple[str, str]:
    bucket, _, key = url.partition("://")[2].partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise AddressError(f"'{bucket}' is no bucket's name", redacted(url), None, _FIX)
    return bucket, key.strip("/")


def _on_the_web(url: str, endpoint: str | None, region: str | None) -> Place:
    parts = as_url(url)
    host, key = parts.raw_host or "", unquote(parts.raw_path.strip("/"))
    bucket, _, rest = key.partition("/")
    if f"https://{host}" == GOOGLE and bucket and rest:
        return _google(bucket, rest)
    if (found := _AMAZON_HOST.fullmatch(host)) and (found["bucket"] or rest):
        return _amazon(found["bucket"] or bucket, key if found["bucket"] else rest, region or found["region"])
    if endpoint and url.startswith(f"{endpoint.rstrip('/')}/") and rest:
        return _s3(bucket, rest, endpoint.rstrip("/"), region)
    if host.endswith(OSN) and rest:
        return _s3(bucket, rest, f"https://{host}", region)
    if endpoint:
        raise AddressError(
            "the address is not below the endpoint", without_secrets(parts), endpoint, "write s3://BUCKET/…"
        )
    return Place(url.rstrip("/"), Storage(protocol=parts.scheme), url.rstrip("/"))


def _google(bucket: str, key: str) -> Place:
    storage = Storage(protocol="gs", anonymous=True)
    return _in_bucket(f"gs://{bucket}/{key}", storage, f"{GOOGLE}/{bucket}", key)


def _amazon(bucket: str, key: str, region: str | None) -> Place:
    """Name a bucket's own host, which sends readers to its region; names with dots have no certificate."""
    storage = Storage(protocol="s3", anonymous=True, region=region)
    start = AMAZON.replace("s3.", f"s3.{region}.") if region else AMAZON
    web = f"{start}/{bucket}" if "." in bucket else start.replace("//", f"//{bucket}.")
    return _in_bucket(f"s3://{bucket}/{key}", storage, web, key)


def _s3(bucket: str, key: str, endpoint: str, region: str | None) -> Place:
    as_url(endpoint)
    storage = Storage(protocol="s3", anonymous=True, endpoint=endpoint, region=region)
    return _in_bucket(f"s3://{bucket}/{key}", storage, f"{endpoint}/{bucket}", key)


def _in_bucket(url: str, storage: Storage, bucket: str, key: str) -> Place:
    web = f"{bucket}/{quote(key)}" if key else bucket
    return Place(url.rstrip("/"), storage, web, (bucket, key))
