"""The pipeline in Pangeo Forge's spelling: pattern → open → (any Beam steps) → store to zarr.

What a recipe does not say — the target, the mode of the run, mirrors of URLs — comes from the run's context when the
pipeline expands, so every spelling of a recipe works.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import apache_beam as beam
import xarray as xr

from bakehouse.context import MEMORY_BYTES, Context, current
from bakehouse.errors import RecipeError
from bakehouse.openers.describe import describe, raw_variable
from bakehouse.openers.spill import spill
from bakehouse.openers.xarray import open_dataset
from bakehouse.patterns import CombineOp, Dimension, FilePattern, FileType, Index, combine_dims_of, key_of
from bakehouse.plan.make import make_plan
from bakehouse.plan.sample import sample_tasks
from bakehouse.plan.tasks import cell_edges, input_spans, touched
from bakehouse.plan.summary import summarise
from bakehouse.plan.types import StoreOptions, Template
from bakehouse.schema import DatasetSchema, Identity, merge_all
from bakehouse.storage import Source, Target, make_source
from bakehouse.writers.assemble import Fragment, belongs
from bakehouse.writers.publish import consolidated, publish_documents, save_candidate
from bakehouse.writers.resume import checked_tasks, done_tasks
from bakehouse.writers.store import CandidateStore
from bakehouse.writers.tasks import Prepared, compare_task, write_task
from bakehouse.writers.template import make_documents, template_dataset

__all__ = ["CombineOp", "Dimension", "Index", "LabelNewDims", "OpenURLWithFSSpec", "OpenWithXarray", "StoreToZarr"]


class SourcedIndex(Index):
    """An index that remembers its source through an author's steps, so that every message can name the input."""

    source: Source

    @classmethod
    def of(cls, index: Index, source: Source) -> SourcedIndex:
        """Attach a source to an index."""
        made = cls(index)
        made.source = source
        return made

    def __getstate__(self) -> Any:
        """Travel with the source."""
        return {"items": sorted(self.items()), "source": self.source}

    def __setstate__(self, state: Any) -> None:
        """Arrive with the source."""
        self.update(state["items"])
        self.source = state["source"]

    def __reduce__(self) -> Any:
        """Rebuild from plain pairs."""
        return (SourcedIndex, (), self.__getstate__())


@dataclass
class OpenURLWithFSSpec(beam.PTransform):  # type: ignore[misc]
    """Find out how each input is reached and what identifies it; nothing is read yet.

    Parameters
    ----------
    cache
        Accepted for Pangeo Forge's sake; caching is the run's business.
    secrets
        Query parameters that are appended to each URL where it is read.
    open_kwargs
        Options for `fsspec.open`; a source that needs any goes through fsspec.
    max_concurrency
        Accepted for Pangeo Forge's sake.
    fsspec_sync_patch
        Accepted for Pangeo Forge's sake; reading needs no event loop here.

    Raises
    ------
    SourceError
        If an input can't be reached; it names the URL and the index.
    """

    cache: Any = None
    secrets: dict[str, str] | None = None
    open_kwargs: dict[str, Any] | None = None
    max_concurrency: int | None = None
    fsspec_sync_patch: bool = False

    def expand(self, pcoll: Any) -> Any:
        """Spread the inputs over the workers, then identify each."""
        context = current()
        url_map = dict(context.url_map) if context else {}
        return pcoll | "Spread" >> beam.Reshuffle() | "Identify" >> beam.MapTuple(_Identify(self.open_kwargs or {}, self.secrets, url_map))


@dataclass
class _Identify:
    open_kwargs: Mapping[str, Any]
    secrets: Mapping[str, str] | None
    url_map: Mapping[str, str]

    def __call__(self, index: Index, url: str) -> tuple[Index, Source]:
        source = make_source(url, self.open_kwargs, self.url_map, show_index(index))
        if self.secrets:
            from urllib.parse import urlencode

            joint = "&" if "?" in source.location else "?"
            source = Source(source.url, f"{source.location}{joint}{urlencode(self.secrets)}", source.options, index=source.index)
        source = source.identified()
        return SourcedIndex.of(index, source), source


