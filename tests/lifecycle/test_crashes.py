"""Updates that are killed, and updates at the same time: readers are never wrong, and running again completes."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bakehouse.errors import BakehouseError
from bakehouse.storage import Target
from bakehouse.writers.lock import single_writer
from tests.bake.kitchen import stamps
from tests.lifecycle.larder import (
    CUT,
    Larder,
    Process,
    days,
    everything,
    finished,
    make_larder,
    objects_of,
    without_beam,
)
from tests.oracle import assert_same

LAYOUTS = {
    "shards": 'target_chunks={"time": 2, "lat": 1}, shards={"time": 4, "lat": 1}',
    "v2": CUT + ", zarr_format=2",
}
ROOT = {"shards": r"\.zarr/zarr\.json$", "v2": r"\.zarr/\.zmetadata$"}
OBJECT = r"[0-9a-f]\.zarr/(sst|time)/(c/)?[0-9]"
ENTRY = r"catalog/sea/sea\.json$"


@pytest.fixture(params=["shards", pytest.param("v2", marks=pytest.mark.nightly)])
def layout(request: pytest.FixtureRequest) -> str:
    """Go through the layouts."""
    return str(request.param)


@pytest.fixture
def larder(layout: str, tmp_path: Path) -> Iterator[Larder]:
    """Give a store of five days, to which two inputs are to come."""
    with without_beam(objects=2):
        larder = make_larder(tmp_path, days(0, 2), days(2, 3), options=LAYOUTS[layout])
        larder.bake()
        larder.add(days(5, 2), days(7, 4))
        yield larder


def die(larder: Larder, fault: Mapping[str, Any], action: str = "update", **options: Any) -> None:
    """Run an update that is killed on its way."""
    process = larder.start(action, fault, **options)
    output, messages = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, (output, messages)


def assert_completes(larder: Larder) -> None:
    """Running again writes no finished object, and the store is what the inputs make."""
    done, before = finished(larder), stamps(larder.store)
    assert larder.update().status in ("updated", "unchanged")
    after = stamps(larder.store)
    assert {key for key in done if before[key] != after[key]} == set()
    assert_right(larder)


def assert_right(larder: Larder) -> None:
    assert_same(larder.opened(), larder.expected())
    assert_same(larder.opened(consolidated=False), larder.expected())
    assert larder.verify().status == "verified"
    assert larder.update().status == "unchanged"


POINTS: dict[str, dict[str, Any]] = {
    "before the first object": {"path": OBJECT, "nth": 1},
    "after the first object": {"path": OBJECT, "nth": 1, "after": True},
    "between objects of a task": {"path": OBJECT, "nth": 3, "after": True},
    "after a receipt": {"path": r"receipts/", "nth": 1, "after": True},
    "after all objects": {"path": r"\.zarr\.proof\.parquet", "nth": 1},
    "before the root": {"path": "ROOT", "nth": 1},
}


def fault_at(point: Mapping[str, Any], layout: str) -> dict[str, Any]:
    return {**point, "path": ROOT[layout] if point["path"] == "ROOT" else point["path"]}


def some(*often: str) -> list[Any]:
    """List the points, all of them in the nightly run."""
    return [pytest.param(name, marks=[] if name in often else [pytest.mark.nightly]) for name in POINTS]


@pytest.mark.parametrize("point", some("between objects of a task", "before the root"))
def test_an_update_that_is_killed_before_its_root_leaves_the_old_version(
    larder: Larder, layout: str, point: str
) -> None:
    entry, seen = larder.entry_path.read_bytes(), larder.opened()
    die(larder, fault_at(POINTS[point], layout))
    assert larder.entry_path.read_bytes() == entry
    assert_same(larder.opened(), seen)
    assert_same(larder.opened(consolidated=False), seen)
    assert_completes(larder)


@pytest.mark.parametrize("point", some("before the root"))
def test_what_is_left_of_a_killed_update_does_not_fail_verify(larder: Larder, layout: str, point: str) -> None:
    die(larder, fault_at(POINTS[point], layout))
    larder.keep("time", [0, 1])
    assert larder.verify().status == "verified"


@pytest.mark.nightly
def test_a_bake_after_a_killed_update_finds_the_published_version_as_it_was(larder: Larder, layout: str) -> None:
    seen = larder.opened()
    die(larder, fault_at(POINTS["before the root"], layout))
    larder.keep("time", [0, 1])
    before = stamps(larder.store)
    assert larder.bake().status == "unchanged"
    assert stamps(larder.store) == before
    assert_same(larder.opened(), seen)


@pytest.mark.parametrize(
    "after",
    [pytest.param(False, id="before the entry"), pytest.param(True, id="after the entry", marks=pytest.mark.nightly)],
)
def test_an_update_that_is_killed_after_its_root_is_completed(larder: Larder, after: bool) -> None:
    die(larder, {"path": ENTRY, "after": after})
    assert_same(larder.opened(), larder.expected())
    made, before, version = stamps(larder.store), objects_of(larder.store), larder.entry.version
    assert larder.update().status == "unchanged"
    assert {key: stamps(larder.store)[key] for key in before} == {key: made[key] for key in before}
    assert (larder.entry.version == version) == after
    assert_right(larder)


def test_an_update_that_is_killed_between_root_and_array_documents_heals(larder: Larder, layout: str) -> None:
    die(larder, {"path": ROOT[layout], "after": True})
    assert_same(larder.opened(), larder.expected())
    before = objects_of(larder.store)
    assert larder.update().status == "unchanged"
    assert objects_of(larder.store) == before
    assert_right(larder)


@pytest.mark.parametrize("point", some("between objects of a task"))
def test_a_pattern_that_grew_before_the_rerun_is_caught_up_with(larder: Larder, layout: str, point: str) -> None:
    seen = larder.opened()
    die(larder, fault_at(POINTS[point], layout))
    larder.add(days(11, 3))
    assert_same(larder.opened(), seen)
    assert larder.update().status == "updated"
    assert_right(larder)


@pytest.mark.nightly
def test_a_pattern_that_grew_after_the_root_is_caught_up_with(larder: Larder, layout: str) -> None:
    die(larder, {"path": ROOT[layout], "after": True})
    larder.add(days(11, 3))
    assert larder.update().status == "updated"
    assert larder.entry.store.url and len(larder.entry.previous) == 2
    assert_right(larder)


@pytest.mark.nightly
def test_inputs_that_changed_before_the_rerun_take_the_place_of_what_was_left(larder: Larder) -> None:
    """Values that a killed update left beyond the old end are of no version: others take their place."""
    seen = larder.opened()
    die(larder, {"path": OBJECT, "nth": 3, "after": True})
    larder.write((2,), days(5, 2, 0.5))
    larder.keep("time", [0, 1, 2])
    assert_same(larder.opened(), seen)
    assert larder.update().status == "updated"
    assert_right(larder)


@pytest.mark.nightly
@pytest.mark.parametrize("level", ["full", "sampled"])
def test_a_version_that_comes_back_after_another_was_begun_is_right(larder: Larder, level: str) -> None:
    """Two updates are killed in turn over the same tail; then the first one's inputs are there again."""
    first = larder.positions()[(("time", 2),)]
    data, stat = first.read_bytes(), first.stat()
    die(larder, {"path": r"\.zarr\.proof\.parquet", "nth": 1})
    larder.write((2,), days(5, 2, 0.5))
    die(larder, {"path": r"\.zarr\.proof\.parquet", "nth": 1})
    first.write_bytes(data)
    os.utime(first, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with suppress(BakehouseError):  # what it finds changed, it says, and the next run writes
        larder.update(level=level)
    assert larder.update(level=level).status in ("updated", "unchanged")
    assert_right(larder)


CORRECTION: dict[str, dict[str, Any]] = {
    "between copies": {"copies": 2},
    "before the proof": {"path": r"\.zarr\.proof\.parquet"},
    "after the entry's draft": {"path": r"\.zarr\.version\.json", "after": True},
    "before the root": {"path": "ROOT"},
    "after the root": {"path": "ROOT", "after": True},
    "before the entry": {"path": ENTRY},
}


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(n, marks=[] if n in ("between copies", "before the entry") else [pytest.mark.nightly])
        for n in CORRECTION
    ],
)
def test_a_correction_that_is_killed_leaves_the_old_version_and_is_completed(
    larder: Larder, layout: str, point: str
) -> None:
    fault = CORRECTION[point]
    larder.keep("time", [0, 1])
    larder.write((1,), days(2, 3, 0.5))
    entry, seen, old = larder.entry_path.read_bytes(), larder.opened(), larder.entry.store.url
    made = everything(larder)
    if "copies" in fault:
        die(larder, {"path": "nothing"}, changed=True, **fault)
    else:
        die(larder, fault_at(fault, layout), changed=True)
    assert larder.entry_path.read_bytes() == entry
    assert {key: stamp for key, stamp in everything(larder).items() if key.startswith(Path(old).name)} == {
        key: stamp for key, stamp in made.items() if key.startswith(Path(old).name)
    }
    assert_same(larder.opened(), seen)
    assert larder.update(changed=True).status in ("updated", "unchanged")
    assert_same(larder.opened(), larder.expected())
    assert_same(larder.opened(old), seen)
    assert larder.verify().status == "verified"
    assert larder.update(changed=True).status == "unchanged"


