"""What earlier runs of the same version have done: receipted and listed with the receipted size."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from bakehouse.errors import PublishError, StorageError
from bakehouse.plan.types import VIRTUAL
from bakehouse.storage import Target
from bakehouse.writers.reading import Reading
from bakehouse.writers.receipts import Receipt, check_key, read_receipts, receipt_key
from bakehouse.writers.references.write import TABLE
from bakehouse.writers.tasks import Prepared
from bakehouse.writers.template import root_names


def begun(prepared: Prepared) -> Prepared:
    """Make ready for writing: find out what earlier runs have done, and in a repository begin a branch, or go on."""
    if prepared.plan.template.format in VIRTUAL:
        there = prepared.work.size(TABLE) is not None
        return replace(prepared, done=frozenset(read_receipts(prepared.work)) if there else frozenset())
    if prepared.branch is None:
        return replace(prepared, done=done_tasks(prepared))
    planned = frozenset(task.id for task in prepared.plan.tasks)
    found = prepared.branch.begin(prepared.documents, planned, planned & set(read_receipts(prepared.work)))
    return replace(prepared, done=found.done, main=found.main, snapshot=found.made)


def done_tasks(prepared: Prepared) -> frozenset[str]:
    """Name the tasks whose receipt is there and whose objects are listed with the sizes that it states.

    Raises
    ------
    PublishError
        If another version is published at a prefix that was given by name.
    """
    receipts = read_receipts(prepared.work)
    if not receipts:
        _insist_on_own_prefix(prepared)
        return frozenset()
    known = {task.id for task in prepared.plan.tasks}
    if prepared.plan.growth is not None:
        return frozenset(task for task, r in receipts.items() if task in known and _is_whole(prepared.store, r))
    there = dict(prepared.store.list())
    return frozenset(
        task
        for task, receipt in receipts.items()
        if task in known and all(there.get(o.key) == o.size_bytes for o in receipt.objects)
    )


def _is_whole(store: Target, receipt: Receipt) -> bool:
    """Say whether objects have the content that a receipt states; at a shared prefix other runs may have been since."""
    return all(hashlib.sha256(store.get(o.key) or b"").hexdigest() == o.sha256 for o in receipt.objects)


def checked_tasks(prepared: Prepared, done: frozenset[str], full: bool) -> frozenset[str]:
    """Name the done tasks whose objects were compared with their sources; forget the comparisons of all others.

    Parameters
    ----------
    full
        Whether every value is to be compared: then a comparison with a few inputs does not count.
    """
    names = {check_key(task, few): task for task in done for few in ([False] if full else [False, True])}
    noted = {key for key, _ in prepared.checks.list()}
    prepared.checks.delete(sorted(noted - names.keys()))
    return frozenset(names[key] for key in noted & names.keys())


def forget_damaged(store: Reading, work: Target, receipts: Mapping[str, Receipt]) -> None:
    """Drop the receipts of tasks whose objects are not what they wrote, so that the next bake writes them anew."""
    damaged = [
        receipt_key(task)
        for task, receipt in receipts.items()
        if any(_digest(store, o.key) != o.sha256 for o in receipt.objects)
    ]
    work.delete(damaged)


def _digest(store: Reading, key: str) -> str | None:
    try:
        return hashlib.sha256(store.get(key) or b"").hexdigest()
    except StorageError:
        return None


def _insist_on_own_prefix(prepared: Prepared) -> None:
    """Refuse to write over another version; a prefix that is derived from the version has only one."""
    plan = prepared.plan
    root = root_names(plan.template.zarr_format)[-1]
    if plan.growth is None and plan.version not in plan.prefix and prepared.store.get(root) is not None:
        raise PublishError(
            "a store is there already, made from other inputs, recipe or options",
            prepared.store.url,
            None,
            "remove it, or choose another store_name or target_root",
        )
