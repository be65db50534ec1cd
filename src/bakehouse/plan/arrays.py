"""One variable from all inputs that have it: its dimensions, dtype, attributes, encoding and source chunks."""

from __future__ import annotations

from collections.abc import Mapping

from bakehouse.patterns import Key
from bakehouse.plan.agree import Members, agree_attrs, agree_dtype, agree_encoding, variants_of
from bakehouse.plan.axes import Inputs
from bakehouse.plan.findings import Findings, name_both
from bakehouse.plan.present import check_present, fillable, lacking_inputs
from bakehouse.plan.tolerance import COMPARED, Sameness
from bakehouse.plan.types import CF_KEYS, ArrayPlan, Axis, StoreOptions
from bakehouse.schema import Attrs, InputSchema, VariableSchema, freeze


def plan_array(
    name: str,
    members: Members,
    inputs: Inputs,
    dims: Mapping[str, str],
    axes: Mapping[str, Axis],
    options: StoreOptions,
    same: Sameness,
    findings: Findings,
) -> ArrayPlan:
    """Plan one variable; chunks are still to be chosen."""
    first_key, (_, first) = next(iter(members.items()))
    variants = variants_of(members)
    _check_dims(name, variants, findings)
    expand = tuple(d for d in axes if d not in first.dims and _expands(name, d, first, members, axes, same, findings))
    runs = tuple(d for d in axes if d in first.dims or d in expand)
    _check_invariant(name, members, {d: op for d, op in dims.items() if d not in runs}, same, findings)
    dtype, encoding, raw, why = _stored(name, members, variants, axes, options, findings)
    lacking = lacking_inputs(members, inputs, dims)
    fills = check_present(name, lacking, members, inputs, [axes[d] for d in runs], options, findings)
    if fills and not all(name in dict(inputs[key].extents) for key in lacking):
        encoding, raw, why = fillable(name, dtype, encoding, raw, why, options, findings)
    shape = _shape(members, expand, {d: axes[d].size for d in runs})
    strict = options.combine_attrs == "identical"
    attrs = agree_attrs(f"'{name}'", {k: (i, s.attrs) for k, (i, s) in variants.items()}, strict, findings)
    chunks = {d: _source_length(d, variants, axes) for d in first.dims}
    return ArrayPlan(
        name=name,
        dims=tuple(shape),
        shape=tuple(shape.values()),
        dtype=dtype,
        coordinate=first.coordinate,
        attrs=freeze(attrs),
        encoding=encoding,
        raw=raw,
        why=why,
        source_chunks=tuple(chunks.get(d, 1) for d in shape),
        runs=runs,
        expand=expand,
        owner=tuple((d, p) for d, p in first_key if d not in runs),
        fills=fills,
    )


def _stored(
    name: str, members: Members, variants: Members, axes: Mapping[str, Axis], options: StoreOptions, findings: Findings
) -> tuple[str, Attrs, str | None, str]:
    """Choose dtype and encoding; what the recipe asks for overrules what the sources have."""
    extents = [e for i, _ in members.values() for n, e in i.extents if n == name] if name in axes else []
    dtype = agree_dtype(f"'{name}'", variants, findings)
    encoding, raw, why = agree_encoding(f"'{name}'", variants, dtype, extents, findings)
    if set(options.encoding.get(name, ())) & set(CF_KEYS):
        return dtype, encoding, None, "the recipe asks for another encoding"
    return dtype, encoding, raw, why


def _shape(members: Members, expand: tuple[str, ...], lengths: Mapping[str, int]) -> dict[str, int]:
    """Give dimensions and lengths: gained dimensions first, then those of the inputs."""
    schema, first = next(iter(members.values()))
    sizes = dict(schema.sizes)
    return {d: 1 for d in expand} | {d: sizes[d] for d in first.dims} | dict(lengths)


def _source_length(dim: str, variants: Members, axes: Mapping[str, Axis]) -> int | None:
    """Give the chunk length that all inputs share, None where they differ or have none.

    Inputs at the end that are shorter than a chunk say nothing of it: the end of the store cuts its last chunk, too.
    """
    spans = axes[dim].spans if dim in axes else {}
    last = max(spans, key=lambda position: spans[position][1], default=None)
    known = [
        (dict(zip(v.dims, v.chunks or (), strict=False)).get(dim), i, dict(key)) for key, (i, v) in variants.items()
    ]
    cut = {c for c, i, place in known if c and place.get(dim) == last and c == dict(i.sizes).get(dim)}
    rest = {c for c, i, place in known if not (c in cut and place.get(dim) == last)} or cut
    shared = rest.pop() if len(rest) == 1 else None
    return shared if shared and all(c <= shared for c in cut) else None