# At the same time

SHARDS = pytest.mark.parametrize("layout", ["shards"], indirect=True)


def wait_for(found: Any, process: Process) -> None:
    until = time.monotonic() + 120
    while not found() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    assert found()


def is_stopped(process: Process) -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_while_one_update_is_under_way_another_is_refused(larder: Larder) -> None:
    seen = larder.opened()
    process = larder.start("update", {"path": OBJECT, "nth": 2, "after": True, "signal": "SIGSTOP"})
    try:
        wait_for(lambda: is_stopped(process), process)
        with pytest.raises(BakehouseError) as caught:
            larder.update()
        assert str(process.pid) in str(caught.value) and "lock" in str(caught.value)
        assert_same(larder.opened(), seen)
        process.send_signal(signal.SIGCONT)
        output, messages = process.communicate(timeout=120)
    finally:
        process.kill()
    assert (process.returncode, output.split()[-1]) == (0, "updated"), messages
    assert_right(larder)


def test_of_two_updates_at_once_one_does_it(larder: Larder) -> None:
    both = [larder.start(), larder.start()]
    said = [process.communicate(timeout=180) for process in both]
    told = [output.split()[-1] if output.split() else messages for output, messages in said]
    assert "updated" in told
    other = told[1 - told.index("updated")]
    assert other in ("unchanged", "updated") or "another run is adding to this store" in other, other
    assert_right(larder)


