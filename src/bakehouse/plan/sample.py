"""Which tasks are compared with their sources: all of a small store, a stated sample of a large one."""

from __future__ import annotations

from bakehouse.plan.types import VIRTUAL, Plan

FULL_BYTES = 2**30
FULL_REFERENCES_BYTES = 2**26
"""Above this a virtual store is sampled: it is made to spare reading data."""
SAMPLED_TASKS = 32


def level_of(plan: Plan, level: str) -> str:
    """Resolve ``auto``: full below 1 GiB of decoded data (64 MiB in a virtual store), else sampled."""
    if level != "auto":
        return level
    limit = FULL_REFERENCES_BYTES if plan.template.format in VIRTUAL else FULL_BYTES
    return "full" if plan.size_bytes <= limit else "sampled"


def sample_tasks(plan: Plan, level: str) -> frozenset[str]:
    """Name the tasks to compare: for a sample 32, spread by their digests, and the first of every array."""
    if level_of(plan, level) == "full":
        return frozenset(task.id for task in plan.tasks)
    firsts: dict[str, str] = {}
    for task in plan.tasks:
        for part in task.parts:
            firsts.setdefault(part.array, task.id)
    return frozenset(sorted(task.id for task in plan.tasks)[:SAMPLED_TASKS]) | frozenset(firsts.values())
