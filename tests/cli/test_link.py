"""`bakehouse link`: what it writes, what it says, and what it refuses with which exit status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pystac
import pytest
import xarray as xr
import yaml

import bakehouse
from bakehouse.catalog.stac_rules import stac_checks
from tests.catalog.samples import dataset
from tests.cli.projects import Project, new_project
from tests.link.bench import listening, upload
from tests.support.http import Server
from tests.support.s3 import S3

SAID = ("--title", "Sea surface", "--license", "cc-by-4.0", "--maintainer", "Josiah Carberry", "--github", "@jcarberry")


@dataclass
class Bench:
    """A project, and a server with a store."""

    project: Project
    server: Server

    @property
    def url(self) -> str:
        """Give the store's address."""
        return f"{self.server.url}/sea.zarr"

    @property
    def trust(self) -> tuple[str, ...]:
        """Give the words that let the command read from the server."""
        return ("--trust-host", self.server.url.removeprefix("http://"))

    def link(self, *words: str, exit_code: int = 0) -> list[dict[str, Any]]:
        """Run the command; give what it says of each store."""
        document = self.project.document("link", *words, *self.trust, exit_code=exit_code)
        stores: list[dict[str, Any]] = document["stores"]
        return stores

    def files(self) -> dict[str, bytes]:
        """Read all files of the feedstocks and the catalogs."""
        root = self.project.root
        places = (root / "feedstocks", root / ".bakehouse", root / "catalog")
        return {str(path): path.read_bytes() for place in places for path in place.rglob("*") if path.is_file()}


@pytest.fixture
def bench(tmp_path: Path, http_server: Server) -> Iterator[Bench]:
    """Serve a store beside a fresh project."""
    dataset().to_zarr(http_server.folder / "sea.zarr", zarr_format=3)
    yield Bench(new_project(tmp_path / "project"), http_server)


def test_a_store_is_linked_by_its_address_alone(bench: Bench) -> None:
    (store,) = bench.link("--url", bench.url, *SAID, "--contact", "https://example.org/ask")
    assert (store["id"], store["state"], store["error"]) == ("sea/sea", "linked", None)
    said = yaml.safe_load((bench.project.root / "feedstocks" / "sea" / "meta.yaml").read_text())
    assert said == {
        "title": "Sea surface",
        "provenance": {"license": "CC-BY-4.0"},
        "maintainers": [{"name": "Josiah Carberry", "github": "jcarberry"}],
        "contact": "https://example.org/ask",
        "recipes": [{"id": "sea"}],
        "stores": [{"id": "sea", "url": bench.url}],
    }
    assert bench.project.run("lint", "sea").exit_code == 0
    assert bench.project.run("catalog", "check").exit_code == 0
    opened = bakehouse.open("sea", catalog=bench.project.catalog, chunks=None)
    xr.testing.assert_identical(opened, dataset())


def test_linking_twice_changes_nothing(bench: Bench) -> None:
    bench.link("sea", "--url", bench.url, *SAID)
    before = bench.files()
    assert [each["state"] for each in bench.link("sea", "--url", bench.url, *SAID)] == ["unchanged"]
    assert [each["state"] for each in bench.link("sea")] == ["unchanged"]
    assert bench.files() == before


def test_a_store_that_changed_gives_a_new_entry_that_says_what_changed(bench: Bench) -> None:
    bench.link("sea", "--url", bench.url, *SAID)
    dataset(9).to_zarr(bench.server.folder / "sea.zarr", zarr_format=3, mode="w")
    (store,) = bench.link("sea")
    assert store["state"] == "updated"
    assert "facts.dims.time.size: 4 → 9" in store["changes"]
    assert store["entry"]["facts"]["dims"]["time"]["size"] == 9


def test_all_stores_of_a_feedstock_are_linked_and_meta_yaml_stays(bench: Bench) -> None:
    dataset().to_zarr(bench.server.folder / "ice.zarr", zarr_format=2)
    stores = f"stores:\n  - {{id: sea, url: '{bench.url}', name: The sea}}\n"
    stores += (
        f"  - {{id: ice, url: '{bench.server.url}/ice.zarr'}}\n  - {{id: gone, url: '{bench.server.url}/no.zarr'}}\n"
    )
    folder = bench.project.add("poles", stores)
    before = (folder / "meta.yaml").read_bytes()
    found = bench.link("poles", exit_code=1)
    assert {each["id"]: each["state"] for each in found} == {
        "poles/sea": "linked",
        "poles/ice": "linked",
        "poles/gone": "refused",
    }
    assert found[2]["error"]["message"] == "there is no zarr store"
    assert found[0]["entry"]["title"] == "Demo: The sea"
    assert (folder / "meta.yaml").read_bytes() == before
    assert [each["state"] for each in bench.link("poles/ice")] == ["unchanged"]


def test_the_stores_of_leaps_catalog_yaml_are_linked(bench: Bench) -> None:
    folder = bench.project.add("leap", "recipes:\n  - id: sea\n")
    (folder / "catalog.yaml").write_text(f"tags: [ocean]\nstores:\n  - {{id: sea, name: Sea, url: '{bench.url}'}}\n")
    (store,) = bench.link("leap")
    assert (store["id"], store["state"], store["entry"]["tags"]) == ("leap/sea", "linked", ["ocean"])


