"""StoreToZarr: from (Index, Dataset) elements to one store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from bakehouse.context import MEMORY_BYTES, Context, current
from bakehouse.errors import RecipeError
from bakehouse.patterns import Dimension, combine_dims_of
from bakehouse.plan.types import CODECS, COMBINE_ATTRS, FORMATS, LEFT_OUT, MISSING, ORDERS, VIRTUAL, StoreOptions
from bakehouse.schema import DatasetSchema, merge_all
from bakehouse.storage import as_target
from bakehouse.transforms.marks import mark
from bakehouse.transforms.policies import insist_known, insist_tolerance
from bakehouse.transforms.prepare import Prepare
from bakehouse.transforms.references import CompareReferences, Refer, gather
from bakehouse.transforms.steps import SCHEMAS, Compare, Describe, Route, Write
from bakehouse.transforms.tiles import TILED, Split, Tile
from bakehouse.writers.icechunk.storage import library
from bakehouse.writers.publish import consolidated, is_published, publish_documents
from bakehouse.writers.references.table import Table
from bakehouse.writers.references.view import TableView
from bakehouse.writers.references.write import publish_references, read_table, spelt
from bakehouse.writers.store import CandidateStore
from bakehouse.writers.tasks import Prepared


@dataclass
class StoreToZarr(beam.PTransform):
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
        Dimension to shard length; False writes one object per chunk; None chooses objects of about 64 MB.
    dynamic_chunking_fn, dynamic_chunking_fn_kwargs
        A function from the template Dataset to `target_chunks`, and its keyword arguments.
    attrs
        Attributes to add to the store.
    encoding
        Variable to encoding, as in `xarray.Dataset.to_zarr`; besides, ``keepbits``: how many bits of the mantissa of
        floats are kept (values are rounded, which the store's attributes state; what is rounded compresses better).
    codecs
        How chunks are compressed where `encoding` says nothing: ``auto`` keeps the sources' compression where chunks
        can be moved byte for byte, and uses zstd after a byte shuffle elsewhere; ``source`` also moves chunks that are
        not compressed; ``default`` moves none.
    zarr_format
        2 or 3; consolidated metadata is written for both.
    format
        ``zarr``, or ``icechunk``: one repository of the recipe, in which each version is a snapshot that its readers
        see at once and whole. It needs ``bakehouse[icechunk]``, and a disk or an S3 bucket with conditional PUT. Or a
        virtual store, ``kerchunk-json`` or ``kerchunk-parquet``: references to the inputs' own chunks, which are copied
        nowhere; what can't be referred to is refused.
    combine_attrs
        ``drop_conflicts`` or ``identical``; attributes that change what values mean must always agree.
    order
        What to do where coordinates along concat dims do not run one way: ``error``; ``sort`` (whole inputs are laid
        in the order of their coordinate); ``drop_duplicates`` (leading elements of an input that repeat the end of the
        one before are left out if all their values are the same); ``any`` (store them as they come).
    missing_variables
        What to do where inputs lack a variable that others have: ``error``, or ``fill`` (their part of it is fill).
    coordinate_tolerance
        How far coordinates, bounds and the like may differ between inputs, in their own units: for all, or by name.
        The first input's are stored. They must be equal if it is left out.
    check_order
        Another word for `order`: True is ``error``, False is ``any``.
    inline_bytes
        Up to which decoded size a virtual store holds a variable's values itself (64 KiB), as it holds those of
        coordinates of one or two dimensions.
    left_out
        How concat dims that `target_chunks` leaves out are cut: ``sources``, as the sources' chunks are; ``inputs``, as
        the first input is long, which is Pangeo Forge's way.

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
    order: str = "error"
    missing_variables: str = "error"
    coordinate_tolerance: Mapping[str, float] | float | None = None
    check_order: bool | None = None
    format: str = "zarr"
    codecs: str = "auto"
    inline_bytes: int | None = None
    left_out: str = "sources"

    def __post_init__(self) -> None:
        """Refuse what can't be meant."""
        if self.target_chunks and self.dynamic_chunking_fn:
            raise RecipeError(
                "StoreToZarr got both target_chunks and dynamic_chunking_fn", None, None, "give one of them"
            )
        if self.zarr_format not in (None, 2, 3):
            raise RecipeError(f"zarr_format is {self.zarr_format}", None, None, "use 2 or 3")
        insist_known("format", self.format, FORMATS)
        insist_known("codecs", self.codecs, CODECS)
        insist_known("left_out", self.left_out, LEFT_OUT)
        self._insist_virtual()
        if self.format == "icechunk" and self.zarr_format == 2:
            raise RecipeError("zarr_format is 2", None, "Icechunk stores zarr v3 only", "use zarr_format=3")
        if self.check_order is not None:
            self.order = "error" if self.check_order else "any"
        insist_known("order", self.order, ORDERS)
        insist_known("missing_variables", self.missing_variables, MISSING)
        insist_known("combine_attrs", self.combine_attrs, COMBINE_ATTRS)
        insist_tolerance(self.coordinate_tolerance)

    def _insist_virtual(self) -> None:
        """Refuse what references can't change."""
        asked: dict[str, Any] = {"target_chunks": self.target_chunks, "shards": self.shards}
        asked["dynamic_chunking_fn"] = self.dynamic_chunking_fn
        for name, value in asked.items() if self.format in VIRTUAL else ():
            if value:
                cause = "a virtual store has its inputs' own chunks"
                raise RecipeError(f"{name} is given with format '{self.format}'", None, cause, f"leave {name} out")
        if self.format in VIRTUAL and self.zarr_format == 3:
            raise RecipeError("zarr_format is 3", None, "kerchunk's references are zarr v2", "leave zarr_format out")

    def options(self, context: Context) -> StoreOptions:
        """Give the store's options, with the project's defaults where the recipe is silent."""
        return StoreOptions(
            self.store_name,
            dict(self.target_chunks or {}),
            self.shards,
            dict(self.encoding or {}),
            dict(self.attrs or {}),
            self.zarr_format or self._zarr_format(context),
            self.combine_attrs,
            self.order,
            self.dynamic_chunking_fn,
            dict(self.dynamic_chunking_fn_kwargs or {}),
            self.missing_variables,
            self.coordinate_tolerance or 0.0,
            self.format,
            self.codecs,
            inline_bytes=StoreOptions.inline_bytes if self.inline_bytes is None else self.inline_bytes,
            left_out=self.left_out,
        )

    def _zarr_format(self, context: Context) -> int:
        fixed = {"icechunk": 3} | dict.fromkeys(VIRTUAL, 2)
        return fixed.get(self.format) or int(context.defaults.get("zarr_format", 3))

    def expand(self, pcoll: Any) -> Any:
        """Survey, plan, route, write, compare."""
        inside = current()
        context = inside or _standalone(self.target_root, self.store_name)
        if self.format == "icechunk" and context.mode != "plan":
            library()
        dims = combine_dims_of(list(self.combine_dims))
        describing = beam.ParDo(Describe(context, dims, self.options(context)))
        described = pcoll | "Describe" >> describing.with_outputs(SCHEMAS, main="fragments")
        prepare, schemas = Prepare(context, dims, self.options(context)), beam.pvalue.AsIter(described[SCHEMAS])
        prepared = pcoll.pipeline | "Once" >> beam.Impulse() | "Plan" >> beam.Map(_planned, schemas, prepare)
        if context.mode == "plan":
            return prepared | "Nothing" >> beam.Filter(_nothing)
        side = beam.pvalue.AsSingleton(prepared)
        gaps = prepared | "Gaps" >> beam.FlatMap(lambda each: each.gaps)
        fragments = (described["fragments"], gaps) | "All" >> beam.Flatten()
        split = fragments | "Split" >> beam.ParDo(Split(context), side).with_outputs(TILED, main="direct")
        tiles = split[TILED] | "Inputs" >> beam.GroupByKey() | "Tile" >> beam.ParDo(Tile(context), side)
        fragments = (split["direct"], tiles) | "Both" >> beam.Flatten()
        compared = (_referred if self.format in VIRTUAL else _stored)(fragments, prepared, context)
        counts = beam.pvalue.AsIter(compared)
        if inside:
            return prepared | "Candidate" >> beam.FlatMap(_to_publish, counts, context.mode)
        return prepared | "Publish" >> beam.Map(_published, counts)


