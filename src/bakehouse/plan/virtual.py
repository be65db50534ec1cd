"""Lay out a virtual store: which arrays refer to their sources' chunks, which are small enough to be held as values.

References can't change what they refer to. So chunks of all inputs have to be stored in one way and to lie on one grid;
what does not is refused by name, with what to do.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import replace

from bakehouse.chunks import count_objects
from bakehouse.manifests import ChunkFormat, Filter
from bakehouse.plan.cuts import Members, cut, in_one_piece, inner_dims, odd_piece
from bakehouse.plan.findings import Findings, name_both, name_input
from bakehouse.plan.types import ArrayPlan, Axis, Part, StoreOptions, Task, Template
from bakehouse.schema import DatasetSchema

NATIVE = "bake a native store, which decodes each input: format='zarr'"
IGNORED = ("level", "clevel")
"""What filters say of writing that does not matter for reading."""


def lay_out_references(template: Template, schema: DatasetSchema, options: StoreOptions, label: str) -> Template:
    """Give every array the chunks of its sources, or one chunk of its own if its values are held.

    Raises
    ------
    SchemaError
        If an array can be neither referred to nor held; it names every reason.
    """
    findings = Findings()
    arrays = {name: _lay_out(a, template, schema, options, findings) for name, a in template.arrays.items()}
    findings.stop_if_any(label)
    return replace(template, arrays=arrays, zarr_format=2)


def is_held(array: ArrayPlan) -> bool:
    """Say whether a virtual store holds an array's values itself."""
    return array.stored is None


def reference_task(template: Template) -> tuple[Task, ...]:
    """Give the one task that a virtual store is written by: its parts are whole arrays, their objects are chunks."""
    parts = []
    for array in template.arrays.values():
        spans = tuple((0, n) for n in array.shape)
        parts.append(
            Part(array.name, spans, count_objects(spans, array.chunks), math.prod(array.shape) * array.itemsize)
        )
    name = hashlib.sha256(repr([(p.array, p.spans) for p in parts]).encode()).hexdigest()[:16]
    return (Task(name, tuple(parts)),) if parts else ()


def _lay_out(
    array: ArrayPlan, template: Template, schema: DatasetSchema, options: StoreOptions, findings: Findings
) -> ArrayPlan:
    size_bytes = math.prod(array.shape) * array.itemsize
    if (array.coordinate and len(array.dims) <= 2) or size_bytes <= options.inline_bytes:
        whole = tuple(max(n, 1) for n in array.shape)
        return replace(array, chunks=whole, shards=None, stored=None, stays="its values are held in the references")
    members = _members(array, schema)
    stored = _agreed(array, members, findings)
    if stored is None:
        return array
    if not stored.filters and in_one_piece(members):
        if not _can_be_cut(array, members, findings):
            return array
        stored = replace(stored, chunks=cut(array, stored, members, template.axes))
    _check_fill(array, schema, members, findings)
    inner = iter(stored.chunks)
    chunks = tuple(1 if d in array.expand else next(inner) for d in array.dims)
    array = replace(array, chunks=chunks, shards=None, stored=stored, stays="")
    _check_aligned(array, members, template.axes, findings)
    return array


def _members(array: ArrayPlan, schema: DatasetSchema) -> Members:
    """Give the inputs that an array is taken from."""
    return {
        key: (each, variable)
        for key, several in sorted(schema.inputs.items())
        for each in several
        if not each.gap
        for name, variable in each.variables
        if name == array.name and all(place in key for place in array.owner)
    }


def _agreed(array: ArrayPlan, members: Members, findings: Findings) -> ChunkFormat | None:
    """Give how all inputs store their chunks; refuse an array of which there is no one way."""
    what = f"'{array.name}' can't be referred to"
    first_key, (first, mine) = next(iter(members.items()))
    if array.raw is None:
        findings.refuse(what, _differing(members) or name_input(first_key, first), NATIVE, array.why)
        return None
    for key, (schema, variable) in members.items():
        if variable.stored is None:
            findings.refuse(what, name_input(key, schema), NATIVE, variable.stays or variable.why)
            return None
    stored = {key: reading(v.stored) for key, (_, v) in members.items() if v.stored is not None}
    other = next((key for key in stored if not _alike(stored[key], stored[first_key], members)), None)
    if other is not None:
        shown = ((k, members[k][0], show_format(stored[k])) for k in (first_key, other))
        findings.refuse(what, name_both(shown), NATIVE, "inputs store its chunks in different ways")
        return None
    return mine.stored


