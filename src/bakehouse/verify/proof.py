"""The proof of a published version: what was written, by which task."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from bakehouse.plan.sample import SAMPLED_TASKS
from bakehouse.storage import Target
from bakehouse.storage.tables import read_table
from bakehouse.verify.report import Checked, Statement
from bakehouse.writers.receipts import Written


@dataclass(frozen=True)
class Proven(Written):
    """One row of a proof: an object, its array and the task that wrote it."""

    array: str = ""
    task: str = ""


@dataclass(frozen=True)
class Proof:
    """All rows of a proof; none if it can't be trusted."""

    rows: tuple[Proven, ...]
    checked: Checked

    @property
    def bytes_stored(self) -> int:
        """Give the size of all objects."""
        return sum(row.size_bytes for row in self.rows)

    def sample(self, whole: Collection[str]) -> frozenset[str]:
        """Name the objects that a sampled comparison decodes: those of its tasks, and of arrays that are read whole.

        The tasks are those of `bakehouse.plan.sample.sample_tasks`: a sample by digest, and the first of every array.
        """
        firsts: dict[str, Proven] = {}
        for row in sorted(self.rows, key=lambda row: row.key):
            firsts.setdefault(row.array, row)
        tasks = set(sorted({row.task for row in self.rows})[:SAMPLED_TASKS]) | {row.task for row in firsts.values()}
        return frozenset(row.key for row in self.rows if row.task in tasks or row.array in whole)


def read_proof(beside: Target, name: str, registered: str | None) -> Proof:
    """Read the proof beside a store; one that is not the registered one proves nothing.

    Parameters
    ----------
    registered
        ``sha256:`` and the digest that the catalog has.
    """
    data = beside.get(name)
    found = f"sha256:{hashlib.sha256(data or b'').hexdigest()}"
    statement = Statement("proof", 1, 1, "", "the registered one")
    if data is None:
        return Proof((), Checked.of(statement, [f"the proof '{name}' is missing"]))
    if found != registered:
        said = f"{found}, the entry has {registered}"
        return Proof((), Checked.of(statement, [f"the proof '{name}' is not the one that was registered: {said}"]))
    return Proof(_rows(data), Checked.of(statement, []))


def _rows(data: bytes) -> tuple[Proven, ...]:
    table = read_table(data, columns=["key", "size_bytes", "sha256", "array", "task"])
    return tuple(Proven(**row) for row in table.to_pylist())
