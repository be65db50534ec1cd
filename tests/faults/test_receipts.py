"""Receipts and objects that do not belong together: what is not both there is written again, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bakehouse.context import work_folder
from bakehouse.writers.receipts import receipt_key
from tests.faults.conftest import Case, case_of
from tests.faults.site import Site


@pytest.fixture
def case(first: Site, second: Site, tmp_path: Path) -> Case:
    """Give a case whose second edition is written, but not published."""
    site = second.copy(tmp_path / "site")
    site.entry_path.write_text(first.entry_path.read_text().replace(str(first.root), str(site.root)))
    version = second.entry.version
    site.target.delete([f"{version}.zarr/zarr.json", f"{version}.zarr.proof.parquet"])
    return case_of(site, first, second)


def _object_gone(case: Case, task: str, key: str) -> None:
    case.site.target.delete([key])


def _object_cut(case: Case, task: str, key: str) -> None:
    case.site.target.put(key, (case.site.target.get(key) or b"")[:-1])


def _receipt_gone(case: Case, task: str, key: str) -> None:
    work_folder(case.site.target, f"{case.version}.zarr").delete([receipt_key(task)])


def _receipt_cut(case: Case, task: str, key: str) -> None:
    work, name = work_folder(case.site.target, f"{case.version}.zarr"), receipt_key(task)
    work.put(name, (work.get(name) or b"")[:-5])


@pytest.mark.parametrize("damage", [_object_gone, _object_cut, _receipt_gone, _receipt_cut])
def test_only_the_task_that_is_not_whole_is_done_again(case: Case, damage: Callable[[Case, str, str], None]) -> None:
    receipts = case.site.receipts(case.version)
    task = sorted(receipts)[0]
    own = {f"{case.version}.zarr/{o.key}" for o in receipts[task].objects}
    damage(case, task, min(own))
    others, before = case.site.finished(case.version) - own, case.site.stamps()
    code, told = case.site.run()
    assert (code, told["tasks_done_before"], told["tasks"]) == (0, len(receipts) - 1, len(receipts)), told
    after = case.site.stamps()
    assert {key for key in others | own if after[key] != before.get(key)} == own
    case.assert_made()
