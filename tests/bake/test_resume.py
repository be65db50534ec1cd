"""A bake that was cut is finished by baking again, and baking twice changes nothing."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import pytest
import xarray as xr

from bakehouse.errors import VerifyError
from tests.bake.kitchen import Kitchen, contents, files, make_kitchen, receipts, stamps
from tests.oracle import assert_same


def test_baking_twice_writes_no_byte_of_the_store_and_of_the_entry(baked: Kitchen) -> None:
    before = (
        stamps(baked.store),
        stamps(baked.work / "receipts"),
        stamps(baked.work / "checks"),
        baked.entry_path.read_bytes(),
    )
    proof = next(baked.stores.glob("*.parquet")).stat().st_mtime_ns
    catalog = stamps(baked.root / "catalog")
    outcome = baked.bake()
    assert (outcome.status, outcome.tasks_done_before) == ("unchanged", outcome.tasks)
    assert before == (
        stamps(baked.store),
        stamps(baked.work / "receipts"),
        stamps(baked.work / "checks"),
        baked.entry_path.read_bytes(),
    )
    assert proof == next(baked.stores.glob("*.parquet")).stat().st_mtime_ns
    assert catalog == stamps(baked.root / "catalog")


def test_a_bake_leaves_nothing_but_the_store_its_proof_and_its_work(done: Kitchen) -> None:
    version = done.entry.version
    assert {path.parts[0] for path in map(Path, files(done.stores))} == {
        f"{version}.zarr",
        f".{version}.zarr.work",
        ".survey",
        f"{version}.zarr.proof.parquet",
        f"{version}.zarr.inputs.parquet",
        f"{version}.zarr.version.json",
    }


def test_what_is_baked_is_what_xarray_writes(done: Kitchen) -> None:
    assert_same(xr.open_zarr(done.store, chunks=None).load(), done.expected())


def test_only_what_is_missing_is_written_again(tmp_path: Path) -> None:
    kitchen = make_kitchen(
        tmp_path, 'target_chunks={"time": 2, "lat": 1}, shards=False, encoding={"sst": {"compressors": None}}'
    )
    kitchen.bake()
    before, made, entry = contents(kitchen.store), stamps(kitchen.store), kitchen.entry_path.read_bytes()
    tasks = receipts(kitchen)
    objects = {o["key"] for receipt in tasks.values() for o in receipt["objects"]}
    (kitchen.store / "sst/c/1/0/0").unlink()
    (kitchen.store / "zarr.json").unlink()
    outcome = kitchen.bake()
    redone = {key for key, stamp in stamps(kitchen.store).items() if made[key] != stamp}
    task = next(receipt for receipt in tasks.values() if any(o["key"] == "sst/c/1/0/0" for o in receipt["objects"]))
    assert redone & objects == {o["key"] for o in task["objects"]}
    assert outcome.tasks_done_before == outcome.tasks - 1
    assert contents(kitchen.store) == before
    assert kitchen.entry_path.read_bytes() == entry


def test_lost_receipts_and_lost_entries_are_written_again(baked: Kitchen) -> None:
    before = contents(baked.store) | contents(baked.work / "receipts")
    entry = baked.entry
    for path in (baked.work / "receipts").iterdir():
        path.unlink()
    baked.entry_path.unlink()
    outcome = baked.bake()
    assert (outcome.status, outcome.tasks_done_before) == ("unchanged", 0)
    assert contents(baked.store) | contents(baked.work / "receipts") == before
    assert (baked.entry.version, baked.entry.digests, baked.entry.facts) == (entry.version, entry.digests, entry.facts)


def test_damage_that_a_listing_does_not_show_stops_the_bake_and_the_next_one_mends_it(baked: Kitchen) -> None:
    before, entry = contents(baked.store), baked.entry_path.read_bytes()
    path = baked.store / "sst/c/0/1/0"
    data = path.read_bytes()
    path.write_bytes(bytes([*data[:-1], data[-1] ^ 1]))
    with pytest.raises(VerifyError, match="not whole") as caught:
        baked.bake()
    assert "'sst/c/0/1/0' has other content" in caught.value.message and "run the bake again" in str(caught.value.fix)
    assert baked.bake().status == "unchanged"
    assert (contents(baked.store), baked.entry_path.read_bytes()) == (before, entry)


def test_every_task_may_run_several_times(done: Kitchen, tmp_path: Path) -> None:
    kitchen = done.copy(tmp_path / "again", runner={"direct_runner_bundle_repeat": 2})
    for path in (kitchen.store, kitchen.work):
        for file in files(path).values():
            file.unlink()
    kitchen.entry_path.unlink()
    kitchen.bake()
    assert contents(kitchen.store) == contents(done.store)
    assert contents(kitchen.work / "receipts") == contents(done.work / "receipts")
    assert kitchen.entry.digests == done.entry.digests


def emptied(done: Kitchen, root: Path) -> Kitchen:
    """Copy a kitchen without what it baked; its inputs are the same, so its version is too."""
    kitchen = done.copy(root)
    for folder in ("stores", "catalog"):
        for path in files(root / folder).values():
            path.unlink()
    return kitchen


def test_no_root_is_visible_before_every_object_is_there(done: Kitchen, tmp_path: Path) -> None:
    kitchen = emptied(done, tmp_path)
    prefix = kitchen.stores / done.store.name
    seen: list[set[str]] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            if (prefix / "zarr.json").exists():
                seen.append(set(files(prefix)))
                return
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        kitchen.bake()
    finally:
        stop.set()
        watcher.join()
    assert seen == [set(files(done.store))]


def count(kitchen: Kitchen) -> int:
    return len(files(kitchen.stores))


@pytest.mark.parametrize(
    "share", [0.5, *(pytest.param(n / 20, marks=pytest.mark.nightly) for n in (1, 3, 6, 9, 12, 14, 16, 18, 19))]
)
def test_a_bake_that_is_killed_is_finished_by_the_next_one(done: Kitchen, tmp_path: Path, share: float) -> None:
    kitchen = emptied(done, tmp_path)
    wanted = share * count(done)
    process = kitchen.start()
    try:
        while process.poll() is None and count(kitchen) < wanted:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    root = kitchen.stores / done.store.name / "zarr.json"
    left = set(files(kitchen.stores))
    assert not root.exists() or {f"{done.store.name}/{key}" for key in files(done.store)} <= left
    assert kitchen.bake().version == done.entry.version
    assert contents(kitchen.store) == contents(done.store)
    assert contents(kitchen.work / "receipts") == contents(done.work / "receipts")
    assert (kitchen.entry.digests, kitchen.entry.facts) == (done.entry.digests, done.entry.facts)


@pytest.mark.nightly
def test_two_bakes_of_one_version_at_once_agree(done: Kitchen, tmp_path: Path) -> None:
    kitchen = emptied(done, tmp_path)
    process = kitchen.start()
    try:
        while process.poll() is None and not count(kitchen):
            time.sleep(0.001)
        kitchen.bake()
    finally:
        output, _ = process.communicate()
    assert process.returncode == 0, output
    assert contents(kitchen.store) == contents(done.store)
    assert kitchen.entry.digests == done.entry.digests
    assert kitchen.verify().status == "verified"
