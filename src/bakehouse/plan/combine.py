"""Combine what the inputs' headers say into the arrays of one dataset, or say everything that is in the way."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping

from bakehouse.chunks import Span
from bakehouse.errors import PatternError
from bakehouse.patterns import Key
from bakehouse.plan.agree import Members, agree_attrs, agree_dtype, agree_encoding
from bakehouse.plan.asked import CF_KEYS
from bakehouse.plan.findings import Findings, name_both, name_input
from bakehouse.plan.order import check_order
from bakehouse.plan.types import ArrayPlan, Axis, StoreOptions, Template
from bakehouse.schema import DatasetSchema, InputSchema, VariableSchema, freeze

Inputs = Mapping[Key, InputSchema]


def combine(schema: DatasetSchema, dims: Mapping[str, str], options: StoreOptions, label: str = "recipe") -> Template:
    """Combine inputs into a template whose chunks are still to be chosen.

    The result has the dimensions, dtypes, attributes and calendars of ``xarray.concat(…, join="exact",
    compat="equals")`` along the concat dims and ``xarray.merge`` across the merge dims.

    Raises
    ------
    PatternError
        If there are no inputs, or the pattern's index space has holes.
    SchemaError
        If inputs can't be combined without changing what their data mean; it names every reason.
    """
    findings = Findings()
    inputs = _one_per_key(schema, label)
    _check_grid(inputs, dims, label)
    axes = {d: _axis(d, inputs, findings) for d, op in dims.items() if op == "concat"}
    findings.stop_if_any(label)
    names = list(dict.fromkeys(name for key in sorted(inputs) for name, _ in inputs[key].variables))
    arrays = {name: _array(name, inputs, dims, axes, options, findings) for name in names}
    _check_sizes(arrays, inputs, axes, findings)
    if options.check_order:
        for axis in axes.values():
            check_order(axis, inputs, findings)
    attrs = agree_attrs("the dataset", {k: (i, i.attrs) for k, i in inputs.items()}, options.combine_attrs == "identical", findings)
    findings.stop_if_any(label)
    sizes = {d: n for a in arrays.values() for d, n in zip(a.dims, a.shape, strict=True)}
    return Template(arrays, {**attrs, **options.attrs}, axes, sizes, options.zarr_format, tuple(findings.notes))


def _one_per_key(schema: DatasetSchema, label: str) -> dict[Key, InputSchema]:
    if not schema.inputs:
        raise PatternError("the pattern has no inputs", label, None, "give at least one key to every dimension")
    for key, found in schema.inputs.items():
        if len(found) > 1:
            both = sorted(i.url for i in found)[:2]
            raise PatternError("two inputs have the same index", f"{label}, {dict(key)}: {' and '.join(both)}",
                               None, "give every input its own position in the pattern")  # fmt: skip
    return {key: next(iter(found)) for key, found in sorted(schema.inputs.items())}


def _check_grid(inputs: Inputs, dims: Mapping[str, str], label: str) -> None:
    """Insist that every combination of positions is there."""
    for key in inputs:
        if {d for d, _ in key} != set(dims):
            raise PatternError(f"an input is indexed by {sorted(d for d, _ in key)}, combine_dims are {sorted(dims)}", label,
                               None, "pass combine_dims=pattern.combine_dim_keys")  # fmt: skip
    positions = [[(d, p) for p in range(1 + max(dict(k)[d] for k in inputs))] for d in sorted(dims)]
    grid = list(itertools.product(*positions))
    missing = [key for key in grid if key not in inputs]
    if missing:
        raise PatternError(f"{len(missing)} of {len(grid)} inputs are missing from the pattern's grid", f"{label}, first: {dict(missing[0])}",
                           None, "give every position an input; take what the archive lacks out of the pattern's keys")  # fmt: skip


def _axis(dim: str, inputs: Inputs, findings: Findings) -> Axis:
    """Lay the inputs end to end along a concat dimension."""
    lengths: dict[int, tuple[int, Key]] = {}
    has = {key: dict(schema.sizes).get(dim) for key, schema in inputs.items()}
    without = [k for k, n in has.items() if n is None]
    if without and len(without) < len(has):
        present = next(k for k, n in has.items() if n is not None)
        findings.refuse(f"some inputs have the concat dimension '{dim}', others do not",
                        name_both([(present, inputs[present], f"{dim} of length {has[present]}"), (without[0], inputs[without[0]], f"no {dim}")]),
                        f"add it in a preprocessing step: ds.expand_dims('{dim}')")  # fmt: skip
    for key, n in has.items():
        position, length = dict(key)[dim], 1 if n is None else n
        known, first = lengths.setdefault(position, (length, key))
        if known != length:
            findings.refuse(f"inputs at {dim}={position} have different lengths along '{dim}'",
                            name_both([(first, inputs[first], str(known)), (key, inputs[key], str(length))]),
                            "inputs that are merged or joined along another dimension must cover the same range")  # fmt: skip
    spans: dict[int, Span] = {}
    start = 0
    for position in sorted(lengths):
        spans[position] = (start, start := start + lengths[position][0])
    return Axis(dim, spans, new=bool(without))


def _array(name: str, inputs: Inputs, dims: Mapping[str, str], axes: Mapping[str, Axis], options: StoreOptions, findings: Findings) -> ArrayPlan:  # fmt: skip
    """Plan one variable from all inputs that have it."""
    members = {k: (i, s) for k, i in inputs.items() for n, s in i.variables if n == name}
    what = f"'{name}'"
    first_key, (_, first) = min(members.items())
    _check_present(name, members, inputs, dims, findings)
    for key, (schema, variable) in members.items():
        if variable.dims != first.dims:
            findings.refuse(f"{what} has different dimensions", name_both([(first_key, members[first_key][0], str(first.dims)), (key, schema, str(variable.dims))]),
                            "transpose or expand it in a preprocessing step")  # fmt: skip
            break
    expand = tuple(d for d in axes if d not in first.dims and _expands(name, d, first, members, axes, findings))
    runs = tuple(d for d in axes if d in first.dims or d in expand)
    owner = tuple((d, p) for d, p in first_key if d not in runs)
    _check_invariant(name, members, set(dims) - set(runs), findings)
    extents = [e for k, (i, _) in members.items() for n, e in i.extents if n == name]
    dtype = agree_dtype(what, members, findings)
    encoding, raw, why = agree_encoding(what, members, dtype, extents, findings)
    if name in options.encoding and set(options.encoding[name]) & set(CF_KEYS):
        raw, why = None, "the recipe asks for another encoding"
    own = dict(zip(first.dims, _length_of(members[first_key][0], first), strict=True))
    shape = {d: 1 for d in expand} | own | {d: axes[d].size for d in runs}
    attrs = agree_attrs(what, {k: (i, s.attrs) for k, (i, s) in members.items()}, options.combine_attrs == "identical", findings)
    chunks = dict(zip(first.dims, _source_chunks([s for _, s in members.values()]), strict=True))
    return ArrayPlan(
        name, tuple(shape), tuple(shape.values()), dtype, first.coordinate, freeze(attrs), encoding, raw, why,
        tuple(chunks.get(d) if d in chunks else 1 for d in shape), runs, expand, owner,
    )  # fmt: skip


def _length_of(schema: InputSchema, variable: VariableSchema) -> list[int]:
    sizes = dict(schema.sizes)
    return [sizes[d] for d in variable.dims]


def _source_chunks(variants: list[VariableSchema]) -> tuple[int | None, ...]:
    """Give the chunk lengths that all inputs share, None where they differ or have none."""
    known = {v.chunks or (None,) * len(v.dims) for v in variants}
    return tuple(c.pop() if len(c := {chunks[i] for chunks in known}) == 1 else None for i in range(len(variants[0].dims)))


def _expands(name: str, dim: str, schema: VariableSchema, members: Members, axes: Mapping[str, Axis], findings: Findings) -> bool:
    """Say whether a variable without a concat dimension gains it, as xarray decides.

    Data variables gain a dimension that is new. What describes others (coordinates, bounds, grid mappings) gains it
    only where it differs; a dimension's own coordinate never does, nor an array along a dimension that inputs have.
    """
    if axes[dim].new and (not schema.auxiliary or name == dim):
        return True
    gains = _first_difference(name, members, {dim}) is not None and (not schema.dims or (axes[dim].new and name not in schema.dims))
    if gains and schema.dims:
        findings.note(f"'{name}' differs between inputs and gained the dimension '{dim}'")
    return gains


def _check_present(name: str, members: Members, inputs: Inputs, dims: Mapping[str, str], findings: Findings) -> None:
    """Insist that a variable does not appear or vanish along a concat dimension."""
    merge = {d for d, op in dims.items() if op == "merge"}
    owners = {tuple((d, p) for d, p in key if d in merge) for key in members}
    lacking = [k for k in inputs if k not in members and tuple((d, p) for d, p in k if d in merge) in owners]
    if lacking:
        has = min(members)
        findings.refuse(f"variable '{name}' is missing in {len(lacking)} of {len(inputs)} inputs",
                        f"{name_input(lacking[0], inputs[lacking[0]])} lacks it\n{name_input(has, inputs[has])} has it",
                        f"drop it in a preprocessing step: ds.drop_vars('{name}', errors='ignore')")  # fmt: skip


def _first_difference(name: str, members: Members, across: set[str]) -> tuple[Key, Key] | None:
    """Find two inputs that differ in a variable's content though they only differ in the given dimensions."""
    seen: dict[Key, tuple[str | None, Key]] = {}
    for key in sorted(members):
        rest = tuple((d, p) for d, p in key if d not in across)
        digest = dict(members[key][0].digests).get(name)
        known, first = seen.setdefault(rest, (digest, key))
        if known != digest:
            return first, key
    return None


