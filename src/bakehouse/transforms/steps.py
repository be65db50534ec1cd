"""The stages inside StoreToZarr before and after the plan: describe, route, write, compare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import apache_beam as beam
import xarray as xr
from apache_beam.transforms.window import GlobalWindows

from bakehouse.context import Context
from bakehouse.errors import RecipeError
from bakehouse.openers.decode import as_readers_see
from bakehouse.openers.describe import describe, raw_variable
from bakehouse.openers.spill import spill
from bakehouse.patterns import Index, key_of
from bakehouse.plan.tasks import cell_edges, reached
from bakehouse.plan.types import StoreOptions
from bakehouse.schema import DatasetSchema, Identity, Merging
from bakehouse.transforms.fresh import is_changed, is_wanted, is_witness, published
from bakehouse.transforms.index import SourcedIndex, show_index
from bakehouse.transforms.unchecked import Unchecked
from bakehouse.writers.assemble import Fragment, belongs
from bakehouse.writers.compare import compare_task, compare_witness
from bakehouse.writers.tasks import Prepared, write_task

SCHEMAS = "schemas"
WITNESS = "witness "
"""Begins the names of groups that are only compared with what is stored."""


class Describe(beam.DoFn):
    """Turn Datasets into fragments of references, and their schemas; arrays that the recipe made are spilled.

    The schemas of a bundle are merged before they travel: what its inputs share is held, and sent, once.
    """

    def __init__(self, context: Context, dims: Mapping[str, str], options: StoreOptions) -> None:
        self.context, self.dims, self.options = context, dims, options
        self.met = Merging()

    def start_bundle(self) -> None:
        """Forget what a bundle that failed has met."""
        self.met = Merging()

    def process(self, element: Any) -> Iterator[Fragment]:
        """Give the fragment of one element, and keep its schema."""
        for schema, fragment in self.described(element):
            self.met.add(schema)
            yield fragment

    def finish_bundle(self) -> Iterator[Any]:
        """Give the schema of all that the bundle met."""
        yield beam.pvalue.TaggedOutput(SCHEMAS, GlobalWindows.windowed_value(self.met.merged()))
        self.met = Merging()

    def described(self, element: Any) -> Iterator[tuple[DatasetSchema, Fragment]]:
        """Describe one element, if the run takes it."""
        index, dataset = _checked_element(element, self.context.label)
        dataset = as_readers_see(dataset)
        url, identity = _origin(index, dataset)
        key, dry = key_of(index), self.context.mode == "plan"
        kept = not is_changed(self.context, key, url, identity)
        if not is_wanted(self.context, key, url) or (kept and not is_witness(self.context, key)):
            return
        schema = describe(dataset, url, identity, self.dims, dry, self.options)
        staging = self.context.staging
        variables = {} if dry else {str(n): spill(v, staging) for n, v in dataset.variables.items()}
        expects = {d: said for d, said in getattr(index, "expects", {}).items() if d in self.dims}
        schema = replace(schema, expects=tuple((d, count, length) for d, (count, length) in expects.items()))
        yield DatasetSchema() if kept else DatasetSchema.of(key, schema), Fragment(key, url, variables, witness=kept)


def _checked_element(element: Any, label: str) -> tuple[Index, xr.Dataset]:
    if (
        isinstance(element, tuple)
        and len(element) == 2
        and isinstance(element[0], Index)
        and isinstance(element[1], xr.Dataset)
    ):
        return element
    shape = tuple(type(e).__name__ for e in element) if isinstance(element, tuple) else type(element).__name__
    raise RecipeError(
        f"StoreToZarr got {shape} where (Index, Dataset) belongs",
        label,
        None,
        "return (index, ds) from the step before it",
    )


def _origin(index: Index, dataset: xr.Dataset) -> tuple[str, Identity]:
    if isinstance(index, SourcedIndex):
        return index.source.url, index.source.identity
    for variable in dataset.variables.values():
        if found := raw_variable(variable):
            return found[1].opened.source.url, found[1].opened.source.identity
    return str(dataset.encoding.get("source", show_index(index))), Identity()


class Route(beam.DoFn):
    """Send each fragment's references to the tasks whose boxes it overlaps."""

    def __init__(self, context: Context) -> None:
        self.memory_bytes, self.mode, self.unchecked = context.memory_bytes, context.mode, Unchecked(context.level)
        self.known: tuple[str, dict[Any, str], dict[str, Any]] = ("", {}, {})

    def process(self, fragment: Fragment, prepared: Prepared) -> Iterator[tuple[str, Fragment]]:
        """Route one fragment."""
        if fragment.witness:
            yield f"{WITNESS}{fragment.url}", fragment
            return
        boxes, grids = self._boxes(prepared)
        wanted: dict[str, dict[str, xr.Variable]] = {}
        for name, array in prepared.plan.template.arrays.items():
            if belongs(array, fragment):
                there = {name: fragment.variables[name]} if name in fragment.variables else {}
                for spans in reached(array, prepared.plan.template.axes, dict(fragment.key), grids[name]):
                    if (name, spans) in boxes:
                        wanted.setdefault(boxes[name, spans], {}).update(there)
        unchecked = self.unchecked.tasks(prepared)
        for task, variables in wanted.items():
            if task in unchecked or (self.mode == "bake" and task not in prepared.done):
                yield task, Fragment(fragment.key, fragment.url, variables)

    def _boxes(self, prepared: Prepared) -> tuple[dict[Any, str], dict[str, Any]]:
        if self.known[0] != prepared.plan.version:
            arrays, axes = prepared.plan.template.arrays, prepared.plan.template.axes
            boxes = {(p.array, p.spans): t.id for t in prepared.plan.tasks for p in t.parts}
            grids = {name: cell_edges(a, axes, self.memory_bytes) for name, a in arrays.items()}
            self.known = (prepared.plan.version, boxes, grids)
        return self.known[1], self.known[2]


class Write(beam.DoFn):
    """Write the tasks that are not done; counts them."""

    def __init__(self, mode: str) -> None:
        self.mode = mode

    def process(self, element: tuple[str, Iterable[Fragment]], prepared: Prepared) -> Iterator[int]:
        """Write one task."""
        task_id, fragments = element
        if self.mode == "bake" and task_id not in prepared.done and not task_id.startswith(WITNESS):
            write_task(prepared, prepared.task(task_id), fragments)
            yield 1


class Compare(beam.DoFn):
    """Compare the sampled tasks with their sources, after everything is written."""

    def __init__(self, context: Context) -> None:
        self.context, self.unchecked = context, Unchecked(context.level)
        self.snapshot: str | None = None

    def process(self, element: tuple[str, Iterable[Fragment]], prepared: Prepared, written: int) -> Iterator[int]:
        """Compare one task; a repository is asked once what is there by now."""
        task_id, fragments = element
        prepared = replace(prepared, snapshot=self.snapshot or prepared.snapshot).at_rest()
        self.snapshot = prepared.snapshot
        base = published(self.context) if task_id.startswith(WITNESS) else None
        if base is not None:
            yield from (compare_witness(prepared, base.by_key[f.key], f) for f in fragments)
            return
        if task_id in self.unchecked.tasks(prepared):
            yield compare_task(prepared, prepared.task(task_id), fragments, self.unchecked.is_few(prepared))
