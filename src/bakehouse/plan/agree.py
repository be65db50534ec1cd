"""Whether inputs mean the same thing: attributes, encodings and dtypes that must agree, and what to do if not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from bakehouse.patterns import Key
from bakehouse.plan.findings import Findings, name_both
from bakehouse.schema import POINTING, Attrs, Extent, InputSchema, VariableSchema, freeze, thaw

Members = Mapping[Key, tuple[InputSchema, VariableSchema]]

TIMES = ("datetime64", "cftime", "timedelta64")
UNITS = ("days", "hours", "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds")
MEANING = {
    "units",
    "standard_name",
    "positive",
    "axis",
    "calendar",
    "cell_methods",
    "grid_mapping",
    "grid_mapping_name",
    "formula_terms",
    "flag_values",
    "flag_masks",
    "flag_meanings",
    "bounds",
    "climatology",
    "scale_factor",
    "add_offset",
    "_FillValue",
    "missing_value",
    "_Unsigned",
}
PACKING = ("dtype", "scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned")


def members_by_name(inputs: Mapping[Key, InputSchema]) -> dict[str, Members]:
    """List for each variable the inputs that have it, in the order of their keys, in which `inputs` are."""
    found: dict[str, dict[Key, tuple[InputSchema, VariableSchema]]] = {}
    for key, schema in inputs.items():
        for name, variable in schema.variables:
            found.setdefault(name, {})[key] = (schema, variable)
    return dict(found)


def variants_of(members: Members) -> Members:
    """Keep of inputs that have a variable alike only the first: most have, and share one object."""
    objects: dict[int, tuple[Key, InputSchema, VariableSchema]] = {}
    for key, (schema, variable) in members.items():
        objects.setdefault(id(variable), (key, schema, variable))
    first: dict[VariableSchema, tuple[Key, InputSchema]] = {}
    for key, schema, variable in objects.values():
        first.setdefault(variable, (key, schema))
    return {key: (schema, variable) for variable, (key, schema) in first.items()}


def agree_attrs(
    what: str, members: Mapping[Key, tuple[InputSchema, Attrs]], strict: bool, findings: Findings
) -> dict[str, Any]:
    """Keep the attributes that all inputs share; refuse differences that change what values mean."""
    first_key, (first, attrs) = next(iter(members.items()))
    kept: dict[str, Any] = {}
    texts = _texts(members)
    having = _first_having(texts)
    for name in sorted(having):
        mine = texts[first_key].get(name)
        # A name that the first lacks differs where it is met first: with names of their own, inputs need no search.
        other = having[name] if mine is None else next((k for k, t in texts.items() if t.get(name) != mine), None)
        if other is None:
            kept[name] = json.loads(str(mine))
        elif strict or name in MEANING:
            values = [(first_key, first, mine or "none"), (other, members[other][0], texts[other].get(name) or "none")]
            findings.refuse(
                f"attribute '{name}' of {what} differs between inputs",
                name_both(values),
                "convert the values in a preprocessing step and set the attribute there, or leave the odd inputs out",
            )
        else:
            findings.note(f"attribute '{name}' of {what} differs between inputs and was dropped")
    ordered = {name: kept[name] for name, _ in attrs if name in kept}
    return {**ordered, **kept}


def _texts(members: Mapping[Key, tuple[InputSchema, Attrs]]) -> dict[Key, dict[str, str]]:
    """Give the attributes of the first of all inputs that share them as one object."""
    first: dict[int, tuple[Key, Attrs]] = {}
    for key, (_, attrs) in members.items():
        first.setdefault(id(attrs), (key, attrs))
    return {key: dict(attrs) for key, attrs in first.values()}


def _first_having(texts: Mapping[Key, Mapping[str, str]]) -> dict[str, Key]:
    first: dict[str, Key] = {}
    for key, text in texts.items():
        for name in text:
            first.setdefault(name, key)
    return first


def agree_dtype(what: str, members: Members, findings: Findings) -> str:
    """Give the dtype that holds every input's values exactly."""
    dtypes = {schema.dtype for _, schema in members.values()}
    if len(dtypes) == 1:
        return dtypes.pop()
    plain = [d for d in dtypes if not d.startswith(("cftime", "string", "datetime", "timedelta"))]
    if len(plain) == len(dtypes):
        promoted = str(np.result_type(*plain))
        findings.note(f"{what} is stored as {promoted}: its inputs have {', '.join(sorted(dtypes))}")
        return promoted
    if all(d.startswith("datetime64") for d in dtypes):
        return "datetime64[ns]"
    first = min(members)
    other = next(k for k in sorted(members) if members[k][1].dtype != members[first][1].dtype)
    findings.refuse(
        f"{what} has different kinds of values",
        name_both((k, members[k][0], members[k][1].dtype) for k in (first, other)),
        "convert to one calendar or dtype in a preprocessing step",
    )
    return members[first][1].dtype


