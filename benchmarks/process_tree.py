"""What a process and all below it hold in memory. Linux only: it reads ``/proc``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def resident(pid: int) -> int:
    """Give the memory that a process and all below it hold, or its own peak so far if that is more; in bytes."""
    own = _status(pid)
    return max(own.get("VmHWM", 0), sum(_status(each).get("VmRSS", 0) for each in (pid, *_below(pid))))


def _below(pid: int) -> Iterator[int]:
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(word) for word in path.read_text().split()]
        except OSError:  # the thread has ended meanwhile
            continue
        for child in children:
            yield child
            yield from _below(child)


def _status(pid: int) -> dict[str, int]:
    """Read the sizes that the kernel states of a process, in bytes; none if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    split = (line.split() for line in lines)
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in split if words and words[-1] == "kB"}