def test_ids_of_stores_and_recipes_have_to_match(bench: Bench) -> None:
    folder = bench.project.add("leap", "recipes:\n  - id: seas\n")
    (folder / "catalog.yaml").write_text(f"stores:\n  - {{id: sea, url: '{bench.url}'}}\n")
    (store,) = bench.link("leap", exit_code=1)
    assert store["state"] == "refused"
    assert store["error"]["message"] == "store 'sea' has no recipe of that id"
    assert store["error"]["fix"] == "did you mean 'seas'?"


def test_a_bucket_at_an_endpoint_of_its_own_is_remembered(bench: Bench, moto: S3) -> None:
    url = upload(moto, bench.server.folder / "sea.zarr", "sea.zarr")
    trust = ("--trust-host", moto.endpoint.removeprefix("http://"))
    document = bench.project.document("link", "--url", url, "--endpoint-url", moto.endpoint, *SAID, *trust)
    assert document["stores"][0]["entry"]["store"]["storage"]["endpoint"] == moto.endpoint
    again = bench.project.document("link", "sea", *trust)
    assert [each["state"] for each in again["stores"]] == ["unchanged"]


def test_the_catalog_is_the_bakerys_or_the_one_that_is_named(bench: Bench) -> None:
    bench.link("sea", "--url", bench.url, *SAID, "--catalog", "published")
    published = bench.project.root / "catalog" / "sea" / "sea.json"
    assert published.is_file() and not (bench.project.catalog / "sea").exists()
    bench.link("sea")
    assert (bench.project.catalog / "sea" / "sea.json").is_file()


def test_the_collection_of_a_linked_store_is_valid_stac(bench: Bench, moto: S3) -> None:
    url = upload(moto, bench.server.folder / "sea.zarr", "sea.zarr")
    trust = ("--trust-host", moto.endpoint.removeprefix("http://"))
    bench.project.document("link", "--url", url, "--endpoint-url", moto.endpoint, *SAID, *trust)
    document = json.loads((bench.project.catalog / "stac/sea/sea/collection.json").read_text())
    assert list(stac_checks(document, None)) == []
    assert document["storage:schemes"]["store"]["requester_pays"] is False
    assert pystac.Collection.from_dict(document).license == "CC-BY-4.0"


def test_what_is_refused_leaves_nothing_behind(bench: Bench) -> None:
    before = bench.files()
    with listening() as listener:
        for url in (f"{listener.url}/a.zarr", "file:///etc", f"{bench.server.url}/nothing.zarr"):
            (store,) = bench.link("a", "--url", url, *SAID, exit_code=1)
            assert store["state"] == "refused" and store["error"]["fix"]
    assert bench.files() == before
    assert listener.connections == []


def test_trust_comes_from_the_command_and_the_environment_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = bench.project.run("link", "--url", bench.url, *SAID)
    assert refused.exit_code == 1 and "loopback" in refused.stderr
    assert bench.server.log == []
    monkeypatch.setenv("BAKEHOUSE_TRUST_HOSTS", f"example.org:80 {bench.trust[1]}")
    assert bench.project.run("link", "--url", bench.url, *SAID).exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "link what?"),
        (("nothing",), "no feedstock 'nothing'"),
        (("seasons",), "names no stores"),
        (("seasons", "--title", "x"), "--title: only for a store"),
        (("--url", "https://example.org/a.zarr"), "needs a title"),
        (("--url", "https://example.org/a.zarr", *SAID, "--license", "CC-BY-4"), "unknown licence"),
        (("seasons", "--url", "https://example.org/a.zarr", *SAID), "names no store"),
        (("a b", "--url", "https://example.org/a.zarr", *SAID), "can't name a feedstock"),
        (("--url", "https://example.org/a.zarr", *SAID, "--trust-host", "everybody"), "HOST:PORT"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_read(bench: Bench, words: tuple[str, ...], message: str) -> None:
    result = bench.project.run("link", *words)
    assert (result.exit_code, message in result.stderr) == (2, True), result.output


def test_a_secret_in_an_address_is_shown_nowhere(bench: Bench) -> None:
    for url in ("https://who:c4n4ry@example.org/a.zarr", "https://example.org/a.zarr?X-Amz-Signature=c4n4ry"):
        for words in (("--json",), ("--debug",)):
            result = bench.project.run("link", "--url", url, *SAID, *words)
            assert result.exit_code == 1
            assert "c4n4ry" not in result.output.split("Traceback")[0]


def test_a_baked_entry_is_never_replaced_by_a_link(bench: Bench, baked: Project) -> None:
    made = Bench(baked, bench.server)
    meta = baked.root / "feedstocks" / "seasons" / "meta.yaml"
    meta.write_text(f"{meta.read_text()}stores:\n  - {{id: seasons, url: '{bench.url}'}}\n")
    before = (baked.catalog / "seasons" / "seasons.json").read_bytes()
    (store,) = made.link("seasons", exit_code=1)
    assert "was baked by this project" in store["error"]["message"]
    assert (baked.catalog / "seasons" / "seasons.json").read_bytes() == before


def test_status_knows_what_is_linked_and_what_is_not_yet(bench: Bench) -> None:
    bench.project.add("poles", f"stores:\n  - {{id: sea, url: '{bench.url}'}}\n")
    states = {each["name"]: each for each in bench.project.document("status")["recipes"]}
    assert (states["poles/sea"]["state"], states["poles/sea"]["detail"]) == ("not linked", "bakehouse link poles/sea")
    bench.link("poles")
    states = {each["name"]: each["state"] for each in bench.project.document("status")["recipes"]}
    assert states["poles/sea"] == "linked"
