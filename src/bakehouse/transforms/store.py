"""StoreToZarr: from (Index, Dataset) elements to one store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from bakehouse.context import MEMORY_BYTES, Context, current
from bakehouse.errors import RecipeError
from bakehouse.patterns import Dimension, combine_dims_of
from bakehouse.plan.types import StoreOptions
from bakehouse.schema import merge_all
from bakehouse.storage import Target
from bakehouse.transforms.steps import Compare, Describe, Prepare, Route, Write
from bakehouse.writers.publish import consolidated, publish_documents
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
            raise RecipeError(
                "StoreToZarr got both target_chunks and dynamic_chunking_fn", None, None, "give one of them"
            )
        if self.zarr_format not in (None, 2, 3):
            raise RecipeError(f"zarr_format is {self.zarr_format}", None, None, "use 2 or 3")

    def options(self, context: Context) -> StoreOptions:
        """Give the store's options, with the project's defaults where the recipe is silent."""
        return StoreOptions(
            self.store_name,
            dict(self.target_chunks or {}),
            self.shards,
            dict(self.encoding or {}),
            dict(self.attrs or {}),
            self.zarr_format or context.defaults.get("zarr_format", 3),
            self.combine_attrs,
            self.check_order,
            self.dynamic_chunking_fn,
            dict(self.dynamic_chunking_fn_kwargs or {}),
        )

    def expand(self, pcoll: Any) -> Any:
        """Survey, plan, route, write, compare."""
        inside = current()
        context = inside or _standalone(self.target_root, self.store_name)
        dims = combine_dims_of(list(self.combine_dims))
        described = pcoll | "Describe" >> beam.ParDo(Describe(context, dims))
        surveyed = described | "Schema" >> beam.MapTuple(lambda schema, fragment: schema)
        prepared = (
            surveyed
            | "Merge" >> beam.CombineGlobally(merge_all)
            | "Plan" >> beam.Map(Prepare(context, dims, self.options(context)))
        )
        if context.mode == "plan":
            return prepared
        fragments = described | "Fragment" >> beam.MapTuple(lambda schema, fragment: fragment)
        side = beam.pvalue.AsSingleton(prepared)
        routed = fragments | "Route" >> beam.ParDo(Route(context), side) | "Gather" >> beam.GroupByKey()
        written = routed | "Write" >> beam.ParDo(Write(context.mode), side) | "Count" >> beam.CombineGlobally(sum)
        compared = (
            routed
            | "Compare" >> beam.ParDo(Compare(context.level), side, beam.pvalue.AsSingleton(written))
            | "Sum" >> beam.CombineGlobally(sum)
        )
        finished = prepared | "Candidate" >> beam.Map(_candidate, beam.pvalue.AsSingleton(compared))
        return finished if inside else finished | "Publish" >> beam.Map(_publish_now, side)


def _candidate(prepared: Prepared, compared: int) -> CandidateStore:
    return CandidateStore(prepared.store, prepared.documents, prepared.candidate)


def _publish_now(candidate: CandidateStore, prepared: Prepared) -> str:
    publish_documents(
        prepared.store,
        consolidated(candidate.documents, prepared.plan.template.zarr_format),
        prepared.plan.template.zarr_format,
    )
    return candidate.path


def _standalone(target_root: Any, store_name: str) -> Context:
    """Make a context for a pipeline that runs outside of a bake."""
    root = getattr(target_root, "root_path", target_root)
    if root is None:
        raise RecipeError(
            "StoreToZarr has no target",
            store_name,
            "the pipeline runs outside of 'bakehouse bake'",
            "run it with 'bakehouse bake', or pass target_root",
        )
    return Context(
        Target(str(root)), run_id="standalone", recipe=store_name, prefix=store_name, memory_bytes=MEMORY_BYTES
    )
