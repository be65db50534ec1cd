"""A command of ours in a process of its own: its answer, what it logged, and how it ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bakehouse.github.keeper import conceal
from bakehouse.github.masking import Mask

MAX_ANSWER_BYTES = 32_000_000
LOG_LINES, LOG_CHARACTERS, LINE_CHARACTERS = 120, 12_000, 2000
GRACE_S = 20


@dataclass(frozen=True)
class Ended:
    """How a process ended; `status` is its exit status, negative the signal that ended it.

    `document` is None where it printed none, or more than is read; `stopped` says why it was stopped from here.
    """

    status: int
    document: dict[str, Any] | None
    log: str
    stopped: str | None = None


def follow(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], mask: Mask, limit_s: float | None = None
) -> Ended:
    """Run `bakehouse WORDS --json`; what it logs is shown as it comes, without secrets.

    A job that is cancelled, or a time limit, ends the process and all that it started.
    """
    conceal()
    process = subprocess.Popen(
        [sys.executable, "-m", "bakehouse", *words, "--json"], cwd=folder, env=dict(environment),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    log: deque[str] = deque(maxlen=LOG_LINES)
    answers: list[bytes | None] = []
    readers = [
        _reading(lambda: answers.append(_bounded(process.stdout))),
        _reading(lambda: _follow(process.stderr, mask, log)),
    ]
    stopped = _wait(process, limit_s)
    _end_group(process)
    for each in readers:
        each.join(GRACE_S)
    document = _document(answers[0] if answers else None)
    return Ended(process.returncode, document, "\n".join(log)[-LOG_CHARACTERS:], stopped)


def _document(answer: bytes | None) -> dict[str, Any] | None:
    try:
        document = json.loads(answer or b"")
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _wait(process: subprocess.Popen[bytes], limit_s: float | None) -> str | None:
    try:
        with _stopping():
            process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return f"it took longer than {(limit_s or 0) / 60:.0f} minutes"
    except KeyboardInterrupt:
        return "the job was cancelled"
    return None


@contextmanager
def _stopping() -> Iterator[None]:
    """Take SIGTERM, which a cancelled job gets, for Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it has left behind."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _reading(read: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def _bounded(stream: IO[bytes] | None) -> bytes | None:
    """Read to the end; give nothing if there is too much."""
    data = b""
    while stream and (more := os.read(stream.fileno(), 2**16)):
        if len(data) <= MAX_ANSWER_BYTES:
            data += more
    return data if len(data) <= MAX_ANSWER_BYTES else None


def _follow(stream: IO[bytes] | None, mask: Mask, log: deque[str]) -> None:
    while stream and (line := stream.readline(4 * LINE_CHARACTERS)):
        text = mask(line.decode("utf-8", "replace").rstrip("\r\n"))[:LINE_CHARACTERS]
        log.append(text)
        say(harmless(text))


def say(line: str) -> None:
    """Show a line to people who watch."""
    print(line, file=sys.stderr, flush=True)


def harmless(line: str) -> str:
    """Write a line so that GitHub's runner takes it for text, not for a command of ours.

    Examples
    --------
    >>> harmless("::add-mask::x"), harmless("12:30 ok")
    (': :add-mask: :x', '12:30 ok')
    """
    marked = line.lstrip("\x00 \t\ufeff").startswith("::") or "##[" in line
    return line.replace("::", ": :").replace("##[", "# #[") if marked else line
