"""One variable from all inputs that have it: its dimensions, dtype, attributes, encoding and source chunks."""

from __future__ import annotations

from collections.abc import Mapping

from bakehouse.patterns import Key
from bakehouse.plan.agree import Members, agree_attrs, agree_dtype, agree_encoding
from bakehouse.plan.axes import Inputs
from bakehouse.plan.findings import Findings, name_both, name_input
from bakehouse.plan.types import CF_KEYS, ArrayPlan, Axis, StoreOptions
from bakehouse.schema import Attrs, VariableSchema, freeze


def plan_array(
    name: str,
    inputs: Inputs,
    dims: Mapping[str, str],
    axes: Mapping[str, Axis],
    options: StoreOptions,
    findings: Findings,
) -> ArrayPlan:
    """Plan one variable; chunks are still to be chosen."""
    members = {k: (i, s) for k, i in inputs.items() for n, s in i.variables if n == name}
    first_key = min(members)
    first = members[first_key][1]
    _check_present(name, members, inputs, dims, findings)
    _check_dims(name, members, findings)
    expand = tuple(d for d in axes if d not in first.dims and _expands(name, d, first, members, axes, findings))
    runs = tuple(d for d in axes if d in first.dims or d in expand)
    _check_invariant(name, members, {d: op for d, op in dims.items() if d not in runs}, findings)
    dtype, encoding, raw, why = _stored(name, members, options, findings)
    shape = _shape(members, expand, {d: axes[d].size for d in runs})
    strict = options.combine_attrs == "identical"
    attrs = agree_attrs(f"'{name}'", {k: (i, s.attrs) for k, (i, s) in members.items()}, strict, findings)
    chunks = _source_chunks(first.dims, [s for _, s in members.values()])
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
    )


def _stored(
    name: str, members: Members, options: StoreOptions, findings: Findings
) -> tuple[str, Attrs, str | None, str]:
    """Choose dtype and encoding; what the recipe asks for overrules what the sources have."""
    extents = [e for i, _ in members.values() for n, e in i.extents if n == name]
    dtype = agree_dtype(f"'{name}'", members, findings)
    encoding, raw, why = agree_encoding(f"'{name}'", members, dtype, extents, findings)
    if set(options.encoding.get(name, ())) & set(CF_KEYS):
        return dtype, encoding, None, "the recipe asks for another encoding"
    return dtype, encoding, raw, why


def _shape(members: Members, expand: tuple[str, ...], lengths: Mapping[str, int]) -> dict[str, int]:
    """Give dimensions and lengths: gained dimensions first, then those of the inputs."""
    schema, first = members[min(members)]
    sizes = dict(schema.sizes)
    return {d: 1 for d in expand} | {d: sizes[d] for d in first.dims} | dict(lengths)


def _source_chunks(dims: tuple[str, ...], variants: list[VariableSchema]) -> dict[str, int | None]:
    """Give the chunk lengths that all inputs share, None where they differ or have none."""
    known = [dict(zip(dims, v.chunks or (None,) * len(dims), strict=True)) for v in set(variants)]
    return {d: known[0][d] if len({chunks[d] for chunks in known}) == 1 else None for d in dims}


def _check_dims(name: str, members: Members, findings: Findings) -> None:
    first = min(members)
    for key, (schema, variable) in members.items():
        if variable.dims != members[first][1].dims:
            shown = [(first, members[first][0], str(members[first][1].dims)), (key, schema, str(variable.dims))]
            fix = "transpose or expand it in a preprocessing step"
            return findings.refuse(f"'{name}' has different dimensions", name_both(shown), fix)
    return None


def _expands(
    name: str, dim: str, schema: VariableSchema, members: Members, axes: Mapping[str, Axis], findings: Findings
) -> bool:
    """Say whether a variable without a concat dimension gains it, as xarray decides.

    Data variables gain a dimension that is new. What describes others (coordinates, bounds, grid mappings) gains it
    only where it differs; a dimension's own coordinate never does, nor an array along a dimension that inputs have.
    """
    if axes[dim].new and (not schema.auxiliary or name == dim):
        return True
    gains = _first_difference(name, members, {dim}) is not None and (
        not schema.dims or (axes[dim].new and name not in schema.dims)
    )
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
        findings.refuse(
            f"variable '{name}' is missing in {len(lacking)} of {len(inputs)} inputs",
            f"{name_input(lacking[0], inputs[lacking[0]])} lacks it\n{name_input(has, inputs[has])} has it",
            f"drop it in a preprocessing step: ds.drop_vars('{name}', errors='ignore')",
        )


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


def _check_invariant(name: str, members: Members, across: Mapping[str, str], findings: Findings) -> None:
    """Insist that a variable is the same in all inputs along the dimensions that it does not run along.

    A plan that reads no data has no digests of large fields, and takes them to be the same.
    """
    if len({tuple((d, p) for d, p in key if d in across) for key in members}) < 2:
        return
    schema, variable = members[min(members)]
    fix = f"regrid or drop it in a preprocessing step, or give it the dimension: ds['{name}'].expand_dims(…)"
    if pair := _first_difference(name, members, set(across)):
        shown = [(k, members[k][0], dict(members[k][0].previews).get(name, "other values")) for k in pair]
        findings.refuse(
            f"'{name}' differs between inputs, and does not run along {', '.join(sorted(across))}",
            name_both(shown),
            fix,
        )
    elif name not in dict(schema.digests) and not variable.auxiliary and "concat" not in across.values():
        keys = sorted(members)
        both = [(keys[0], schema, "it"), (keys[-1], members[keys[-1]][0], "it too")]
        findings.refuse(
            f"data variable '{name}' is in more than one merged input",
            name_both(both),
            f"keep it in one of them: ds.drop_vars('{name}')",
        )
