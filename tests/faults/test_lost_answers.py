"""Conditional writes whose answer is lost: the target finds out whether they landed, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bakehouse.errors import StorageError
from bakehouse.storage import Target
from tests.faults.proxy import Fault, Proxy, Rule, proxied
from tests.support.s3 import S3

LOST = {
    "no answer": Fault(landed=True, silent=True),
    "a wrong answer": Fault(landed=True, status=500),
    "a late answer": Fault(landed=True, status=503, delay_s=0.2),
}
UNLANDED = {"no answer": Fault(silent=True), "a refusal": Fault(status=403)}


@pytest.fixture
def proxy(s3: S3) -> Iterator[Proxy]:
    with proxied(s3.endpoint) as proxy:
        yield proxy


@pytest.fixture
def target(s3: S3, proxy: Proxy) -> Target:
    return Target(f"{s3.url}/a", {"endpoint_url": proxy.url, "key": s3.key, "secret": s3.secret})


@pytest.mark.parametrize("name", LOST)
def test_a_creation_that_landed_counts(target: Target, proxy: Proxy, name: str) -> None:
    proxy.fail(Rule("PUT"), LOST[name])
    assert target.create("root", b"mine")
    assert target.get("root") == b"mine"
    assert [request.conditional for request in proxy.log if request.method == "PUT"][0]


@pytest.mark.parametrize("name", LOST)
def test_a_replacement_that_landed_counts(target: Target, proxy: Proxy, name: str) -> None:
    target.put("root", b"old")
    proxy.fail(Rule("PUT"), LOST[name])
    assert target.replace("root", b"mine", b"old")
    assert target.get("root") == b"mine"


@pytest.mark.parametrize("name", LOST)
@pytest.mark.parametrize("s3", ["moto"], indirect=True)
def test_what_somebody_else_wrote_meanwhile_does_not_count(target: Target, proxy: Proxy, name: str) -> None:
    behind = Target(target.url, {**target.options, "endpoint_url": proxy.behind})
    target.put("root", b"old")

    def overtake() -> None:
        behind.put("root", b"theirs")

    fault = replace(LOST[name], act=overtake)
    proxy.fail(Rule("PUT"), fault)
    assert not target.replace("root", b"mine", b"old")
    proxy.heal()
    behind.delete(["root"])
    proxy.fail(Rule("PUT"), fault)
    assert not target.create("root", b"mine")
    assert target.get("root") == b"theirs"


@pytest.mark.parametrize("name", UNLANDED)
def test_a_write_that_did_not_land_is_an_error_or_is_made_good(target: Target, proxy: Proxy, name: str) -> None:
    proxy.fail(Rule("PUT", times=None), UNLANDED[name])
    with pytest.raises(StorageError, match="cannot write 'root'"):
        target.create("root", b"mine")
    proxy.heal()
    assert target.get("root") is None
    target.put("root", b"old")
    proxy.fail(Rule("PUT", times=None), UNLANDED[name])
    with pytest.raises(StorageError, match="cannot write 'root'"):
        target.replace("root", b"mine", b"old")
    assert target.get("root") == b"old"


@pytest.mark.parametrize("s3", ["moto"], indirect=True)
def test_what_can_not_be_found_out_is_an_error(target: Target, proxy: Proxy) -> None:
    proxy.fail(Rule("PUT"), Fault(landed=True, silent=True))
    proxy.fail(Rule("GET", times=None), Fault(status=403))
    with pytest.raises(StorageError, match="cannot write 'root'"):
        target.create("root", b"mine")
