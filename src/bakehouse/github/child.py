"""Run Bakehouse's commands on code that nobody has reviewed: without the job's environment, time and output limited.

What the process writes is never handed on as it is. A process of the same user can do much all the same: what keeps
credentials safe is that the job has none, and that its result is judged where none of its code runs.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from bakehouse.github.confined import stranger_environment
from bakehouse.github.keeper import TOO_LONG, conceal
from bakehouse.github.plain import plain

GUARDED = (sys.executable, "-P", "-m", "bakehouse.cli.guarded")
OUTPUT_LIMIT_BYTES, TAIL_BYTES = 16 * 2**20, 16 * 2**10
_CREDENTIAL = re.compile(r"://[^/\s]*@|(?i:token|secret|passw|signature)=")
_GRACE_S = 30.0
State = Literal["ended", "took too long", "said too much"]


@dataclass(frozen=True)
class Ran:
    """What became of a command: how it ended, the document that it printed if any, the end of what else it said."""

    state: State
    status: int
    document: dict[str, Any] | None
    tail: str
    seconds: float

    @property
    def fault(self) -> str | None:
        """Say why the command gave no answer that can be used."""
        if self.state != "ended":
            return f"it {self.state} and was stopped after {self.seconds:.0f} s"
        return None if self.document is not None else f"it ended with status {self.status} and without an answer"


def run(words: Sequence[str], cwd: Path, scratch: Path, limit_s: float) -> Ran:
    """Run one command of ours with ``--json`` in a process of its own.

    Parameters
    ----------
    cwd
        The project's folder; paths in what the command says start from there.
    scratch
        A folder for its home and temporary files.
    """
    conceal()
    guarded = [*GUARDED, *words, "--json"]
    command = [sys.executable, "-P", "-m", "bakehouse.github.keeper", str(limit_s), *guarded]
    started = time.monotonic()
    process = subprocess.Popen(
        command, cwd=cwd, env=environment(scratch), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stdout and process.stderr
    said = [_Reader(process.stdout, process, OUTPUT_LIMIT_BYTES), _Reader(process.stderr, process, TAIL_BYTES)]
    status = _wait(process, limit_s + _GRACE_S)
    for reader in said:
        reader.thread.join(_GRACE_S)
    state: State = "ended" if status != TOO_LONG else "took too long"
    state = "said too much" if any(reader.flooded for reader in said) else state
    answer, log = (bytes(reader.data).replace(f"{cwd}/".encode(), b"") for reader in said)
    document = _document(answer) if state == "ended" else None
    tail = plain(log.decode(errors="replace"), TAIL_BYTES, lines=True)
    return Ran(state, status, document, tail, time.monotonic() - started)


def environment(scratch: Path, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give the environment of such a process: what finds the same packages, and folders of its own."""
    allowed = stranger_environment(scratch / "home", given)
    kept = {key: value for key, value in allowed.items() if not _CREDENTIAL.search(value)}
    if "PYTHONPATH" in kept:
        kept["PYTHONPATH"] = os.pathsep.join(os.path.abspath(path) for path in kept["PYTHONPATH"].split(os.pathsep))
    home, temporary = scratch / "home", scratch / "tmp"
    for folder in (home, temporary):
        folder.mkdir(parents=True, exist_ok=True)
    own = {"TMPDIR": str(temporary), "MPLBACKEND": "Agg", "GIT_TERMINAL_PROMPT": "0"}
    return {**kept, **own, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONNOUSERSITE": "1", "PYTHONIOENCODING": "utf-8"}


class _Reader:
    """Reads a stream to its end and keeps a bounded part: the beginning of a document, the end of a log."""

    def __init__(self, stream: IO[bytes], process: subprocess.Popen[bytes], limit: int) -> None:
        self.data, self.total, self.flooded = bytearray(), 0, False
        self._stream, self._process, self._limit = stream, process, limit
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        while chunk := os.read(self._stream.fileno(), 2**16):
            self.total += len(chunk)
            self.data += chunk
            del self.data[: -self._limit]
            if self.total > OUTPUT_LIMIT_BYTES and not self.flooded:
                self.flooded = True
                self._process.terminate()
        self._stream.close()


def _wait(process: subprocess.Popen[bytes], limit_s: float) -> int:
    """Wait for the keeper, which ends by itself unless somebody has stopped it."""
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return TOO_LONG


def _document(data: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
