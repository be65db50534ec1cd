"""What earlier runs of the same version have done: receipted and listed with the receipted size."""

from __future__ import annotations

from bakehouse.writers.receipts import read_receipts
from bakehouse.writers.tasks import Prepared


def done_tasks(prepared: Prepared) -> frozenset[str]:
    """Name the tasks whose receipt is there and whose objects are listed with the sizes that it states."""
    receipts = read_receipts(prepared.work)
    if not receipts:
        return frozenset()
    there = dict(prepared.store.list())
    known = {task.id for task in prepared.plan.tasks}
    return frozenset(
        task for task, receipt in receipts.items()
        if task in known and all(there.get(o.key) == o.size_bytes for o in receipt.objects)
    )  # fmt: skip


def checked_tasks(prepared: Prepared) -> frozenset[str]:
    """Name the tasks whose objects were compared with their sources."""
    return frozenset(key.removesuffix(".json") for key, _ in prepared.checks.list())