@dataclass
class OpenWithXarray(beam.PTransform):  # type: ignore[misc]
    """Open each input as a Dataset whose arrays are references: coordinates of dimensions are loaded, nothing else.

    Parameters
    ----------
    file_type
        The pattern's file type; the file's own signature decides where they disagree.
    load
        Load all values at once.
    copy_to_local
        Accepted for Pangeo Forge's sake; formats that need a local file get one.
    xarray_open_kwargs
        Keyword arguments for `xarray.open_dataset`.
    """

    file_type: Any = FileType.unknown
    load: bool = False
    copy_to_local: bool = False
    xarray_open_kwargs: dict[str, Any] | None = field(default_factory=dict)

    def expand(self, pcoll: Any) -> Any:
        """Open each input where it lands."""
        context = current()
        dry = context is not None and context.mode == "plan"
        name = getattr(self.file_type, "name", str(self.file_type))
        return pcoll | "Open" >> beam.ParDo(_Open(name, dict(self.xarray_open_kwargs or {}), self.load, dry))


class _Open(beam.DoFn):  # type: ignore[misc]
    """Open a source; without reading data when only planning."""

    def __init__(self, file_type: str, kwargs: Mapping[str, Any], load: bool, dry: bool) -> None:
        self.file_type, self.kwargs, self.load, self.dry = file_type, kwargs, load, dry

    def process(self, element: tuple[Index, Any]) -> Iterator[tuple[Index, xr.Dataset]]:
        """Open one input."""
        index, found = element
        source = found if isinstance(found, Source) else make_source(str(found), {}, {}, show_index(index)).identified()
        yield SourcedIndex.of(index, source), open_dataset(source, self.file_type, self.kwargs, self.load, self.dry)


@dataclass
class LabelNewDims(beam.PTransform):  # type: ignore[misc]
    """Give each Dataset its pattern key as the coordinate of a concat dimension that its file does not have.

    Parameters
    ----------
    pattern
        The pattern whose keys name the positions: dates, scenarios, stations.
    """

    pattern: FilePattern

    def expand(self, pcoll: Any) -> Any:
        """Label each element."""
        keys = {dim.name: list(dim.keys) for dim in self.pattern.combine_dims if dim.operation is CombineOp.CONCAT}
        return pcoll | "Label" >> beam.MapTuple(_Label(keys))


@dataclass
class _Label:
    keys: Mapping[str, list[Any]]

    def __call__(self, index: Index, dataset: xr.Dataset) -> tuple[Index, xr.Dataset]:
        new = {d: self.keys[d][p] for d, p in key_of(index) if d in self.keys and d not in {*dataset.dims, *dataset.coords}}
        return index, dataset.assign_coords(new)


