"""What a published version was made from: enough to plan a new version that keeps most of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from bakehouse.chunks import Span
from bakehouse.patterns import Key
from bakehouse.plan.types import ArrayPlan, Plan, Template
from bakehouse.schema import Attrs, DatasetSchema, Extent, Identity, InputSchema, VariableSchema

ANEW = "build the whole store anew beside the old: bakehouse bake --refresh"
"""What to do where a published version can't be built on."""


@dataclass(frozen=True)
class Known:
    """One input of a published version; `spans` and `extents` say where and what its values are along concat dims.

    `kind` points to what it has in common with others; a `gap` was not there, and fill stands in its place.
    """

    key: Key
    url: str
    identity: Identity
    spans: tuple[tuple[str, Span], ...]
    extents: tuple[tuple[str, Extent], ...] = ()
    digests: tuple[tuple[str, str], ...] = ()
    kind: int = 0
    gap: bool = False


@dataclass(frozen=True)
class Kind:
    """What many inputs have in common: the sizes of their other dimensions, variables and attributes."""

    sizes: tuple[tuple[str, int], ...]
    variables: tuple[tuple[str, VariableSchema], ...]
    attrs: Attrs
    previews: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Base:
    """A published version: its inputs, its arrays as they were planned, and where it lies below the recipe's target.

    `values` are those of small variables that inputs share, by digest, as in `DatasetSchema`. `built_on` names
    the version that it keeps objects of, if it was not made at once.
    """

    version: str
    prefix: str
    digests: Mapping[str, str]
    options: Mapping[str, Any]
    arrays: Mapping[str, ArrayPlan]
    inputs: tuple[Known, ...]
    kinds: tuple[Kind, ...]
    values: Mapping[str, bytes] = field(default_factory=dict)
    built_on: str = ""

    @cached_property
    def by_key(self) -> dict[Key, Known]:
        """Give the inputs by their key."""
        return {known.key: known for known in self.inputs}

    @cached_property
    def last_of_each_kind(self) -> frozenset[Key]:
        """Give the key of the last input of each kind."""
        return frozenset({known.kind: known.key for known in self.inputs if not known.gap}.values())

    @property
    def gaps(self) -> tuple[Known, ...]:
        """List the inputs that were not there."""
        return tuple(known for known in self.inputs if known.gap)


def base_of(plan: Plan, schema: DatasetSchema, earlier: Base | None = None) -> Base:
    """Keep what a plan was made from; inputs that were taken over from an earlier version stay as it has them."""
    template = plan.template
    fresh = {key: next(iter(found)) for key, found in sorted(schema.inputs.items())}
    attrs = _common(schema for schema in fresh.values() if not schema.gap)
    kinds: dict[Kind, int] = {kind: i for i, kind in enumerate(earlier.kinds if earlier else ())}
    known = dict(earlier.by_key) if earlier else {}
    alike: dict[tuple[Any, ...], int] = {}
    for key, found in fresh.items():
        shared = (id(found.variables), id(found.previews), found.sizes)  # most inputs have these objects in common
        if shared not in alike:
            alike[shared] = kinds.setdefault(_kind(found, template, attrs), len(kinds))
        known[key] = _known(key, found, template, alike[shared])
    inputs = tuple(known[key] for key in sorted(known))
    values = {**(earlier.values if earlier else {}), **schema.values}
    built_on = plan.growth.version if plan.growth else ""
    return Base(
        plan.version, plan.prefix, plan.digests, plan.options, template.arrays, inputs, tuple(kinds), values, built_on
    )


def _known(key: Key, found: InputSchema, template: Template, kind: int) -> Known:
    place = dict(key)
    spans = tuple((d, axis.spans[place[d]]) for d, axis in template.axes.items())
    return Known(key, found.url, found.identity, spans, found.extents, found.digests, kind, found.gap)


def _common(schemas: Iterable[InputSchema]) -> Attrs:
    """Give the dataset attributes that all inputs share."""
    shared: Attrs | None = None
    for schema in {id(schema.attrs): schema for schema in schemas}.values():
        shared = schema.attrs if shared is None else tuple(a for a in shared if a in schema.attrs)
    return shared or ()


def _kind(found: InputSchema, template: Template, attrs: Attrs) -> Kind:
    sizes = tuple((d, n) for d, n in found.sizes if d not in template.axes)
    variables = tuple((name, _as_planned(v, template.arrays[name])) for name, v in found.variables)
    return Kind(sizes, variables, attrs, found.previews)


def _as_planned(variable: VariableSchema, array: ArrayPlan) -> VariableSchema:
    """Describe a variable as all inputs together have it, and as the store keeps it."""
    chunks = tuple(c for d, c in zip(array.dims, array.source_chunks, strict=True) if d in variable.dims)
    known = tuple(c for c in chunks if c is not None)
    return replace(
        variable,
        dtype=array.dtype,
        attrs=array.attrs,
        encoding=array.encoding,
        raw=array.raw,
        why=array.why,
        chunks=known if len(known) == len(variable.dims) else None,
        stored=None,
        stays="",
    )
