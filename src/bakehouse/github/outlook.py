"""What a comment says of the dataset that a recipe makes: its plan as a table, and what its trial looks like."""

from __future__ import annotations

from bakehouse.catalog.words import human_bytes
from bakehouse.github import markdown
from bakehouse.github.result import Array, Plan, Recipe, Trial
from bakehouse.github.words import count

ARRAYS_SHOWN = 12


def outlook(recipe: Recipe) -> list[str]:
    """Write what is known of a recipe's dataset."""
    parts = []
    if recipe.trial:
        parts += [_trial(recipe.trial)]
        parts += [markdown.code(recipe.trial.repr, "text")] if recipe.trial.repr else []
    if recipe.plan:
        parts += ["A bake of all inputs would make:", _table(recipe.plan), markdown.details(*_arrays(recipe.plan))]
        notes = dict.fromkeys((*recipe.plan.notes, *(recipe.trial.notes if recipe.trial else ())))
        parts += ["\n".join(f"- note: {markdown.text(note)}" for note in notes)] if notes else []
    return parts


def _trial(trial: Trial) -> str:
    inputs = "the first input" if trial.prune == 1 else f"the first {trial.prune} inputs"
    size = f"{count(trial.objects, 'object')}, {human_bytes(trial.bytes_stored)}, {trial.duration_s:.0f} s"
    compared = f"{count(trial.values_compared, 'value')} compared with the sources"
    return (
        f"From {inputs} of each dimension a store was baked, {compared}, and opened again ({size}). It looks like this:"
    )


def _table(plan: Plan) -> str:
    rows = [
        ["inputs", _inputs(plan)],
        ["first", markdown.span(plan.first)] if plan.first else [],
        ["last", markdown.span(plan.last)] if plan.last else [],
        ["dimensions", markdown.text(" × ".join(f"{name} {size:,}" for name, size in plan.dims.items()) or "none")],
        ["store", _store(plan)],
        ["memory", f"about {human_bytes(plan.memory_bytes)} of arrays on a worker"] if plan.memory_bytes else [],
        ["cost", _cost(plan)],
    ]
    return markdown.table(rows[0], [row for row in rows[1:] if row])


def _inputs(plan: Plan) -> str:
    return count(plan.inputs, "file") + (f", {human_bytes(plan.inputs_bytes)}" if plan.inputs_bytes is not None else "")


def _store(plan: Plan) -> str:
    kind = markdown.text(plan.format) + (f" v{plan.zarr_format}" if plan.zarr_format else "")
    size = f"{count(plan.objects, 'object')}, {human_bytes(plan.decoded_bytes)} decoded"
    return f"{kind}, {size}, {count(plan.tasks, 'task')}"


def _cost(plan: Plan) -> str:
    """Say what the plan says of money, and what it leaves to a price list."""
    bakery = f"on bakery {markdown.span(plan.bakery, 60)}"
    written = f"{count(plan.objects, 'object')} to write"
    if plan.cost_usd is None:
        return f"not known {bakery}; {written}"
    return f"none {bakery}" if plan.cost_usd == 0 else f"about ${plan.cost_usd:,.2f} {bakery}; {written}"


def _arrays(plan: Plan) -> tuple[str, str]:
    shown = plan.arrays[:ARRAYS_SHOWN]
    head = ["array", "type", "shape", "chunks", "shards", "objects", "size", ""]
    total = max(plan.arrays_total, len(plan.arrays))
    rest = [f"and {count(total - len(shown), 'array')} more"] if total > len(shown) else []
    summary = f"{count(total, 'array')}: shapes, chunks, shards and objects"
    return summary, "\n\n".join([markdown.table(head, [_row(each) for each in shown]), *rest])


def _row(array: Array) -> list[str]:
    counts = [f"{array.objects:,}", human_bytes(array.bytes), "moved as it is" if array.moves else "encoded anew"]
    named = [markdown.span(array.name, 60), markdown.text(array.dtype, 60)]
    return [*named, _lengths(array.shape), _lengths(array.chunks), _lengths(array.shards or ()) or "–", *counts]


def _lengths(lengths: tuple[int, ...]) -> str:
    return " × ".join(f"{n:,}" for n in lengths)
