from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from bakehouse.catalog.entry import Access
from bakehouse.site import access, running
from bakehouse.site.build import Built
from bakehouse.site.bundle import Bundle
from bakehouse.site.content import gather
from bakehouse.site.javascript import node_for
from bakehouse.site.snippets import Places, Snippet, snippets
from tests.catalog.samples import armed, dataset, entry, facts, stored, write
from tests.site.kit import make, page, shelve
from tests.support.http import Server


def _shown(catalog: Path, out: Path, base_url: str | None = None) -> dict[str, Snippet]:
    (found,) = gather([catalog], None, base_url).entries
    return {each.key: each for each in snippets(found, Places(str(out.resolve()), base_url))}


def _opened(code: str) -> xr.Dataset:
    names: dict[str, Any] = {}
    exec(code, names)
    ds: xr.Dataset = names["ds"]
    return ds.load()


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """Make a catalog with one versioned store."""
    made = stored("oisst/daily", tmp_path / "a.zarr", version="v1", title="It's")
    return shelve(tmp_path / "catalog", [made])


def test_the_build_runs_every_python_snippet_and_says_with_which_versions(one: Path, tmp_path: Path) -> None:
    built = make(one, tmp_path / "site", run_s=60)
    assert (built.states, built.warnings) == ({"opened": 4, "not run": 1}, ())
    text = page(tmp_path / "site", "datasets/oisst/daily").text()
    assert text.count("against the store: it opened, 4 variables.") == 4
    assert f"xarray {xr.__version__}" in text and "Not executed: there was no Node with zarrita" in text
    assert "xarray.Dataset" in text


@pytest.fixture
def bundle() -> Bundle:
    """Give the scripts of this checkout, where a Node can run them."""
    with node_for(Bundle(), ()) as node:
        if node is None:
            pytest.skip("no Node, or no bundle: make web")
    return Bundle()


def test_the_build_runs_javascript_under_node_against_stores_of_this_machine(
    one: Path, tmp_path: Path, bundle: Bundle
) -> None:
    built = make(one, tmp_path / "site", run_s=60, bundle=bundle)
    assert (built.states, built.warnings) == ({"opened": 5}, ())
    text = " ".join(page(tmp_path / "site", "datasets/oisst/daily").text().split())
    assert "it opened, sst is 4 × 6 × 8, and a value was read. Node " in text and "zarrita 0." in text
    assert "The build served the store in place of bakehouse catalog serve." in text
    assert not (tmp_path / "site/assets/node").exists()


def test_javascript_that_opens_another_array_than_the_entry_names_is_a_warning(
    one: Path, tmp_path: Path, bundle: Bundle
) -> None:
    write(dataset(9), tmp_path / "a.zarr")
    built = make(one, tmp_path / "site", run_s=60, bundle=bundle)
    assert built.warnings == ("oisst/daily: the JavaScript snippet failed: sst is 9 × 6 × 8, the entry says 4 × 6 × 8",)


@pytest.mark.parametrize("way", ["bakehouse", "xarray", "stac", "intake"])
def test_what_a_page_shows_opens_the_store(one: Path, tmp_path: Path, way: str) -> None:
    make(one, tmp_path / "site")
    xr.testing.assert_identical(_opened(_shown(one, tmp_path / "site")[way].code), dataset())


@pytest.mark.parametrize("way", ["bakehouse", "stac", "intake"])
def test_what_a_published_page_shows_opens_the_store_by_the_sites_address(
    tmp_path: Path, http_server: Server, way: str
) -> None:
    store = write(dataset(), http_server.folder / "stores/a.zarr")
    made = entry("oisst/daily", http_server.address("stores/a.zarr"), facts=facts(store), version="v1")
    catalog, out = shelve(tmp_path / "catalog", [made]), http_server.folder / "site"
    built = make(catalog, out, base_url=http_server.address("site/"), run_s=60)
    assert built.states["opened"] == 4
    code = _shown(catalog, out, http_server.address("site"))[way].code
    assert http_server.address("site") in code and str(out) not in code
    xr.testing.assert_identical(_opened(code), dataset())


def test_icechunk_repositories_open_too(tmp_path: Path) -> None:
    import icechunk

    place = tmp_path / "sea.icechunk"
    repository = icechunk.Repository.create(icechunk.local_filesystem_storage(str(place)))
    session = repository.writable_session("main")
    dataset().to_zarr(session.store, consolidated=False, zarr_format=3)
    snapshot = session.commit("first")
    plain = facts(write(dataset(), tmp_path / "same.zarr"))
    store = {"url": str(place), "format": "icechunk", "zarr_format": 3, "consolidated": False, "snapshot": snapshot}
    catalog = shelve(tmp_path / "catalog", [entry("sea/daily", store=store, facts=plain)])
    assert make(catalog, tmp_path / "site", run_s=60).states == {"opened": 3}
    for snippet in _shown(catalog, tmp_path / "site").values():
        xr.testing.assert_identical(_opened(snippet.code), dataset())


