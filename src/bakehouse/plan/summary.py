"""A plan in plain data: for `bakehouse plan --json`, for people, and for the driver of a run on other machines."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bakehouse.chunks import count_objects
from bakehouse.plan.sample import level_of, sample_tasks
from bakehouse.plan.types import ArrayPlan, Plan


def summarise(plan: Plan, level: str = "auto") -> dict[str, Any]:
    """Give everything that the driver and a reader need to know of a plan; sizes in bytes, lengths in elements."""
    sampled = sample_tasks(plan, level)
    template = plan.template
    sizes = [i.identity.size_bytes for i in plan.inputs]
    return {
        "version": plan.version,
        "prefix": plan.prefix,
        "format": template.format,
        "zarr_format": template.zarr_format,
        "store_name": plan.options.get("store_name"),
        "dims": dict(template.sizes),
        "concat": {a.name: {"size": a.size, "inputs": len(a.spans), "new": a.new} for a in template.axes.values()},
        "inputs": {
            "count": len(plan.inputs),
            "bytes": sum(s for s in sizes if s is not None) if any(s is not None for s in sizes) else None,
            "identity": _weakest(Counter(i.identity.strength for i in plan.inputs if not i.gap)),
            "missing": sum(i.gap for i in plan.inputs),
            "first": plan.inputs[0].url if plan.inputs else None,
            "last": plan.inputs[-1].url if plan.inputs else None,
        },
        "arrays": [_array(a) for a in template.arrays.values()],
        "decoded_bytes": plan.size_bytes,
        "objects": plan.objects,
        "tasks": len(plan.tasks),
        "largest_task_bytes": max((p.size_bytes for t in plan.tasks for p in t.parts), default=0),
        "check": {
            "level": level_of(plan, level),
            "tasks": len(sampled),
            "objects": sum(p.objects for t in plan.tasks if t.id in sampled for p in t.parts),
        },
        "sampled": sorted(sampled),
        "task_ids": [t.id for t in plan.tasks],
        "notes": list(template.notes),
        "digests": dict(plan.digests),
        "options": dict(plan.options),
        "growth": _growth(plan),
    }


def _growth(plan: Plan) -> dict[str, Any] | None:
    """Say how a plan builds on a published version."""
    if plan.growth is None:
        return None
    return {
        "version": plan.growth.version,
        "prefix": plan.growth.prefix,
        "along": plan.growth.along,
        "start": plan.growth.start,
        "in_place": plan.growth.in_place,
        "appends": plan.growth.appends,
    }


def _array(array: ArrayPlan) -> dict[str, Any]:
    whole = tuple((0, n) for n in array.shape)
    return {
        "name": array.name,
        "dims": list(array.dims),
        "shape": list(array.shape),
        "dtype": array.dtype,
        "stored": array.raw,
        "chunks": list(array.chunks),
        "shards": list(array.shards) if array.shards else None,
        "objects": count_objects(whole, array.objects),
        "bytes": array.itemsize * _count(array.shape),
        "computed_because": array.why or None,
        "moves": array.stored is not None,
        "stays_because": array.stays or None,
        "spills": array.spill,
    }


def _count(shape: tuple[int, ...]) -> int:
    total = 1
    for n in shape:
        total *= n
    return total


def _weakest(strengths: Counter[str]) -> str:
    """Name the weakest evidence that any input has."""
    order = ["none", "size", "mtime", "mtime+size", "etag", "etag+size", "sha256"]
    return min(strengths, key=order.index) if strengths else "none"
