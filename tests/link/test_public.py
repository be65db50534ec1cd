"""Addresses that are never connected to, however they are spelled and whatever they resolve to."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakehouse.errors import AddressError, StorageError, UsageError
from bakehouse.storage.public import Allowed, why_not_public
from bakehouse.storage.web import HOPS, Web
from tests.link.bench import listening, naming, trusting
from tests.support.http import Fault, Server

LOOPBACK = (
    *("127.0.0.1", "127.0.0.2", "localhost", "LOCALHOST", "localhost.", "a.localhost", "127.0.0.1."),
    *("2130706433", "0x7f000001", "017700000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "0"),
    *("[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:1]", "[64:ff9b::127.0.0.1]"),
    *("[2002:7f00:1::]", "[::127.0.0.1]", "[::]", "0.0.0.0", "１２７.0.0.1", "127。0。0。1", "①27.0.0.1"),
)
OTHERS = (
    *("169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "192.0.0.192", "198.18.0.1"),
    *("224.0.0.1", "240.0.0.1", "255.255.255.255", "[fe80::1]", "[fe80::1%25eth0]", "[fd00:ec2::254]", "[fec0::1]"),
    *("168.63.129.16", "[::ffff:168.63.129.16]", "[64:ff9b::a83f:8110]", "[3fff::1]", "[5f00::1]"),
    *("[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[ff02::1]", "2852039166", "0xa9fea9fe", "metadata:x"),
)


@pytest.mark.parametrize("host", LOOPBACK)
def test_a_host_that_is_this_machine_is_refused_before_it_is_connected_to(host: str) -> None:
    with listening() as listener, Web(Allowed()) as web, pytest.raises(AddressError):
        web.get(f"http://{host}:{listener.port}/a.zarr/zarr.json")
    assert listener.connections == []


@pytest.mark.parametrize("host", OTHERS)
def test_a_host_of_no_public_network_is_refused_by_its_spelling(host: str) -> None:
    with pytest.raises(AddressError):
        Allowed().check(f"http://{host}/latest/meta-data")


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["::1"], ["10.1.2.3"], ["169.254.169.254"], ["8.8.8.8", "127.0.0.1"]], ids=str
)
def test_a_name_is_refused_if_any_of_its_addresses_is_not_public(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    naming(monkeypatch, {"data.example.org": addresses})
    with listening() as listener, Web(Allowed()) as web, pytest.raises(AddressError, match="resolves to"):
        web.get(f"http://data.example.org:{listener.port}/a.zarr")
    assert listener.connections == []


def test_a_name_is_resolved_once_and_that_answer_connected_to(
    http_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    (http_server.folder / "a").write_bytes(b"read")
    port = http_server.url.rpartition(":")[2]
    asked = naming(monkeypatch, {"mirror.example.org": ["127.0.0.1"]})
    with Web(Allowed.of([f"mirror.example.org:{port}"])) as web:
        assert web.get(f"http://mirror.example.org:{port}/a").body == b"read"
    assert asked == ["mirror.example.org"]


@given(st.ip_addresses())
def test_an_address_is_public_only_if_it_is_global(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if why_not_public(str(address)) is None:
        inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
        assert inner.is_global and not inner.is_loopback and not inner.is_link_local


@given(st.ip_addresses(v=4))
def test_an_address_within_another_is_judged_as_it_is_alone(address: ipaddress.IPv4Address) -> None:
    alone = why_not_public(str(address)) is None
    for start in ("::ffff:0:0", "64:ff9b::"):
        inside = ipaddress.IPv6Address(int(ipaddress.IPv6Address(start)) + int(address))
        assert (why_not_public(str(inside)) is None) == alone


@pytest.mark.parametrize(
    "url",
    [
        *("http://user:secret@example.org/a", "http://user@example.org/a", "ftp://example.org/a", "http:///a"),
        *("http://example.org:99999/a", "http://exa mple.org/a", "http://example.org/a\r\nX: y", "//example.org/a"),
        *("http://[::1", "http://exa%6dple.org/", "file:///etc/passwd", "http://-\x00.org/"),
    ],
)
def test_what_is_no_plain_web_address_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(AddressError) as caught:
        Allowed().check(url)
    assert "secret" not in str(caught.value)


def test_trust_is_for_one_port_of_one_host(http_server: Server) -> None:
    (http_server.folder / "a").write_bytes(b"read")
    with listening() as listener, Web(trusting(http_server.url)) as web:
        assert web.get(f"{http_server.url}/a").body == b"read"
        with pytest.raises(AddressError):
            web.get(listener.url)
        with pytest.raises(AddressError):
            web.get(http_server.url.replace("127.0.0.1", "localhost"))
    assert listener.connections == []


@pytest.mark.parametrize("text", ["example.org", "http://example.org:80", "a:b", "example.org:0", "u@example.org:80"])
def test_trust_names_a_host_and_a_port(text: str) -> None:
    with pytest.raises(UsageError, match="HOST:PORT"):
        Allowed.of([text])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"])
def test_a_redirect_is_checked_before_it_is_followed(http_server: Server, host: str) -> None:
    with listening() as listener, Web(trusting(http_server.url)) as web:
        http_server.redirects["/a"] = f"http://{host}:{listener.port}/b"
        with pytest.raises(AddressError):
            web.get(f"{http_server.url}/a")
    assert listener.connections == []
    assert [request.path for request in http_server.log] == ["/a"]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/", "http://user:pw@example.org/"])
def test_a_redirect_to_no_plain_web_address_is_refused(http_server: Server, target: str) -> None:
    http_server.redirects["/a"] = target
    with Web(trusting(http_server.url)) as web, pytest.raises(AddressError):
        web.get(f"{http_server.url}/a")


def test_a_redirect_within_what_is_allowed_is_followed(http_server: Server) -> None:
    (http_server.folder / "b").write_bytes(b"0123456789")
    http_server.redirects["/a"] = "/b"
    with Web(trusting(http_server.url)) as web:
        assert web.get(f"{http_server.url}/a", "2-4").body == b"234"


def test_redirects_in_a_circle_end(http_server: Server) -> None:
    http_server.redirects["/a"] = "/a"
    with Web(trusting(http_server.url)) as web, pytest.raises(StorageError, match="redirects"):
        web.get(f"{http_server.url}/a")
    assert len(http_server.log) == HOPS + 1


def test_an_answer_that_is_too_big_is_not_read_to_its_end(http_server: Server) -> None:
    (http_server.folder / "a").write_bytes(bytes(3 * 2**20))
    with Web(trusting(http_server.url)) as web:
        with pytest.raises(StorageError, match="more than 1 MB"):
            web.get(f"{http_server.url}/a", limit=2**20)
        assert web.get(f"{http_server.url}/a", limit=10, begin=True).body == bytes(10)


def test_a_small_answer_that_unpacks_to_a_big_one_is_refused(http_server: Server) -> None:
    import gzip

    (http_server.folder / "bomb").write_bytes(gzip.compress(bytes(64 * 2**20)))
    (http_server.folder / "text").write_bytes(gzip.compress(b"{}"))
    http_server.headers["Content-Encoding"] = "gzip"
    with Web(trusting(http_server.url)) as web:
        assert web.get(f"{http_server.url}/text").body == b"{}"
        with pytest.raises(StorageError, match="more than 2 MB"):
            web.get(f"{http_server.url}/bomb", limit=2 * 2**20)


@pytest.mark.parametrize("asked", ["0-3", "4-", "-3", None])
def test_a_range_is_cut_out_where_the_server_has_none(http_server: Server, asked: str | None) -> None:
    (http_server.folder / "a").write_bytes(b"0123456789")
    with Web(trusting(http_server.url)) as web:
        with_ranges = web.get(f"{http_server.url}/a", asked)
        http_server.ranges = False
        without = web.get(f"{http_server.url}/a", asked)
    assert with_ranges.body == without.body
    assert with_ranges.size_bytes == without.size_bytes == 10


def test_a_failure_that_passes_is_tried_again_and_one_that_stays_is_told(http_server: Server) -> None:
    (http_server.folder / "a").write_bytes(b"read")
    http_server.fail("/a", Fault(status=503), nth=1)
    with Web(trusting(http_server.url)) as web:
        assert web.get(f"{http_server.url}/a").body == b"read"
        http_server.fail("/b", Fault(status=503))
        assert web.get(f"{http_server.url}/b").status == 503


def test_reading_ends_when_its_time_is_over(http_server: Server) -> None:
    (http_server.folder / "a").write_bytes(b"read")
    http_server.fail("/a", Fault(delay_s=1.5))
    with Web(trusting(http_server.url), seconds=0.5) as web, pytest.raises(StorageError):
        web.get(f"{http_server.url}/a")
