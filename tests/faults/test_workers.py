"""Worker processes: when one dies the run ends, with a message and no process left, and the next one finishes it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Case, case_of
from tests.faults.site import Site, finish

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes below /proc")
PROCESSES = {"direct_running_mode": "multi_processing"}
PATIENCE_S = 60


@pytest.fixture
def case(first: Site, second: Site, tmp_path: Path) -> Case:
    """Give a case whose bakery starts worker processes."""
    return case_of(first.copy(tmp_path / "site", options=PROCESSES), first, second)


def members(process: subprocess.Popen[str]) -> set[int]:
    """List the processes of a session that still run."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = path.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(session) == process.pid and state != "Z":
            found.add(int(path.parent.name))
    return found


def wait_for(process: subprocess.Popen[str], done: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert done(), members(process)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"path": r"\.zarr/sst/c/", "nth": 10}, id="at an object"),
        pytest.param({"path": r"/receipts/", "after": True}, id="after a receipt", marks=pytest.mark.nightly),
        pytest.param({"path": r"/checks/"}, id="at a comparison", marks=pytest.mark.nightly),
    ],
)
def test_a_worker_that_dies_fails_the_run(case: Case, fault: dict[str, Any]) -> None:
    process = case.site.start({**fault, "worker": True})
    code, output, messages = finish(process, PATIENCE_S)
    (told,) = json.loads(output)["recipes"]
    assert (code, told["error"]["message"]) == (1, "a worker process died"), messages
    assert "SIGKILL" in told["error"]["cause"] and "run the same command again" in told["error"]["fix"]
    assert "Traceback" not in messages and len(messages.splitlines()) <= 24
    assert members(process) == set()
    case.assert_unpublished()
    case.assert_completes()


def test_an_error_in_a_worker_is_told_as_everywhere(case: Case) -> None:
    missing = case.site.root / "nowhere"
    recipe = case.site.root / "feedstocks" / "sea" / "recipe.py"
    recipe.write_text(recipe.read_text().replace(case.site.inputs, str(missing)))
    code, output, messages = finish(case.site.start(), PATIENCE_S)
    (told,) = json.loads(output)["recipes"]
    assert (code, told["error"]["error"], told["error"]["message"]) == (1, "SourceError", "no such file"), messages
    assert "input time=" in told["error"]["where"] and str(missing) in told["error"]["where"]
    assert "Traceback" not in messages and len(messages.splitlines()) <= 24


@pytest.mark.nightly
def test_workers_of_a_driver_that_was_killed_end(case: Case) -> None:
    process = case.site.start({"path": r"/receipts/", "worker": True, "signal": "SIGSTOP"})
    wait_for(process, lambda: len(members(process)) >= 3 and case.site.finished(case.version) == set())
    process.kill()
    process.communicate()
    for each in members(process):
        os.kill(each, signal.SIGCONT)
    wait_for(process, lambda: not members(process))
    case.assert_unpublished()
    case.assert_completes()


@pytest.mark.nightly
def test_ctrl_c_ends_driver_and_workers(case: Case) -> None:
    process = case.site.start()
    wait_for(process, lambda: any(f"{case.version}.zarr/sst" in key for key, _ in case.site.target.list()))
    os.killpg(process.pid, signal.SIGINT)
    code, _, messages = finish(process, PATIENCE_S)
    assert code == 130, messages
    assert "running it again completes it" in messages and "Traceback" not in messages
    wait_for(process, lambda: not members(process))
    case.assert_good()
    case.assert_completes()
