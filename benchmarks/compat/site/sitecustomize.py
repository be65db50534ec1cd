"""Send a recipe's requests to this machine: on the path of both sides, so that no recipe is changed.

A request over HTTP for ``https://host/path`` goes to ``$COMPAT_BASE/host/path``. Sockets that lead anywhere but to the
loopback interface are refused.
"""

import contextlib
import os
import socket
from urllib.parse import urlsplit

BASE = os.environ.get("COMPAT_BASE", "")
HERE = ("127.", "localhost", "::1")


def here(url):
    """Give the address on this machine of what a recipe asks for."""
    text = str(url)
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or parts.hostname.startswith(HERE):
        return url
    return f"{BASE}/{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def stay_here():
    """Refuse connections to other machines."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(HERE):
            raise OSError(f"this run stays on this machine: {address}")
        return connect(self, address)

    socket.socket.connect = guarded


def rewrite():
    """Have the two HTTP clients that recipes use ask this machine."""
    import aiohttp
    import requests

    asked_aiohttp, asked_requests = aiohttp.ClientSession._request, requests.Session.request

    def by_aiohttp(self, method, url, **kwargs):
        return asked_aiohttp(self, method, here(url), **kwargs)

    def by_requests(self, method, url, *args, **kwargs):
        return asked_requests(self, method, here(url), *args, **kwargs)

    aiohttp.ClientSession._request, requests.Session.request = by_aiohttp, by_requests


if BASE:
    stay_here()
    with contextlib.suppress(ImportError):
        rewrite()
