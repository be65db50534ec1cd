"""The stages inside StoreToZarr: describe, plan, route, write, compare."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import apache_beam as beam
import xarray as xr

from bakehouse.context import Context
from bakehouse.errors import RecipeError
from bakehouse.openers.describe import describe, raw_variable
from bakehouse.openers.spill import spill
from bakehouse.patterns import Index, key_of
from bakehouse.plan.make import make_plan
from bakehouse.plan.sample import sample_tasks
from bakehouse.plan.summary import summarise
from bakehouse.plan.tasks import cell_edges, input_spans, touched
from bakehouse.plan.types import StoreOptions, Template
from bakehouse.schema import DatasetSchema, Identity
from bakehouse.transforms.index import SourcedIndex, show_index
from bakehouse.writers.assemble import Fragment, belongs
from bakehouse.writers.publish import save_candidate
from bakehouse.writers.resume import checked_tasks, done_tasks
from bakehouse.writers.tasks import Prepared, compare_task, write_task
from bakehouse.writers.template import make_documents, template_dataset


class Describe(beam.DoFn):
    """Turn a Dataset into its schema and a fragment of references; arrays that the recipe made are spilled."""

    def __init__(self, context: Context, dims: Mapping[str, str]) -> None:
        self.context, self.dims = context, dims

    def process(self, element: Any) -> Iterator[tuple[DatasetSchema, Fragment]]:
        """Describe one element."""
        index, dataset = _checked_element(element, self.context.label)
        url, identity = _origin(index, dataset)
        key, dry = key_of(index), self.context.mode == "plan"
        schema = describe(dataset, url, identity, self.dims, dry)
        staging = self.context.staging
        variables = {} if dry else {str(n): spill(v, staging) for n, v in dataset.variables.items()}
        expects = {d: said for d, said in getattr(index, "expects", {}).items() if d in self.dims}
        schema = replace(schema, expects=tuple((d, count, length) for d, (count, length) in expects.items()))
        yield DatasetSchema.of(key, schema), Fragment(key, url, variables)


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


@dataclass
class Prepare:
    """Make the plan and its documents; find out what earlier runs have done."""

    context: Context
    dims: Mapping[str, str]
    options: StoreOptions

    def __call__(self, schema: DatasetSchema) -> Prepared:
        """Plan from the merged schema."""
        function, kwargs = self.options.dynamic_chunking_fn, dict(self.options.dynamic_chunking_fn_kwargs)

        def choose(template: Template) -> Mapping[str, int]:
            return function(template_dataset(template), **kwargs)  # type: ignore[misc]

        plan = make_plan(
            schema,
            self.dims,
            self.options,
            memory_bytes=self.context.memory_bytes,
            recipe_digest=self.context.recipe_digest,
            prefix=self.context.prefix,
            label=self.context.label,
            choose_chunks=choose if function else None,
        )
        documents = make_documents(plan.template, self.options.encoding)
        prepared = Prepared(plan, documents, self.context.target, self.options.encoding, run_id=self.context.run_id)
        if self.context.mode == "bake":
            done = done_tasks(prepared)
            prepared = replace(prepared, done=done, checked=checked_tasks(prepared, done))
            save_candidate(prepared)
        elif self.context.mode == "verify":
            prepared = replace(prepared, notes=self.context.notebook.child(self.context.run_id))
        note = {
            "plan": summarise(plan, self.context.level),
            "done": sorted(prepared.done),
            "ordered": self.options.check_order,
        }
        self.context.notebook.put(f"{self.context.run_id}.json", json.dumps(note).encode())
        return prepared


class Route(beam.DoFn):
    """Send each fragment's references to the tasks whose boxes it overlaps."""

    def __init__(self, context: Context) -> None:
        self.memory_bytes, self.mode, self.level = context.memory_bytes, context.mode, context.level
        self.known: tuple[str, dict[Any, str], dict[str, Any]] = ("", {}, {})

    def process(self, fragment: Fragment, prepared: Prepared) -> Iterator[tuple[str, Fragment]]:
        """Route one fragment."""
        boxes, grids = self._boxes(prepared)
        wanted: dict[str, dict[str, xr.Variable]] = {}
        for name, array in prepared.plan.template.arrays.items():
            if belongs(array, fragment):
                for spans in touched(
                    array, grids[name], input_spans(array, prepared.plan.template.axes, dict(fragment.key))
                ):
                    wanted.setdefault(boxes[name, spans], {})[name] = fragment.variables[name]
        for task, variables in wanted.items():
            if task in self.sampled - prepared.checked or (self.mode == "bake" and task not in prepared.done):
                yield task, Fragment(fragment.key, fragment.url, variables)

    def _boxes(self, prepared: Prepared) -> tuple[dict[Any, str], dict[str, Any]]:
        if self.known[0] != prepared.plan.version:
            arrays, axes = prepared.plan.template.arrays, prepared.plan.template.axes
            boxes = {(p.array, p.spans): t.id for t in prepared.plan.tasks for p in t.parts}
            grids = {name: cell_edges(a, axes, self.memory_bytes) for name, a in arrays.items()}
            self.known = (prepared.plan.version, boxes, grids)
            self.sampled = sample_tasks(prepared.plan, self.level)
        return self.known[1], self.known[2]


class Write(beam.DoFn):
    """Write the tasks that are not done; counts them."""

    def __init__(self, mode: str) -> None:
        self.mode = mode

    def process(self, element: tuple[str, Iterable[Fragment]], prepared: Prepared) -> Iterator[int]:
        """Write one task."""
        task_id, fragments = element
        if self.mode == "bake" and task_id not in prepared.done:
            write_task(prepared, prepared.task(task_id), fragments)
            yield 1


class Compare(beam.DoFn):
    """Compare the sampled tasks with their sources, after everything is written."""

    def __init__(self, level: str) -> None:
        self.level = level

    def process(self, element: tuple[str, Iterable[Fragment]], prepared: Prepared, written: int) -> Iterator[int]:
        """Compare one task."""
        task_id, fragments = element
        if task_id in sample_tasks(prepared.plan, self.level) - prepared.checked:
            yield compare_task(prepared, prepared.task(task_id), fragments)