@dataclass
class StoreToZarr(beam.PTransform):  # type: ignore[misc]
    """Combine (Index, Dataset) elements into one zarr store.

    The inputs' headers are merged into a plan; tasks of whole objects then read the regions that they need. Arrays do
    not travel. Nothing is visible at the target before the run publishes it.

    Parameters
    ----------
    combine_dims
        The pattern's `combine_dim_keys`.
    store_name
        The store's name, an alias in the catalog.
    target_root
        Where to write when the recipe runs outside of ``bakehouse bake``: a URL, a path, or an object with `root_path`.
    target_chunks
        Dimension to chunk length; -1 is the whole dimension. Dimensions left out keep the sources' chunks.
    shards
        Dimension to shard length; False writes one object per chunk; None chooses objects of about 128 MB.
    dynamic_chunking_fn, dynamic_chunking_fn_kwargs
        A function from the template Dataset to `target_chunks`, and its keyword arguments.
    attrs
        Attributes to add to the store.
    encoding
        Variable to encoding, as in `xarray.Dataset.to_zarr`.
    zarr_format
        2 or 3; consolidated metadata is written for both.
    combine_attrs
        ``drop_conflicts`` or ``identical``; attributes that change what values mean must always agree.
    check_order
        Insist that numeric and time coordinates along concat dims run one way.

    Raises
    ------
    SchemaError, PatternError, ChunkAlignmentError
        When the run plans; all reasons at once.
    """

    combine_dims: Iterable[Dimension]
    store_name: str
    target_root: Any = None
    target_chunks: dict[str, int] | None = None
    dynamic_chunking_fn: Callable[..., Mapping[str, int]] | None = None
    dynamic_chunking_fn_kwargs: dict[str, Any] | None = None
    attrs: dict[str, Any] | None = None
    encoding: dict[str, dict[str, Any]] | None = None
    shards: Mapping[str, int] | bool | None = None
    zarr_format: int | None = None
    combine_attrs: str = "drop_conflicts"
    check_order: bool = True

    def __post_init__(self) -> None:
        """Refuse what can't be meant."""
        if self.target_chunks and self.dynamic_chunking_fn:
            raise RecipeError("StoreToZarr got both target_chunks and dynamic_chunking_fn", None, None, "give one of them")
        if self.zarr_format not in (None, 2, 3):
            raise RecipeError(f"zarr_format is {self.zarr_format}", None, None, "use 2 or 3")

    def options(self, context: Context) -> StoreOptions:
        """Give the store's options, with the project's defaults where the recipe is silent."""
        return StoreOptions(
            self.store_name, dict(self.target_chunks or {}), self.shards, dict(self.encoding or {}), dict(self.attrs or {}),
            self.zarr_format or context.defaults.get("zarr_format", 3), self.combine_attrs, self.check_order,
            self.dynamic_chunking_fn, dict(self.dynamic_chunking_fn_kwargs or {}),
        )  # fmt: skip

    def expand(self, pcoll: Any) -> Any:
        """Survey, plan, route, write, compare."""
        inside = current()
        context = inside or _standalone(self.target_root, self.store_name)
        dims = combine_dims_of(list(self.combine_dims))
        described = pcoll | "Describe" >> beam.ParDo(_Describe(context, dims))
        surveyed = described | "Schema" >> beam.MapTuple(lambda schema, fragment: schema)
        prepared = surveyed | "Merge" >> beam.CombineGlobally(merge_all) | "Plan" >> beam.Map(_Prepare(context, dims, self.options(context)))
        if context.mode == "plan":
            return prepared
        fragments = described | "Fragment" >> beam.MapTuple(lambda schema, fragment: fragment)
        side = beam.pvalue.AsSingleton(prepared)
        routed = fragments | "Route" >> beam.ParDo(_Route(context), side) | "Gather" >> beam.GroupByKey()
        written = routed | "Write" >> beam.ParDo(_Write(context.mode), side) | "Count" >> beam.CombineGlobally(sum)
        compared = routed | "Compare" >> beam.ParDo(_Compare(context.level), side, beam.pvalue.AsSingleton(written)) | "Sum" >> beam.CombineGlobally(sum)  # fmt: skip
        finished = prepared | "Candidate" >> beam.Map(_candidate, beam.pvalue.AsSingleton(compared))
        return finished if inside else finished | "Publish" >> beam.Map(_publish_now, side)


def show_index(index: Index) -> str:
    """Write an index as messages do.

    Examples
    --------
    >>> show_index(Index({Dimension("time", CombineOp.CONCAT): __import__("bakehouse").patterns.Position(3)}))
    'time=3'
    """
    return ", ".join(f"{dim}={position}" for dim, position in key_of(index))


class _Describe(beam.DoFn):  # type: ignore[misc]
    """Turn a Dataset into its schema and a fragment of references; arrays that the recipe made are spilled."""

    def __init__(self, context: Context, dims: Mapping[str, str]) -> None:
        self.context, self.dims = context, dims

    def process(self, element: Any) -> Iterator[tuple[DatasetSchema, Fragment]]:
        """Describe one element."""
        index, dataset = _checked_element(element, self.context.label)
        url, identity = _origin(index, dataset)
        key, dry = key_of(index), self.context.mode == "plan"
        schema = describe(dataset, url, identity, self.dims, dry)
        staging = self.context.target.child(".staging")
        variables = {} if dry else {str(n): spill(v, staging) for n, v in dataset.variables.items()}
        yield DatasetSchema.of(key, schema), Fragment(key, url, variables)


