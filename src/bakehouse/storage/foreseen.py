"""Byte ranges that somebody is about to ask a file for, one after the other: fetched together, held until then."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any

from bakehouse.chunks import Span

HELD_BYTES = 2**25
"""About what is held for one reading of one file."""
GAP_BYTES = 2**16


class Foreseen:
    """Bytes of a file by their place, for as long as one of the threads that share it wants them held.

    Examples
    --------
    >>> foreseen = Foreseen()
    >>> held = foreseen.hold([(100, b"abcdef")])
    >>> foreseen.at(102, 2), foreseen.at(104, 9), foreseen.at(99, 2)
    (b'cd', b'ef', None)
    >>> foreseen.drop(held)
    >>> foreseen.at(102, 2) is None
    True
    """

    def __init__(self) -> None:
        self._held: list[tuple[int, Any]] = []
        self._lock = threading.Lock()

    def hold(self, found: Iterable[tuple[int, Any]]) -> list[tuple[int, Any]]:
        """Hold bytes, each with where it begins; give what `drop` takes."""
        held = list(found)
        with self._lock:
            self._held = [*self._held, *held]
        return held

    def drop(self, held: list[tuple[int, Any]]) -> None:
        """Let go of bytes."""
        gone = {id(each) for each in held}
        with self._lock:
            self._held = [each for each in self._held if id(each) not in gone]

    def at(self, start: int, length: int) -> Any | None:
        """Give bytes from a place on, as many as are held of those that are asked for; None where none are."""
        for first, data in self._held:
            if first <= start < first + len(data):
                return data[start - first :][:length]
        return None


def within(spans: Iterable[Span], limit: int = HELD_BYTES) -> list[Span]:
    """Cut off what goes beyond a number of bytes.

    Examples
    --------
    >>> within([(0, 5), (10, 20), (30, 40)], 12)
    [(0, 5), (10, 17)]
    """
    found: list[Span] = []
    for start, stop in spans:
        if limit > 0:
            found.append((start, min(stop, start + limit)))
            limit -= stop - start
    return found


def coalesced(ranges: list[Span]) -> Iterator[tuple[int, int, list[Span]]]:
    """Group byte ranges that lie close together, so that one request fetches each group; empty ones need none.

    Examples
    --------
    >>> list(coalesced([(500_000, 500_010), (0, 10), (10, 30)]))
    [(0, 30, [(0, 10), (10, 30)]), (500000, 500010, [(500000, 500010)])]
    """
    group: list[Span] = []
    for span in sorted(span for span in ranges if span[0] < span[1]):
        if group and span[0] > max(b for _, b in group) + GAP_BYTES:
            yield group[0][0], max(b for _, b in group), group
            group = []
        group.append(span)
    if group:
        yield group[0][0], max(b for _, b in group), group