def _check_dims(name: str, members: Members, findings: Findings) -> None:
    first = next(iter(members))
    for key, (schema, variable) in members.items():
        if variable.dims != members[first][1].dims:
            shown = [(first, members[first][0], str(members[first][1].dims)), (key, schema, str(variable.dims))]
            fix = "transpose or expand it in a preprocessing step"
            return findings.refuse(f"'{name}' has different dimensions", name_both(shown), fix)
    return None


def _expands(
    name: str,
    dim: str,
    schema: VariableSchema,
    members: Members,
    axes: Mapping[str, Axis],
    same: Sameness,
    findings: Findings,
) -> bool:
    """Say whether a variable without a concat dimension gains it, as xarray decides.

    Data variables gain a dimension that is new. What describes others (coordinates, bounds, grid mappings) gains it
    only where it differs; a dimension's own coordinate never does, nor an array along a dimension that inputs have.
    """
    if axes[dim].new and (not schema.auxiliary or name == dim):
        return True
    may_gain = not schema.dims or (axes[dim].new and name not in schema.dims)
    gains = may_gain and _first_difference(name, members, {dim}, same) is not None
    if gains and schema.dims:
        findings.note(f"'{name}' differs between inputs and gained the dimension '{dim}'")
    return gains


def _first_difference(name: str, members: Members, across: set[str], same: Sameness) -> tuple[Key, Key] | None:
    """Find two inputs that differ in a variable's content though they only differ in the given dimensions."""
    seen: dict[Key, Key] = {}
    for key, member in members.items():
        first = seen.setdefault(tuple((d, p) for d, p in key if d not in across), key)
        if first != key and not same.holds(name, members[first], member):
            return first, key
    return None


def _check_invariant(
    name: str, members: Members, across: Mapping[str, str], same: Sameness, findings: Findings
) -> None:
    """Insist that a variable is the same in all inputs along the dimensions that it does not run along.

    A plan that reads no data has no digests of large fields, and takes them to be the same.
    """
    if len({tuple((d, p) for d, p in key if d in across) for key in members}) < 2:
        return
    schema, variable = next(iter(members.values()))
    fix = f"regrid or drop it in a preprocessing step, or give it the dimension: ds['{name}'].expand_dims(…)"
    if variable.auxiliary and variable.dtype.startswith(("float", "int", "uint")):
        fix += f"; what differs by rounding only, take from the first input: coordinate_tolerance={{'{name}': …}}"
    if pair := _first_difference(name, members, set(across), same):
        findings.refuse(
            f"'{name}' differs between inputs, and does not run along {', '.join(sorted(across))}",
            name_both(_shown(name, pair, members, same)),
            fix,
            _how_far(name, pair, members, same),
        )
    elif name not in dict(schema.digests) and not variable.auxiliary and "concat" not in across.values():
        keys = sorted(members)
        both = [(keys[0], schema, "it"), (keys[-1], members[keys[-1]][0], "it too")]
        findings.refuse(
            f"data variable '{name}' is in more than one merged input",
            name_both(both),
            f"keep it in one of them: ds.drop_vars('{name}')",
        )
    else:
        same.note(name, members, set(across), findings)


def _shown(name: str, pair: tuple[Key, Key], members: Members, same: Sameness) -> list[tuple[Key, InputSchema, str]]:
    """Show what two inputs have: the values that are furthest apart, or the first ones where no others are at hand."""
    previews = [dict(members[k][0].previews).get(name, "other values") for k in pair]
    if found := same.difference(name, *(members[k] for k in pair)):
        place = f"[{', '.join(map(str, found.place))}]" if found.place else ""
        previews = [f"{name}{place} = {v}; {text}" for v, text in zip(found.values, previews, strict=True)]
    return [(k, members[k][0], text) for k, text in zip(pair, previews, strict=True)]


def _how_far(name: str, pair: tuple[Key, Key], members: Members, same: Sameness) -> str | None:
    """Say how far two inputs are apart, and what the recipe allows."""
    found, allowed = same.difference(name, *(members[k] for k in pair)), same.tolerance(name, members[pair[0]])
    if found:
        more = f", more than the tolerance of {allowed:g}" if allowed else ""
        return f"the largest difference is {found.size:g}{more}"
    return f"within a tolerance are compared up to {COMPARED} numbers of the same shape" if allowed else None
