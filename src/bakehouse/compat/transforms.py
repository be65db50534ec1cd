"""What `pangeo_forge_recipes.transforms` has, with its documented meaning, on the engine of this package."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
from pangeo_forge_recipes.types import CombineOp, Dimension, Index, Indexed

from bakehouse.compat.combining import CombineReferences
from bakehouse.compat.fsstore import Candidate, FSStore
from bakehouse.compat.opening import OpenURLWithFSSpec, OpenWithXarray
from bakehouse.compat.references import WriteCombinedReference, WriteReference
from bakehouse.compat.scanning import OpenWithKerchunk
from bakehouse.compat.stages import (
    DatasetToSchema,
    DetermineSchema,
    IndexItems,
    PrepareZarrTarget,
    Rechunk,
    StoreDatasetFragments,
    T,
    _NestDim,
)
from bakehouse.compat.targets import RequiredAtRuntimeDefault, ZarrWriterMixin, root_of
from bakehouse.compat.writers import consolidate_dimension_coordinates, consolidate_metadata
from bakehouse.context import current
from bakehouse.errors import RecipeError, UsageError
from bakehouse.transforms import StoreToZarr as Native
from bakehouse.writers.store import CandidateStore

__all__ = [
    "CombineOp",
    "CombineReferences",
    "ConsolidateDimensionCoordinates",
    "ConsolidateMetadata",
    "DatasetToSchema",
    "DetermineSchema",
    "Dimension",
    "Index",
    "IndexItems",
    "Indexed",
    "MapWithConcurrencyLimit",
    "OpenURLWithFSSpec",
    "OpenWithKerchunk",
    "OpenWithXarray",
    "PrepareZarrTarget",
    "Rechunk",
    "RequiredAtRuntimeDefault",
    "StoreDatasetFragments",
    "StoreToZarr",
    "T",
    "WriteCombinedReference",
    "WriteReference",
    "ZarrWriterMixin",
    "_NestDim",
]


@dataclass
class MapWithConcurrencyLimit(beam.PTransform):
    """Call a function with the value of each (index, value), so many at the same time at most.

    Parameters
    ----------
    fn
        The function; what it gives takes the value's place.
    args, kwargs
        Further arguments of every call.
    max_concurrency
        How many calls may be under way; None leaves it to the runner.
    """

    fn: Callable[..., Any]
    args: list[Any] | None = field(default_factory=list)
    kwargs: dict[str, Any] | None = field(default_factory=dict)
    max_concurrency: int | None = None

    def expand(self, pcoll: Any) -> Any:
        """Call it on elements as they come, or group by group."""
        call = _Call(self.fn, tuple(self.args or ()), dict(self.kwargs or {}))
        if not self.max_concurrency:
            return pcoll | "Call" >> beam.Map(call)
        return (
            pcoll
            | "Key" >> beam.Map(_numbered, self.max_concurrency)
            | "Group" >> beam.GroupByKey()
            | "Call" >> beam.FlatMap(call.each)
        )


@dataclass
class _Call:
    fn: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def __call__(self, element: tuple[Any, Any]) -> tuple[Any, Any]:
        return element[0], self.fn(element[1], *self.args, **self.kwargs)

    def each(self, group: tuple[int, Any]) -> Iterator[tuple[Any, Any]]:
        return (self(element) for element in group[1])


def _numbered(element: tuple[Any, Any], groups: int) -> tuple[int, Any]:
    digest = hashlib.sha256(repr(element[0]).encode()).digest()
    return int.from_bytes(digest[:8], "big") % groups, element


@dataclass
class StoreToZarr(beam.PTransform, ZarrWriterMixin):
    """Combine (Index, Dataset) elements into one zarr store: `bakehouse.transforms.StoreToZarr` in upstream's spelling.

    Parameters
    ----------
    combine_dims, store_name, dynamic_chunking_fn_kwargs, encoding
        As in `bakehouse.transforms.StoreToZarr`.
    target_chunks, dynamic_chunking_fn
        As there; a concat dimension that they leave out is cut as its first input is long.
    target_root
        Where to write when the pipeline runs outside of ``bakehouse bake``, which has a target of its own.
    attrs
        Attributes of the store; each name gets the prefix ``pangeo-forge:``, as upstream's do.
    append_dim
        The dimension along which a recipe adds to its store. Upstream appends whatever the pattern lists, once more
        with every run; here a pattern lists all inputs and ``bakehouse update`` takes those that are new, so a store
        that is there already is not built anew from the new inputs alone: that is refused.

    Raises
    ------
    RecipeError, UsageError
        If it can't be meant.
    """

    combine_dims: list[Dimension]
    store_name: str
    target_root: Any = field(default_factory=RequiredAtRuntimeDefault)
    target_chunks: dict[str, int] | None = field(default_factory=dict)
    dynamic_chunking_fn: Callable[..., Any] | None = None
    dynamic_chunking_fn_kwargs: dict[str, Any] | None = field(default_factory=dict)
    attrs: dict[str, Any] = field(default_factory=dict)
    encoding: dict[str, Any] | None = field(default_factory=dict)
    append_dim: str | None = None

    def __post_init__(self) -> None:
        """Refuse what can't be meant."""
        if self.target_chunks and self.dynamic_chunking_fn:
            raise RecipeError(
                "StoreToZarr got both target_chunks and dynamic_chunking_fn", self.store_name, None, "give one of them"
            )
        concats = [d.name for d in self.combine_dims if d.operation is CombineOp.CONCAT]
        if self.append_dim and self.append_dim not in concats:
            cause = f"the pattern concatenates along {', '.join(concats) or 'nothing'}"
            raise RecipeError(f"append_dim is '{self.append_dim}'", self.store_name, cause, "name one of those")

    def expand(self, datasets: Any) -> Any:
        """Store them, and give what later steps know: a store with `path` and `fs`."""
        self._insist_new()
        native = Native(
            self.combine_dims,
            self.store_name,
            root_of(self.target_root),
            self.target_chunks or None,
            self.dynamic_chunking_fn,
            self.dynamic_chunking_fn_kwargs or None,
            {f"pangeo-forge:{name}": value for name, value in (self.attrs or {}).items()},
            self.encoding or None,
            left_out="inputs",
        )
        return datasets | "Store" >> native | "Stored" >> beam.Map(_as_fsstore)

    def _insist_new(self) -> None:
        context = current()
        if self.append_dim and context is not None and context.base and not context.grow and context.mode == "bake":
            raise UsageError(
                f"the store is there already, and the recipe appends along '{self.append_dim}'",
                context.label,
                "a bake makes a version from the inputs of the pattern alone",
                f"list all inputs in the pattern and run: bakehouse update {context.label}",
            )


def _as_fsstore(stored: Any) -> FSStore:
    return Candidate(stored) if isinstance(stored, CandidateStore) else FSStore(str(stored))


class ConsolidateDimensionCoordinates(beam.PTransform):
    """Store each coordinate of a dimension in few chunks: what is baked has them so; other stores are changed."""

    def expand(self, pcoll: Any) -> Any:
        """Change each store that needs it."""
        return pcoll | "Coordinates" >> beam.Map(consolidate_dimension_coordinates)


class ConsolidateMetadata(beam.PTransform):
    """Gather all metadata in the root: what is baked has it so; other stores are changed."""

    def expand(self, pcoll: Any) -> Any:
        """Change each store that needs it."""
        return pcoll | "Metadata" >> beam.Map(consolidate_metadata)