def _check_invariant(name: str, members: Members, across: set[str], findings: Findings) -> None:
    """Insist that a variable is the same in all inputs along the dimensions that it does not run along."""
    if len({tuple((d, p) for d, p in key if d in across) for key in members}) < 2:
        return
    schema, variable = members[min(members)]
    fix = f"regrid, drop or merge it in a preprocessing step; if it truly changes, give it the dimension: ds['{name}'].expand_dims(…)"
    if pair := _first_difference(name, members, across):
        shown = [(k, members[k][0], dict(members[k][0].previews).get(name, "other values")) for k in pair]
        findings.refuse(f"'{name}' differs between inputs, and does not run along {', '.join(sorted(across))}", name_both(shown), fix)
    elif name not in dict(schema.digests) and not variable.auxiliary:
        keys = sorted(members)
        both = [(keys[0], schema, "it"), (keys[-1], members[keys[-1]][0], "it too")]
        findings.refuse(f"data variable '{name}' is in more than one merged input", name_both(both), f"keep it in one of them: ds.drop_vars('{name}')")


def _check_sizes(arrays: Mapping[str, ArrayPlan], inputs: Inputs, axes: Mapping[str, Axis], findings: Findings) -> None:
    """Insist that dimensions other than the concat dims have one length everywhere."""
    met: dict[str, dict[int, Key]] = defaultdict(dict)
    for key, schema in inputs.items():
        used = {d for _, v in schema.variables for d in v.dims}
        for dim, size in schema.sizes:
            if dim not in axes and dim in used:
                met[dim].setdefault(size, key)
    for dim, sizes in met.items():
        if len(sizes) > 1:
            pairs = [(key, inputs[key], f"{dim} of length {size}") for size, key in list(sizes.items())[:2]]
            findings.refuse(f"dimension '{dim}' has different lengths", name_both(pairs), "regrid or cut the inputs in a preprocessing step, or concatenate along it")  # fmt: skip
