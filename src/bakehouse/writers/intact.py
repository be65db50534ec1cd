"""Objects of a published version that a run is about to build on or to decode: they must be what was written."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import obstore

from bakehouse.context import work_folder
from bakehouse.errors import VerifyError
from bakehouse.plan.base import ANEW
from bakehouse.plan.types import ArrayPlan, Part
from bakehouse.storage import Target
from bakehouse.writers.reading import Reading
from bakehouse.writers.store import open_planned_array
from bakehouse.writers.template import Documents
from bakehouse.writers.versions import load_proof

TAILS = "tails"
AHEAD = "ahead"


def object_keys(documents: Documents, plan: ArrayPlan, part: Part) -> Iterator[str]:
    """List the objects of a box, by their keys below the store's prefix."""
    array = open_planned_array(None, documents, part.array)
    ranges = [range(a // n, -(-b // n)) for (a, b), n in zip(part.spans, plan.objects, strict=True)]
    for at in itertools.product(*ranges):
        yield f"{part.array}/{array.metadata.encode_chunk_key(at)}"


def insist_intact(target: Target, version: str, store: Reading, keys: Iterable[str]) -> None:
    """Compare objects with the proof of the version that has them; those that it has not are passed over.

    An object that an update has added to counts as what was written: all that the version has of it is there.

    Raises
    ------
    VerifyError
        If one is missing, or has other content.
    """
    work = work_folder(target, store.url.rstrip("/").rpartition("/")[2])
    known = {row["key"]: row["sha256"] for row in load_proof(target, version)}
    for key in dict.fromkeys(k for k in keys if k in known):
        data = store.get(key)
        if data is None:
            raise VerifyError(f"object '{key}' of version {version} is missing", store.url, None, ANEW)
        found = hashlib.sha256(data).hexdigest()
        if found != known[key] and not is_noted(work, version, key, data):
            raise VerifyError(
                f"object '{key}' is not what was published: it has sha256 {found[:12]}…, "
                f"the proof says {known[key][:12]}…",
                store.url,
                "it was damaged or changed by something else",
                ANEW,
            )


def note_tail(work: Target, version: str, key: str, data: bytes) -> None:
    """Note what is about to be put in place of an object of a published version: it holds all that the version has."""
    work.put(_tail(version, key, data), b"")


def is_noted(work: Target, version: str, key: str, data: bytes) -> bool:
    """Say whether an object's content was noted by a run that added to a version."""
    return work.get(_tail(version, key, data)) is not None


def are_noted(work: Target, version: str) -> bool:
    """Say whether any run began to add to the objects of a version."""
    return next(iter(work.list(f"{TAILS}/{version}")), None) is not None


def note_ahead(work: Target, version: str) -> None:
    """Note that a later version shares a prefix with the one that is published: its objects must stay as they are."""
    work.put(f"{AHEAD}/{version}", b"")


def versions_ahead(work: Target) -> set[str]:
    """Name the later versions that a rollback left at a prefix."""
    return {key.rpartition("/")[2] for key, _ in work.list(AHEAD)}


@dataclass(frozen=True)
class Additions:
    """What updates have added to a published store, or began to, without the version that is looked at having it."""

    target: Target
    prefix: str
    version: str = ""

    @cached_property
    def any(self) -> bool:
        """Say whether there was any update in place."""
        found = [] if self.target.is_absent else obstore.list_with_delimiter(self.target.store)["common_prefixes"]
        return any(str(name).startswith(f".{self.prefix}.") and name != f".{self.prefix}.work" for name in found)

    def reached_into(self, key: str, data: bytes) -> bool:
        """Say whether an object is as an update left it, with all that it had before."""
        return is_noted(work_folder(self.target, self.prefix), self.version, key, data)


def _tail(version: str, key: str, data: bytes) -> str:
    return f"{TAILS}/{version}/{hashlib.sha256(key.encode() + data).hexdigest()}"
