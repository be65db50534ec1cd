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
def single_writer(folder: Target, run_id: str) -> Iterator[None]:
    """Hold the lock of a store while the block runs.

    A holder whose process is gone from this machine, or whose heartbeat has stopped, loses the lock. Where an endpoint
    ignores conditions on writes, two runs that start within one round trip of each other are both told that they hold
    it: such places need a scheduler that starts one run at a time.

    Raises
    ------
    PublishError
        If another run holds it.
    """
    mine = _claim(folder, run_id)
    stop = Event()
    beat = Thread(target=_keep, args=(folder, mine, stop), daemon=True)
    beat.start()
    try:
        yield
    finally:
        stop.set()
        beat.join()
        if _holder(folder.get(LOCK)).get("run") == run_id:
            folder.delete([LOCK])


def insist_held(folder: Target, run_id: str) -> None:
    """Stop a run that has lost its lock, before it publishes.

    Raises
    ------
    PublishError
        If another run took the lock over.
    """
    holder = _holder(folder.get(LOCK))
    if holder.get("run") != run_id:
        raise _held(folder, holder)


def _claim(folder: Target, run_id: str) -> dict[str, Any]:
    mine = {"run": run_id, "host": socket.gethostname(), "pid": os.getpid(), "machine": _machine()}
    there = folder.get(LOCK)
    if there is not None and not _is_dead(folder, there):
        raise _held(folder, _holder(there))
    data = _beat(mine)
    won = folder.create(LOCK, data) if there is None else folder.replace(LOCK, data, there)
    found = folder.get(LOCK)
    if not won or found != data:
        raise _held(folder, _holder(found))
    return mine


def _is_dead(folder: Target, there: bytes) -> bool:
    """Say whether a holder is gone: its process ended on this machine, or its heartbeat stood still while we looked."""
    holder = _holder(there)
    if holder.get("machine") == _machine():
        return not _is_running(int(holder.get("pid", 0)))
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


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0


def _keep(folder: Target, mine: dict[str, Any], stop: Event) -> None:
    """Renew the lock now and then; a beat that fails is made up for by the next."""
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
        f"run {holder.get('run')} on {holder.get('host')}, process {holder.get('pid')}, last seen {holder.get('at')}",
        "wait for it to end; if it is gone, its lock is taken over after a minute without a heartbeat",
    )
