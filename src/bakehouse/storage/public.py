"""Which addresses may be connected to when somebody else names them: those of the public internet.

Whoever links a store or edits a catalog chooses what this machine connects to. So an address is looked at before a
connection is opened: as it is spelled, and as it resolves. Servers of one's own network are named by whoever runs the
command, never by what is read.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bakehouse.errors import AddressError, UsageError

if TYPE_CHECKING:
    from yarl import URL

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SPECIAL = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "3fff::/20", "5f00::/16")))
"""Special by RFC 6890 and its successors, which older Pythons take for global."""
_HOSTS = {ipaddress.ip_address("168.63.129.16"): "the host of a machine on Azure, where GitHub's machines run"}
"""Addresses that are public by their number, and lead to a cloud's own services from within."""
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_TRUSTED = re.compile(r"(?P<host>[^\s:/@]+|\[[0-9A-Fa-f:.]+\]):(?P<port>\d{1,5})")
_FIX = "link a store that everybody can reach; --trust-host HOST:PORT is for servers of your own network"
_PLAIN_FIX = "write the address plainly"


def why_not_public(address: str) -> str | None:
    """Say what keeps an IP address from being one of the public internet; None if nothing does.

    Addresses that carry another within them are judged by it.

    Examples
    --------
    >>> why_not_public("169.254.169.254"), why_not_public("::ffff:127.0.0.1"), why_not_public("8.8.8.8")
    ('link-local, where clouds keep their credentials', 'loopback', None)
    """
    if "%" in address:
        return "of one link only"
    found = _inner(ipaddress.ip_address(address))
    if found in _HOSTS:
        return _HOSTS[found]
    if found.is_loopback:
        return "loopback"
    if found.is_link_local:
        return "link-local, where clouds keep their credentials"
    open_to_all = found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)
    return None if open_to_all and not any(found in each for each in _SPECIAL) else "private or reserved"


def _inner(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None) or address


@dataclass(frozen=True)
class Allowed:
    """What may be connected to: the public internet, and servers that were named one by one.

    Examples
    --------
    >>> Allowed().check("https://10.0.0.1/a.zarr")
    Traceback (most recent call last):
    bakehouse.errors.AddressError: AddressError: 10.0.0.1 is private or reserved...
    >>> Allowed.of(["10.0.0.1:9000"]).check("http://10.0.0.1:9000/a.zarr")
    """

    trusted: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def of(cls, texts: Iterable[str]) -> Allowed:
        """Read HOST:PORT, as the command line and the environment name them.

        Raises
        ------
        UsageError
            If one is something else.
        """
        return cls(frozenset(map(_host_and_port, texts)))

    def check(self, url: str | URL) -> None:
        """Check an address as it is spelled; a name's own addresses are checked where it is resolved.

        Raises
        ------
        AddressError
            If it is no plain web address, holds credentials, or is none of the public internet.
        """
        parts = as_url(url)
        where, host = without_secrets(parts), (parts.raw_host or "").rstrip(".").lower()
        if parts.user is not None or parts.password is not None:
            raise AddressError("the address holds a name or a password", where, None, "link a store that needs none")
        if self._trusts(host, parts.port):
            return
        if host == "localhost" or host.endswith(".localhost"):
            raise AddressError(f"{host} is loopback", where, None, _FIX)
        if (literal := _literal(host, where)) and (why := why_not_public(literal)):
            raise AddressError(f"{host} is {why}", where, None, _FIX)

    def check_addresses(self, host: str, port: int, addresses: Iterable[str]) -> None:
        """Check what a name resolves to: all of it has to be public.

        Raises
        ------
        AddressError
            If an address is not.
        """
        if self._trusts(host, port):
            return
        for address in addresses:
            if why := why_not_public(address):
                raise AddressError(f"{host} resolves to {address}, which is {why}", f"{host}:{port}", None, _FIX)

    def _trusts(self, host: str, port: int | None) -> bool:
        return (host.strip("[]").rstrip(".").lower(), port or 0) in self.trusted


def as_url(url: str | URL) -> URL:
    """Take an address apart as the client does that connects to it.

    Raises
    ------
    AddressError
        If it is no web address.
    """
    from yarl import URL

    try:
        if any(not "!" <= char <= "~" for char in str(url)):
            raise ValueError("it has characters that no address has as they are")
        parts = url if isinstance(url, URL) else URL(url, encoded=True)
        plain = parts.scheme in ("http", "https") and bool(parts.raw_host) and parts.port is not None
    except ValueError as error:
        raise AddressError("not a web address", redacted(str(url)), str(error), _PLAIN_FIX) from None
    if not plain:
        raise AddressError("not a web address", redacted(str(url)), "it does not begin with https://HOST", _PLAIN_FIX)
    return parts


def without_secrets(url: URL) -> str:
    """Write an address without what may be a credential: names, passwords and the query."""
    return redacted(str(url))


def redacted(url: str) -> str:
    """Leave out what may be a credential: names, passwords and the query."""
    return re.sub(r"//[^/]*@", "//", re.split("[?#]", url, maxsplit=1)[0])[:500]


def _literal(host: str, where: str) -> str | None:
    """Give a host that is an IP address; None for a name. Only its usual spelling is taken.

    System libraries also read 2130706433, 0x7f.1 and 0177.0.0.1, each in its own way.
    """
    try:
        return str(ipaddress.ip_address(host.strip("[]").partition("%")[0])) + "".join(host.partition("%")[1:])
    except ValueError:
        pass
    try:
        other = socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        if _NAME.fullmatch(host):
            return None
        raise AddressError(f"{host!r} is no host's name", where, None, _PLAIN_FIX) from None
    raise AddressError(f"{host} is another spelling of {other}", where, None, _PLAIN_FIX)


def _host_and_port(text: str) -> tuple[str, int]:
    found = _TRUSTED.fullmatch(text.strip())
    if not found or not 0 < int(found["port"]) < 2**16:
        raise UsageError(f"'{text}' is not HOST:PORT", None, None, "such as minio.example.org:9000")
    return found["host"].strip("[]").lower(), int(found["port"])
