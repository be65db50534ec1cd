"""Ask for many things at the same time, where each answer takes its time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 16
S = TypeVar("S")
T = TypeVar("T")


def together(action: Callable[[S], T], items: Iterable[S], at_once: int = AT_ONCE) -> Iterator[T]:
    """Run an action on items in threads, and give the results in the items' order; the first error ends it.

    Examples
    --------
    >>> list(together(len, ["a", "bc"]))
    [1, 2]
    """
    asked = list(items)
    if len(asked) < 2 or at_once < 2:
        yield from map(action, asked)
        return
    pool = ThreadPoolExecutor(min(at_once, len(asked)), "bakehouse-survey")
    try:
        yield from pool.map(action, asked)
    finally:
        pool.shutdown(cancel_futures=True)
