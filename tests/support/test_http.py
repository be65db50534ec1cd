from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import obstore
import pytest
import xarray as xr
from obstore.store import HTTPStore

from tests.support.http import Fault, Request, Server

BODY = bytes(range(256)) * 4


@pytest.fixture
def server(http_server: Server) -> Server:
    (http_server.folder / "data").mkdir()
    (http_server.folder / "data" / "a b.bin").write_bytes(BODY)
    return http_server


def ask(
    server: Server, method: str = "GET", path: str = "data/a b.bin", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(server.address(path), method=method, headers=names)
        ) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def obstore_of(server: Server) -> HTTPStore:
    backoff = {"init_backoff": timedelta(milliseconds=1), "max_backoff": timedelta(milliseconds=5), "base": 2}
    quick: Any = {"max_retries": 3, "backoff": backoff}
    return HTTPStore.from_url(server.url, client_options={"allow_http": True}, retry_config=quick)


def test_a_get_gives_the_whole_file_and_its_validators(server: Server) -> None:
    status, headers, body = ask(server)
    assert (status, body) == (200, BODY)
    assert headers["Accept-Ranges"] == "bytes" and headers["ETag"].startswith('"') and headers["Last-Modified"]


def test_a_head_gives_the_same_headers_and_no_body(server: Server) -> None:
    status, headers, body = ask(server, "HEAD")
    assert (status, body, headers["Content-Length"]) == (200, b"", str(len(BODY)))
    assert headers["ETag"] == ask(server)[1]["ETag"]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=1000-", 1000, 1023),
        ("bytes=-5", 1019, 1023),
        ("bytes=1000-5000", 1000, 1023),
    ],
)
def test_a_range_gives_just_those_bytes(server: Server, asked: str, first: int, last: int) -> None:
    status, headers, body = ask(server, Range=asked)
    assert (status, body) == (206, BODY[first : last + 1])
    assert headers["Content-Range"] == f"bytes {first}-{last}/1024"


def test_a_range_past_the_end_is_not_satisfiable(server: Server) -> None:
    status, headers, _ = ask(server, Range="bytes=1024-")
    assert (status, headers["Content-Range"]) == (416, "bytes */1024")


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "items=0-1", "bytes=-"])
def test_other_ranges_are_ignored(server: Server, asked: str) -> None:
    assert ask(server, Range=asked)[0] == 200


def test_preconditions_are_honoured(server: Server) -> None:
    etag = ask(server, "HEAD")[1]["ETag"]
    assert ask(server, If_Match=etag)[0] == 200
    assert ask(server, If_Match='"other"')[0] == 412
    assert ask(server, If_None_Match=etag)[0] == 304
    assert ask(server, If_None_Match='"other"')[0] == 200
    assert ask(server, If_Unmodified_Since=formatdate(0, usegmt=True))[0] == 412
    assert ask(server, If_Modified_Since=formatdate(4e9, usegmt=True))[0] == 304
    assert ask(server, Range="bytes=0-1", If_Range=etag)[0] == 206
    assert ask(server, Range="bytes=0-1", If_Range='"other"')[0] == 200


def test_a_rewritten_file_of_the_same_size_has_another_etag(server: Server) -> None:
    etag = ask(server, "HEAD")[1]["ETag"]
    (server.folder / "data" / "a b.bin").write_bytes(BODY[::-1])
    assert ask(server, "HEAD")[1]["ETag"] != etag


@pytest.mark.parametrize("path", ["data", "none.bin", "../conftest.py", "%2e%2e/%2e%2e/etc/passwd"])
def test_only_files_below_the_folder_are_served(server: Server, path: str) -> None:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    connection.request("GET", f"/{path}")
    assert connection.getresponse().status == 404


def test_the_log_counts_requests_and_bytes_per_path(server: Server) -> None:
    ask(server, Range="bytes=0-9")
    ask(server, "HEAD")
    ask(server, path="none.bin")
    assert server.log == [
        Request("GET", "/data/a b.bin", "bytes=0-9", 206, 10),
        Request("HEAD", "/data/a b.bin", None, 200, 0),
        Request("GET", "/none.bin", None, 404, 0),
    ]
    assert server.sent_bytes("data/a b.bin") == server.sent_bytes() == 10
    assert len(server.requests("data/a b.bin", "HEAD")) == 1


