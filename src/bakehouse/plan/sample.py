"""Which tasks are compared with their sources: all of a small store, a stated sample of a large one."""

from __future__ import annotations

from bakehouse.plan.types import Plan

FULL_BYTES = 2**30
SAMPLED_TASKS = 32


def level_of(plan: Plan, level: str) -> str:
    """Resolve ``auto``: full below 1 GiB of decoded data, else sampled."""
    if level != "auto":
        return level
    return "full" if plan.size_bytes <= FULL_BYTES else "sampled"


def sample_tasks(plan: Plan, level: str) -> frozenset[str]:
    """Name the tasks to compare: for a sample 32, spread by their digests, and the first of every array."""
    if level_of(plan, level) == "full":
        return frozenset(task.id for task in plan.tasks)
    firsts: dict[str, str] = {}
    for task in plan.tasks:
        for part in task.parts:
            firsts.setdefault(part.array, task.id)
    return frozenset(sorted(task.id for task in plan.tasks)[:SAMPLED_TASKS]) | frozenset(firsts.values())
