"""Icechunk stores live as plain ones do: each version is a snapshot, which its readers see at once and whole."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
import yaml

import bakehouse
from bakehouse.bake.collect import collect
from bakehouse.bake.history import rollback
from bakehouse.catalog.check import check
from bakehouse.catalog.lines import xarray_line
from bakehouse.catalog.stac import to_collection
from bakehouse.errors import BakehouseError, PublishError, RecipeError, UsageError
from bakehouse.plan.tasks import make_tasks
from bakehouse.plan.types import ArrayPlan, Axis, Template
from bakehouse.storage import Target
from bakehouse.transforms import StoreToZarr
from bakehouse.writers.icechunk import Branch, Repository
from tests.bake.kitchen import make_kitchen
from tests.lifecycle.larder import Larder, days, make_larder, without_beam
from tests.oracle import assert_same
from tests.support.s3 import S3

icechunk = pytest.importorskip("icechunk", reason="needs bakehouse[icechunk]")

CUT = 'target_chunks={"time": 2, "lat": 1}, shards=False, format="icechunk"'
SHARDED = 'target_chunks={"time": 2, "lat": 1}, shards={"time": 8, "lat": 2}, format="icechunk"'
BIG = 'target_chunks={"time": 400}, shards=False, format="icechunk", encoding={"sst": {"compressors": None}}'
"""Chunks that lie in files of their own; smaller ones lie in manifests."""
READER = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
import icechunk, xarray as xr
from tests.lifecycle.reading import insist_right
where, stop, seen, looks = json.loads(sys.argv[1]), Path(sys.argv[2]), set(), 0
open_storage = icechunk.s3_storage if "bucket" in where else icechunk.local_filesystem_storage
stop.with_suffix(".ready").touch()
while True:
    last = stop.exists()
    store = icechunk.Repository.open(open_storage(**where)).readonly_session("main").store
    with xr.open_zarr(store, consolidated=False, chunks=None) as dataset:
        assert dataset.sizes["time"] == dataset.time.size == dataset.sst.shape[0]
        insist_right(dataset.time.values, dataset.sst.values)
        seen.add(dataset.sizes["time"])
    looks += 1
    if last:
        break
print(json.dumps([looks, sorted(seen)]))
"""


@pytest.fixture(params=["local", "moto"])
def place(request: pytest.FixtureRequest) -> Target | None:
    """Give the recipe's folder on a bucket; None for the larder's own on a disk."""
    return None if request.param == "local" else on_s3(request.getfixturevalue("moto"))


def on_s3(server: S3) -> Target:
    options = {"endpoint_url": server.endpoint, "key": server.key, "secret": server.secret}
    return Target(server.url, options).child("stores", "sea")


def sea(root: Path, options: str = CUT, target: Target | None = None, parts: int = 3) -> Larder:
    """Bake some inputs of two days each."""
    larder = make_larder(root, *(days(2 * i, 2) for i in range(parts)), options=options, target=target)
    assert larder.bake().status == "published"
    return larder


def repository(larder: Larder) -> Any:
    """Open the repository as anybody does who knows nothing of Bakehouse."""
    return icechunk.Repository.open(storage(larder))


def storage(larder: Larder) -> Any:
    where = address(larder)
    return (icechunk.s3_storage if "bucket" in where else icechunk.local_filesystem_storage)(**where)


def address(larder: Larder) -> dict[str, Any]:
    target = larder.job().target
    url = larder.entry.store.url if larder.entry_path.exists() else target.child("sea.icechunk").url
    if target.is_local:
        return {"path": url}
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    return {
        "bucket": bucket, "prefix": prefix, "endpoint_url": target.options["endpoint_url"], "region": "us-east-1",
        "access_key_id": target.options["key"], "secret_access_key": target.options["secret"],
        "force_path_style": True, "allow_http": True,
    }  # fmt: skip


def seen(larder: Larder, snapshot: str | None = None) -> xr.Dataset:
    """Read `main`, or a snapshot."""
    session = repository(larder).readonly_session(**({"snapshot_id": snapshot} if snapshot else {"branch": "main"}))
    return xr.open_zarr(session.store, consolidated=False, chunks=None).load()