@pytest.mark.parametrize("status", [403, 404, 503])
def test_the_nth_request_can_be_refused(server: Server, status: int) -> None:
    server.fail("data/a b.bin", Fault(status=status), nth=2)
    assert [ask(server)[0] for _ in range(3)] == [200, status, 200]


def test_a_fault_can_be_limited_to_a_method_and_healed(server: Server) -> None:
    server.fail("data/a b.bin", Fault(status=503), method="HEAD")
    assert [ask(server, "HEAD")[0], ask(server, "GET")[0]] == [503, 200]
    server.heal()
    assert ask(server, "HEAD")[0] == 200


def test_a_body_can_be_cut(server: Server) -> None:
    server.fail("data/a b.bin", Fault(truncate_bytes=100))
    with pytest.raises(http.client.IncompleteRead) as error:
        ask(server)
    assert error.value.partial == BODY[:100]


def test_the_announced_length_can_be_wrong(server: Server) -> None:
    server.fail("data/a b.bin", Fault(content_length=7))
    assert ask(server, "HEAD")[1]["Content-Length"] == "7"
    assert ask(server)[2] == BODY[:7]


def test_the_content_can_change_between_requests(server: Server) -> None:
    server.fail("data/a b.bin", Fault(content=b"new"), nth={2})
    (_, before, _), (_, after, body), (_, again, _) = ask(server), ask(server), ask(server)
    assert body == b"new" and before["ETag"] == again["ETag"] != after["ETag"]


def test_a_slow_answer_still_arrives(server: Server) -> None:
    server.fail("data/a b.bin", Fault(delay_s=0.05))
    assert ask(server)[2] == BODY


def test_an_archive_host_maps_onto_the_server(server: Server) -> None:
    url = "https://example.org/data/a.nc"
    ((start, replacement),) = server.url_map(url).items()
    (server.folder / "example.org" / "data").mkdir(parents=True)
    (server.folder / "example.org" / "data" / "a.nc").write_bytes(b"x")
    with urllib.request.urlopen(url.replace(start, replacement)) as answer:
        assert answer.read() == b"x"


def test_obstore_reads_ranges_and_sees_changes(server: Server) -> None:
    store = obstore_of(server)
    meta = obstore.head(store, "data/a b.bin")
    assert meta["size"] == 1024 and meta["e_tag"]
    assert bytes(obstore.get_range(store, "data/a b.bin", start=10, end=20)) == BODY[10:20]
    (server.folder / "data" / "a b.bin").write_bytes(BODY[::-1])
    with pytest.raises(obstore.exceptions.PreconditionError):
        obstore.get(store, "data/a b.bin", options={"if_match": meta["e_tag"]})


def test_obstore_tries_again_after_503(server: Server) -> None:
    server.fail("data/a b.bin", Fault(status=503), nth={1, 2})
    assert bytes(obstore.get(obstore_of(server), "data/a b.bin").bytes()) == BODY
    assert [r.status for r in server.log] == [503, 503, 200]


def test_fsspec_reads_ranges(server: Server) -> None:
    with fsspec.open(server.address("data/a b.bin"), block_size=64) as file:
        file.seek(500)
        assert file.read(10) == BODY[500:510]
    assert server.sent_bytes() < len(BODY)


def test_h5netcdf_reads_part_of_a_file_through_fsspec(server: Server, tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal((8, 100, 100)).astype("f4")
    path = server.folder / "x.nc"
    xr.Dataset({"x": (("time", "y", "x"), values)}).to_netcdf(
        path, engine="h5netcdf", encoding={"x": {"chunksizes": (1, 100, 100)}}
    )
    with fsspec.open(server.address("x.nc"), block_size=2**12) as file, xr.open_dataset(file, engine="h5netcdf") as ds:
        np.testing.assert_array_equal(ds.x.isel(time=3).values, values[3])
    assert {r.status for r in server.requests(method="GET")} == {206}
    assert server.sent_bytes() < path.stat().st_size / 2


def test_threads_are_served_at_once(server: Server) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: ask(server, Range=f"bytes={i}-{i}")[2], range(64)))
    assert b"".join(answers) == BODY[:64]
    assert len(server.log) == 64
