"""Upstream's lower transforms, for recipes that put a pipeline together themselves.

`StoreToZarr` needs none of them. They carry arrays through Beam, as upstream's do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import apache_beam as beam
from pangeo_forge_recipes.aggregation import dataset_to_schema, schema_to_zarr
from pangeo_forge_recipes.combiners import CombineXarraySchemas
from pangeo_forge_recipes.patterns import augment_index_with_start_stop
from pangeo_forge_recipes.rechunking import combine_fragments, split_fragment
from pangeo_forge_recipes.storage import FSSpecTarget
from pangeo_forge_recipes.types import CombineOp, Dimension, Index

from bakehouse.compat.writers import store_dataset_fragment

T = TypeVar("T")
"""What an index goes with: `Indexed[T]`."""


class DatasetToSchema(beam.PTransform):
    """Turn each Dataset into upstream's schema of it."""

    def expand(self, pcoll: Any) -> Any:
        """Describe each."""
        return pcoll | "Schema" >> beam.MapTuple(_with_schema)


def _with_schema(index: Index, dataset: Any) -> tuple[Index, Any]:
    return index, dataset_to_schema(dataset)


@dataclass
class DetermineSchema(beam.PTransform):
    """Combine the schemas of all Datasets along one dimension after the other.

    Parameters
    ----------
    combine_dims
        The pattern's `combine_dim_keys`.
    """

    combine_dims: list[Dimension]

    def expand(self, pcoll: Any) -> Any:
        """Combine the innermost dimension first."""
        first, *inner = self.combine_dims
        schemas = pcoll | "Describe" >> DatasetToSchema()
        for dim in reversed(inner):
            nested = schemas | f"Nest {dim.name}" >> _NestDim(dim)
            schemas = nested | f"Combine {dim.name}" >> beam.CombinePerKey(CombineXarraySchemas(dim))
        return schemas | "Combine" >> beam.CombineGlobally(CombineXarraySchemas(first))


@dataclass
class _NestDim(beam.PTransform):
    """Take one dimension out of each index, to group by what is left."""

    dimension: Dimension

    def expand(self, pcoll: Any) -> Any:
        return pcoll | "Nest" >> beam.Map(_nested, self.dimension)


def _nested(element: tuple[Index, Any], dim: Dimension) -> tuple[Index, tuple[Index, Any]]:
    index, value = element
    outer = Index({d: p for d, p in index.items() if d != dim})
    return outer, (Index({dim: index[dim]}), value)


@dataclass
class IndexItems(beam.PTransform):
    """Say in each index where along its concat dimensions the Dataset begins, in elements.

    Parameters
    ----------
    schema
        What `DetermineSchema` gives.
    append_offset
        Elements that the target has already.
    """

    schema: Any
    append_offset: int = 0

    def expand(self, pcoll: Any) -> Any:
        """Index each."""
        return pcoll | "Index" >> beam.Map(_indexed, beam.pvalue.AsSingleton(self.schema), self.append_offset)


def _indexed(element: tuple[Index, Any], schema: Mapping[str, Any], offset: int) -> tuple[Index, Any]:
    index, dataset = element
    found = Index()
    for dim, position in index.items():
        if dim.operation is CombineOp.CONCAT:
            lengths = schema["chunks"][dim.name]
            position = augment_index_with_start_stop(position, [lengths[n] for n in range(len(lengths))], offset)
        found[dim] = position
    return found, dataset


@dataclass
class PrepareZarrTarget(beam.PTransform):
    """Write the metadata of a store from a schema.

    Parameters
    ----------
    target
        A URL, a path or an `FSSpecTarget`.
    target_chunks, attrs, encoding, append_dim
        As in `StoreToZarr`.
    consolidated_metadata
        Accepted for upstream's sake, which does not look at it either.
    """

    target: Any
    target_chunks: dict[str, int] | None = field(default_factory=dict)
    attrs: dict[str, str] = field(default_factory=dict)
    consolidated_metadata: bool | None = True
    encoding: dict[str, Any] | None = field(default_factory=dict)
    append_dim: str | None = None

    def expand(self, pcoll: Any) -> Any:
        """Write it, and pass the store on."""
        target = FSSpecTarget.from_url(self.target) if isinstance(self.target, str) else self.target
        return pcoll | "Prepare" >> beam.Map(
            schema_to_zarr,
            target_store=target.get_mapper(),
            target_chunks=self.target_chunks,
            attrs=self.attrs,
            consolidated_metadata=False,
            encoding=self.encoding,
            append_dim=self.append_dim,
        )


@dataclass
class StoreDatasetFragments(beam.PTransform):
    """Write Datasets that `IndexItems` has indexed into a store that `PrepareZarrTarget` has made.

    Parameters
    ----------
    target_store
        What `PrepareZarrTarget` gives.
    """

    target_store: Any

    def expand(self, pcoll: Any) -> Any:
        """Write each."""
        return pcoll | "Fragments" >> beam.Map(store_dataset_fragment, beam.pvalue.AsSingleton(self.target_store))


@dataclass
class Rechunk(beam.PTransform):
    """Cut and group indexed Datasets so that each covers one target chunk.

    Parameters
    ----------
    target_chunks
        Dimension to chunk length, or a side input of that.
    schema
        What `DetermineSchema` gives.
    """

    target_chunks: Any
    schema: Any

    def expand(self, pcoll: Any) -> Any:
        """Cut, group and combine."""
        return (
            pcoll
            | "Cut" >> beam.FlatMap(split_fragment, self.target_chunks, beam.pvalue.AsSingleton(self.schema))
            | "Group" >> beam.GroupByKey()
            | "Combine" >> beam.MapTuple(combine_fragments)
        )
