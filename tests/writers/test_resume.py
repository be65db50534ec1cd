"""A task is done when its receipt is there and its objects are what the receipt says, in this very version."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bakehouse.errors import PublishError, VerifyError
from bakehouse.storage import Target
from bakehouse.writers.compare import compare_task
from bakehouse.writers.receipts import read_receipts, receipt_key, write_proof
from bakehouse.writers.resume import checked_tasks, done_tasks, forget_damaged
from bakehouse.writers.tasks import Prepared
from bakehouse.writers.versions import PROOF, save
from tests.plan.samples import sea
from tests.writers.direct import compare_all, fragments_of, prepared_for, stored, write_all

TWO = [sea(0, 3), sea(3, 3)]
CUT = {"target_chunks": {"time": 2, "lat": 1}, "shards": False, "memory_bytes": 100}


@pytest.fixture
def written(tmp_path: Path) -> Prepared:
    prepared = prepared_for(TWO, Target(str(tmp_path)), **CUT)
    assert done_tasks(prepared) == frozenset()
    write_all(prepared, TWO)
    return prepared


def ids(prepared: Prepared) -> frozenset[str]:
    return frozenset(task.id for task in prepared.plan.tasks)


def one_of(prepared: Prepared) -> tuple[str, str]:
    """Give a task and one of its objects."""
    task, receipt = min(read_receipts(prepared.work).items())
    return task, receipt.objects[0].key


def test_what_is_written_is_done(written: Prepared) -> None:
    assert len(ids(written)) > 2
    assert done_tasks(written) == ids(written)


@pytest.mark.parametrize("how", ["receipt gone", "receipt cut", "object gone", "object cut", "object longer"])
def test_a_task_that_is_not_whole_is_the_only_one_not_done(written: Prepared, how: str) -> None:
    task, key = one_of(written)
    data = written.store.get(key) or b""
    if how == "receipt gone":
        written.work.delete([receipt_key(task)])
    elif how == "receipt cut":
        written.work.put(receipt_key(task), (written.work.get(receipt_key(task)) or b"")[:-5])
    elif how == "object gone":
        written.store.delete([key])
    else:
        written.store.put(key, data[:-1] if how == "object cut" else data + b"\0")
    assert done_tasks(written) == ids(written) - {task}


def test_receipts_of_tasks_that_are_not_planned_do_not_count(written: Prepared) -> None:
    other = prepared_for(TWO, written.target, **{**CUT, "memory_bytes": 2**28})
    assert other.plan.version == written.plan.version
    assert ids(other) - done_tasks(other) == ids(other) - ids(written)


def test_what_is_compared_is_not_compared_again(written: Prepared) -> None:
    assert checked_tasks(written, ids(written), full=True) == frozenset()
    compare_all(written, TWO)
    assert checked_tasks(written, ids(written), full=True) == ids(written)


def test_what_has_to_be_written_again_has_to_be_compared_again(written: Prepared) -> None:
    compare_all(written, TWO)
    task, key = one_of(written)
    written.store.delete([key])
    assert checked_tasks(written, done_tasks(written), full=True) == ids(written) - {task}
    write_all(written, TWO)
    assert checked_tasks(written, done_tasks(written), full=True) == ids(written) - {task}


def test_what_was_compared_with_a_few_inputs_is_compared_again_where_every_value_is_to_be(tmp_path: Path) -> None:
    six = [sea(i, 1) for i in range(6)]
    prepared = prepared_for(six, Target(str(tmp_path)), target_chunks={"time": 6}, shards=False)
    template = prepared.plan.template
    cut = {name: replace(array, spill=name == "sst") for name, array in template.arrays.items()}
    prepared = replace(prepared, plan=replace(prepared.plan, template=replace(template, arrays=cut)))
    write_all(prepared, [ds + 1 if i == 2 else ds for i, ds in enumerate(six)])
    fragments = fragments_of(six)
    assert all(compare_task(prepared, task, fragments, few=True) for task in prepared.plan.tasks)
    assert checked_tasks(prepared, ids(prepared), full=False) == ids(prepared)
    again = [t for t in prepared.plan.tasks if t.id not in checked_tasks(prepared, ids(prepared), full=True)]
    assert {part.array for task in again for part in task.parts} >= {"sst"}
    with pytest.raises(VerifyError, match=r"'sst' at {'time': 2, .*: the store has 21.0, its source has 20.0"):
        compare_all(prepared, six)


def test_comparisons_of_a_verifying_run_are_kept_apart(written: Prepared, tmp_path: Path) -> None:
    verifying = replace(written, notes=Target(str(tmp_path / "notes")))
    save(written.target, written.plan.version, PROOF, write_proof(read_receipts(written.work).values()))
    compare_all(verifying, TWO)
    assert checked_tasks(written, ids(written), full=True) == frozenset()
    assert checked_tasks(verifying, ids(written), full=True) == ids(written)


def test_damage_that_a_listing_does_not_show_is_forgotten_and_written_anew(written: Prepared) -> None:
    task, key = one_of(written)
    before = written.store.get(key) or b""
    written.store.put(key, bytes([before[0] ^ 1]) + before[1:])
    assert done_tasks(written) == ids(written)
    forget_damaged(written.store, written.work, read_receipts(written.work))
    assert done_tasks(written) == ids(written) - {task}
    write_all(written, TWO)
    assert written.store.get(key) == before


def test_other_inputs_under_the_same_name_are_not_taken_for_done(tmp_path: Path) -> None:
    first = prepared_for(TWO, Target(str(tmp_path)), prefix="sea.zarr")
    write_all(first, TWO)
    other = [ds.assign(sst=ds.sst + 1) for ds in TWO]
    renamed = prepared_for(other, Target(str(tmp_path)), prefix="sea.zarr", attrs={"title": "other"})
    assert (first.store.url, done_tasks(first)) == (renamed.store.url, ids(first))
    assert done_tasks(renamed) == frozenset()


def test_a_published_store_is_not_written_over_by_another_version_of_the_same_name(tmp_path: Path) -> None:
    first = stored(TWO, Target(str(tmp_path)), prefix="sea.zarr")
    assert done_tasks(first) == ids(first)
    other = prepared_for(TWO, Target(str(tmp_path)), prefix="sea.zarr", attrs={"title": "other"})
    with pytest.raises(PublishError, match="made from other inputs") as caught:
        done_tasks(other)
    assert "sea.zarr" in str(caught.value.where) and "store_name" in str(caught.value.fix)


def test_a_version_whose_work_folder_was_removed_is_written_again(tmp_path: Path) -> None:
    prepared = stored(TWO, Target(str(tmp_path)))
    prepared.work.delete([key for key, _ in prepared.work.list()])
    assert done_tasks(prepared) == frozenset()
