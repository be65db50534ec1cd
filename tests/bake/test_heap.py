"""Memory that was freed goes back to the system between the steps of a run."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from bakehouse.bake import heap

MB = 2**20


def resident() -> int:
    """Give the memory of this process that no file backs, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_what_was_freed_below_what_is_still_held_goes_back() -> None:
    blocks = [bytearray(64 * 1024) for _ in range(2048)]  # 128 MB; the last one keeps the heap from shrinking
    blocks[:-1] = []
    before = resident()
    heap.give_back()
    assert before - resident() > 64 * MB
    assert len(blocks) == 1


def test_a_system_without_glibc_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "_glibc", lambda: None)
    heap.few_heaps()
    heap.give_back()
