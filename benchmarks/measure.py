"""Run a command in a process of its own and say what it took."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process_tree import resident

TIMED = Path(__file__).with_name("timed.py")
POLL_S = 0.05


@dataclass(frozen=True)
class Usage:
    """What a command and all that it started took, and what it said."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    read_bytes: int
    written_bytes: int
    stdout: str
    error: str | None


def run(
    command: Sequence[str], log: Path, timeout_s: float, env: Mapping[str, str] | None = None,
    enough: Callable[[], bool] = lambda: False,
) -> Usage:  # fmt: skip
    """Run a command; its standard error goes to `log`. It is killed once there is `enough`.

    Memory is the sum of the resident sets of all processes, looked at every 50 ms; pages that they share count once
    for each. Bytes are those of read and write calls, whether from disk, page cache, socket or pipe.
    """
    os.sync()
    with tempfile.TemporaryDirectory() as folder:
        usage, said = Path(folder) / "usage.json", Path(folder) / "stdout"
        with said.open("wb") as out, log.open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-S", "-E", str(TIMED), str(usage), *command],
                stdout=out, stderr=err, env={**os.environ, **(env or {})}, start_new_session=True,
            )  # fmt: skip
            started = time.monotonic()
            peak, killed = _watch(process, started + timeout_s, enough)
        wall, stdout = time.monotonic() - started, said.read_text(errors="replace")
        if killed:
            return Usage(wall, 0.0, peak, 0, 0, stdout, f"killed after {wall:.1f} s")
        error = _last_line(log) if process.returncode else None
        return Usage(peak_bytes=peak, stdout=stdout, error=error, **json.loads(usage.read_text()))


def _watch(process: subprocess.Popen[bytes], until_s: float, enough: Callable[[], bool]) -> tuple[int, bool]:
    """Wait for the process; give its peak memory, and whether it was killed."""
    peak = 0
    while process.poll() is None:
        peak = max(peak, resident(process.pid))
        if time.monotonic() > until_s or enough():
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return peak, True
        time.sleep(POLL_S)
    return peak, False


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "Error" in line.split(":")[0] and not line.startswith("File ")]
    return (errors or lines or ["no message"])[-1][:300]
