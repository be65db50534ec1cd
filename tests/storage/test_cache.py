"""The input cache gives whole copies of what the source is now, or none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bakehouse.errors import SourceError, StorageError
from bakehouse.schema import Identity
from bakehouse.storage import RETRIES, Cache, Reach, Source, Target, as_target, make_source
from bakehouse.storage.cache import PARTIAL
from tests.support.http import Fault, Server
from tests.support.plain import Plain, plain_server

DATA = bytes(i * 7 % 256 for i in range(50_000))
OTHER = DATA[::-1]
THREADS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from bakehouse.storage import Cache, Target, make_source
folder, urls = sys.argv[1], sys.argv[2:]
def read(url):
    return Cache(Target(folder)).hold(make_source(url, {}, {}).identified()).read()
with ThreadPoolExecutor(4) as pool:
    for data in pool.map(read, urls * 4):
        print(len(data), hash(data) == hash(bytes(i * 7 % 256 for i in range(50_000))))
"""
ONE = """
import sys
from bakehouse.storage import Cache, Target, make_source
Cache(Target(sys.argv[1])).hold(make_source(sys.argv[2], {}, {}).identified())
"""


@pytest.fixture
def served(http_server: Server) -> Server:
    (http_server.folder / "a.nc").write_bytes(DATA)
    return http_server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def cache(folder: Path) -> Cache:
    return Cache(Target(str(folder)))


@pytest.fixture(params=["disk", "moto", "rclone"])
def any_cache(request: pytest.FixtureRequest, tmp_path: Path) -> Cache:
    if request.param == "disk":
        return Cache(Target(str(tmp_path / "cache")))
    s3 = request.getfixturevalue(request.param)
    return Cache(Target(f"{s3.url}/in puts", s3.fsspec_options))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RETRIES, "max_retries", 1)


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Plain]:
    """Serve a file of which nothing but the size is told."""
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "a.nc").write_bytes(DATA)
    with plain_server(tmp_path / "bare") as server:
        yield server


def source_of(url: str, **options: Any) -> Source:
    return make_source(url, options, {}, "time=3").identified()


