"""The index space: one input per position, a full grid, and concat dimensions laid end to end."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping

from bakehouse.chunks import Span
from bakehouse.errors import PatternError
from bakehouse.patterns import Key
from bakehouse.plan.findings import Findings, name_both, name_input
from bakehouse.plan.types import Axis
from bakehouse.schema import DatasetSchema, InputSchema

Inputs = Mapping[Key, InputSchema]


def one_per_key(schema: DatasetSchema, label: str) -> dict[Key, InputSchema]:
    """Give the input of each position.

    Raises
    ------
    PatternError
        If there are no inputs, or two have one position.
    """
    if not schema.inputs:
        raise PatternError("the pattern has no inputs", label, None, "give at least one key to every dimension")
    for key, found in schema.inputs.items():
        if len(found) > 1:
            both = sorted(i.url for i in found)[:2]
            raise PatternError(
                "two inputs have the same index",
                f"{label}, {dict(key)}: {' and '.join(both)}",
                None,
                "give every input its own position in the pattern",
            )
    return {key: next(iter(found)) for key, found in sorted(schema.inputs.items())}


def check_grid(inputs: Inputs, dims: Mapping[str, str], label: str) -> None:
    """Insist that every combination of positions is there.

    Raises
    ------
    PatternError
        If inputs are indexed by other dimensions, or some are missing.
    """
    for key in inputs:
        if {d for d, _ in key} != set(dims):
            raise PatternError(
                f"an input is indexed by {sorted(d for d, _ in key)}, combine_dims are {sorted(dims)}",
                label,
                None,
                "pass combine_dims=pattern.combine_dim_keys",
            )
    positions = [[(d, p) for p in range(_count(d, inputs))] for d in sorted(dims)]
    grid = list(itertools.product(*positions))
    there = set(inputs) | {key for last, schema in inputs.items() for key in _run(last, schema)}
    missing = [key for key in grid if key not in there]
    if missing:
        raise PatternError(
            f"{len(missing)} of {len(grid)} inputs are missing from the pattern's grid",
            f"{label}, first: {dict(missing[0])}",
            None,
            "give every position an input; take what the archive lacks out of the pattern's keys",
        )


def _run(last: Key, schema: InputSchema) -> Iterator[Key]:
    """List the keys that an input stands for, besides its own."""
    dim, count = schema.stands_for or ("", 1)
    for back in range(1, count):
        yield tuple((d, p - back if d == dim else p) for d, p in last)


def _count(dim: str, inputs: Inputs) -> int:
    """Give the number of positions along a dimension: what the pattern said, or else the highest that was met."""
    said = [count for schema in inputs.values() for d, count, _ in schema.expects if d == dim]
    return max([1 + max(dict(key)[dim] for key in inputs), *said])


def lay_axis(dim: str, inputs: Inputs, findings: Findings) -> Axis:
    """Lay the inputs end to end along a concat dimension."""
    has = {key: dict(schema.sizes).get(dim) for key, schema in inputs.items()}
    without = [k for k, n in has.items() if n is None]
    if without and len(without) < len(has):
        _refuse_mixed(dim, without[0], has, inputs, findings)
    _check_nitems(dim, has, inputs, findings)
    lengths = _lengths(dim, {k: _added(dim, inputs[k]) if n is None else n for k, n in has.items()}, inputs, findings)
    return Axis(dim, dict(_end_to_end(lengths)), new=bool(without))


def _added(dim: str, schema: InputSchema) -> int:
    """Give the elements that an input without the dimension adds: one for itself, or one for each it stands for."""
    return schema.stands_for[1] if schema.stands_for and schema.stands_for[0] == dim else 1


def _check_nitems(dim: str, has: Mapping[Key, int | None], inputs: Inputs, findings: Findings) -> None:
    """Insist on the lengths that the pattern states; an input without the dimension is one element of it."""
    for key, length in has.items():
        wanted = next((n for d, _, n in inputs[key].expects if d == dim), None)
        brings = 1 if length is None else length
        if wanted is not None and wanted != brings:
            return findings.refuse(
                f"an input has {brings or 'no'} elements along '{dim}', the pattern says nitems_per_file={wanted}",
                name_input(key, inputs[key]),
                "omit nitems_per_file, so that lengths are read from the files"
                + ("" if brings else "; or take the input out of the pattern"),
            )
    return None


def _refuse_mixed(dim: str, lacking: Key, has: Mapping[Key, int | None], inputs: Inputs, findings: Findings) -> None:
    present = next(k for k, n in has.items() if n is not None)
    shown = [(present, inputs[present], f"{dim} of length {has[present]}"), (lacking, inputs[lacking], f"no {dim}")]
    findings.refuse(
        f"some inputs have the concat dimension '{dim}', others do not",
        name_both(shown),
        f"add it in a preprocessing step: ds.expand_dims('{dim}')",
    )


def _lengths(dim: str, has: Mapping[Key, int], inputs: Inputs, findings: Findings) -> dict[int, int]:
    """Give the length at each position, which all inputs there must share."""
    met: dict[int, tuple[int, Key]] = {}
    for key, length in has.items():
        position = dict(key)[dim]
        known, first = met.setdefault(position, (length, key))
        if known != length:
            findings.refuse(
                f"inputs at {dim}={position} have different lengths along '{dim}'",
                name_both([(first, inputs[first], str(known)), (key, inputs[key], str(length))]),
                "inputs that are merged or joined along another dimension must cover the same range",
            )
    return {position: length for position, (length, _) in met.items()}


def _end_to_end(lengths: Mapping[int, int]) -> Iterator[tuple[int, Span]]:
    start = 0
    for position in sorted(lengths):
        yield position, (start, start + lengths[position])
        start += lengths[position]


def check_sizes(inputs: Inputs, axes: Mapping[str, Axis], findings: Findings) -> None:
    """Insist that dimensions other than the concat dims have one length everywhere."""
    met: dict[str, dict[int, Key]] = defaultdict(dict)
    dims = {id(schema.variables): schema.variables for schema in inputs.values()}
    used_by = {known: {d for _, v in variables for d in v.dims} for known, variables in dims.items()}
    for key, schema in inputs.items():
        used = used_by[id(schema.variables)]
        for dim, size in schema.sizes:
            if dim not in axes and dim in used:
                met[dim].setdefault(size, key)
    for dim, sizes in met.items():
        if len(sizes) > 1:
            pairs = [(key, inputs[key], f"{dim} of length {size}") for size, key in list(sizes.items())[:2]]
            findings.refuse(
                f"dimension '{dim}' has different lengths",
                name_both(pairs),
                "regrid or cut the inputs in a preprocessing step, or concatenate along it",
            )
