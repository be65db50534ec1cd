"""Inputs that are no longer what they were are told from those that are, by the best evidence there is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakehouse.errors import SourceError
from bakehouse.schema import Identity
from bakehouse.storage import Change, make_source, source_changes
from bakehouse.storage.identity import compare
from tests.support.http import Fault, Server
from tests.support.plain import Plain, plain_server
from tests.support.s3 import S3

DATA = bytes(range(256)) * 20
OTHER = DATA[::-1]


@pytest.fixture
def served(http_server: Server) -> Server:
    for name in "abc":
        (http_server.folder / f"{name}.nc").write_bytes(DATA)
    return http_server


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Plain]:
    """Serve a file of which nothing but the size is told."""
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "a.nc").write_bytes(DATA)
    with plain_server(tmp_path / "bare") as server:
        yield server


def known_of(url: str, **options: Any) -> Identity:
    return make_source(url, options, {}).identified().identity


def one(url: str, known: Identity, **more: Any) -> Change:
    (found,) = source_changes([(url, known)], **more)
    return found


def test_what_changed_and_what_is_gone_is_told_in_the_order_of_the_inputs(served: Server) -> None:
    urls = [served.address(f"{name}.nc") for name in "abc"]
    known = [(url, known_of(url)) for url in urls]
    (served.folder / "b.nc").write_bytes(OTHER)
    (served.folder / "c.nc").unlink()
    served.clear()
    found = list(source_changes(known))
    assert [(c.url, c.known, c.changed) for c in found] == [
        (url, identity, changed) for (url, identity), changed in zip(known, [False, True, True], strict=True)
    ]
    assert [c.now for c in found] == [known[0][1], known_of(urls[1]), None]
    assert [c.reason.split(" was ")[0] for c in found] == ["same etag", "etag", "gone"]
    assert served.sent_bytes() == 0, "headers tell"


def test_many_inputs_are_asked_several_at_a_time(served: Server) -> None:
    known = known_of(served.address("a.nc"))
    asked: list[int] = []

    def sources() -> Iterator[tuple[str, Identity]]:
        for number in range(100):
            asked.append(number)
            yield served.address("a.nc"), known

    found = list(source_changes(sources(), at_once=4))
    assert ([c.changed for c in found], len(asked)) == ([False] * 100, 100)


def test_a_place_that_cannot_be_asked_is_no_answer(served: Server) -> None:
    url = served.address("a.nc")
    known = known_of(url)
    served.fail("a.nc", Fault(status=403))
    with pytest.raises(SourceError, match="cannot reach the file") as caught:
        one(url, known)
    assert caught.value.where == url


def test_local_files_are_told_by_time_and_size(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    path.write_bytes(DATA)
    known = known_of(str(path))
    assert one(str(path), known).reason == "same mtime"
    path.write_bytes(OTHER)
    os.utime(path, (1, 1))
    assert one(str(path), known).reason == f"mtime was {known.mtime}, is 1000000000"
    path.write_bytes(DATA[1:])
    assert one(str(path), known).reason == "size was 5120 bytes, is 5119"


def test_objects_in_a_bucket_are_told_by_etag(moto: S3) -> None:
    url = f"{moto.url}/a.nc"
    obstore.put(moto.store(), "a.nc", DATA)
    options = moto.fsspec_options
    known = known_of(url, **options)
    assert one(url, known, options=options).reason == "same etag"
    obstore.put(moto.store(), "a.nc", OTHER)
    assert one(url, known, options=options).changed
    obstore.delete(moto.store(), "a.nc")
    assert one(url, known, options=options).reason == "gone"


def test_what_a_server_tells_nothing_of_is_told_by_its_content(bare: Plain) -> None:
    url = f"{bare.url}/a.nc"
    known = Identity(len(DATA), None, None, hashlib.sha256(DATA).hexdigest())
    assert (one(url, known).changed, one(url, known).reason) == (False, "same sha256")
    (bare.folder / "a.nc").write_bytes(OTHER)
    change = one(url, known)
    assert change.changed
    assert change.reason == f"sha256 was {known.sha256}, is {hashlib.sha256(OTHER).hexdigest()}"
    assert change.now == Identity(len(OTHER), None, None, hashlib.sha256(OTHER).hexdigest())
    bare.headers = {"ETag": '"1"'}
    assert one(url, known).changed, "an etag says nothing of what was known by its content"
    bare.sent.clear()
    (bare.folder / "a.nc").write_bytes(DATA[1:])
    assert one(url, known).reason == "size was 5120 bytes, is 5119"
    assert bare.gets() == [], "a size that differs is enough"


def test_what_was_known_by_nothing_that_tells_counts_as_changed(bare: Plain) -> None:
    url = f"{bare.url}/a.nc"
    size = Identity(len(DATA))
    assert (one(url, size).changed, one(url, size).reason) == (True, "nothing but a size is known")
    etag = Identity(len(DATA), '"1"')
    assert one(url, etag).reason == "it was known by etag+size, it now states size"
    assert one(url, etag).changed


def test_mirrors_are_asked_for_what_they_mirror(served: Server) -> None:
    url = "https://data.example/a.nc"
    found = one(url, known_of(served.address("a.nc")), url_map={"https://data.example": served.url})
    assert (found.url, found.changed) == (url, False)


def test_a_file_of_a_package_is_told_by_the_packages_own_record() -> None:
    url = "package://iris_sample_data/sample_data/A1B.2098.pp"
    assert one(url, known_of(url)).reason == "same sha256"


words = st.one_of(st.none(), st.sampled_from(["1", "2"]))
identities = st.builds(Identity, st.one_of(st.none(), st.sampled_from([1, 2])), words, words, words)


@given(identities, identities)
def test_comparing_tells_the_same_both_ways_and_never_calls_equal_what_differs_in_size(
    a: Identity, b: Identity
) -> None:
    assert compare(a, b)[0] == compare(b, a)[0]
    assert compare(a, a)[0] is not True
    if None not in (a.size_bytes, b.size_bytes) and a.size_bytes != b.size_bytes:
        assert compare(a, b)[0] is True
    if compare(a, b)[0] is False:
        assert (a.sha256, a.etag, a.mtime) != (None, None, None)