def opened(larder: Larder, version: str | None = None) -> xr.Dataset:
    """Open what the catalog says."""
    given = larder.job().target.options
    return bakehouse.open("sea", larder.catalog, version=version, storage_options=given).load()


def assert_right(larder: Larder) -> str:
    """Readers of `main` and of the catalog see what xarray makes of the inputs; give the snapshot."""
    found = larder.entry.store
    assert (found.format, found.snapshot, found.consolidated) == ("icechunk", main(larder), False)
    assert_same(seen(larder), larder.expected())
    assert_same(opened(larder), larder.expected())
    assert repository(larder).list_branches() == {"main"}
    return main(larder)


def main(larder: Larder) -> str:
    return str(repository(larder).lookup_branch("main"))


def commits(larder: Larder, branch: str = "main") -> list[str]:
    """List the messages of a branch's commits, oldest first."""
    return [each.message for each in repository(larder).ancestry(branch=branch)][::-1][1:]


@pytest.mark.parametrize("options", [CUT, SHARDED, 'format="icechunk"'])
@pytest.mark.usefixtures("at_once")
def test_a_bake_and_its_updates_are_what_xarray_makes(tmp_path: Path, options: str, place: Target | None) -> None:
    larder = sea(tmp_path, options, place)
    first, wanted = assert_right(larder), larder.expected()
    larder.add(days(6, 3), days(9, 2))
    assert larder.update().status == "updated"
    second = assert_right(larder)
    assert (larder.update().status, larder.update(changed=True).status, larder.bake().status) == ("unchanged",) * 3
    assert assert_right(larder) == second != first
    assert larder.verify().status == "verified"
    assert_same(seen(larder, first), wanted)
    (before,) = larder.entry.previous
    assert_same(opened(larder, before.version), wanted)


