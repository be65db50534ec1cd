"""A small process that runs a command and ends all that the command leaves behind, also what hid from its group.

Run as ``python -m bakehouse.github.keeper SECONDS COMMAND…``; the exit status is the command's, 124 after too long.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

TOO_LONG = 124
_SET_DUMPABLE, _SET_CHILD_SUBREAPER = 4, 36  # of Linux's prctl
_PATIENCE_S = 10.0


def conceal() -> None:
    """Keep other processes of this user from reading this one's environment and memory, where Linux can."""
    _prctl(_SET_DUMPABLE, 0)


def main(words: list[str]) -> int:
    """Run a command for so many seconds, then leave nothing of it."""
    limit_s, command = float(words[0]), words[1:]
    signal.signal(signal.SIGTERM, _stop)
    _prctl(_SET_CHILD_SUBREAPER, 1)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return TOO_LONG
    finally:
        _end_group(process.pid)
        _end_children()


def _stop(*_: int | FrameType | None) -> None:
    raise SystemExit(TOO_LONG)


def _end_group(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _end_children() -> None:
    """End children until none is left: what loses its parent becomes a child of this process."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        for pid in _children():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.02)


def _children() -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            if int(stat.read_text(errors="replace").rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(stat.parent.name))
    return found


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
