"""The stages of a virtual store after the plan: refer to each input's chunks, gather, compare."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import apache_beam as beam

from bakehouse.context import Context
from bakehouse.patterns import Key
from bakehouse.plan.sample import digest_of, level_of, sample_inputs
from bakehouse.plan.tasks import input_spans
from bakehouse.plan.types import ArrayPlan, Part, Task
from bakehouse.plan.virtual import is_held
from bakehouse.writers.assemble import Fragment, belongs
from bakehouse.writers.compare import compare_task
from bakehouse.writers.references.refer import held_variables, refer
from bakehouse.writers.references.table import Piece, Table
from bakehouse.writers.references.view import ReferenceView, TableView
from bakehouse.writers.references.write import options_of, read_table, sources_of, write_references
from bakehouse.writers.tasks import Prepared

SAMPLED_BYTES, SAMPLED_CHUNKS = 2**24, 64
"""How much of an array of an input is read for a comparison of a sample."""


class Refer(beam.DoFn):
    """Refer to the chunks of an input, and pass on what the store holds of it as values.

    Both are pickled here, together: left to itself, Beam would pickle every array in them on its own.
    """

    def __init__(self, mode: str) -> None:
        self.mode = mode

    def process(self, fragment: Fragment, prepared: Prepared) -> Iterator[bytes]:
        """Refer to one input."""
        if self.mode == "bake" and not fragment.witness and _is_open(prepared):
            template = prepared.plan.template
            pieces = list(refer(template, prepared.documents, fragment))
            yield pickle.dumps((pieces, held_variables(template, fragment)))


def gather(pickled: Iterable[bytes], prepared: Prepared, mode: str) -> int:
    """Write the references of all inputs, unless that is done; count the chunks."""
    if mode != "bake" or not _is_open(prepared):
        return 0
    found: list[tuple[list[Piece], Fragment]] = [pickle.loads(each) for each in pickled]
    receipt = write_references(prepared, [p for pieces, _ in found for p in pieces], [held for _, held in found])
    return len(receipt.sources)


class CompareReferences(beam.DoFn):
    """Compare inputs with what is read through the references: all of them, or a sample."""

    def __init__(self, context: Context) -> None:
        self.level = context.level
        self.table: tuple[str, Table | None] = ("", None)
        self.sample: tuple[str, frozenset[Key]] = ("", frozenset())

    def process(self, fragment: Fragment, prepared: Prepared, written: int) -> Iterator[int]:
        """Compare one input."""
        plan = prepared.plan
        if not plan.tasks or fragment.witness or not fragment.variables:
            return
        full = level_of(plan, self.level) == "full"
        if full or fragment.key in self._sample(prepared):
            yield compare_task(self._read(prepared, fragment), _task(prepared, fragment, full), [fragment])

    def _sample(self, prepared: Prepared) -> frozenset[Key]:
        """Choose the inputs to compare, once for a plan."""
        if self.sample[0] != prepared.plan.version:
            self.sample = (prepared.plan.version, sample_inputs(prepared.plan))
        return self.sample[1]

    def _read(self, prepared: Prepared, fragment: Fragment) -> Prepared:
        """Read through the references as this run reaches the input."""
        sources, options = sources_of([fragment]), options_of(fragment)
        if prepared.notes is not None:
            return replace(prepared, view=ReferenceView(prepared.store, options, sources))
        if self.table[0] != prepared.plan.version:
            self.table = (prepared.plan.version, read_table(prepared.work))
        table = self.table[1] or Table((), {})
        return replace(prepared, view=TableView(prepared.store.url, table, sources, options))


def _is_open(prepared: Prepared) -> bool:
    return any(task.id not in prepared.done for task in prepared.plan.tasks)


def _task(prepared: Prepared, fragment: Fragment, full: bool) -> Task:
    """Give what is compared of an input: all of it, or a few chunks of each array."""
    template, parts = prepared.plan.template, []
    for name, array in template.arrays.items():
        if name in fragment.variables and belongs(array, fragment):
            spans = input_spans(array, template.axes, dict(fragment.key))
            parts.append(Part(name, spans if full or is_held(array) else _corner(array, spans), 1, 0))
    return Task(digest_of(fragment.key), tuple(parts))


def _corner(array: ArrayPlan, spans: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """Narrow a region to its last chunks, up to a bound: what is wrong with a grid shows there."""
    found: list[Any] = list(spans)
    chunk_bytes = array.itemsize
    for c in array.chunks:
        chunk_bytes *= c
    left = max(1, min(SAMPLED_CHUNKS, SAMPLED_BYTES // max(1, chunk_bytes)))
    for i in reversed(range(len(found))):
        (a, b), c = found[i], array.chunks[i]
        count = min(left, -(-b // c) - a // c)
        found[i] = (max(a, (-(-b // c) - count) * c), b)
        left = max(1, left // count)
    return tuple(found)