def agree_encoding(
    what: str, members: Members, dtype: str, extents: list[Extent], findings: Findings
) -> tuple[Attrs, str | None, str]:
    """Choose how values are stored: as the sources do if they all do the same.

    Returns
    -------
    tuple
        The encoding, the stored dtype if values can be taken as they are, and the reason if they can't.
    """
    encodings = {schema.encoding for _, schema in members.values()}
    raws = {schema.raw for _, schema in members.values()}
    whys = sorted({schema.why for _, schema in members.values() if schema.why})
    first = members[min(members)][1]
    if len(encodings) == 1 and len({s.dtype for _, s in members.values()}) == 1:
        raw = raws.pop() if len(raws) == 1 else None
        return (
            _with_units(first.encoding, dtype, extents),
            raw,
            "" if raw else (whys or ["inputs differ in stored dtype"])[0],
        )
    differing = sorted(
        {k for e in encodings for k, v in e if dict(first.encoding).get(k) != v}
        | {k for k, v in first.encoding if any(dict(e).get(k) != v for e in encodings)}
    )
    why = f"{' and '.join(differing) or 'dtype'} differ between inputs"
    findings.note(f"{what} is decoded and stored anew: {why}")
    own = ("units",) if dtype.startswith(TIMES) else ()  # a dtype goes with them: fractions of a day are no integers
    kept = {k: v for k, v in thaw(first.encoding).items() if k not in (*PACKING, *differing, *own)}
    return _with_units(freeze(kept), dtype, extents), None, why


def _with_units(encoding: Attrs, dtype: str, extents: list[Extent]) -> Attrs:
    """Give times without common units an exact whole-number encoding."""
    said = thaw(encoding)
    if "units" in said or not dtype.startswith(TIMES):
        return encoding
    chosen = {**{k: v for k, v in said.items() if k in POINTING}, "dtype": "int64"}
    if dtype.startswith("timedelta64"):
        return freeze({**chosen, "units": _finest(dtype)})
    unit = max([e.unit for e in extents if e.unit] or [_finest(dtype)], key=UNITS.index)
    since = "1970-01-01" if not extents else re.split("[T ]", extents[0].shown[0])[0]
    calendar = dtype.removeprefix("cftime[").rstrip("]") if dtype.startswith("cftime") else "proleptic_gregorian"
    return freeze({**chosen, "units": f"{unit} since {since}", "calendar": calendar})


def _finest(dtype: str) -> str:
    """Name the unit that a time's dtype counts in: cftime counts microseconds.

    Examples
    --------
    >>> _finest("datetime64[s]"), _finest("cftime[noleap]")
    ('seconds', 'microseconds')
    """
    short = "us" if dtype.startswith("cftime") else dtype.partition("[")[2].rstrip("]")
    return {"D": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds", "us": "microseconds"}.get(
        short, "nanoseconds"
    )
