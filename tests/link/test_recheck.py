"""Opening every store of a catalog again: what is no longer as it was is marked, what heals is live again."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bakehouse.catalog.check import check
from bakehouse.catalog.entry import Check, Entry, Status
from bakehouse.catalog.register import mark, register
from tests.catalog.samples import dataset
from tests.cli.projects import Project, new_project
from tests.link.bench import linked, listening, repository
from tests.support.http import Fault, Server, serve
from tests.support.s3 import S3

DATASET = dataset()


@dataclass
class Shelf:
    """A project whose catalog has linked stores, and the server that they lie on."""

    project: Project
    server: Server

    @property
    def folder(self) -> Path:
        """Give the catalog."""
        return self.project.catalog

    def link(self, name: str, **fields: Any) -> Entry:
        """Write a store and link it."""
        DATASET.to_zarr(self.server.folder / f"{name}.zarr", zarr_format=3, mode="w")
        entry = linked(f"{self.server.url}/{name}.zarr", self.server.url)
        entry = Entry.from_json(entry.model_copy(update={"feedstock": name, "id": f"{name}/sea", **fields}).to_json())
        register(self.folder, entry)
        return self.entry(name)

    def entry(self, name: str) -> Entry:
        """Read an entry."""
        return Entry.from_json((self.folder / name / "sea.json").read_bytes())

    def recheck(self, *words: str, exit_code: int = 0) -> dict[str, Any]:
        """Run the command; give what it says of each entry."""
        said = ["--trust-host", self.server.url.removeprefix("http://"), *words]
        document = self.project.document("catalog", "recheck", *said, exit_code=exit_code)
        assert document["ok"] == (exit_code == 0)
        return {each["id"].partition("/")[0]: each for each in document["catalogs"][0]["entries"]}

    def bytes(self) -> dict[str, bytes]:
        """Read the whole catalog."""
        return {str(path): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}


@pytest.fixture
def shelf(tmp_path: Path, http_server: Server) -> Iterator[Shelf]:
    """Link two stores."""
    made = Shelf(new_project(tmp_path / "project"), http_server)
    made.link("good")
    made.link("sea")
    yield made


def test_a_catalog_in_which_all_is_as_it_was_stays_as_it_is(shelf: Shelf) -> None:
    before = shelf.bytes()
    found = shelf.recheck()
    assert {name: (each["seen"], each["state"]) for name, each in found.items()} == {
        "good": ("as it was", "live"),
        "sea": ("as it was", "live"),
    }
    assert shelf.bytes() == before


def _gone(shelf: Shelf) -> None:
    shutil.rmtree(shelf.server.folder / "sea.zarr")


def _private(shelf: Shelf) -> None:
    for path in (shelf.server.folder / "sea.zarr" / "sst").rglob("*"):
        shelf.server.fail(f"/{path.relative_to(shelf.server.folder).as_posix()}", Fault(status=403))


def _grown(shelf: Shelf) -> None:
    dataset(5).to_zarr(shelf.server.folder / "sea.zarr", zarr_format=3, mode="w")


def _replaced(shelf: Shelf) -> None:
    """Replace values under the same metadata."""
    chunk = shelf.server.folder / "sea.zarr" / "sst" / "c" / "0" / "0" / "0"
    (DATASET + 1).to_zarr(shelf.server.folder / "other.zarr", zarr_format=3)
    shutil.copy(shelf.server.folder / "other.zarr" / "sst" / "c" / "0" / "0" / "0", chunk)


def _chunk_lost(shelf: Shelf) -> None:
    (shelf.server.folder / "sea.zarr" / "sst" / "c" / "0" / "0" / "0").unlink()


def _damaged(shelf: Shelf) -> None:
    shelf.server.fail("/sea.zarr/sst/c/0/0/0", Fault(content=b"nonsense"))


DAMAGES = {
    "gone": _gone,
    "private": _private,
    "changed": _grown,
    "replaced": _replaced,
    "lost": _chunk_lost,
    "damaged": _damaged,
}
SEEN = {"replaced": "changed", "lost": "damaged"}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_store_that_is_not_what_it_was_is_marked_and_no_other(shelf: Shelf, what: str) -> None:
    good, before = shelf.entry("good"), shelf.entry("sea")
    DAMAGES[what](shelf)
    found = shelf.recheck(exit_code=1)
    assert (found["good"]["seen"], found["sea"]["seen"]) == ("as it was", SEEN.get(what, what))
    assert found["sea"]["state"] == "degraded" and found["sea"]["marked"] and found["sea"]["reason"]
    status = shelf.entry("sea").status
    assert (status.state, status.seen, status.reason) == ("degraded", SEEN.get(what, what), found["sea"]["reason"])
    assert status.since is not None
    assert shelf.entry("sea").model_copy(update={"status": before.status}) == before
    assert shelf.entry("good") == good
    assert check(shelf.folder) == []


def test_a_store_that_goes_on_failing_changes_nothing_more_and_one_that_heals_is_live_again(shelf: Shelf) -> None:
    whole = shelf.bytes()
    away = shelf.server.folder.parent / "away"
    shutil.move(shelf.server.folder / "sea.zarr", away)
    shelf.recheck(exit_code=1)
    marked = shelf.bytes()
    found = shelf.recheck(exit_code=1)
    assert shelf.bytes() == marked and not found["sea"]["marked"]
    shutil.move(away, shelf.server.folder / "sea.zarr")
    assert shelf.recheck()["sea"]["marked"]
    assert shelf.bytes() == whole


def test_nothing_is_written_without_marking(shelf: Shelf) -> None:
    before = shelf.bytes()
    _gone(shelf)
    found = shelf.recheck("--no-mark", exit_code=1)
    assert (found["sea"]["seen"], found["sea"]["marked"]) == ("gone", False)
    assert shelf.bytes() == before


def test_a_status_that_a_person_wrote_stays(shelf: Shelf) -> None:
    old = shelf.link("old", status=Status(state="deprecated", reason="superseded", successor="good/sea"))
    poor = shelf.link("poor", status=Status(state="degraded", reason="two years are wrong"))
    shutil.rmtree(shelf.server.folder / "old.zarr")
    found = shelf.recheck()
    assert (found["old"]["seen"], found["poor"]["seen"]) == ("passed over", "as it was")
    shutil.rmtree(shelf.server.folder / "poor.zarr")
    assert shelf.recheck(exit_code=1)["poor"]["seen"] == "gone"
    assert (shelf.entry("old"), shelf.entry("poor")) == (old, poor)


def test_an_entry_that_can_not_be_read_keeps_no_other_from_being_opened(shelf: Shelf) -> None:
    (shelf.folder / "sea" / "sea.json").write_text("{")
    found = shelf.recheck(exit_code=1)
    assert found["good"]["seen"] == "as it was" and "sea" not in found
    assert json.loads(json.dumps(found))


def test_a_server_that_hangs_keeps_no_other_store_from_being_opened(shelf: Shelf) -> None:
    shelf.server.fail("/sea.zarr/zarr.json", Fault(delay_s=4))
    found = shelf.recheck("--timeout", "1", "--jobs", "1", exit_code=1)
    assert (found["good"]["seen"], found["sea"]["seen"]) == ("as it was", "unreachable")


def test_a_failure_that_passes_marks_nothing(shelf: Shelf) -> None:
    before = shelf.bytes()
    shelf.server.fail("/sea.zarr/zarr.json", Fault(status=503), nth=1)
    assert shelf.recheck()["sea"]["seen"] == "as it was"
    assert shelf.bytes() == before


def test_an_entry_that_leads_to_this_machine_is_not_followed(shelf: Shelf) -> None:
    entry = shelf.entry("sea")
    with listening() as listener:
        store = entry.store.model_copy(update={"url": f"{listener.url}/sea.zarr"})
        register(shelf.folder, entry.model_copy(update={"store": store}))
        found = shelf.recheck(exit_code=1)
    assert found["sea"]["seen"] == "unreachable" and "loopback" in found["sea"]["reason"]
    assert listener.connections == []


def test_an_entry_that_claims_to_be_baked_is_followed_no_further(shelf: Shelf) -> None:
    entry = shelf.entry("sea")
    with listening() as listener:
        said = entry.store.storage.model_copy(update={"protocol": "s3", "endpoint": listener.url, "anonymous": True})
        store = entry.store.model_copy(update={"url": "s3://bucket/sea.zarr", "storage": said})
        forged = {"kind": "baked", "version": "v1", "store": store, "check": Check(level="full")}
        register(shelf.folder, entry.model_copy(update=forged))
        found = shelf.recheck(exit_code=1)
    assert found["sea"]["seen"] == "unreachable" and "loopback" in found["sea"]["reason"]
    assert listener.connections == []


def test_an_entry_that_was_registered_anew_meanwhile_is_not_marked(shelf: Shelf) -> None:
    looked_at = shelf.entry("sea")
    register(shelf.folder, looked_at.model_copy(update={"title": "Another title"}))
    degraded = Status(state="degraded", reason="gone", seen="gone")
    assert mark(shelf.folder, {"sea/sea": (looked_at, degraded), "good/sea": (shelf.entry("good"), degraded)}) == [
        "good/sea"
    ]
    assert shelf.entry("sea").status == Status()


def test_linking_again_makes_a_store_that_changed_live(shelf: Shelf) -> None:
    from bakehouse.link.changes import carried

    _grown(shelf)
    shelf.recheck(exit_code=1)
    again = linked(f"{shelf.server.url}/sea.zarr", shelf.server.url)
    assert carried(again, shelf.entry("sea")).status == Status()


def test_a_snapshot_stays_what_it_was_while_its_branch_moves_on(moto: S3, tmp_path: Path) -> None:
    repository(moto, "ice", DATASET)
    project = new_project(tmp_path / "project")
    entry = linked(f"s3://{moto.bucket}/ice", moto.endpoint, endpoint=moto.endpoint)
    register(project.catalog, entry)
    repository(moto, "ice", dataset(5))
    trust = moto.endpoint.removeprefix("http://")
    document = project.document("catalog", "recheck", "--trust-host", trust)
    assert [each["seen"] for each in document["catalogs"][0]["entries"]] == ["as it was"]


def test_a_store_behind_a_closed_port_is_unreachable(shelf: Shelf, tmp_path: Path) -> None:
    folder = tmp_path / "short"
    folder.mkdir()
    with serve(folder) as server:
        DATASET.to_zarr(folder / "a.zarr", zarr_format=3)
        entry = linked(f"{server.url}/a.zarr", server.url)
        trust = server.url.removeprefix("http://")
        register(shelf.folder, Entry.from_json(entry.model_copy(update={"feedstock": "x", "id": "x/sea"}).to_json()))
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", int(trust.rpartition(":")[2])), 1).close()
    assert shelf.recheck("--trust-host", trust, exit_code=1)["x"]["seen"] == "unreachable"
