"""Connections into private networks, and to a cloud's metadata, which recipes that nobody has reviewed don't get.

It is a seat belt: Python's own sockets are watched, libraries in other languages are not, and code that means to can
get around it. The job has no credentials: that protects them.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any

from bakehouse.storage.public import why_not_public

WATCHED = ("socket.connect", "socket.sendto", "socket.sendmsg")


class RefusedAddressError(PermissionError):
    """An address that unreviewed recipes are not connected to."""


def install() -> None:
    """Watch every connection that this process opens from now on."""
    sys.addaudithook(_watch)


def refused(host: str) -> str | None:
    """Say why a host is not connected to; None if it is, as public ones and this machine are.

    Examples
    --------
    >>> refused("10.0.0.1"), refused("127.0.0.1"), refused("8.8.8.8")
    ('10.0.0.1 is private or reserved', None, None)
    """
    for address in _addresses(host):
        if (why := why_not_public(address)) and why != "loopback":
            return f"{address} is {why}"
    return None


def _addresses(host: str) -> list[str]:
    """Give the addresses of a host that may be one itself; workers of a pipeline talk on this machine."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        return [str(each[4][0]) for each in socket.getaddrinfo(host, None)]


def _watch(event: str, values: tuple[Any, ...]) -> None:
    address = values[1] if event in WATCHED and len(values) > 1 else None
    if isinstance(address, tuple) and address and isinstance(address[0], str | bytes):
        host = address[0] if isinstance(address[0], str) else address[0].decode("ascii", "replace")
        if host and (why := refused(host)):
            raise RefusedAddressError(f"recipes that are not reviewed reach public addresses only: {why}")
