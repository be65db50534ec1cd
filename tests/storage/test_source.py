"""Sources are read by byte ranges; a file that is missing, cut short or replaced is named."""

from __future__ import annotations

import io
import os
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import obstore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakehouse.errors import SourceError
from bakehouse.schema import Identity
from bakehouse.storage import RangeFile, Source, coalesced, each_range, local_path, make_source, ranges, read_ranges
from tests.support.http import Fault, Server, serve
from tests.support.s3 import S3

DATA = bytes(i * 7 % 256 for i in range(5000))
LONG = DATA * 60


def source_of(url: str, **options: Any) -> Source:
    return make_source(url, options, {}, "time=3").identified()


@pytest.fixture
def served(http_server: Server) -> Server:
    (http_server.folder / "a.nc").write_bytes(DATA)
    return http_server


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    folder = tmp_path_factory.mktemp("www")
    (folder / "a.nc").write_bytes(DATA)
    with serve(folder) as server:
        yield source_of(server.address("a.nc"))


moves = st.tuples(
    st.sampled_from([io.SEEK_SET, io.SEEK_CUR, io.SEEK_END]), st.integers(-6000, 6000), st.integers(-1, 6000)
)


@given(st.lists(moves, max_size=6))
def test_a_remote_file_reads_as_the_same_bytes_on_disk(remote: Source, steps: list[tuple[int, int, int]]) -> None:
    with remote.open() as actual, io.BytesIO(DATA) as expected:
        for whence, offset, count in steps:
            base = {io.SEEK_SET: 0, io.SEEK_CUR: expected.tell(), io.SEEK_END: len(DATA)}[whence]
            where = max(0, base + offset)
            assert actual.seek(where) == expected.seek(where)
            assert actual.read(count) == expected.read(count)
            assert actual.tell() == expected.tell()


spans = st.tuples(st.integers(0, len(DATA)), st.integers(0, len(DATA))).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(spans, max_size=6))
def test_ranges_are_the_same_from_disk_and_over_http(remote: Source, wanted: list[tuple[int, int]]) -> None:
    assert [bytes(found) for found in read_ranges(remote, wanted)] == [DATA[a:b] for a, b in wanted]


