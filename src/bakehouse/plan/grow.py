"""Plan a version that keeps most of a published one: new inputs after its last, changed inputs, filled gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from bakehouse.chunks import Span
from bakehouse.errors import SchemaError
from bakehouse.patterns import Key
from bakehouse.plan.agree import UNITS
from bakehouse.plan.base import ANEW, Base, Known
from bakehouse.plan.combine import combine
from bakehouse.plan.kept import Run, growing_dim, with_base
from bakehouse.plan.tasks import cell_edges, make_tasks, reached
from bakehouse.plan.types import ArrayPlan, Growth, Plan, PlannedInput, StoreOptions, Template
from bakehouse.plan.version import digest, digest_inputs, said, version_of
from bakehouse.schema import DatasetSchema, thaw

TIMES = ("datetime64", "cftime")


def grow_plan(
    schema: DatasetSchema,
    dims: Mapping[str, str],
    options: StoreOptions,
    base: Base,
    *,
    memory_bytes: int,
    recipe_digest: str = "",
    label: str = "recipe",
    store_url: str = "",
) -> Plan:
    """Plan what new and changed inputs bring to a published version; `schema` holds those inputs only.

    Inputs that only follow those of the base are appended at its prefix. Anything else makes a prefix of its own, but
    for repositories of snapshots, which hold every version.

    Raises
    ------
    SchemaError, PatternError
        If the inputs do not fit what is stored, or change where kept values lie.
    """
    _insist_same_options(options, base, label)
    along = growing_dim(schema, base, dims, label)
    united, runs = with_base(schema, base, along, store_url)
    template = _fitted(combine(united, dims, options, label), base, schema, label)
    _insist_units(schema, base, label)
    _insist_in_place(template, runs, schema, base, label)
    inputs = _inputs(schema, base)
    digests = {"inputs": digest_inputs(inputs), "recipe": recipe_digest, "options": base.digests["options"]}
    tasks = make_tasks(template, memory_bytes, only=set(_fresh_boxes(schema, template, runs, along, memory_bytes)))
    version = version_of(digests, base.prefix) if tasks and digests != base.digests else base.version
    appends = _follow(schema, base, along) and not _shrinks(template, base)
    in_place = appends or options.format == "icechunk"
    prefix = base.prefix if in_place else f"{version}.zarr"
    growth = Growth(base.version, base.prefix, along, _length(base, along), in_place, tuple(runs), appends)
    return Plan(version, prefix, template, inputs, tasks, base.options, digests, growth)


def _insist_same_options(options: StoreOptions, base: Base, label: str) -> None:
    """Refuse other options: they would lay the store out differently. Chunks that a function chose are kept."""
    wanted, has = said(options), dict(base.options)
    if options.dynamic_chunking_fn:
        wanted["target_chunks"] = has.get("target_chunks")
    if digest(wanted) == base.digests["options"]:
        return
    name = next(n for n in sorted({*wanted, *has}) if digest(wanted.get(n)) != digest(has.get(n)))
    raise SchemaError(
        f"the recipe now says {name}={wanted.get(name)!r}; the store was made with {name}={has.get(name)!r}",
        label,
        "an update keeps the layout of the version that it builds on",
        ANEW,
    )


def _fitted(template: Template, base: Base, fresh: DatasetSchema, label: str) -> Template:
    """Lay arrays out as the store has them, and insist that they are stored alike."""
    for name in sorted(set(template.arrays) ^ set(base.arrays)):
        there = "the store has it, the new inputs lack it" if name in base.arrays else "the store does not have it"
        raise SchemaError(f"variable '{name}': {there}", f"{label}, {_first_url(fresh)}", None, ANEW)
    arrays = {name: _fit(array, base.arrays[name], fresh, label) for name, array in template.arrays.items()}
    return replace(template, arrays=arrays)


def _fit(array: ArrayPlan, known: ArrayPlan, fresh: DatasetSchema, label: str) -> ArrayPlan:
    if array.dtype.startswith(TIMES) and array.encoding != known.encoding:
        array = replace(array, encoding=known.encoding, raw=None, why="times are stored in the store's units")
    for what in ("dims", "dtype", "encoding"):
        if getattr(array, what) != getattr(known, what):
            _refuse(array, known, what, fresh, label)
    return replace(array, chunks=known.chunks, shards=known.shards, stored=known.stored, stays=known.stays)


def _refuse(array: ArrayPlan, known: ArrayPlan, what: str, fresh: DatasetSchema, label: str) -> None:
    """Say what the store has and what the first new input has that differs from it."""
    url, mine = _first_url(fresh), getattr(array, what)
    theirs = getattr(known, what)
    for found in (next(iter(each)) for _, each in sorted(fresh.inputs.items())):
        said = getattr(dict(found.variables).get(array.name), what, theirs)
        if said != theirs:
            url, mine = found.url, said
            break
    if what == "encoding":
        has, gets = thaw(theirs), thaw(mine)
        keys = [key for key in sorted({*has, *gets}) if has.get(key) != gets.get(key)]
        what, theirs, mine = ", ".join(keys), [has.get(k) for k in keys], [gets.get(k) for k in keys]
    raise SchemaError(
        f"'{array.name}' is stored with {what} {_shown(theirs)}, a new input has {_shown(mine)}",
        f"{label}, {url}",
        "an update can't change how values are stored that are published",
        f"convert the input in a preprocessing step, or {ANEW}",
    )


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _first_url(fresh: DatasetSchema) -> str:
    return next((next(iter(found)).url for _, found in sorted(fresh.inputs.items())), "the inputs that are kept")


def _insist_units(fresh: DatasetSchema, base: Base, label: str) -> None:
    """Refuse times that the store's units can't hold as whole numbers, before anything is written."""
    for _, found in sorted(fresh.inputs.items()):
        for schema in found:
            for name, extent in schema.extents:
                said = thaw(base.arrays[name].encoding) if name in base.arrays else {}
                unit = str(said.get("units", "")).partition(" since ")[0]
                whole = not str(said.get("dtype", "int64")).startswith("float")
                if whole and extent.unit and unit in UNITS and UNITS.index(extent.unit) > UNITS.index(unit):
                    raise SchemaError(
                        f"'{name}' is stored in whole {unit}, a new input has {extent.unit}: {extent.shown[0]}",
                        f"{label}, {schema.url}",
                        f"the store has '{said['units']}' as {said.get('dtype', 'int64')}",
                        f"{ANEW}, with encoding={{'{name}': {{'units': '{extent.unit} since …', 'dtype': 'int64'}}}}",
                    )


def _insist_in_place(
    template: Template, runs: Mapping[Key, Run], schema: DatasetSchema, base: Base, label: str
) -> None:
    """Insist that kept inputs stay where they are in the store."""
    for key, run in runs.items():
        for d, axis in template.axes.items():
            now, before = axis.spans[dict(key)[d]], (dict(run[0].spans)[d][0], dict(run[-1].spans)[d][1])
            if now != before:
                where, cause = _mover(template, d, schema, base)
                raise SchemaError(
                    f"values of {run[-1].url} would move from {d} {before[0]}:{before[1]} to {now[0]}:{now[1]}",
                    f"{label}, {where}",
                    cause,
                    ANEW,
                )


def _mover(template: Template, dim: str, schema: DatasetSchema, base: Base) -> tuple[str, str]:
    """Name the input that changed its length, with both lengths."""
    for key, found in sorted(schema.inputs.items()):
        known, (start, stop) = base.by_key.get(key), template.axes[dim].spans[dict(key)[dim]]
        if known and (length := dict(known.spans)[dim][1] - dict(known.spans)[dim][0]) != stop - start:
            return next(iter(found)).url, f"it had {length} elements along '{dim}', it has {stop - start}"
    return _first_url(schema), "new inputs lie before those that are stored"


def apart(plan: Plan) -> Plan:
    """Give a plan a prefix of its own, where it can't add to the one that it builds on."""
    if plan.growth is None:
        return plan
    return replace(plan, prefix=f"{plan.version}.zarr", growth=replace(plan.growth, in_place=False))


