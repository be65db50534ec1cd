"""One writer at a time where a published store is added to: a lock object with a heartbeat, beside the store."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

from bakehouse.errors import BakehouseError, PublishError
from bakehouse.storage import Target

LOCK = "lock"
BEAT_S = 10.0
DEAD_S = 45.0


@contextmanager
def single_writer(folder: Target, run_id: str, goes_on: bool = False) -> Iterator[None]:
    """Hold the lock of a store while the block runs.

    A holder whose process is gone from this machine, or whose heartbeat has stopped, loses the lock. Where an endpoint
    ignores conditions on writes, two runs that start within one round trip of each other are both told that they hold
    it: such places need a scheduler that starts one run at a time.

    Parameters
    ----------
    goes_on
        A service's workers may write on when the block has failed: the lock is left to them until another run wants it.

    Raises
    ------
    PublishError
        If another run holds it.
    """
    mine = _claim(folder, run_id)
    try:
        with _beating(folder, mine):
            yield
    except BaseException:
        _let_go(folder, mine, goes_on)
        raise
    _let_go(folder, mine)


def insist_held(folder: Target, run_id: str) -> None:
    """Stop a run that has lost its lock, before it writes or publishes.

    Raises
    ------
    PublishError
        If another run took the lock over, whether it holds it still or has ended since.
    """
    holder = _holder(folder.get(LOCK))
    if holder.get("run") != run_id:
        raise PublishError(
            "this run has lost the lock of its store",
            f"{folder.url}/{LOCK}",
            "it stood still, or could not reach the store, and another run took the lock over: " + _named(holder),
            "run the update again",
        )


def _claim(folder: Target, run_id: str) -> dict[str, Any]:
    pid = os.getpid()
    mine = {"run": run_id, "host": socket.gethostname(), "pid": pid, "started": _started(pid), "machine": _machine()}
    there = folder.get(LOCK)
    if there is not None and not _is_dead(folder, there):
        raise _held(folder, _holder(there))
    data = _beat(mine)
    won = folder.create(LOCK, data) if there is None else folder.replace(LOCK, data, there)
    found = folder.get(LOCK)
    if not won or found != data:
        raise _held(folder, _holder(found))
    return mine


@contextmanager
def _beating(folder: Target, mine: dict[str, Any]) -> Iterator[None]:
    stop = Event()
    beat = Thread(target=_keep, args=(folder, mine, stop), daemon=True)
    beat.start()
    try:
        yield
    finally:
        stop.set()
        beat.join()


def _let_go(folder: Target, mine: dict[str, Any], goes_on: bool = False) -> None:
    there = folder.get(LOCK)
    if there is None or _holder(there).get("run") != mine["run"]:
        return
    if goes_on:
        folder.replace(LOCK, _beat({**mine, "left": True}), there)
    else:
        folder.delete([LOCK])


def _is_dead(folder: Target, there: bytes) -> bool:
    """Say whether a holder is gone: its process ended on this machine, or its heartbeat stood still while we looked."""
    holder = _holder(there)
    if holder.get("left"):
        return True
    if holder.get("machine") == _machine():
        return not _is_running(int(holder.get("pid", 0)), holder.get("started"))
    until = time.monotonic() + DEAD_S
    while time.monotonic() < until:
        time.sleep(DEAD_S / 30)
        if folder.get(LOCK) != there:
            return False
    return True


def _machine() -> str:
    """Tell machines, their starts and their containers apart: a process id means something in one of them only."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def _is_running(pid: int, started: str | None) -> bool:
    """Say whether a process is there; one that was given its number later has started at another time."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    found = _started(pid)
    return pid > 0 and (found == started or None in (found, started))


def _started(pid: int) -> str | None:
    """Give when a process started, in ticks since its machine did; None where the system does not say."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def _keep(folder: Target, mine: dict[str, Any], stop: Event) -> None:
    """Renew the lock now and then; a beat that fails is made up for by the next, a lost lock is found by each write."""
    while not stop.wait(BEAT_S):
        try:
            there = folder.get(LOCK)
            if there is None or _holder(there).get("run") != mine["run"]:
                return
            folder.replace(LOCK, _beat(mine), there)
        except BakehouseError:
            continue


def _beat(mine: dict[str, Any]) -> bytes:
    return json.dumps({**mine, "at": datetime.now(UTC).isoformat()}).encode()


def _holder(data: bytes | None) -> dict[str, Any]:
    try:
        return dict(json.loads(data or b"{}"))
    except ValueError:
        return {}


def _held(folder: Target, holder: dict[str, Any]) -> PublishError:
    return PublishError(
        "another run is adding to this store",
        f"{folder.url}/{LOCK}",
        _named(holder),
        "wait for it to end; if it is gone, its lock is taken over after a minute without a heartbeat",
    )


def _named(holder: dict[str, Any]) -> str:
    if not holder:
        return "it is gone now, so whoever had it has ended"
    return f"run {holder.get('run')} on {holder.get('host')}, process {holder.get('pid')}, last seen {holder.get('at')}"