@given(st.lists(spans, max_size=6))
def test_ranges_are_the_same_from_a_local_file(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[tuple[int, int]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "ranges.bin"
    path.write_bytes(DATA)
    assert [bytes(found) for found in read_ranges(source_of(str(path)), wanted)] == [DATA[a:b] for a, b in wanted]


@given(st.lists(spans, max_size=8))
def test_coalesced_ranges_hold_every_range_once(wanted: list[tuple[int, int]]) -> None:
    groups = list(coalesced(wanted))
    assert sorted(span for _, _, members in groups for span in members) == sorted(
        span for span in wanted if span[0] < span[1]
    )
    assert all(first <= a and b <= last for first, last, members in groups for a, b in members)


def test_nothing_is_read_before_it_is_asked_for(served: Server) -> None:
    with source_of(served.address("a.nc")).open() as file:
        file.seek(100)
        assert served.sent_bytes() == 0
        file.read(10)
    assert 0 < served.sent_bytes() <= len(DATA)


def test_a_file_that_is_replaced_between_two_reads_is_noticed(served: Server) -> None:
    (served.folder / "a.nc").write_bytes(LONG)
    file = RangeFile(source_of(served.address("a.nc")))
    assert file.read(10) == LONG[:10]
    served.fail("a.nc", Fault(content=LONG[::-1]))
    file.seek(-10, io.SEEK_END)
    with pytest.raises(SourceError, match="changed while it was read") as caught:
        file.read(10)
    assert "time=3" in str(caught.value.where) and served.url in str(caught.value.where)
    assert caught.value.fix == "run again"


def test_a_file_that_is_replaced_between_survey_and_read_is_noticed(served: Server) -> None:
    source = source_of(served.address("a.nc"))
    (served.folder / "a.nc").write_bytes(DATA[::-1])
    os.utime(served.folder / "a.nc", (1, 1))
    with pytest.raises(SourceError, match="changed"), source.open() as file:
        file.read(10)
    with pytest.raises(SourceError, match="changed"):
        read_ranges(source, [(0, 10)])


def test_a_local_file_that_is_replaced_between_survey_and_read_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    path.write_bytes(DATA)
    source = source_of(str(path))
    path.write_bytes(DATA[::-1])
    os.utime(path, (1, 1))
    with pytest.raises(SourceError, match="changed"):
        read_ranges(source, [(0, 10)])
    with pytest.raises(SourceError, match="changed"):
        source.open()
    with pytest.raises(SourceError, match="changed"):
        source.read()


def test_a_local_file_that_is_cut_between_two_ranges_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    path.write_bytes(DATA)
    found = each_range(source_of(str(path)), [(0, 10), (20, 30)])
    assert next(found) == DATA[:10]
    os.truncate(path, 25)
    with pytest.raises(SourceError, match="got 5 bytes where 10 were asked for at offset 20"):
        next(found)


def test_a_local_file_is_closed_before_the_last_of_its_ranges_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, opened, local = tmp_path / "a.nc", [], ranges.open_local
    path.write_bytes(DATA)
    monkeypatch.setattr(ranges, "open_local", lambda source: opened.append(local(source)) or opened[-1])
    found = each_range(source_of(str(path)), [(0, 10), (20, 30)])
    assert [(next(found), opened[0].closed) for _ in range(2)] == [(DATA[:10], False), (DATA[20:30], True)]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_that_is_busy_is_asked_again(served: Server, status: int) -> None:
    served.fail("a.nc", Fault(status=status), nth=1)
    source = source_of(served.address("a.nc"))
    served.heal()
    served.fail("a.nc", Fault(status=status), nth=1, method="GET")
    assert source.read() == DATA


def test_a_file_that_is_not_there_is_named(served: Server) -> None:
    with pytest.raises(SourceError, match="no such file") as caught:
        source_of(served.address("b.nc"))
    assert caught.value.where == f"input time=3 ({served.address('b.nc')})"
    assert len(served.requests("b.nc")) == 1


def test_a_file_that_goes_away_is_named(served: Server) -> None:
    source = source_of(served.address("a.nc"))
    (served.folder / "a.nc").unlink()
    with pytest.raises(SourceError, match="no such file"), source.open() as file:
        file.read(1)


def test_a_server_that_forbids_is_named(served: Server) -> None:
    served.fail("a.nc", Fault(status=403))
    with pytest.raises(SourceError, match="cannot reach the file") as caught:
        source_of(served.address("a.nc"))
    assert "403" in str(caught.value.cause) or "ermission" in str(caught.value.cause)
    assert "credentials" in str(caught.value.fix)


class _Plain(SimpleHTTPRequestHandler):
    """Serve whole files only."""

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def test_a_server_without_byte_ranges_is_named_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "a.nc").write_bytes(DATA)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Plain, directory=str(tmp_path))) as httpd:
        threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        source = source_of(f"http://127.0.0.1:{httpd.server_port}/a.nc")
        with pytest.raises(SourceError, match="does not serve byte ranges") as caught:
            read_ranges(source, [(10, 20)])
        assert source.read() == DATA, "the whole file needs no range"
        httpd.shutdown()
    assert "time=3" in str(caught.value.where) and "--cache" in str(caught.value.fix)


def test_an_answer_that_is_cut_is_asked_again(served: Server) -> None:
    source = source_of(served.address("a.nc"))
    served.fail("a.nc", Fault(truncate_bytes=100), nth=1, method="GET")
    assert source.read() == DATA


def test_a_file_that_is_shorter_than_it_was_is_named(served: Server) -> None:
    url = served.address("a.nc")
    with pytest.raises(SourceError, match="changed since its header was read") as caught:
        read_ranges(Source(url, url, {}, Identity(6000), "time=3"), [(4900, 5500)])
    assert "it was 6000, it is 5000" in str(caught.value.cause)


