"""Which addresses a meta.yaml may name."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from bakehouse.errors import did_you_mean

WEB = ("https", "http")
SCHEMES = (*WEB, "ftp", "s3", "gs", "gcs", "az", "abfs", "abfss", "package")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PACKAGE = re.compile(r"package://[^\W\d]\w*/.+")


def scheme_of(url: str) -> str | None:
    """Give the scheme of a URL, of the innermost one where fsspec chains them.

    Examples
    --------
    >>> scheme_of("simplecache::s3://bucket/a.nc"), scheme_of("data/a.nc")
    ('s3', None)
    """
    found = _SCHEME.match(url.rsplit("::", 1)[-1])
    return found.group(1).lower() if found else None


def path_escapes(url: str) -> str | None:
    """Say how a path or URL leaves the place where it belongs; None if it does not.

    Examples
    --------
    >>> path_escapes("https://example.org/a/../b.nc")
    "'..' leads out of a folder"
    >>> path_escapes("/data/a.nc")
    'an absolute path exists on one machine only'
    >>> path_escapes("package://iris_sample_data/sample_data/ostia_monthly.nc")
    """
    scheme = scheme_of(url)
    if ".." in re.split(r"[/\\]", unquote(url)):
        return "'..' leads out of a folder"
    if scheme in ("file", "local") or (scheme is None and re.match(r"[/\\~]|[A-Za-z]:[/\\]|file:|local:", url)):
        return "an absolute path exists on one machine only"
    return None


def url_problem(url: str, schemes: tuple[str, ...] = SCHEMES) -> str | None:
    """Say why text is not an address that everybody can read; None if it is one.

    Examples
    --------
    >>> url_problem("htps://example.org")
    "unknown scheme 'htps'; did you mean 'https'?"
    """
    scheme = scheme_of(url)
    if scheme is None:
        return f"{url!r} is not a URL"
    if scheme not in schemes:
        return f"unknown scheme '{scheme}'; {did_you_mean(scheme, schemes)}"
    if scheme == "package":
        return None if _PACKAGE.fullmatch(url) else f"{url!r} is not of the form package://module/path"
    return None if has_host(url) else f"{url!r} names no host"


def has_host(url: str) -> bool:
    """Say whether something stands between ``://`` and the path."""
    try:
        return bool(urlsplit(url.rsplit("::", 1)[-1]).netloc)
    except ValueError:
        return False


def is_plain_http(url: str) -> bool:
    """Say whether a URL is read without encryption from another machine."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1")
    except ValueError:
        return False
