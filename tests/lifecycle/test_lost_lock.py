"""A run that stood still until another took its lock over: it harms nothing that the other has published."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from bakehouse.context import work_folder
from bakehouse.errors import PublishError
from bakehouse.storage import Target
from bakehouse.writers.append import AppendingStore, Tail
from bakehouse.writers.lock import LOCK, insist_held, single_writer
from tests.lifecycle.larder import CUT, SHARDED, Process, days, make_larder, objects_of, without_beam
from tests.oracle import assert_same
from tests.support.s3 import S3

PLANNED = r"/candidate/"
"""What is written between the plan and the first object."""
KEY = "sst/c/9"


def wait_until_stopped(process: Process) -> None:
    said = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    assert said is not None and said.si_code == os.CLD_STOPPED, process.communicate()


@pytest.mark.parametrize("layout", [SHARDED, CUT], ids=["shards", "chunks"])
def test_a_run_that_wakes_after_another_has_published_changes_nothing(
    layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bakehouse.writers.lock.DEAD_S", 0.6)
    monkeypatch.setattr("bakehouse.writers.lock._machine", lambda: "another machine")
    with without_beam():
        larder = make_larder(tmp_path, days(0, 2), days(2, 3), options=layout)
        larder.bake()
        larder.add(days(5, 2))
        process = larder.start("update", {"path": PLANNED, "nth": 1, "after": True, "signal": "SIGSTOP"})
        try:
            wait_until_stopped(process)
            larder.add(days(7, 4))
            assert larder.update().status == "updated"
            entry, objects = larder.entry_path.read_bytes(), objects_of(larder.store)
            process.send_signal(signal.SIGCONT)
            _, messages = process.communicate(timeout=120)
        finally:
            process.kill()
        assert process.returncode != 0 and "this run has lost the lock of its store" in messages
        assert (larder.entry_path.read_bytes(), objects_of(larder.store)) == (entry, objects)
        assert_same(larder.opened(), larder.expected())
        assert larder.verify().status == "verified"
        assert larder.update().status == "unchanged"


# One object


def appending(target: Target, run_id: str) -> AppendingStore:
    """Give what a run writes to; the published version has none of the objects."""
    prefix = "1a2b.zarr"
    work = work_folder(target, prefix)
    return AppendingStore(Tail("1a2b", run_id, target.child(prefix), work, {}, "time", 0, frozenset()))


@pytest.fixture(params=["local", "moto"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    """Go through the places."""
    if request.param == "local":
        return Target(str(tmp_path / "sea"))
    moto: S3 = request.getfixturevalue("moto")
    return Target(f"{moto.url}/sea", moto.fsspec_options)


def taken_over(work: Target, by: str) -> None:
    work.put(LOCK, json.dumps({"run": by, "host": "elsewhere", "pid": 1}).encode())


def test_what_a_killed_run_left_gives_way_to_what_the_next_writes(target: Target) -> None:
    store = appending(target, "next")
    store.tail.store.put(KEY, b"left behind")
    with single_writer(store.tail.work, "next"):
        store.put(KEY, [b"the ", b"values"])
        store.put(KEY, [b"the ", b"values"])
    assert store.tail.store.get(KEY) == b"the values"
    assert store.written[KEY].size_bytes == 10


def test_an_object_is_not_written_without_the_lock(target: Target) -> None:
    store = appending(target, "late")
    with single_writer(store.tail.work, "late"):
        store.tail.store.put(KEY, b"theirs")
        taken_over(store.tail.work, "another")
        with pytest.raises(PublishError, match=r"lost the lock(.|\n)*run another on elsewhere"):
            store.put(KEY, [b"ours"])
        store.tail.work.delete([LOCK])
        with pytest.raises(PublishError, match=r"lost the lock(.|\n)*gone now"):
            store.put(KEY, [b"ours"])
    assert store.tail.store.get(KEY) == b"theirs"
    assert KEY not in store.written and [key for key, _ in store.tail.store.list()] == [KEY]


def test_a_request_that_was_under_way_does_not_replace_what_another_run_wrote(
    moto: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, create = appending(Target(f"{moto.url}/sea", moto.fsspec_options), "late"), Target.create

    def delayed(self: Target, key: str, data: bytes) -> bool:
        if key == KEY:
            taken_over(store.tail.work, "another")
            self.put(key, b"theirs")
        return create(self, key, data)

    with single_writer(store.tail.work, "late"):
        monkeypatch.setattr(Target, "create", delayed)
        with pytest.raises(PublishError, match="lost the lock"):
            store.put(KEY, [b"ours"])
    assert store.tail.store.get(KEY) == b"theirs"


# Whose lock it is


def lock_of_this_process(folder: Target) -> dict[str, Any]:
    with single_writer(folder, "dead"):
        found: dict[str, Any] = json.loads(folder.get(LOCK) or b"")
    assert found["pid"] == os.getpid()
    return found


def test_a_lock_whose_process_number_went_to_another_process_is_taken_over(tmp_path: Path) -> None:
    folder = Target(str(tmp_path / "work"))
    held = lock_of_this_process(folder)
    if held["started"] is None:
        pytest.skip("the system does not say when a process started")
    folder.put(LOCK, json.dumps(held).encode())
    with pytest.raises(PublishError, match="run dead on"), single_writer(folder, "new"):
        pass
    folder.put(LOCK, json.dumps({**held, "started": "1"}).encode())
    with single_writer(folder, "new"):
        insist_held(folder, "new")
    assert folder.get(LOCK) is None


def test_work_that_goes_on_keeps_the_lock_until_another_run_wants_it(tmp_path: Path) -> None:
    folder = Target(str(tmp_path / "work"))
    with pytest.raises(KeyboardInterrupt), single_writer(folder, "detached", goes_on=True):
        raise KeyboardInterrupt
    insist_held(folder, "detached")
    with single_writer(folder, "another"), pytest.raises(PublishError, match="run another on"):
        insist_held(folder, "detached")
    with pytest.raises(PublishError, match="gone now"):
        insist_held(folder, "detached")
