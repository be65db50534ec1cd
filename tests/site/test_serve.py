from __future__ import annotations

import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
import xarray as xr
import zarr
from obstore.store import HTTPStore
from zarr.storage import ObjectStore

from bakehouse.site.content import gather
from bakehouse.site.serve import server, shelves
from tests.catalog.samples import dataset, entry


@pytest.fixture
def port(catalog: Path, site: Path, tmp_path: Path) -> Iterator[int]:
    """Serve a site and its stores; and one entry that names a folder which is no store."""
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "diary.txt").write_text("secret", encoding="utf-8")
    (tmp_path / "stores" / "link").symlink_to(tmp_path / "private")
    (tmp_path / "stores" / "oisst-daily.zarr" / "link").symlink_to(tmp_path / "private")
    found = [*gather([catalog], None).entries, entry("sly/one", str(tmp_path / "private"))]
    serving = server(site, shelves(found), 0)
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield serving.server_address[1]
    serving.shutdown()
    thread.join()
    serving.server_close()


def _ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_a_page_and_its_folder_are_the_same(port: int, site: Path) -> None:
    home = (site / "index.html").read_bytes()
    assert _ask(port, "/")[1] == home == _ask(port, "/index.html?q=a")[1]
    answer, _ = _ask(port, "/status")
    assert (answer.status, answer.getheader("Location")) == (301, "/status/")
    answer, content = _ask(port, "/index.html", "HEAD")
    assert (int(str(answer.getheader("Content-Length"))), content) == (len(home), b"")


def test_a_store_on_this_disk_is_read_through_the_server(port: int) -> None:
    remote = HTTPStore.from_url(
        f"http://127.0.0.1:{port}/stores/oisst/daily/oisst-daily.zarr", client_options={"allow_http": True}
    )
    store = ObjectStore(remote, read_only=True)
    xr.testing.assert_identical(xr.open_zarr(store).load(), dataset())
    assert zarr.open_group(store, mode="r")["sst"].shape == (4, 6, 8)


def test_byte_ranges_are_answered_for_any_origin(port: int, site: Path) -> None:
    whole = (site / "index.html").read_bytes()
    answer, content = _ask(port, "/index.html", Range="bytes=10-19")
    assert (answer.status, content) == (206, whole[10:20])
    assert answer.getheader("Content-Range") == f"bytes 10-19/{len(whole)}"
    assert answer.getheader("Access-Control-Allow-Origin") == "*"
    assert _ask(port, "/index.html", Range="bytes=-5")[1] == whole[-5:]
    assert _ask(port, "/index.html", Range=f"bytes={len(whole)}-")[0].status == 416
    answer, _ = _ask(port, "/index.html", "OPTIONS")
    assert answer.status == 204 and "Range" in str(answer.getheader("Access-Control-Allow-Headers"))


@pytest.mark.parametrize(
    "path",
    [
        "/../private/diary.txt", "/%2e%2e/private/diary.txt", "/stores/oisst/daily/../../../private/diary.txt",
        "/stores/oisst/daily/oisst-daily.zarr/link/diary.txt", "/stores/oisst/daily/oisst-daily.zarr/%2e%2e/x",
        "/stores/sly/one/private/diary.txt", "/stores/oisst/daily/", "/a%00b", "//etc/passwd", "/no/such/page",
    ],
)  # fmt: skip
def test_nothing_but_the_site_and_its_stores_is_served(port: int, path: str) -> None:
    answer, content = _ask(port, path)
    assert (answer.status, content) == (404, b"not there\n")
