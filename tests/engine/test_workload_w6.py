"""The benchmark's w6, a store's life, in miniature: each stage does the work of what is new, counted and not timed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bakehouse.storage import Target
from bakehouse.writers.receipts import read_receipts
from bakehouse.writers.store import RecordingStore
from benchmarks import ours
from benchmarks.workloads.base import address
from benchmarks.workloads.lifecycle import CHANGED, FIRST
from tests.engine.counted import Work
from tests.engine.miniatures import (
    Done,
    Miniature,
    assert_holds,
    chunk_bytes,
    expected,
    miniature,
    value_bytes,
    workload,
    write_inputs,
)

LATITUDE_AND_LONGITUDE, TIME = 2, 1
WHOLE_TASKS, TASK_OBJECTS = 2, 4


@dataclass(frozen=True)
class Life:
    """What each stage did, and the inputs at its end; `kept` are objects that a stage did not write."""

    stages: dict[str, Done]
    files: list[Path]
    kept: dict[str, set[str]]

    def work(self, stage: str) -> Work:
        """Give what a stage did."""
        return self.stages[stage].work


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Live through the stages, as benchmarks/lifecycle.py has them."""
    root, each = tmp_path_factory.mktemp("life"), workload("w6")
    made = write_inputs(each.inputs, root / "made")
    files = [root / "inputs" / path.name for path in made]
    files[0].parent.mkdir()
    first = each.meta.replace("".join(f"          - {address(n)}\n" for n in range(FIRST, len(made))), "")
    project = miniature(replace(each, meta=first), root / "project", files[0].parent)
    arrive(made, files, slice(FIRST))
    stages = {"bake": project.run("bake")}
    arrive(made, files, slice(FIRST, None))
    (root / "project" / "feedstocks" / "w6" / "meta.yaml").write_text(ours.META + each.meta)
    stages["append"] = project.run("update")
    files[CHANGED].unlink()
    shutil.copyfile(root / "made" / "changed" / files[CHANGED].name, files[CHANGED])
    stages["change"] = project.run("update", "--changed")
    kept = {"change": {key for key, path in objects(stages["change"].store) if path.stat().st_nlink > 1}}
    stages["nothing new"] = project.run("update")
    other = miniature(each, root / "other", files[0].parent)
    with small_tasks():
        with cut_short(WHOLE_TASKS * TASK_OBJECTS + 2):
            stages["cut short"] = other.run("bake")
        kept["finished"] = finished(other)
        stages["finished"] = other.run("bake")
    return Life(stages, files, kept)


def arrive(made: list[Path], files: list[Path], which: slice) -> None:
    for path, place in zip(made[which], files[which], strict=True):
        os.link(path, place)


def objects(store: Path) -> list[tuple[str, Path]]:
    """List the data objects of a store."""
    return [(p.relative_to(store).as_posix(), p) for p in store.rglob("c/**/*") if p.is_file()]


@contextmanager
def small_tasks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bakehouse.plan.tasks.TASK_OBJECTS", TASK_OBJECTS)
        yield


@contextmanager
def cut_short(count: int) -> Iterator[None]:
    """Let no more than so many objects be written."""
    put, written = RecordingStore.put, list[str]()

    def putting(self: Any, key: str, parts: Any) -> None:
        if len(written) == count:
            raise RuntimeError("cut short")
        written.append(key)
        put(self, key, parts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RecordingStore, "put", putting)
        yield


def finished(project: Miniature) -> set[str]:
    """Name the objects of the tasks that left a receipt."""
    (work,) = (project.project / "stores" / "w6" / "w6").glob(".*.work")
    return {written.key for receipt in read_receipts(Target(str(work))).values() for written in receipt.objects}


def inputs_of(life: Life, keys: set[str]) -> list[Path]:
    """Give the inputs that objects are made of; a shard has all steps of one."""
    return [path for number, path in enumerate(life.files) if f"t/c/{number}/0/0" in keys]


def test_the_store_holds_what_the_inputs_hold_by_then(life: Life) -> None:
    wanted = expected(workload("w6"), life.files)
    for stage in ("change", "finished"):
        assert_holds(life.stages[stage].opened(life.files[0].parent), wanted)


def test_the_first_inputs_are_moved(life: Life) -> None:
    work, first = life.work("bake"), life.files[:FIRST]
    before = chunk_bytes([life.files[0].parent.parent / "made" / path.name for path in first])
    assert (work.read_bytes, work.decoded_bytes, work.hdf5_bytes) == (before, 0, value_bytes(first))
    assert (work.encoded_chunks, work.objects) == (LATITUDE_AND_LONGITUDE + TIME, FIRST + LATITUDE_AND_LONGITUDE + TIME)


def test_new_inputs_cost_themselves_and_one_witness(life: Life) -> None:
    """The recipe's text has changed: one old input is decoded to see that it still makes what is stored."""
    work, new = life.work("append"), life.files[FIRST:]
    witness = work.read_bytes - chunk_bytes(new)
    assert witness in [chunk_bytes([path]) for path in life.files[:FIRST]]
    assert work.decoded_bytes == value_bytes(life.files[:1])
    assert work.hdf5_bytes == value_bytes(new)
    assert (work.encoded_chunks, work.objects) == (TIME, len(new) + TIME)


def test_a_changed_input_costs_itself(life: Life) -> None:
    """Its shard is written, and the one object that all times are in; the others are links to what was there."""
    work, changed = life.work("change"), [life.files[CHANGED]]
    assert (work.read_bytes, work.decoded_bytes) == (chunk_bytes(changed), 0)
    assert work.hdf5_bytes == value_bytes(changed)
    assert (work.encoded_chunks, work.objects) == (TIME, len(changed) + TIME)
    held = {key for key, _ in objects(life.stages["change"].store)}
    assert held - life.kept["change"] == {f"t/c/{CHANGED}/0/0", "time/c/0"}


def test_nothing_new_costs_nothing(life: Life) -> None:
    assert life.stages["nothing new"].said["status"] == "unchanged"
    assert life.work("nothing new") == Work()


def test_what_was_cut_short_is_completed_and_not_done_again(life: Life) -> None:
    """Objects of finished tasks are not written again, and their inputs are read to compare them alone."""
    done, work = life.kept["finished"], life.work("finished")
    assert "error" in life.stages["cut short"].said
    assert life.stages["finished"].said["tasks_done_before"] == WHOLE_TASKS
    whole = {key for key, _ in objects(life.stages["finished"].store)}
    assert len(done) == WHOLE_TASKS * TASK_OBJECTS
    assert work.objects == len(whole - done)
    assert work.read_bytes == chunk_bytes(inputs_of(life, whole - done))
    assert (work.decoded_bytes, work.encoded_chunks) == (0, 0)
    assert work.hdf5_bytes == value_bytes(life.files)
