"""Comparing begins when everything is written, and nothing is visible before everything is compared."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest

from bakehouse.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr, references, steps
from bakehouse.writers.receipts import read_receipts
from tests.engine.files import written
from tests.engine.pipeline import NAME, run_pipeline
from tests.engine.test_virtual import sea

FILES = 6
ROOTS = {"zarr": "zarr.json", "kerchunk-json": "refs.json"}


@pytest.mark.parametrize("format", ROOTS)
def test_steps_wait_for_all_of_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str) -> None:
    root, seen = tmp_path / NAME / ROOTS[format], []

    def watching(compare: Any) -> Any:
        def watched(prepared: Any, task: Any, *rest: Any) -> int:
            time.sleep(0.05)  # whoever does not wait is there first
            written_tasks = len(read_receipts(prepared.work))
            seen.append((task.id, written_tasks == len(prepared.plan.tasks), root.exists()))
            return int(compare(prepared, task, *rest))

        return watched

    monkeypatch.setattr("bakehouse.plan.tasks.TASK_OBJECTS", 1)
    for module in (steps, references):
        monkeypatch.setattr(module, "compare_task", watching(module.compare_task))
    pattern = written(tmp_path / "in", [sea(number) for number in range(FILES)])
    opened = beam.Create(pattern.items()) | OpenURLWithFSSpec() | OpenWithXarray(file_type=pattern.file_type)
    store: dict[str, Any] = {"target_chunks": {"time": 2}, "shards": False} if format == "zarr" else {}
    run_pipeline(
        opened | StoreToZarr(pattern.combine_dim_keys, NAME, target_root=str(tmp_path), format=format, **store)
    )
    assert root.exists()
    assert len({task for task, _, _ in seen}) == len(seen) > 1
    assert {(everything, visible) for _, everything, visible in seen} == {(True, False)}
