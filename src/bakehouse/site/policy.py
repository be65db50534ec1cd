"""The Content-Security-Policy of each page: nothing but the site's own files, and what explore reads."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit


def policy(*, scripts: bool, connect: Iterable[str] = ()) -> str:
    """Write a policy; without scripts none may run at all.

    Examples
    --------
    >>> policy(scripts=False)
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'"
    """
    script = ["script-src 'self'"] if scripts else []
    reach = [" ".join(["connect-src 'self'", *connect])] if scripts else []
    rest = ["style-src 'self'", "img-src 'self'", "font-src 'self'", "base-uri 'none'", "form-action 'self'"]
    return "; ".join(["default-src 'none'", *script, *reach, *rest])


def origin(url: str) -> str | None:
    """Give the origin that a browser asks for a url; None for what no browser reaches.

    Examples
    --------
    >>> origin("https://storage.googleapis.com/bucket/a.zarr"), origin("/data/a.zarr")
    ('https://storage.googleapis.com', None)
    """
    parts = urlsplit(url)
    plain = parts.scheme in ("http", "https") and parts.netloc and not set(parts.netloc) & set(" ;,'\"")
    return f"{parts.scheme}://{parts.netloc}" if plain else None
