"""Let a process die at a chosen write: loaded by Python itself where a test puts this folder on PYTHONPATH.

`FAULT` in the environment is JSON: `path`, a regular expression for what is written; `nth`, which of those writes;
`after`, whether the write has landed by then; `worker`, whether workers die or their driver.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

FAULT = json.loads(os.environ.get("FAULT", "null"))
IS_WORKER = "CONTROL_API_SERVICE_DESCRIPTOR" in os.environ
NUMBERS = itertools.count(1)


def _due(path: str) -> bool:
    return re.search(FAULT["path"], path) is not None and next(NUMBERS) == FAULT["nth"]


@contextmanager
def _dying(path: str) -> Iterator[None]:
    """Die before or after the write inside, if it is the one."""
    due = _due(path)
    if due and not FAULT["after"]:
        _die()
    yield
    if due and FAULT["after"]:
        _die()


def _die() -> None:
    os.kill(os.getpid(), getattr(signal, FAULT.get("signal", "SIGKILL")))


def _patch() -> None:
    import obstore

    put, put_async, replace = obstore.put, obstore.put_async, os.replace

    def path_of(store: Any, key: str) -> str:
        return f"{store.prefix or ''}/{key}"

    def patched_put(store: Any, key: str, *args: Any, **kwargs: Any) -> Any:
        with _dying(path_of(store, key)):
            return put(store, key, *args, **kwargs)

    async def patched_put_async(store: Any, key: str, *args: Any, **kwargs: Any) -> Any:
        with _dying(path_of(store, key)):
            return await put_async(store, key, *args, **kwargs)

    def patched_replace(source: Any, path: Any, **kwargs: Any) -> None:
        with _dying(os.fspath(path)):
            replace(source, path, **kwargs)

    obstore.put, obstore.put_async, os.replace = patched_put, patched_put_async, patched_replace  # type: ignore[assignment]


if FAULT and FAULT["worker"] == IS_WORKER:
    _patch()