def _planned(once: bytes, schemas: Iterable[DatasetSchema], prepare: Prepare) -> Prepared:
    return mark(prepare(merge_all(schemas)), prepare.context, "survey")


def _nothing(prepared: Prepared) -> bool:
    return False


def _stored(fragments: Any, prepared: Any, context: Context) -> Any:
    """Write what is in the inputs, then compare it; give how many values were compared, in parts."""
    side = beam.pvalue.AsSingleton(prepared)
    routed = fragments | "Route" >> beam.ParDo(Route(context), side) | "Gather" >> beam.GroupByKey()
    tasks = routed | "Write" >> beam.ParDo(Write(context.mode), side)
    written = prepared | "Written" >> beam.Map(_written, beam.pvalue.AsIter(tasks), context)
    return routed | "Compare" >> beam.ParDo(Compare(context), side, beam.pvalue.AsSingleton(written))


def _referred(fragments: Any, prepared: Any, context: Context) -> Any:
    """Refer to the inputs instead of writing what is in them, then compare; give what `_stored` gives."""
    side = beam.pvalue.AsSingleton(prepared)
    referred = fragments | "Refer" >> beam.ParDo(Refer(context.mode), side)
    written = prepared | "Write" >> beam.Map(_gathered, beam.pvalue.AsIter(referred), context)
    return fragments | "Compare" >> beam.ParDo(CompareReferences(context), side, beam.pvalue.AsSingleton(written))