def copies(folder: Path) -> list[Path]:
    """List what a reader of the cache may find."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".json")
    return sorted(path for path in found if not path.name.startswith(PARTIAL))


def partials(folder: Path) -> list[Path]:
    return list(folder.glob(f"{PARTIAL}*"))


def test_an_input_is_copied_once_and_read_from_there(served: Server, any_cache: Cache) -> None:
    source = source_of(served.address("a.nc"))
    copy = any_cache.hold(source)
    assert (copy.url, copy.identity, copy.where) == (source.url, source.identity, source.where)
    served.clear()
    again = any_cache.hold(source_of(source.url))
    assert again == copy
    assert copy.read() == DATA
    with copy.open() as file:
        assert (file.seek(4000), file.read(10)) == (4000, DATA[4000:4010])
    assert [request.method for request in served.log] == ["HEAD"]


def test_a_source_that_changed_with_the_same_size_is_fetched_anew(served: Server, any_cache: Cache) -> None:
    url = served.address("a.nc")
    before = any_cache.hold(source_of(url))
    (served.folder / "a.nc").write_bytes(OTHER)
    after = any_cache.hold(source_of(url))
    assert after.read() == OTHER
    assert after.identity == source_of(url).identity != before.identity
    assert before.read() == DATA, "who reads the copy that was current goes on"
    (served.folder / "a.nc").write_bytes(DATA[1:])
    assert any_cache.hold(source_of(url)).read() == DATA[1:]
    assert len([key for key, _ in any_cache.target.list() if not key.endswith(".json")]) == 2


def test_a_source_known_by_its_time_that_changed_with_the_same_size_is_fetched_anew(
    bare: Plain, cache: Cache, folder: Path
) -> None:
    bare.headers = {"Last-Modified": "Mon, 01 Jan 2001 00:00:00 GMT"}
    url = f"{bare.url}/a.nc"
    assert source_of(url).identity.strength == "mtime+size"
    assert [cache.hold(source_of(url)).read() == DATA for _ in range(2)] == [True, True]
    assert bare.gets() == ["a.nc"]
    (bare.folder / "a.nc").write_bytes(OTHER)
    bare.headers = {"Last-Modified": "Mon, 01 Jan 2001 00:00:01 GMT"}
    assert cache.hold(source_of(url)).read() == OTHER


def test_a_source_that_was_touched_is_read_again_but_not_stored_twice(
    served: Server, cache: Cache, folder: Path
) -> None:
    url = served.address("a.nc")
    before = cache.hold(source_of(url))
    os.utime(served.folder / "a.nc", (1, 1))
    after = cache.hold(source_of(url))
    assert (after.location, len(copies(folder))) == (before.location, 1)
    assert after.identity == source_of(url).identity != before.identity
    served.clear()
    cache.hold(source_of(url))
    assert served.sent_bytes() == 0


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def garble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[1234] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [cut, garble, Path.unlink])
def test_a_copy_that_is_damaged_is_never_used(damage: Any, served: Server, cache: Cache, folder: Path) -> None:
    source = source_of(served.address("a.nc"))
    cache.hold(source)
    damage(copies(folder)[0])
    assert cache.find(source) is None
    assert cache.hold(source).read() == DATA
    assert cache.find(source) is not None


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"url": 1}', b'{"identity": {}, "copy": {}}'])
def test_a_note_that_cannot_be_read_counts_as_none(text: bytes, served: Server, cache: Cache, folder: Path) -> None:
    source = source_of(served.address("a.nc"))
    cache.hold(source)
    (note,) = folder.glob("*.json")
    note.write_bytes(text)
    assert cache.find(source) is None
    assert cache.hold(source).read() == DATA
    assert cache.find(source) is not None


def test_a_cache_that_was_moved_is_used_once_its_content_is_compared(
    served: Server, cache: Cache, folder: Path
) -> None:
    source = source_of(served.address("a.nc"))
    cache.hold(source)
    os.utime(copies(folder)[0], (1, 1))
    served.clear()
    assert cache.hold(source).read() == DATA
    assert served.sent_bytes() == 0


CUTS = [Fault(truncate_bytes=20_000), Fault(content_length=60_000), Fault(truncate_bytes=0)]


@pytest.mark.parametrize("fault", CUTS)
def test_a_transfer_that_is_cut_is_asked_for_again(fault: Fault, served: Server, any_cache: Cache) -> None:
    served.fail("a.nc", fault, nth=1, method="GET")
    assert any_cache.hold(source_of(served.address("a.nc"))).read() == DATA


@pytest.mark.parametrize("fault", CUTS)
@pytest.mark.usefixtures("impatient")
def test_a_transfer_that_is_always_cut_leaves_nothing_visible(
    fault: Fault, served: Server, cache: Cache, folder: Path
) -> None:
    served.fail("a.nc", fault, method="GET")
    with pytest.raises(SourceError) as caught:
        cache.hold(source_of(served.address("a.nc")))
    assert caught.value.message == "the file did not arrive whole"
    assert caught.value.where == f"input time=3 ({served.address('a.nc')})"
    assert caught.value.cause and caught.value.fix == "run again"
    assert (copies(folder), list(folder.glob("*.json")), partials(folder)) == ([], [], [])
    served.heal()
    assert cache.hold(source_of(served.address("a.nc"))).read() == DATA


def test_a_source_that_is_replaced_before_it_is_read_is_taken_as_it_is_then(served: Server, cache: Cache) -> None:
    source = source_of(served.address("a.nc"))
    (served.folder / "a.nc").write_bytes(OTHER[:-5])
    copy = cache.hold(source)
    assert copy.read() == OTHER[:-5]
    assert copy.identity == source_of(source.url).identity != source.identity


def test_a_source_that_is_gone_before_it_is_read_is_named(served: Server, cache: Cache) -> None:
    source = source_of(served.address("a.nc"))
    (served.folder / "a.nc").unlink()
    with pytest.raises(SourceError, match="no such file"):
        cache.hold(source)


def test_a_copy_that_goes_away_while_it_is_needed_is_named(served: Server, cache: Cache, folder: Path) -> None:
    copy = cache.hold(source_of(served.address("a.nc")))
    copies(folder)[0].write_bytes(DATA)
    with pytest.raises(SourceError, match="the cached copy of the file changed") as caught:
        copy.read()
    assert served.address("a.nc") in str(caught.value.where)
    copies(folder)[0].unlink()
    with pytest.raises(SourceError, match="the cached copy of the file is gone") as caught:
        copy.read()
    assert served.address("a.nc") in str(caught.value.where) and caught.value.fix == "run again"


def test_a_process_that_is_killed_in_a_transfer_leaves_nothing_visible(bare: Plain, cache: Cache, folder: Path) -> None:
    bare.headers, bare.stalls = {"ETag": '"1"'}, True
    with subprocess.Popen([sys.executable, "-c", ONE, str(folder), f"{bare.url}/a.nc"]) as process:
        assert bare.halfway.wait(60)
        process.send_signal(signal.SIGKILL)
    bare.stalls = False
    assert len(partials(folder)) == 1
    assert (copies(folder), list(folder.glob("*.json"))) == ([], [])
    os.utime(partials(folder)[0], (1, 1))
    assert cache.hold(source_of(f"{bare.url}/a.nc")).read() == DATA
    assert (len(copies(folder)), partials(folder)) == (1, [])


def test_many_workers_and_processes_make_one_copy_and_read_it_whole(served: Server, cache: Cache, folder: Path) -> None:
    (served.folder / "b.nc").write_bytes(DATA)
    urls = [served.address("a.nc"), served.address("b.nc")]
    for name in ("a.nc", "b.nc"):
        served.fail(name, Fault(delay_s=0.3), method="GET")
    processes = [
        subprocess.Popen([sys.executable, "-c", THREADS, str(folder), *urls], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    found = [process.communicate()[0].splitlines() for process in processes]
    assert found == [["50000 True"] * 8] * 3
    assert (len(copies(folder)), len(list(folder.glob("*.json"))), partials(folder)) == (2, 2, [])
    assert all(len(served.requests(name, "GET")) <= 3 for name in ("a.nc", "b.nc")), "at most one for each process"


class _Slow(Target):
    """Let somebody else be faster: two writers find no note, then both write."""

    gate = threading.Barrier(2)

    def create(self, key: str, data: bytes) -> bool:
        self.gate.wait(20)
        return super().create(key, data)


def test_of_two_that_copy_at_once_one_wins_and_both_read(
    served: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bakehouse.storage import cache as module

    monkeypatch.setattr(module, "alone_here", lambda name: threading.Lock())  # as in two processes
    source = source_of(served.address("a.nc"))
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: Cache(_Slow(str(folder))).hold(source), range(2)))
    assert [copy.read() for copy in found] == [DATA, DATA]
    assert {copy.location for copy in found} == {str(path) for path in copies(folder)}
    assert len(copies(folder)) == 1


def test_a_source_that_tells_nothing_is_identified_by_its_content(bare: Plain, any_cache: Cache) -> None:
    url = f"{bare.url}/a.nc"
    first = any_cache.hold(source_of(url))
    assert (first.identity.strength, first.identity.size_bytes, first.read()) == ("sha256", len(DATA), DATA)
    again = any_cache.hold(source_of(url))
    assert again == first, "what it holds is what is there already"
    assert bare.gets() == ["a.nc", "a.nc"], "only reading it tells"
    (bare.folder / "a.nc").write_bytes(OTHER)
    changed = any_cache.hold(source_of(url))
    assert changed.read() == OTHER
    assert changed.identity != first.identity


def test_a_server_that_does_not_even_tell_the_length_can_be_read(bare: Plain, cache: Cache) -> None:
    bare.length = False
    source = source_of(f"{bare.url}/a.nc")
    assert source.identity == Identity()
    copy = cache.hold(source)
    assert (copy.read(), copy.identity.strength) == (DATA, "sha256")
    bare.headers = {"ETag": '"1"'}
    copy = cache.hold(source_of(source.url))
    assert (copy.read(), copy.identity.strength) == (DATA, "etag")


def test_what_needs_fsspec_is_cached_too_and_its_secrets_are_not_noted(
    served: Server, cache: Cache, folder: Path
) -> None:
    url = served.address("a.nc")
    source = replace(source_of(url), location=f"{url}?token=topsecret").identified()
    assert cache.hold(source).read() == DATA
    assert all("topsecret" not in note.read_text() for note in folder.glob("*.json"))
    again = make_source(url, {}, {url: f"{url}?token=other"}).identified()
    assert cache.find(again) is not None
    (served.folder / "a.nc").write_bytes(OTHER)
    assert cache.hold(make_source(url, {}, {url: f"{url}?token=topsecret"}).identified()).read() == OTHER


@pytest.mark.usefixtures("impatient")
def test_a_transfer_through_fsspec_that_is_cut_is_not_used(served: Server, cache: Cache, folder: Path) -> None:
    source = source_of(served.address("a.nc") + "?token=abc")
    served.fail("a.nc", Fault(truncate_bytes=20_000), nth=1, method="GET")
    assert cache.hold(source).read() == DATA
    source = source_of(served.address("a.nc") + "?token=abc&b=2")
    served.heal()
    served.fail("a.nc", Fault(truncate_bytes=20_000), method="GET")
    with pytest.raises(SourceError, match="did not arrive whole"):
        cache.hold(replace(source, url="another"))
    assert len(copies(folder)) == 1


def test_a_mirrors_files_are_kept_apart(served: Server, cache: Cache, folder: Path) -> None:
    (served.folder / "m").mkdir()
    (served.folder / "m" / "a.nc").write_bytes(OTHER)
    url = "https://data.example/a.nc"
    found = [
        cache.hold(make_source(url, {}, {"https://data.example": base}).identified())
        for base in (served.url, f"{served.url}/m", served.url)
    ]
    assert [copy.read() for copy in found] == [DATA, OTHER, DATA]
    assert len(copies(folder)) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_cache_that_may_not_be_written_is_named(served: Server, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="cannot"):
        Cache(Target(str(tmp_path / "cache"))).hold(source_of(served.address("a.nc")))


def test_a_cache_that_is_a_file_is_named(served: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="file/cache|cannot"):
        Cache(Target(str(tmp_path / "file" / "cache"))).hold(source_of(served.address("a.nc")))


@pytest.mark.parametrize(
    ("said", "url", "options"),
    [
        ("s3://bucket/cache", "s3://bucket/cache", {}),
        ("/data/cache", "/data/cache", {}),
        (Path("/data/cache"), "/data/cache", {}),
        (Target("s3://b", {"anon": True}), "s3://b", {"anon": True}),
        (SimpleNamespace(root_path="memory://cache"), "memory://cache", {}),
        (SimpleNamespace(root_path="/data/cache", fs=None), "/data/cache", {}),
    ],
)
def test_a_cache_may_be_named_in_any_way(said: Any, url: str, options: dict[str, Any]) -> None:
    assert (as_target(said).url, as_target(said).options) == (url, options)


def test_a_cache_may_be_pangeo_forges_own() -> None:
    import fsspec

    local = SimpleNamespace(fs=fsspec.filesystem("file"), root_path="/data/cache")
    bucket = SimpleNamespace(fs=fsspec.filesystem("s3", anon=True), root_path="bucket/cache")
    assert as_target(local).url == "file:///data/cache"
    assert (as_target(bucket).url, as_target(bucket).options) == ("s3://bucket/cache", {"anon": True})


@pytest.mark.parametrize("query", ["", "?token=abc"])
def test_servers_are_asked_for_byte_ranges_once_and_copied_from_if_they_have_none(
    query: str, served: Server, bare: Plain, tmp_path: Path
) -> None:
    bare.headers = {"ETag": '"1"'}
    reach = Reach(None, Target(str(tmp_path / "spare")), Target(str(tmp_path / "notes")))
    (served.folder / "b.nc").write_bytes(DATA)
    for name in ("a.nc", "b.nc"):
        source = source_of(f"{served.address(name)}{query}")
        served.clear()
        assert reach(source) == source
        assert served.sent_bytes() <= 1
    assert served.sent_bytes() == 0
    source = source_of(f"{bare.url}/a.nc{query}")
    copy = reach(source)
    assert (copy.read(), copy.identity, copy.url) == (DATA, source.identity, source.url)
    host = bare.url.removeprefix("http://")
    (note,) = (tmp_path / "notes").iterdir()
    assert note.read_text() == (
        f"inputs of {host} are copied whole before they are read: the server does not serve byte ranges"
    )


def test_an_input_at_several_positions_is_read_whole_once(bare: Plain, tmp_path: Path) -> None:
    for cache in (None, Target(str(tmp_path / "cache"))):
        bare.sent.clear()
        reach = Reach(cache, Target(str(tmp_path / f"spare-{cache is None}")))
        found = [reach(source_of(f"{bare.url}/a.nc")) for _ in range(3)]
        assert [copy.read() for copy in found] == [DATA] * 3
        assert bare.gets() == ["a.nc"]


def test_planning_uses_copies_but_makes_none_that_it_does_not_need(
    served: Server, cache: Cache, folder: Path, tmp_path: Path
) -> None:
    reach = Reach(cache.target, Target(str(tmp_path / "spare")), fill=False)
    source = source_of(served.address("a.nc"))
    assert reach(source) == source
    assert not folder.exists()
    copy = cache.hold(source)
    assert reach(source) == copy