def reading(stored: ChunkFormat) -> ChunkFormat:
    """Give what matters of a format for reading: not how hard a compressor tried.

    Examples
    --------
    >>> reading(ChunkFormat((4,), "<f4", (Filter.of("zlib", level=4),))).filters
    (Filter(id='zlib', config=()),)
    """
    steps = tuple(Filter(f.id, tuple(pair for pair in f.config if pair[0] not in IGNORED)) for f in stored.filters)
    return replace(stored, filters=steps)


def show_format(stored: ChunkFormat) -> str:
    """Show a format as messages do.

    Examples
    --------
    >>> show_format(ChunkFormat((4, 8), "<f4", (Filter.of("shuffle", elementsize=4), Filter.of("zlib", level=4))))
    'chunks of 4×8, dtype <f4, shuffle (elementsize 4) and zlib (level 4)'
    """
    steps = [f"{f.id} ({', '.join(f'{k} {v}' for k, v in f.config)})" if f.config else f.id for f in stored.filters]
    chunks = "×".join(map(str, stored.chunks)) or "one element"
    return f"chunks of {chunks}, dtype {stored.dtype}, {' and '.join(steps) or 'no filters'}"


def _differing(members: Members) -> str:
    """Name two inputs whose encodings differ, with both encodings."""
    first = min(members)
    other = next((k for k, (_, v) in members.items() if v.encoding != members[first][1].encoding), None)
    if other is None:
        return ""
    mine, theirs = dict(members[first][1].encoding), dict(members[other][1].encoding)
    names = [n for n in sorted({*mine, *theirs}) if mine.get(n) != theirs.get(n)]
    pairs = ((first, mine), (other, theirs))
    return name_both((k, members[k][0], ", ".join(f"{n} {said.get(n, 'none')}" for n in names)) for k, said in pairs)


def _alike(one: ChunkFormat, other: ChunkFormat, members: Members) -> bool:
    """Say whether two inputs' chunks can be chunks of one array; arrays in one piece are cut as is fit."""
    plain = one.dtype == other.dtype and not one.filters and not other.filters
    return one == other or (plain and in_one_piece(members))


def _can_be_cut(array: ArrayPlan, members: Members, findings: Findings) -> bool:
    """Insist on pieces of one length where an input's piece has to be a chunk."""
    odd = odd_piece(array, members)
    if odd is None:
        return True
    lengths = {key: dict(members[key][0].sizes) for key in (next(iter(members)), odd)}
    dims = inner_dims(array)
    dim = next(d for d in dims if len({sizes[d] for sizes in lengths.values()}) > 1)
    shown = name_both((key, members[key][0], f"{dim} of length {sizes[dim]}") for key, sizes in lengths.items())
    cause = f"files store it in one piece, as {', '.join(dims)}: it can't be cut into chunks of one length along {dim}"
    fix = f"{NATIVE}; or write the inputs with {dim} as its first dimension, or in chunks"
    findings.refuse(f"'{array.name}' can't be referred to", shown, fix, cause)
    return False


def _check_fill(array: ArrayPlan, schema: DatasetSchema, members: Members, findings: Findings) -> None:
    """Insist on a fill value where inputs are not there or lack the variable: what is not referred to reads as that."""
    lacking = [(key, each) for key, several in sorted(schema.inputs.items()) for each in several if key not in members]
    if lacking and array.runs and array.fills and "_FillValue" not in dict(array.encoding):
        cause = "it has no _FillValue, so what this input lacks would read as values"
        findings.refuse(f"'{array.name}' can't be referred to", name_input(*lacking[0]), NATIVE, cause)


def _check_aligned(array: ArrayPlan, members: Members, axes: Mapping[str, Axis], findings: Findings) -> None:
    """Insist that every input begins at the edge of a chunk."""
    for dim, chunk in zip(array.dims, array.chunks, strict=True):
        if dim not in array.runs or dim in array.expand:
            continue
        for key, (schema, _) in members.items():
            start, stop = axes[dim].spans[dict(key)[dim]]
            skip = axes[dim].skips.get(dict(key)[dim], 0)
            if start % chunk or skip % chunk or ((stop - start) % chunk and stop != axes[dim].size):
                cause = f"chunks of {chunk} along {dim}: this input is at {start} to {stop} of {axes[dim].size}"
                findings.refuse(f"'{array.name}' can't be referred to", name_input(key, schema), NATIVE, cause)
                return
