"""Make the plan: combine, lay out, cut into tasks, and derive the version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from bakehouse.plan.base import Base
from bakehouse.plan.combine import combine
from bakehouse.plan.layout import lay_out
from bakehouse.plan.moves import choose_stored
from bakehouse.plan.passes import choose_spill
from bakehouse.plan.tasks import make_tasks
from bakehouse.plan.types import VIRTUAL, Plan, PlannedInput, StoreOptions, Template
from bakehouse.plan.version import digest, digest_inputs, prefix_of, said, version_of
from bakehouse.plan.virtual import lay_out_references
from bakehouse.schema import DatasetSchema


def make_plan(
    schema: DatasetSchema,
    dims: Mapping[str, str],
    options: StoreOptions,
    *,
    memory_bytes: int,
    recipe_digest: str = "",
    prefix: str | None = None,
    beside: str = "",
    label: str = "recipe",
    choose_chunks: Callable[[Template], Mapping[str, int]] | None = None,
) -> Plan:
    """Decide everything about a store from what its inputs' headers say.

    `beside` names the published version that a refresh builds anew: the new one gets a name of its own.

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
    if options.format in VIRTUAL:
        template = lay_out_references(combined, schema, options, label)
    else:
        template = choose_spill(choose_stored(lay_out(combined, options), schema, options), memory_bytes)
    found = [(key, each) for key, several in sorted(schema.inputs.items()) for each in several]
    inputs = tuple(PlannedInput(key, i.url, i.identity, i.gap) for key, i in found)
    shaping = said(options)
    digests = {"inputs": digest_inputs(inputs), "recipe": recipe_digest, "options": digest(shaping)}
    version = version_of(digests, beside)
    tasks = make_tasks(template, memory_bytes)
    return Plan(version, prefix or prefix_of(options, version), template, inputs, tasks, shaping, digests)


def plan_as(base: Base, plan: Plan, memory_bytes: int) -> Plan:
    """Lay a plan out as a published version that was made from the same inputs, recipe and options."""
    arrays = {
        name: replace(a, chunks=b.chunks, shards=b.shards, encoding=b.encoding, stored=b.stored, stays=b.stays)
        for name, a in plan.template.arrays.items()
        for b in [base.arrays[name]]
    }
    template = replace(plan.template, arrays=arrays)
    return replace(
        plan, version=base.version, prefix=base.prefix, template=template, tasks=make_tasks(template, memory_bytes)
    )


def is_same_but_recipe(plan: Plan, base: Base) -> bool:
    """Say whether a plan was made from what a published version was made from, whatever the recipe's text says now."""
    same = all(plan.digests[name] == base.digests[name] for name in ("inputs", "options"))
    return same and set(plan.template.arrays) == set(base.arrays)