def _length(base: Base, dim: str) -> int:
    return max((stop for known in base.inputs for d, (_, stop) in known.spans if d == dim), default=0)


def _follow(schema: DatasetSchema, base: Base, along: str) -> bool:
    """Say whether new inputs lie behind all that are stored."""
    last = max((dict(known.key).get(along, 0) for known in base.inputs), default=-1)
    return all(dict(key).get(along, 0) > last for key in schema.inputs)


def _shrinks(template: Template, base: Base) -> bool:
    return any(template.sizes[d] < n for a in base.arrays.values() for d, n in zip(a.dims, a.shape, strict=True))


def _inputs(schema: DatasetSchema, base: Base) -> tuple[PlannedInput, ...]:
    """List all inputs of the new version: those that are kept, and the new state of the others."""
    planned = {known.key: _planned(known) for known in base.inputs}
    planned |= {k: PlannedInput(k, i.url, i.identity, i.gap) for k, found in schema.inputs.items() for i in found}
    return tuple(planned[key] for key in sorted(planned))


def _planned(known: Known) -> PlannedInput:
    return PlannedInput(known.key, known.url, known.identity, known.gap)


def _is_vouched_for(array: ArrayPlan, key: Key, runs: Mapping[Key, Run], along: str) -> bool:
    """Say whether a kept input has the very part of an array that a new one brings, so that both were compared."""
    shared = [(d, p) for d, p in key if d in array.runs] + [(d, p) for d, p in array.owner if d != along]
    return any(all(place in kept for place in shared) for kept, run in runs.items() if not run[0].gap)


def _fresh_boxes(
    schema: DatasetSchema, template: Template, runs: Mapping[Key, Run], along: str, memory_bytes: int
) -> Iterator[tuple[str, tuple[Span, ...]]]:
    """List the boxes that new values fall into."""
    for name, array in template.arrays.items():
        grid = cell_edges(array, template.axes, memory_bytes)
        for key in schema.inputs:
            mine = all((d, p) in key for d, p in array.owner)
            if mine and (along in array.runs or not _is_vouched_for(array, key, runs, along)):
                yield from ((name, spans) for spans in reached(array, template.axes, dict(key), grid))