def test_a_pipeline_bakes_updates_and_verifies(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    assert_right(larder)
    larder.add(days(6, 3))
    larder.write((1,), days(2, 2, 0.5))
    assert larder.update(changed=True).status == "updated"
    assert_right(larder)
    assert (larder.verify().status, larder.bake().status) == ("verified", "unchanged")


@pytest.mark.usefixtures("at_once")
def test_an_append_writes_the_new_chunks_and_the_tail_alone(tmp_path: Path) -> None:
    larder = make_larder(tmp_path, days(0, 400), days(400, 3), options=BIG)
    larder.bake()
    chunks = Path(larder.entry.store.url, "chunks")
    before = {path.name for path in chunks.iterdir()}
    larder.add(days(403, 2))
    larder.update()
    assert_right(larder)
    written = [path.stat().st_size for path in chunks.iterdir() if path.name not in before]
    assert sum(written) < 2 * 400 * 6 * 4  # one chunk of values and what changed of the coordinate


@pytest.mark.usefixtures("at_once")
def test_corrections_make_a_snapshot_and_the_old_one_keeps_its_values(tmp_path: Path, place: Target | None) -> None:
    larder = sea(tmp_path, target=place)
    first, old, wanted = main(larder), larder.entry, larder.expected()
    larder.write((1,), days(2, 2, 0.5))
    assert larder.update().status == "unchanged"
    assert larder.update(changed=True).status == "updated"
    assert assert_right(larder) != first
    assert_same(seen(larder, first), wanted)
    assert_same(opened(larder, old.version), wanted)
    assert larder.verify().status == "verified"
    assert (larder.update(changed=True).status, larder.bake().status) == ("unchanged", "unchanged")


@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("options", [CUT, SHARDED])
@pytest.mark.usefixtures("at_once")
def test_the_last_input_may_get_shorter_or_longer(tmp_path: Path, steps: int, options: str) -> None:
    larder = sea(tmp_path, options, parts=5)
    first, wanted = main(larder), larder.expected()
    larder.write((4,), days(8, steps))
    assert larder.update(changed=True).status == "updated"
    assert_right(larder)
    assert_same(seen(larder, first), wanted)
    assert larder.verify().status == "verified"


def test_a_gap_is_filled_in_the_same_repository(tmp_path: Path) -> None:
    larder = make_larder(tmp_path, *(days(2 * i, 2) for i in range(4)), options=CUT)
    late = (larder.inputs / "1.nc").rename(tmp_path / "late.nc")
    assert larder.bake(missing="skip").status == "published"
    first = main(larder)
    assert [gap.inputs for gap in larder.entry.gaps] == [(str(larder.inputs / "1.nc"),)]
    assert larder.update().status == "unchanged"
    late.rename(larder.inputs / "1.nc")
    assert larder.update().status == "updated"
    assert assert_right(larder) != first
    assert larder.entry.gaps == ()
    assert seen(larder, first).sst[2:4].isnull().all()


@pytest.mark.usefixtures("at_once")
def test_a_refresh_starts_from_nothing_and_a_rollback_goes_back(tmp_path: Path, place: Target | None) -> None:
    larder = sea(tmp_path, target=place)
    first, old = main(larder), larder.entry
    assert larder.bake(refresh=True).status == "published"
    second = assert_right(larder)
    assert second != first and first not in [each.id for each in repository(larder).ancestry(branch="main")]
    assert larder.rollback().version == old.version
    assert assert_right(larder) == first
    assert larder.verify().status == "verified"
    assert rollback(larder.catalog, larder.job().target, larder.entry, larder.entry.previous[-1].version)
    assert assert_right(larder) == second
    with pytest.raises(UsageError, match="there is no version 'nothing'"):
        larder.rollback("nothing")


@pytest.mark.usefixtures("at_once")
def test_what_was_rolled_back_comes_again_with_the_next_update(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    larder.add(days(6, 2))
    larder.update()
    second = main(larder)
    larder.rollback()
    assert larder.update().status == "updated"
    assert assert_right(larder) == second
    assert larder.update().status == "unchanged"


@pytest.mark.usefixtures("at_once")
def test_what_is_collected_is_what_nothing_needs(tmp_path: Path, place: Target | None) -> None:
    larder = sea(tmp_path, target=place)
    first = main(larder)
    for number in range(3):
        larder.write((number,), days(2 * number, 2, 0.5))
        larder.update(changed=True)
    kept = larder.entry.previous[-1]
    target, last = larder.job().target, larder.entry.version
    found = collect(larder.catalog, target, larder.entry, keep=1, older_than_days=0)
    assert len(found.versions) == 2 and found.bytes_freed > 0
    assert ([each.version for each in larder.entry.previous], larder.entry.version) == ([kept.version], last)
    assert_right(larder)
    assert opened(larder, kept.version).sst.shape == (6, 2, 3)
    with pytest.raises(icechunk.IcechunkError):
        seen(larder, first)
    assert (larder.update().status, larder.bake().status) == ("unchanged", "unchanged")
    assert larder.verify().status == "verified"
    larder.rollback()
    assert main(larder) == kept.snapshot
    assert larder.update(changed=True).status == "updated"
    assert_right(larder)


@pytest.mark.usefixtures("at_once")
def test_a_leftover_branch_goes_with_its_folder(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    Repository(Target(larder.entry.store.url)).start("bake-0000")
    (larder.stores / ".0000.zarr.work").mkdir()
    (larder.stores / ".0000.zarr.work/note").touch()
    found = collect(larder.catalog, larder.job().target, larder.entry, keep=1, older_than_days=0)
    assert ".0000.zarr.work" in found.leftovers and found.versions == ()
    assert_right(larder)


RECEIPT, VERSION, ENTRY = r"/receipts/", r"\.version\.json$", r"catalog/sea/sea\.json$"
POINTS = {
    "between a commit and its receipt": {"path": RECEIPT, "nth": 2},
    "after a receipt": {"path": RECEIPT, "nth": 3, "after": True},
    "at a comparison": {"path": r"/checks/", "nth": 2},
    "before publication": {"path": VERSION},
    "before the entry": {"path": ENTRY},
    "after the entry": {"path": ENTRY, "after": True},
}
RARELY = ("at a comparison", "after a receipt", "after the entry")
ALL = [pytest.param(name, marks=pytest.mark.nightly if name in RARELY else ()) for name in POINTS]


@pytest.mark.parametrize("point", ALL)
def test_a_killed_update_is_completed_and_committed_tasks_are_not_done_again(tmp_path: Path, point: str) -> None:
    with without_beam(objects=4):
        larder = sea(tmp_path)
        first, wanted = main(larder), larder.expected()
        larder.add(days(6, 8))
        process = larder.start("update", POINTS[point], objects=4)
        _, messages = process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL, messages
        if "entry" not in point:
            assert main(larder) == first
            assert_same(seen(larder), wanted)
        done = tasks_in(larder)
        assert larder.update().status in ("updated", "unchanged")
        assert_right(larder)
        again = [task for task in set(tasks_in(larder)) if tasks_in(larder).count(task) > 1]
        assert len(again) == (point == "between a commit and its receipt") and set(done) <= set(tasks_in(larder))
        assert larder.verify().status == "verified"
        assert larder.update().status == "unchanged"


def tasks_in(larder: Larder) -> list[str]:
    """List the tasks of all commits, each as often as it was committed."""
    opened = repository(larder)
    found = {each.id: each for branch in opened.list_branches() for each in opened.ancestry(branch=branch)}
    return [task for each in found.values() for task in each.metadata.get("bakehouse", {}).get("tasks", ())]


@pytest.mark.parametrize("point", ALL[:4])
def test_a_killed_first_bake_is_completed(tmp_path: Path, point: str) -> None:
    with without_beam(objects=4):
        larder = make_larder(tmp_path, *(days(2 * i, 2) for i in range(6)), options=CUT)
        process = larder.start("bake", POINTS[point], objects=4)
        _, messages = process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL, messages
        with pytest.raises(FileNotFoundError):
            seen(larder)
        assert larder.bake().status == "published"
        assert_right(larder)


@pytest.mark.parametrize("lost", ["_tag", "_drop"])
@pytest.mark.usefixtures("at_once")
def test_a_run_that_dies_right_after_main_moved_is_completed(
    tmp_path: Path, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    larder = sea(tmp_path)
    larder.add(days(6, 2))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(f"bakehouse.writers.icechunk.versions.{lost}", dies)
        larder.update()
    moved = main(larder)
    assert larder.entry.store.snapshot != moved
    assert_same(seen(larder), larder.expected())
    assert larder.update().status == "unchanged"
    assert assert_right(larder) == moved
    larder.rollback()
    assert larder.update().status == "updated"
    assert assert_right(larder) == moved


def forget_what_was_opened() -> None:
    """Make this process as new: repositories keep in memory what they have read."""
    from bakehouse.writers.icechunk import repository

    repository._shared.cache_clear()


def dies(*_: Any) -> None:
    raise KeyboardInterrupt


def test_two_updates_at_once_make_one_version(tmp_path: Path) -> None:
    with without_beam(objects=2):
        larder = sea(tmp_path)
        larder.add(days(6, 12))
        both = [larder.start("update") for _ in range(2)]
        said = [process.communicate(timeout=120) for process in both]
        failed = [text for each, (_, text) in zip(both, said, strict=True) if each.returncode]
        assert len(failed) < 2 and all("run again" in text for text in failed), failed
        assert larder.update().status == "unchanged"
        assert_right(larder)
        assert larder.verify().status == "verified"


@pytest.mark.usefixtures("at_once")
def test_of_two_different_updates_at_once_the_later_is_told_to_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    larder = sea(tmp_path)
    larder.add(days(6, 2))
    settle = Branch.settle

    def overtaken(self: Branch, documents: Any) -> str:
        monkeypatch.setattr(Branch, "settle", settle)
        larder.add(days(8, 2))
        assert larder.update().status == "updated"
        return settle(self, documents)

    monkeypatch.setattr(Branch, "settle", overtaken)
    with pytest.raises(PublishError, match="it was .* when this bake began"):
        larder.update()
    assert larder.update().status == "unchanged"
    assert_same(seen(larder), larder.expected())
    assert larder.entry.store.snapshot == main(larder)


@contextmanager
def reader(larder: Larder, folder: Path) -> Iterator[Callable[[], tuple[int, list[int]]]]:
    """Let another process look at `main` all the time; give what it has seen."""
    stop = folder / "stop"
    process = subprocess.Popen(
        [sys.executable, "-c", READER, json.dumps(address(larder)), str(stop)],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip

    def told() -> tuple[int, list[int]]:
        stop.touch()
        output, messages = process.communicate(timeout=120)
        assert process.returncode == 0, messages
        looks, lengths = json.loads(output.splitlines()[-1])
        return looks, lengths

    try:
        while not stop.with_suffix(".ready").exists() and process.poll() is None:
            threading.Event().wait(0.05)
        yield told
    finally:
        process.kill()


@pytest.mark.usefixtures("at_once")
def test_a_reader_sees_whole_versions_alone_during_many_updates(tmp_path: Path, place: Target | None) -> None:
    larder = sea(tmp_path, SHARDED, place)
    with reader(larder, tmp_path) as told:
        for number in range(4 if place else 10):
            larder.add(days(6 + 2 * number, 2))
            assert larder.update().status == "updated"
        looks, lengths = told()
    last = larder.expected().sizes["time"]
    assert looks >= 2 and lengths[-1] == last
    assert set(lengths) <= set(range(6, last + 1, 2))


@pytest.mark.parametrize("damage", ["gone", "garbled"])
@pytest.mark.usefixtures("at_once")
def test_verify_names_a_damaged_chunk_and_a_refresh_heals_it(tmp_path: Path, damage: str) -> None:
    larder = make_larder(tmp_path, days(0, 400), options=BIG)
    larder.bake()
    chunk = max(Path(larder.entry.store.url, "chunks").iterdir(), key=lambda path: path.stat().st_size)
    data = chunk.read_bytes()
    chunk.unlink()
    if damage == "garbled":
        chunk.write_bytes(bytes([data[0] ^ 1, *data[1:]]))
    forget_what_was_opened()
    with pytest.raises(BakehouseError) as caught:
        larder.verify()
    assert "sst/c/0/0/0" in str(caught.value) and "--refresh" in str(caught.value)
    assert larder.bake(refresh=True).status == "published"
    assert_right(larder)
    assert larder.verify().status == "verified"


@pytest.mark.usefixtures("at_once")
def test_a_repository_that_is_gone_is_baked_again(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    shutil.rmtree(larder.entry.store.url)
    forget_what_was_opened()
    with pytest.raises(BakehouseError, match="there is no Icechunk repository"):
        larder.verify()
    larder.add(days(6, 2))
    with pytest.raises(BakehouseError, match="there is no Icechunk repository"):
        larder.update()
    larder.keep("time", range(3))
    assert larder.bake().status == "published"
    assert_right(larder)


@pytest.mark.usefixtures("at_once")
def test_a_main_that_something_else_moved_is_not_built_on(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    session = repository(larder).writable_session("main")
    import zarr

    zarr.open_array(session.store, path="sst")[0] = 7
    session.commit("by hand")
    larder.add(days(6, 2))
    with pytest.raises(PublishError, match="something else has published to this repository"):
        larder.update()
    assert_same(opened(larder), larder.expected().isel(time=slice(6)))
    assert larder.bake(refresh=True).status == "published"
    assert_right(larder)


@pytest.mark.usefixtures("at_once")
def test_another_format_is_another_version(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    old, recipe = larder.entry, larder.root / "feedstocks/sea/recipe.py"
    text = recipe.read_text()
    recipe.write_text(text.replace(', format="icechunk"', ""))
    larder.add(days(6, 2))
    with pytest.raises(BakehouseError, match="format=None; the store was made with format='icechunk'"):
        larder.update()
    assert larder.bake().status == "published"
    assert (larder.entry.store.format, larder.entry.store.snapshot) == ("zarr", None)
    assert_same(larder.opened(), larder.expected())
    assert_same(opened(larder, old.version), larder.expected().isel(time=slice(6)))
    recipe.write_text(text)
    plain = larder.entry
    assert larder.bake().status == "published"
    assert_right(larder)
    assert_same(opened(larder, plain.version), larder.expected())
    assert larder.rollback(plain.version).store.format == "zarr"
    assert_same(larder.opened(), larder.expected())


@pytest.mark.usefixtures("at_once")
def test_the_line_for_readers_opens_the_very_snapshot(tmp_path: Path, place: Target | None, moto: S3) -> None:
    larder = sea(tmp_path, target=place)
    line, wanted = xarray_line(larder.entry), larder.expected()
    larder.add(days(6, 2))
    larder.update()
    line = re.sub("from_env=True", f"access_key_id={moto.key!r}, secret_access_key={moto.secret!r}", line)
    assert_same(eval(line, {"xarray": xr, "icechunk": icechunk}).load(), wanted)
    assert to_collection(larder.entry)["assets"]["data"]["icechunk:snapshot_id"] == main(larder)
    assert check(larder.catalog) == []


def test_a_feedstock_without_python_says_so_in_its_store(tmp_path: Path) -> None:
    larder = make_larder(tmp_path, days(0, 2), days(2, 2))
    folder = larder.root / "feedstocks/sea"
    meta = yaml.safe_load((folder / "meta.yaml").read_text())
    pattern = {"url": "https://data.example.org/{time}.nc", "concat": {"time": {"keys": [0, 1]}}}
    store = {"format": "icechunk", "chunks": {"time": 2}}
    meta["recipes"] = [{"id": "sea", "recipe": "files_to_zarr", "with": {"pattern": pattern, "store": store}}]
    (folder / "recipe.py").unlink()
    (folder / "meta.yaml").write_text(yaml.safe_dump(meta))
    assert larder.bake(url_map={"https://data.example.org": str(larder.inputs)}).status == "published"
    assert larder.entry.store.url == str(larder.stores / "store.icechunk")
    assert_right(larder)


def test_what_icechunk_can_not_hold_is_refused() -> None:
    with pytest.raises(RecipeError, match="zarr_format is 2"):
        StoreToZarr(combine_dims=[], store_name="sea.zarr", format="icechunk", zarr_format=2)
    with pytest.raises(RecipeError, match="format"):
        StoreToZarr(combine_dims=[], store_name="sea.zarr", format="icechunck")


@pytest.mark.usefixtures("at_once")
def test_an_endpoint_without_conditional_put_is_refused_before_anything_is_read(tmp_path: Path, rclone: S3) -> None:
    larder = make_larder(tmp_path, days(0, 2), options=CUT, target=on_s3(rclone))
    with pytest.raises(BakehouseError, match="ignores If-None-Match and If-Match"):
        larder.bake()
    assert not larder.entry_path.exists()


def test_large_stores_get_no_more_than_some_thousand_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bakehouse.plan.tasks.COMMITS", 10)
    axis = Axis("time", {i: (i, i + 1) for i in range(3000)})
    array = ArrayPlan(
        "sst", ("time",), (3000,), "float32", False, (), (), "float32", "", (1,), runs=("time",), chunks=(1,)
    )
    plain = Template({"sst": array}, {}, {"time": axis}, {"time": 3000})
    counts = [len(make_tasks(each, 2**28)) for each in (plain, replace(plain, format="icechunk"))]
    assert counts == [47, 10]


def test_what_a_step_after_the_store_writes_is_published_with_it(tmp_path: Path) -> None:
    stamp = """
def stamp(store):
    group = zarr.open_group(store, mode="r+")
    group.attrs["title"] = f"{group['sst'].shape[0]} steps"
    return store
"""
    kitchen = make_kitchen(tmp_path, CUT, after="\n    | beam.Map(stamp)", functions=stamp)
    assert kitchen.bake().status == "published"
    assert bakehouse.open("sea", tmp_path / "catalog").attrs["title"] == "6 steps"
    assert (kitchen.bake().status, kitchen.verify().status) == ("unchanged", "verified")
