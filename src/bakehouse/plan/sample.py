"""Which tasks are compared with their sources: all of a small store, a stated sample of a large one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from bakehouse.patterns import Key
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


def sample_inputs(plan: Plan) -> frozenset[Key]:
    """Choose the inputs of a virtual store to compare: 16, spread by their digests, and those at the edges."""
    keys = sorted(i.key for i in plan.inputs if not i.gap)
    spread = sorted(keys, key=digest_of)[: SAMPLED_TASKS // 2]
    return frozenset([*spread, *_at_edges(keys, plan.template.axes)])


def digest_of(key: Key) -> str:
    """Name a position of the pattern."""
    return hashlib.sha256(repr(key).encode()).hexdigest()[:16]


def _at_edges(keys: Iterable[Key], dims: Iterable[str]) -> Iterator[Key]:
    """Give the first input, and the last along each concat dim, which may be shorter; of merged ones each."""
    merged: dict[Key, list[Key]] = {}
    for key in keys:
        merged.setdefault(tuple(place for place in key if place[0] not in dims), []).append(key)
    for alike in merged.values():
        yield from (alike[0], alike[-1])
        for dim in dims:
            last = max(dict(key)[dim] for key in alike)
            yield next(key for key in alike if dict(key)[dim] == last)
