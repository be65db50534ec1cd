"""Open every store of a catalog again: whether it is there, is what was registered, and lets a chunk be read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bakehouse.catalog.entry import Entry, Status
from bakehouse.errors import AddressError, BakehouseError, StorageError
from bakehouse.link.facts import open_group
from bakehouse.link.found import GoneError, PrivateError
from bakehouse.link.opened import Opened, opened
from bakehouse.link.own import ChangedError, recheck_own
from bakehouse.link.place import Place, place_of
from bakehouse.link.probe import probe
from bakehouse.storage.public import Allowed
from bakehouse.storage.remote import first_line
from bakehouse.storage.web import Web

Seen = Literal["gone", "private", "unreachable", "changed", "damaged"]
TRIES = 2
PAUSE_S = 1.0
TRANSIENT = ("unreachable",)
"""What may be over in a moment, so that it is asked for again."""


@dataclass(frozen=True)
class Verdict:
    """What a store showed: nothing amiss, or what, and why."""

    entry: Entry
    seen: Seen | None = None
    reason: str | None = None
    error: BakehouseError | None = None

    @property
    def skipped(self) -> bool:
        """Say whether nobody looked: a deprecated store may go."""
        return self.entry.status.state == "deprecated"


@dataclass(frozen=True)
class Rechecking:
    """How stores are opened again.

    Parameters
    ----------
    locate
        From an entry's url to one that is not relative.
    options
        Access to what lies below a bakery's target, by url; None for what lies elsewhere, which is only connected to
        if it is allowed.
    seconds
        How long one store may take.
    """

    locate: Callable[[str], str]
    options: Callable[[str], Mapping[str, Any] | None]
    allowed: Allowed = Allowed()
    seconds: float = 120.0
    jobs: int = 8


def recheck_all(entries: Iterable[Entry], how: Rechecking) -> Iterator[Verdict]:
    """Open stores again, some at once; none that fails or hangs keeps the others."""
    with ThreadPoolExecutor(how.jobs, "bakehouse-recheck") as pool:
        yield from pool.map(lambda entry: recheck(entry, how), entries)


def recheck(entry: Entry, how: Rechecking) -> Verdict:
    """Open one store again; what may be over in a moment is tried twice."""
    if entry.status.state == "deprecated":
        return Verdict(entry)
    for attempt in range(TRIES):
        verdict = _bounded(entry, how)
        if verdict.seen not in TRANSIENT or isinstance(verdict.error, AddressError) or attempt == TRIES - 1:
            return verdict
        time.sleep(PAUSE_S)
    raise AssertionError("unreachable")


def _bounded(entry: Entry, how: Rechecking) -> Verdict:
    """Give up on a store that takes too long; its thread is left behind and ends with the process."""
    found: list[Verdict] = []
    thread = threading.Thread(target=lambda: found.append(_recheck(entry, how)), daemon=True)
    thread.start()
    thread.join(how.seconds + 5)
    return found[0] if found else Verdict(entry, "unreachable", f"no answer within {how.seconds:g} s")


def _recheck(entry: Entry, how: Rechecking) -> Verdict:
    try:
        url = how.locate(entry.store.url)
        if entry.kind == "linked":
            _recheck_linked(entry, how)
        else:
            _recheck_baked(entry, url, how)
    except Exception as error:  # one store's fault is its own
        return _verdict(entry, error)
    return Verdict(entry)


def _recheck_baked(entry: Entry, url: str, how: Rechecking) -> None:
    """Open a store as its bakery does; one that is no bakery's of this project has to lie where all may connect to."""
    options = how.options(url)
    if options is None and entry.store.storage.protocol != "file":
        with Web(how.allowed, how.seconds) as web:
            web.insist(place_of(url, entry.store.storage.endpoint, entry.store.storage.region).web)
    recheck_own(entry, url, options or {})


def _verdict(entry: Entry, error: Exception) -> Verdict:
    known: tuple[tuple[type[Exception], Seen], ...] = (
        (GoneError, "gone"),
        (PrivateError, "private"),
        (ChangedError, "changed"),
        (StorageError, "unreachable"),
        (AddressError, "unreachable"),
    )
    seen: Seen = next((each for kind, each in known if isinstance(error, kind)), "damaged")
    if not isinstance(error, BakehouseError):
        return Verdict(entry, seen, first_line(error))
    gone = isinstance(error.__cause__, FileNotFoundError)
    reason = f"{error.message}: {error.cause}" if error.cause else error.message
    return Verdict(entry, "gone" if gone else seen, reason, error)


def _recheck_linked(entry: Entry, how: Rechecking) -> None:
    store, group = entry.store, str(entry.store.open_kwargs.get("group") or "")
    place = place_of(store.url, store.storage.endpoint, store.storage.region)
    with (
        Web(how.allowed, how.seconds) as web,
        opened(web, place, store.format, group, store.snapshot) as found,
    ):
        _compare(entry, found, place)
        chunk = entry.access.chunk if entry.access else None
        probed = probe(web, place, found, open_group(found, group), chunk.key if chunk else None)
        now = probed.access.chunk
        if chunk and now and chunk.etag and now.etag != chunk.etag:
            cause = f"its etag was {chunk.etag}, it is {now.etag}"
            raise ChangedError(f"chunk '{chunk.key}' is not the one that was linked", place.url, cause, _relink(entry))


def _compare(entry: Entry, found: Opened, place: Place) -> None:
    """Compare the metadata; a snapshot of an Icechunk repository is what it was."""
    if entry.store.snapshot is None and entry.digests.root and found.digest != entry.digests.root:
        cause = f"their digest was {entry.digests.root}, it is {found.digest}"
        raise ChangedError("the store's metadata are not those that were linked", place.url, cause, _relink(entry))


def _relink(entry: Entry) -> str:
    return f"look at it, then: bakehouse link {entry.id}"


def status_after(verdict: Verdict, now: datetime) -> Status:
    """Say what an entry's status becomes; one that a person wrote stays, and one that goes on keeps its beginning.

    Examples
    --------
    >>> from datetime import UTC
    >>> from bakehouse.catalog.entry import Check, Store
    >>> store = Store(url="s3://bucket/a.zarr", zarr_format=3, consolidated=True)
    >>> said = {"feedstock": "sea", "recipe": "sea", "kind": "linked", "title": "Sea", "store": store}
    >>> entry = Entry(**said, check=Check(level="declared"))
    >>> status_after(Verdict(entry, "gone", "there is no zarr store"), datetime(2024, 1, 1, tzinfo=UTC)).state
    'degraded'
    """
    before = verdict.entry.status
    by_hand = before.state != "live" and before.seen is None
    if by_hand or before.seen == verdict.seen:
        return before
    if verdict.seen is None:
        return Status(successor=before.successor)
    reason = verdict.reason or verdict.seen
    return Status(state="degraded", reason=reason, successor=before.successor, seen=verdict.seen, since=now)
