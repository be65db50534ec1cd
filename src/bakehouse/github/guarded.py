"""Run the command line in a process that opens no connection into private networks, nor to a cloud's metadata.

Run as ``python -m bakehouse.github.guarded COMMAND…``. It is a seat belt: Python's own sockets are watched, libraries
in other languages are not, and code that means to can get around it. The job has
no credentials: that protects them.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any

WATCHED = ("socket.connect", "socket.sendto", "socket.sendmsg")


class RefusedAddressError(PermissionError):
    """An address that unreviewed recipes are not connected to."""


def install() -> None:
    """Watch every connection that this process opens from now on."""
    sys.addaudithook(_watch)


def refused(host: str) -> str | None:
    """Say why a host is not connected to; None if it is.

    Examples
    --------
    >>> refused("169.254.169.254"), refused("::ffff:10.0.0.1"), refused("127.0.0.1"), refused("8.8.8.8")
    ('169.254.169.254 is link-local', '10.0.0.1 is private', None, None)
    """
    for address in _addresses(host):
        address = getattr(address, "ipv4_mapped", None) or address
        if address.is_loopback or (address.is_global and not address.is_multicast):
            continue
        kind = "link-local" if address.is_link_local else "multicast" if address.is_multicast else "private"
        return f"{address} is {kind}"
    return None


def _addresses(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        return [ipaddress.ip_address(host.partition("%")[0])]
    except ValueError:
        found = socket.getaddrinfo(host, None)
    return [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]


def _watch(event: str, values: tuple[Any, ...]) -> None:
    address = values[1] if event in WATCHED and len(values) > 1 else None
    if isinstance(address, tuple) and address and isinstance(address[0], str | bytes):
        host = address[0] if isinstance(address[0], str) else address[0].decode("ascii", "replace")
        if host and (why := refused(host)):
            raise RefusedAddressError(f"recipes that are not reviewed reach public addresses only: {why}")


def main() -> None:
    """Install the watch, then be the command line."""
    install()
    from bakehouse.cli import main as command_line

    command_line(prog_name="bakehouse")


if __name__ == "__main__":
    main()
