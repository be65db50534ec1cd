"""Ctrl-C during a run: noticed even where a library turns it into an exception of its own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import current_thread, main_thread
from types import FrameType

INTERRUPTED = 130


@dataclass
class Interrupts:
    """Remembers that Ctrl-C was pressed; a second time ends the process at once."""

    seen: bool = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt in the main thread; what breaks in others from then on is no news."""
        if self.seen:
            os._exit(INTERRUPTED)
        self.seen = True
        sys.unraisablehook = lambda _: None
        raise KeyboardInterrupt


@contextmanager
def noticing() -> Iterator[None]:
    """Let Ctrl-C end what runs inside as KeyboardInterrupt, whatever it was turned into on its way."""
    if current_thread() is not main_thread():
        yield
        return
    interrupts, hook = Interrupts(), sys.unraisablehook
    before = signal.signal(signal.SIGINT, interrupts)
    try:
        yield
    except Exception:
        if interrupts.seen:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, before)
        sys.unraisablehook = hook