def test_a_run_that_lost_its_lock_does_not_publish(larder: Larder) -> None:
    process = larder.start("update", {"path": OBJECT, "nth": 2, "after": True, "signal": "SIGSTOP"})
    try:
        wait_for(lambda: is_stopped(process), process)
        (lock,) = larder.stores.glob(".*.work/lock")
        lock.write_text(json.dumps({"run": "somebody else", "host": "elsewhere", "pid": 1}))
        entry = larder.entry_path.read_bytes()
        process.send_signal(signal.SIGCONT)
        _, messages = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode != 0 and "another run" in messages
    assert larder.entry_path.read_bytes() == entry
    lock.unlink()
    assert_completes(larder)


@SHARDS
def test_a_lock_of_another_machine_is_taken_over_when_its_heart_stands_still(
    larder: Larder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bakehouse.writers.lock.DEAD_S", 0.6)
    held = {"run": "gone", "host": "elsewhere", "pid": 1, "at": "2001-01-01T00:00:00+00:00"}
    folder = larder.stores / f".{larder.store.name}.work"
    folder.mkdir(exist_ok=True)
    (folder / "lock").write_text(json.dumps(held))
    assert larder.update().status == "updated"
    assert not (folder / "lock").exists()
    assert_right(larder)


@SHARDS
def test_a_lock_of_another_machine_whose_heart_beats_is_not_taken_over(
    larder: Larder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bakehouse.writers.lock.DEAD_S", 1.0)
    monkeypatch.setattr("bakehouse.writers.lock.BEAT_S", 0.05)
    monkeypatch.setattr("bakehouse.writers.lock.socket.gethostname", lambda: "elsewhere")
    folder = Target(str(larder.stores / f".{larder.store.name}.work"))
    with single_writer(folder, "alive"):
        monkeypatch.setattr("bakehouse.writers.lock.socket.gethostname", lambda: "here")
        with pytest.raises(BakehouseError, match="another run") as caught:
            larder.update()
        assert "elsewhere" in str(caught.value)
    assert larder.update().status == "updated"
    assert_right(larder)


@SHARDS
def test_the_lock_is_one_writer_s_at_a_time(larder: Larder) -> None:
    folder, inside, most = Target(str(larder.stores / "lock")), 0, 0
    lock, won = threading.Lock(), []

    def write(number: int) -> None:
        nonlocal inside, most
        try:
            with single_writer(folder, f"run-{number}"):
                with lock:
                    inside, most = inside + 1, max(most, inside + 1)
                time.sleep(0.01)
                with lock:
                    inside -= 1
                won.append(number)
        except BakehouseError:
            return

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert most == 1 and won