class _Odd(BaseHTTPRequestHandler):
    """Answer as some archives do: a weak ETag, or none; a body that can change."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(False)

    def do_GET(self) -> None:
        self._answer(True)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    def _answer(self, body: bool) -> None:
        state: dict[str, Any] = self.server.state  # type: ignore[attr-defined]
        refused = self.headers.get("If-Match") not in (None, state["etag"]) or (
            self.headers.get("If-Match") or ""
        ).startswith("W/")
        since = self.headers.get("If-Unmodified-Since")
        refused = refused or (since is not None and since != state["modified"])
        first, last = 0, len(state["data"]) - 1
        if asked := self.headers.get("Range"):
            first, last = (int(n) for n in asked.removeprefix("bytes=").split("-"))
            last = min(last, len(state["data"]) - 1)
        data = b"" if refused else state["data"][first : last + 1]
        self.send_response(412 if refused else 206 if asked else 200)
        for name, value in (
            ("ETag", state["etag"]),
            ("Last-Modified", state["modified"]),
            ("Content-Length", str(len(data))),
        ):
            if value:
                self.send_header(name, value)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(state['data'])}")
        self.end_headers()
        self.wfile.write(data if body else b"")


@contextmanager
def odd_server(
    etag: str | None, modified: str | None = "Mon, 01 Jan 2001 00:00:00 GMT"
) -> Iterator[tuple[str, dict[str, Any]]]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Odd)
    httpd.daemon_threads = True
    state = httpd.state = {"etag": etag, "modified": modified, "data": DATA}  # type: ignore[attr-defined]
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}/a.nc", state
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


@pytest.mark.parametrize("etag", ['W/"1"', None])
def test_a_server_with_weak_validators_can_be_read(etag: str | None) -> None:
    with odd_server(etag) as (url, _):
        source = source_of(url)
        assert source.read() == DATA
        assert read_ranges(source, [(10, 20)]) == [DATA[10:20]]


@pytest.mark.parametrize(
    ("etag", "change"),
    [
        ('W/"1"', {"etag": 'W/"2"'}),
        (None, {"modified": "Tue, 02 Jan 2001 00:00:00 GMT"}),
        (None, {"data": DATA + b"more"}),
        ('W/"1"', {"data": DATA + b"more"}),
    ],
)
def test_a_change_is_noticed_with_whatever_the_server_says_of_its_file(
    etag: str | None, change: dict[str, Any]
) -> None:
    with odd_server(etag) as (url, state):
        source = source_of(url)
        state.update(change)
        with pytest.raises(SourceError, match="changed"):
            read_ranges(source, [(0, 10)])
        with pytest.raises(SourceError, match="changed"), source.open() as file:
            file.read(10)


def test_an_input_is_identified_by_what_its_place_tells(served: Server, moto: S3, tmp_path: Path) -> None:
    obstore.put(moto.store(), "a.nc", DATA)
    (tmp_path / "a.nc").write_bytes(DATA)
    options = {"endpoint_url": moto.endpoint, "key": moto.key, "secret": moto.secret}
    found = [
        source_of(served.address("a.nc")),
        source_of(f"{moto.url}/a.nc", **options),
        source_of(str(tmp_path / "a.nc")),
    ]
    assert [s.identity.strength for s in found] == ["etag+size", "etag+size", "mtime+size"]
    assert {s.identity.size_bytes for s in found} == {len(DATA)}
    with odd_server(None) as (url, _):
        assert source_of(url).identity.strength == "mtime+size"
    with odd_server(None, None) as (url, _):
        assert source_of(url).identity.strength == "size"
        assert source_of(url).read() == DATA


def test_two_reads_of_the_same_file_give_the_same_identity_and_a_change_another(served: Server) -> None:
    before = source_of(served.address("a.nc")).identity
    assert source_of(served.address("a.nc")).identity == before
    (served.folder / "a.nc").write_bytes(DATA[:-1])
    assert source_of(served.address("a.nc")).identity != before


@pytest.mark.parametrize("name", ["a b.nc", "50%.nc", "été.nc", "a+b.nc", "a#b.nc", "a%20b.nc"])
def test_names_are_found_however_they_are_written(name: str, served: Server, moto: S3, tmp_path: Path) -> None:
    (served.folder / name).write_bytes(DATA)
    (tmp_path / name).write_bytes(DATA)
    obstore.put(moto.store(), name, DATA)
    options = {"endpoint_url": moto.endpoint, "key": moto.key, "secret": moto.secret}
    assert source_of(served.address(name)).read() == DATA
    assert source_of(str(tmp_path / name)).read() == source_of((tmp_path / name).as_uri()).read() == DATA
    assert source_of(f"{moto.url}/{name}", **options).read() == DATA


def test_s3_is_read_with_the_options_of_fsspec_too(moto: S3) -> None:
    obstore.put(moto.store(), "a.nc", DATA)
    source = source_of(f"{moto.url}/a.nc", **moto.fsspec_options)
    assert source.read() == DATA
    assert [bytes(r) for r in read_ranges(source, [(5, 9), (0, 2)])] == [DATA[5:9], DATA[:2]]


def test_a_query_string_goes_with_the_request(served: Server) -> None:
    source = source_of(served.address("a.nc") + "?token=abc")
    assert source.read() == DATA
    assert [bytes(r) for r in read_ranges(source, [(5, 9)])] == [DATA[5:9]]


def test_mirrors_replace_the_beginning_of_an_address(served: Server) -> None:
    url = "https://archive.example/data/a.nc"
    source = make_source(url, {}, {"https://archive.example/data/": f"{served.url}/"}).identified()
    assert (source.url, source.read()) == (url, DATA)
    assert (
        make_source("https://other.example/a.nc", {}, {"https://archive.example/": served.url}).location
        == "https://other.example/a.nc"
    )


def test_the_most_exact_mirror_wins() -> None:
    mirrors = {"https://a.example/": "https://mirror.example/", "https://a.example/new/": "/disk/"}
    for said in (mirrors, dict(reversed(mirrors.items()))):
        assert make_source("https://a.example/new/x.nc", {}, said).location == "/disk/x.nc"
        assert make_source("https://a.example/old/x.nc", {}, said).location == "https://mirror.example/old/x.nc"


def test_a_source_travels(remote: Source) -> None:
    there: Source = pickle.loads(pickle.dumps(remote))
    assert there == remote
    assert there.read() == DATA


def test_secrets_in_options_do_not_show() -> None:
    assert "topsecret" not in repr(make_source("s3://b/a.nc", {"secret": "topsecret"}, {}))


PACKAGE = "package://iris_sample_data"


def test_a_changed_file_behind_a_query_string_is_noticed(served: Server) -> None:
    source = source_of(served.address("a.nc") + "?token=abc")
    (served.folder / "a.nc").write_bytes(DATA + b"more")
    with pytest.raises(SourceError, match="changed"):
        source.open()


def test_a_file_of_a_package_is_identified_by_the_packages_own_record() -> None:
    import iris_sample_data

    source = source_of(f"{PACKAGE}/sample_data/A1B.2098.pp")
    assert source.identity.strength == "sha256"
    assert source.read() == Path(iris_sample_data.path, "A1B.2098.pp").read_bytes()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("package://no_such_package/a.nc", "package 'no_such_package' is not installed"),
        ("package:///etc/passwd", "package '' is not installed"),
        ("package://os/a.nc", "package 'os' is not installed"),
        (f"{PACKAGE}/sample_data/none.nc", "has no file 'sample_data/none.nc'"),
        (f"{PACKAGE}/../iris_sample_data/__init__.py", "has no file"),
        (f"{PACKAGE}/sample_data/../../../etc/passwd", "has no file"),
        (f"{PACKAGE}//etc/passwd", "has no file"),
        (f"{PACKAGE}/", "has no file"),
        (PACKAGE, "has no file"),
    ],
)
def test_what_is_not_inside_a_package_is_refused(url: str, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        make_source(url, {}, {}, "time=0")
    assert f"input time=0 ({url})" == caught.value.where


def test_a_package_that_is_missing_is_named_with_its_command() -> None:
    with pytest.raises(SourceError) as caught:
        make_source("package://no_such_package/a.nc", {}, {})
    assert caught.value.fix == "pip install no-such-package"


def test_a_home_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert local_path("~/a.nc") == str(tmp_path / "a.nc")