def _written(prepared: Prepared, tasks: Iterable[int], context: Context) -> int:
    """Count the tasks that were written, once all are."""
    return mark(sum(tasks), context, "write")


def _gathered(prepared: Prepared, referred: Iterable[bytes], context: Context) -> int:
    return mark(gather(referred, prepared, context.mode), context, "write")


def _to_publish(prepared: Prepared, compared: Iterable[int], mode: str) -> Iterator[CandidateStore]:
    """Give the steps after the store what they work on in a bake: the candidate, if there is anything to publish."""
    candidate = _candidate(prepared, compared)
    if mode == "bake" and prepared.plan.tasks and not is_published(prepared):
        yield candidate


def _candidate(prepared: Prepared, compared: Iterable[int]) -> CandidateStore:
    """Give the store as it is once all of it has been compared."""
    sum(compared)
    if prepared.plan.template.format in VIRTUAL:
        view = TableView(prepared.store.url, read_table(prepared.work) or Table((), {}))
        return CandidateStore(view, prepared.documents, prepared.candidate)
    return CandidateStore(prepared.at_rest().reading, prepared.documents, prepared.candidate)


def _published(prepared: Prepared, compared: Iterable[int]) -> str:
    candidate = _candidate(prepared, compared)
    zarr_format, format = prepared.plan.template.zarr_format, prepared.plan.template.format
    if format in VIRTUAL:
        table = read_table(prepared.work) or Table((), {})
        objects, _ = spelt(format, table, consolidated(candidate.documents, zarr_format))
        publish_references(prepared.store, format, objects)
    elif prepared.branch is None:
        publish_documents(prepared.store, consolidated(candidate.documents, zarr_format), zarr_format)
    else:
        made = prepared.snapshot or prepared.branch.settle(candidate.documents)
        prepared.branch.publish(made, prepared.main)
    return candidate.path


def _standalone(target_root: Any, store_name: str) -> Context:
    """Make a context for a pipeline that runs outside of a bake."""
    if target_root is None:
        raise RecipeError(
            "StoreToZarr has no target",
            store_name,
            "the pipeline runs outside of 'bakehouse bake'",
            "run it with 'bakehouse bake', or pass target_root",
        )
    return Context(
        as_target(target_root), run_id="standalone", recipe=store_name, prefix=store_name, memory_bytes=MEMORY_BYTES
    )
