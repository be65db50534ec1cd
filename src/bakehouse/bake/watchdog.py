"""Worker processes of the direct runner: when one is gone the run fails, and none is left behind."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apache_beam.options.pipeline_options import DirectOptions
from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_fn_api_pb2
from apache_beam.runners.portability.fn_api_runner.worker_handlers import SubprocessSdkWorkerHandler, WorkerHandler
from grpc import RpcError  # type: ignore[import-untyped]

from bakehouse.errors import BakehouseError

POLL_S = 0.2


@dataclass
class Workers:
    """The worker processes of one run; `lost` says how the first of them that went missing ended."""

    folder: Path
    debug: bool = False
    handlers: list[Watched] = field(default_factory=list)
    lost: str | None = None

    def command(self, worker: str) -> bytes:
        """Let a worker note its process id, and keep what it prints off the screen."""
        place = shlex.quote(str(self.folder / worker))
        start = f"echo $$ > {place}; exec {shlex.quote(sys.executable)} -m bakehouse.bake.worker {os.getpid()}"
        return (start if self.debug else f"{start} > {place}.log 2>&1").encode()

    def give_up(self, reason: str) -> None:
        """End all workers and answer for them, as the run can't go on without the one that is gone."""
        self.lost = self.lost or reason
        self.end()
        for handler in self.handlers:
            handler.answer_for(self.lost)

    def end(self) -> None:
        """Kill the workers that still run; tasks may end anywhere and run again."""
        for handler in self.handlers:
            handler.kill()


class Watched(SubprocessSdkWorkerHandler):
    """Beam's handler of a worker process, which waits for the answers of a dead worker for ever (2.77 does)."""

    def __init__(self, workers: Workers, line: bytes, *beams: Any) -> None:
        super().__init__(line, *beams)
        self._worker_command_line = workers.command(self.worker_id)
        self.workers, self.closing, self.ended = workers, False, "it ended"
        workers.handlers.append(self)

    def start_worker(self) -> None:
        """Start the process, and watch the thread that waits for it."""
        super().start_worker()
        threading.Thread(target=self._watch, daemon=True).start()

    def close(self) -> None:
        """Let the worker finish; where the run has failed, there is nothing to wait for."""
        self.closing = True
        if sys.exc_info()[0]:
            self.kill()
        super().close()

    def kill(self) -> None:
        """Kill the process, if it is there: while its thread waits for it, its id is no other's."""
        if self.worker_thread.is_alive():
            with suppress(OSError, ValueError):
                os.kill(int((self.workers.folder / self.worker_id).read_text()), signal.SIGKILL)

    def answer_for(self, reason: str) -> None:
        """Answer what the worker was asked, and what it will be, with an error."""
        connection: Any = self.control_conn
        beams, waiting = connection.push, connection._futures_by_id

        def push(request: Any) -> Any:
            future = beams(request)
            self._fail(future, reason)
            return future

        connection.push = push
        for future in list(waiting.values()):
            self._fail(future, reason)

    @staticmethod
    def _fail(future: Any, reason: str) -> None:
        if future is not None and not future.is_done():
            future.set(beam_fn_api_pb2.InstructionResponse(instruction_id=future.instruction_id, error=reason))

    def _watch(self) -> None:
        self.worker_thread.join()
        while not self.closing:  # what is being asked at this very moment is answered a moment later
            self.workers.give_up(self.ended)
            time.sleep(POLL_S)


@contextmanager
def watched(options: Any, debug: bool = False) -> Iterator[None]:
    """Watch the worker processes of the run inside, if Beam's options ask for any.

    Raises
    ------
    BakehouseError
        If a worker process ended before its work was done.
    """
    if options.view_as(DirectOptions).direct_running_mode != "multi_processing":
        yield
        return
    with tempfile.TemporaryDirectory(prefix="bakehouse-workers-") as folder:
        workers = Workers(Path(folder), debug)
        with _registered(workers), _noting_ends(workers):
            try:
                yield
            except Exception as error:
                if workers.lost:
                    raise _explained(workers.lost) from (error if debug else None)
                raise
            finally:
                workers.end()


@contextmanager
def _registered(workers: Workers) -> Iterator[None]:
    """Let Beam make our handlers instead of its own."""
    register: Any = WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)
    register(lambda line, *beams: Watched(workers, line, *beams))
    try:
        yield
    finally:
        register(SubprocessSdkWorkerHandler)


@contextmanager
def _noting_ends(workers: Workers) -> Iterator[None]:
    """Note how a worker ended from what Beam's thread raises; without a traceback on the screen."""
    before = threading.excepthook

    def note(args: threading.ExceptHookArgs) -> None:
        for handler in workers.handlers:
            if handler.worker_thread is args.thread:
                handler.ended = str(args.exc_value)
                return
        if not isinstance(args.exc_value, RpcError):  # what a connection's reader raises when its worker is gone
            before(args)

    threading.excepthook = note
    try:
        yield
    finally:
        threading.excepthook = before


def _explained(ended: str) -> BakehouseError:
    """Say how a worker ended, in words.

    Examples
    --------
    >>> print(_explained("Worker subprocess exited with return code -9").cause)
    it was killed by SIGKILL, as systems do when memory runs out
    """
    code = ended.rpartition(" ")[2]
    cause = f"it ended with exit status {code}" if code.isdigit() else ended
    if code.startswith("-") and code[1:].isdigit():
        cause = f"it was killed by {signal.Signals(int(code[1:])).name}"
        cause += ", as systems do when memory runs out" if code == "-9" else ""
    fix = "run the same command again: finished tasks stay done; use fewer workers if memory ran out"
    return BakehouseError("a worker process died", None, cause, fix)
