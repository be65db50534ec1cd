"""Make the plan: combine, lay out, cut into tasks, and derive the version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from bakehouse.patterns import Key
from bakehouse.plan.combine import combine
from bakehouse.plan.layout import lay_out
from bakehouse.plan.tasks import make_tasks
from bakehouse.plan.types import Plan, PlannedInput, StoreOptions, Template
from bakehouse.schema import DatasetSchema, freeze

LAYOUT_REVISION = 1
"""Raised when the same inputs and options would give other bytes, so that versions never mix."""


def make_plan(
    schema: DatasetSchema,
    dims: Mapping[str, str],
    options: StoreOptions,
    *,
    memory_bytes: int,
    recipe_digest: str = "",
    prefix: str | None = None,
    label: str = "recipe",
    choose_chunks: Callable[[Template], Mapping[str, int]] | None = None,
) -> Plan:
    """Decide everything about a store from what its inputs' headers say.

    Raises
    ------
    PatternError, SchemaError, ChunkAlignmentError
        If the inputs can't be combined, or chunks don't fit.
    """
    combined = combine(schema, dims, options, label)
    if choose_chunks is not None:
        options = StoreOptions(
            **{**vars(options), "target_chunks": choose_chunks(combined), "dynamic_chunking_fn": None}
        )
    template = lay_out(combined, options)
    inputs = tuple(PlannedInput(k, i.url, i.identity) for k, found in sorted(schema.inputs.items()) for i in found)
    said = _said(options)
    digests = {
        "inputs": _digest([[k, i.url, vars(i.identity)] for k, i in _pairs(inputs)]),
        "recipe": recipe_digest,
        "options": _digest(said),
    }
    version = _digest([LAYOUT_REVISION, digests])[:16]
    tasks = make_tasks(template, memory_bytes)
    return Plan(version, prefix or f"{version}.zarr", template, inputs, tasks, said, digests)


def _pairs(inputs: tuple[PlannedInput, ...]) -> list[tuple[Key, PlannedInput]]:
    return [(i.key, i) for i in inputs]


def _said(options: StoreOptions) -> dict[str, Any]:
    """Give the options that shape a store, as plain data."""
    return {
        "store_name": options.store_name,
        "target_chunks": {d: int(n) for d, n in options.target_chunks.items()},
        "shards": {d: int(n) for d, n in options.shards.items()}
        if isinstance(options.shards, Mapping)
        else options.shards,
        "encoding": {name: dict(freeze(e)) for name, e in sorted(options.encoding.items())},
        "attrs": dict(freeze(options.attrs)),
        "zarr_format": options.zarr_format,
        "combine_attrs": options.combine_attrs,
    }


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