def test_snippets_are_pinned_to_the_version_of_the_page(one: Path, tmp_path: Path) -> None:
    make(one, tmp_path / "site")
    shown = _shown(one, tmp_path / "site")
    found = gather([one], None).entries[0]
    newer = found.model_copy(update={"version": "v2"})
    shutil.rmtree(one)
    make(shelve(one, [newer]), tmp_path / "site")
    for way in ("stac", "intake"):
        with pytest.raises(AssertionError):
            _opened(shown[way].code)


def test_a_store_that_is_gone_is_said_to_be_and_is_asked_again(one: Path, tmp_path: Path) -> None:
    os.rename(tmp_path / "a.zarr", tmp_path / "b.zarr")
    built = make(one, tmp_path / "site", run_s=60, cache=tmp_path / "cache")
    assert built.states == {"unavailable": 4, "not run": 1} and built.warnings == ()
    assert "Not executed: " in page(tmp_path / "site", "datasets/oisst/daily").text()
    os.rename(tmp_path / "b.zarr", tmp_path / "a.zarr")
    assert make(one, tmp_path / "site", run_s=60, cache=tmp_path / "cache").states["opened"] == 4


def test_a_store_that_lacks_what_its_entry_names_is_a_warning(one: Path, tmp_path: Path) -> None:
    write(dataset().rename(sst="tos"), tmp_path / "a.zarr")
    built = make(one, tmp_path / "site", run_s=60)
    assert built.states["failed"] == 4
    assert built.warnings[0] == (
        "oisst/daily: the Bakehouse snippet failed: the dataset lacks sst, which the entry names"
    )


def test_a_store_that_was_exchanged_for_one_that_runs_code_runs_nothing(tmp_path: Path) -> None:
    catalog = shelve(tmp_path / "catalog", [stored("oisst/daily", tmp_path / "a.zarr", 2)])
    armed(tmp_path / "a.zarr", "time", tmp_path / "ran")
    built = make(catalog, tmp_path / "site", run_s=60)
    assert built.states == {"failed": 4, "not run": 1} and "pickle" in built.warnings[0]
    assert not (tmp_path / "ran").exists()


def test_what_was_run_is_not_run_again(one: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build() -> Built:
        return make(one, tmp_path / "site", run_s=60, cache=tmp_path / "cache")

    first = build()
    shown = page(tmp_path / "site", "datasets/oisst/daily").path.read_bytes()
    monkeypatch.setattr(running.Worker, "ask", lambda *_: pytest.fail("a snippet was run again"))
    assert build().states == first.states
    assert page(tmp_path / "site", "datasets/oisst/daily").path.read_bytes() == shown


def test_when_its_time_is_used_up_a_build_goes_on_without_running(one: Path, tmp_path: Path) -> None:
    assert make(one, tmp_path / "site", run_s=0).states == {"unavailable": 4, "not run": 1}
    assert "the time of this build was used up" in page(tmp_path / "site", "datasets/oisst/daily").text()


def test_a_server_that_does_not_answer_is_asked_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    def silence(_: object, question: dict[str, Any]) -> dict[str, Any]:
        asked.append(question["code"])
        return {"outcome": "silent", "detail": "connection refused"}

    monkeypatch.setattr(running.Worker, "ask", silence)
    monkeypatch.setattr(running, "cpu_count", lambda: 1)
    catalog = shelve(tmp_path / "catalog", [entry(f"far/n{n}", f"s3://bucket/{n}.zarr") for n in range(5)])
    assert make(catalog, tmp_path / "site", run_s=60).states == {"unavailable": 20, "not run": 5}
    assert len(asked) == 1


@pytest.fixture
def worker() -> Iterator[running.Worker]:
    """Give a process that runs snippets."""
    made = running.Worker()
    yield made
    made.end()


def test_a_snippet_that_hangs_is_ended_and_the_next_one_runs(
    worker: running.Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "ANSWER_S", 1.0)
    said = worker.ask({"code": "import time; time.sleep(600)", "packages": [], "variables": []})
    assert said == {"outcome": "silent", "detail": "no answer within 1 s"}
    monkeypatch.setattr(running, "ANSWER_S", 60.0)
    code = "print('noise'); import xarray; ds = xarray.Dataset({'a': 1})"
    assert worker.ask({"code": code, "packages": ["xarray"], "variables": ["a"]})["outcome"] == "opened"
    missing = worker.ask({"code": code, "packages": ["no-such-package"], "variables": []})
    assert missing["detail"] == "no-such-package is not installed where this page was built"


def test_a_page_says_what_a_stranger_could_do_with_a_linked_store() -> None:
    seen = Access(anonymous=True, cors=True, ranges=True, egress_free=True)
    words = access.seen(entry(url="https://example.org/a.zarr", access=seen))
    assert words == [
        "A chunk was read without credentials.",
        "Pages of other sites can read it (CORS).",
        "Parts can be read.",
        "Its provider charges nobody for reading.",
    ]