def _checked_element(element: Any, label: str) -> tuple[Index, xr.Dataset]:
    if isinstance(element, tuple) and len(element) == 2 and isinstance(element[0], Index) and isinstance(element[1], xr.Dataset):
        return element
    shape = tuple(type(e).__name__ for e in element) if isinstance(element, tuple) else type(element).__name__
    raise RecipeError(f"StoreToZarr got {shape} where (Index, Dataset) belongs", label, None,
                      "return (index, ds) from the step before it")  # fmt: skip


def _origin(index: Index, dataset: xr.Dataset) -> tuple[str, Identity]:
    if isinstance(index, SourcedIndex):
        return index.source.url, index.source.identity
    for variable in dataset.variables.values():
        if found := raw_variable(variable):
            return found[1].opened.source.url, found[1].opened.source.identity
    return str(dataset.encoding.get("source", show_index(index))), Identity()


@dataclass
class _Prepare:
    """Make the plan and its documents; find out what earlier runs have done."""

    context: Context
    dims: Mapping[str, str]
    options: StoreOptions

    def __call__(self, schema: DatasetSchema) -> Prepared:
        function, kwargs = self.options.dynamic_chunking_fn, dict(self.options.dynamic_chunking_fn_kwargs)

        def choose(template: Template) -> Mapping[str, int]:
            return function(template_dataset(template), **kwargs)  # type: ignore[misc]

        plan = make_plan(
            schema, self.dims, self.options, memory_bytes=self.context.memory_bytes, recipe_digest=self.context.recipe_digest,
            prefix=self.context.prefix, label=self.context.label, choose_chunks=choose if function else None,
        )  # fmt: skip
        documents = make_documents(plan.template, self.options.encoding)
        prepared = Prepared(plan, documents, self.context.target, self.options.encoding)
        if self.context.mode == "bake":
            done = done_tasks(prepared)
            prepared = replace(prepared, done=done, checked=checked_tasks(prepared) & done)
            save_candidate(prepared)
        elif self.context.mode == "verify":
            prepared = replace(prepared, notes=self.context.notebook.child(self.context.run_id))
        note = {"plan": summarise(plan, self.context.level), "done": sorted(prepared.done), "ordered": self.options.check_order}
        self.context.notebook.put(f"{self.context.run_id}.json", json.dumps(note).encode())
        return prepared


class _Route(beam.DoFn):  # type: ignore[misc]
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
                for spans in touched(array, grids[name], input_spans(array, prepared.plan.template.axes, dict(fragment.key))):
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


class _Write(beam.DoFn):  # type: ignore[misc]
    """Write the tasks that are not done; counts them."""

    def __init__(self, mode: str) -> None:
        self.mode = mode

    def process(self, element: tuple[str, Iterable[Fragment]], prepared: Prepared) -> Iterator[int]:
        """Write one task."""
        task_id, fragments = element
        if self.mode == "bake" and task_id not in prepared.done:
            write_task(prepared, prepared.task(task_id), fragments)
            yield 1


class _Compare(beam.DoFn):  # type: ignore[misc]
    """Compare the sampled tasks with their sources, after everything is written."""

    def __init__(self, level: str) -> None:
        self.level = level

    def process(self, element: tuple[str, Iterable[Fragment]], prepared: Prepared, written: int) -> Iterator[int]:
        """Compare one task."""
        task_id, fragments = element
        if task_id in sample_tasks(prepared.plan, self.level) - prepared.checked:
            yield compare_task(prepared, prepared.task(task_id), fragments)


def _candidate(prepared: Prepared, compared: int) -> CandidateStore:
    return CandidateStore(prepared.store, prepared.documents, prepared.work)


def _publish_now(candidate: CandidateStore, prepared: Prepared) -> str:
    publish_documents(prepared.store, consolidated(candidate.documents, prepared.plan.template.zarr_format), prepared.plan.template.zarr_format)
    return candidate.path


def _standalone(target_root: Any, store_name: str) -> Context:
    """Make a context for a pipeline that runs outside of a bake."""
    root = getattr(target_root, "root_path", target_root)
    if root is None:
        raise RecipeError("StoreToZarr has no target", store_name, "the pipeline runs outside of 'bakehouse bake'",
                          "run it with 'bakehouse bake', or pass target_root")  # fmt: skip
    return Context(Target(str(root)), run_id="standalone", recipe=store_name, prefix=store_name, memory_bytes=MEMORY_BYTES)
