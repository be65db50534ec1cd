"""How far a bake is, for people: a live bar on a terminal, a plain line now and then everywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bakehouse.cli.reply import say
from bakehouse.cli.text import human_bytes

if TYPE_CHECKING:
    from bakehouse.bake.job import Progress

Watch = Callable[["Progress"], None]

EVERY_S = 10.0


@contextmanager
def watching(name: str, verb: str) -> Iterator[Watch]:
    """Report a run on stderr while it lasts; give what the run has to call."""
    if sys.stderr.isatty():
        with _live(f"{verb} {name}") as watch:
            yield watch
    else:
        say(f"{verb} {name}")
        yield PlainReport(say)


@dataclass
class PlainReport:
    """Say a line when the phase changes, and every ten seconds while tasks are done.

    Examples
    --------
    >>> from bakehouse.bake.job import Progress
    >>> times = iter([0.0, 1.0, 2.0, 13.0])
    >>> report = PlainReport(print, lambda: next(times))
    >>> report(Progress("oisst/daily", "reading headers"))
    oisst/daily: reading headers
    >>> for done in (0, 5, 9):
    ...     report(Progress("oisst/daily", "writing", done, 10, 4_000_000))
    oisst/daily: writing, 0 of 10 tasks (0 B of 4.0 MB)
    oisst/daily: writing, 9 of 10 tasks (3.6 MB of 4.0 MB)
    """

    line: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    phase: str = ""
    said_at_s: float = 0.0
    done: int = 0

    def __call__(self, progress: Progress) -> None:
        """Say a line if it is time for one."""
        now = self.clock()
        moved = progress.tasks_done != self.done and now - self.said_at_s >= EVERY_S
        if progress.phase != self.phase or moved:
            self.phase, self.done, self.said_at_s = progress.phase, progress.tasks_done, now
            self.line(f"{progress.recipe}: {progress.phase}{_amount(progress)}")


def done_bytes(progress: Progress) -> int:
    """Estimate the bytes that are written from the share of tasks that are done."""
    return progress.bytes_total * progress.tasks_done // progress.tasks if progress.tasks else 0


def _amount(progress: Progress) -> str:
    if not progress.tasks:
        return ""
    sizes = f"{human_bytes(done_bytes(progress))} of {human_bytes(progress.bytes_total)}"
    return f", {progress.tasks_done:,} of {progress.tasks:,} tasks ({sizes})"


@contextmanager
def _live(title: str) -> Iterator[Watch]:
    """Show a bar with tasks, bytes, rate and the time that is left; it vanishes when the run ends."""
    from rich import progress as bars
    from rich.console import Console

    class Known(bars.ProgressColumn):
        """A column that is empty as long as the amount of work is not known."""

        def __init__(self, column: bars.ProgressColumn) -> None:
            super().__init__()
            self.column = column

        def render(self, task: bars.Task) -> Any:
            return self.column(task) if task.total else ""

    amounts = [Known(each) for each in (bars.DownloadColumn(), bars.TransferSpeedColumn(), bars.TimeRemainingColumn())]
    columns = (
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TextColumn("{task.fields[tasks]}"),
    )
    with bars.Progress(*columns, *amounts, console=Console(stderr=True), transient=True) as display:
        yield _watch(display, display.add_task(title, total=None, tasks=""), title)


def _watch(display: Any, task: Any, title: str) -> Watch:
    def watch(progress: Progress) -> None:
        tasks = f"{progress.tasks_done:,}/{progress.tasks:,} tasks" if progress.tasks else ""
        said = {"description": f"{title}: {progress.phase}", "tasks": tasks}
        display.update(task, total=progress.bytes_total or None, completed=done_bytes(progress), **said)

    return watch
