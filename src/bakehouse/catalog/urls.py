"""Urls as an entry may hold them: plain text that a page, a shell or a notebook can show as it is."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator


def protocol_of(url: str) -> str:
    """Name the protocol of a store's url; a path is a file.

    Examples
    --------
    >>> protocol_of("s3://bucket/a.zarr"), protocol_of("/data/a.zarr")
    ('s3', 'file')
    """
    return urlsplit(url).scheme.lower() if "://" in url else "file"


def is_plain(url: str) -> bool:
    """Say whether a url has nothing that would need quoting: no spaces, quotes, brackets or invisible characters.

    Examples
    --------
    >>> is_plain("s3://bucket/a.zarr"), is_plain('"s3://bucket/a.zarr"')
    (True, False)
    """
    return bool(url) and all(char.isprintable() and not char.isspace() and char not in "\"'<>`" for char in url)


def as_url(place: str) -> str:
    """Write a local path that is not plain as a file url; leave everything else as it is.

    Examples
    --------
    >>> as_url("/my data/a.zarr"), as_url("/data/a.zarr")
    ('file:///my%20data/a.zarr', '/data/a.zarr')
    """
    return place if is_plain(place) or not place.startswith("/") else f"file://{quote(place)}"


def is_relative(url: str) -> bool:
    """Say whether a store's url starts from the catalog's own place.

    Examples
    --------
    >>> is_relative("../stores/a.zarr"), is_relative("/stores/a.zarr"), is_relative("s3://bucket/a.zarr")
    (True, False, False)
    """
    return "://" not in url and not url.startswith("/")


def _plain(url: str) -> str:
    if not is_plain(url):
        raise ValueError(f"{url!r} is not a plain url: no spaces, quotes or angle brackets")
    return url


def _on_the_web(url: str) -> str:
    if urlsplit(_plain(url)).scheme not in ("http", "https"):
        raise ValueError(f"{url!r} does not begin with https:// or http://")
    return url


StoreUrl = Annotated[str, AfterValidator(_plain)]
WebUrl = Annotated[str, AfterValidator(_on_the_web)]
