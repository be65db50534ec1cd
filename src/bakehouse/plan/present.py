"""Variables that some inputs lack: refused, or stored as fill there."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from bakehouse.patterns import Key
from bakehouse.plan.agree import Members
from bakehouse.plan.axes import Inputs
from bakehouse.plan.findings import Findings, name_input
from bakehouse.plan.types import CF_KEYS, Axis, StoreOptions
from bakehouse.schema import Attrs, freeze, thaw

SHOWN = 5
TIMES = ("datetime64", "timedelta64")


def lacking_inputs(members: Members, inputs: Inputs, dims: Mapping[str, str]) -> list[Key]:
    """List the inputs that lack a variable which others at their merge positions have."""
    if len(members) == len(inputs):
        return []
    merge = {d for d, op in dims.items() if op == "merge"}
    owners = {tuple((d, p) for d, p in key if d in merge) for key in members}
    return [k for k in inputs if k not in members and tuple((d, p) for d, p in k if d in merge) in owners]


def check_present(
    name: str, lacking: list[Key], members: Members, inputs: Inputs, runs: list[Axis], options: StoreOptions,
    findings: Findings,
) -> bool:  # fmt: skip
    """Say whether a variable is stored as fill where inputs lack it; refuse that it appears or vanishes otherwise.

    What does not run along a concat dim is taken from the inputs that have it.
    """
    if not lacking:
        return False
    if all(inputs[key].gap for key in lacking):
        return bool(runs)
    index = any(axis.name == name for axis in runs)
    if options.missing_variables != "fill" or index or _several(members, runs):
        _refuse(name, lacking, members, inputs, index, findings)
        return False
    where = f"'{name}' is missing in {len(lacking)} of {len(inputs)} inputs"
    if runs:
        findings.note(f"{where} and stored as fill there: {'; '.join(_ranges(lacking, inputs, runs[0]))}")
    else:
        findings.note(f"{where}, first {name_input(lacking[0], inputs[lacking[0]])}, and was taken from the others")
    return bool(runs)


def fillable(
    name: str, dtype: str, encoding: Attrs, raw: str | None, why: str, options: StoreOptions, findings: Findings
) -> tuple[Attrs, str | None, str]:
    """Insist that a variable has a stored value that means missing; times are stored as int64, which has one."""
    asked = {k: v for k, v in options.encoding.get(name, {}).items() if k in CF_KEYS}
    held: dict[str, Any] = asked or thaw(encoding)
    if dtype.startswith(TIMES):
        kept = {k: v for k, v in thaw(encoding).items() if k not in ("_FillValue", "missing_value", "dtype")}
        return freeze({**kept, "dtype": "int64"}), None, "inputs lack it"
    missing = held.get("missing_value")
    stored = missing is not None and (bool(asked) or raw is None or not beyond(raw, missing))
    has_fill = held.get("_FillValue") is not None or stored
    plain = dtype.startswith("float") and np.dtype(held.get("dtype") or dtype).kind == "f"
    if dtype == "string" or has_fill or plain:
        return encoding, raw, why
    findings.refuse(
        f"'{name}' ({dtype}) is missing in some inputs and has no value that means missing",
        "missing_variables='fill'",
        f"give it one that no input has: encoding={{'{name}': {{'_FillValue': …}}}}",
    )
    return encoding, raw, why


def beyond(dtype: Any, value: Any) -> bool:
    """Say whether integers of a dtype can't hold a number, so that nothing stored equals it.

    Examples
    --------
    >>> [beyond("int16", value) for value in (-999.0, 1e20, 0.5)], beyond("float32", 0.1)
    ([False, True, True], False)
    """
    if dtype == "string" or np.dtype(dtype).kind not in "iu" or not isinstance(value, int | float):
        return False
    held = np.iinfo(dtype)
    return not (held.min <= value <= held.max and value == int(value))


def _several(members: Members, runs: list[Axis]) -> bool:
    """Say whether inputs at several positions of other dimensions have it: which of them to fill would be a guess."""
    along = {axis.name for axis in runs}
    return bool(runs) and len({tuple((d, p) for d, p in key if d not in along) for key in members}) > 1


def _refuse(name: str, lacking: list[Key], members: Members, inputs: Inputs, index: bool, findings: Findings) -> None:
    has = min(members)
    drop = f"drop it in a preprocessing step: ds.drop_vars('{name}', errors='ignore')"
    findings.refuse(
        f"variable '{name}' is missing in {len(lacking)} of {len(inputs)} inputs",
        f"{name_input(lacking[0], inputs[lacking[0]])} lacks it\n{name_input(has, inputs[has])} has it",
        f"set it in a preprocessing step: ds.assign_coords({name}=…)"
        if index
        else f"{drop}; or store it as fill there: missing_variables='fill'",
    )


def _ranges(lacking: list[Key], inputs: Inputs, axis: Axis) -> list[str]:
    """Show where a variable is fill: runs of inputs along an axis, with their elements and coordinates."""
    keys = {dict(key)[axis.name]: key for key in reversed(lacking)}
    places = sorted(keys, key=lambda position: axis.spans[position])
    runs = [[places[0]]]
    for left, right in pairwise(places):
        if axis.spans[left][1] == axis.spans[right][0]:
            runs[-1].append(right)
        else:
            runs.append([right])
    shown = [_range(keys[run[0]], keys[run[-1]], inputs, axis) for run in runs[:SHOWN]]
    return [*shown, *([f"and {len(runs) - SHOWN} more ranges"] if len(runs) > SHOWN else [])]


def _range(first: Key, last: Key, inputs: Inputs, axis: Axis) -> str:
    start, stop = axis.spans[dict(first)[axis.name]][0], axis.spans[dict(last)[axis.name]][1]
    ends = [dict(inputs[key].extents).get(axis.name) for key in (first, last)]
    values = f" ({ends[0].shown[0]} to {ends[1].shown[1]})" if ends[0] and ends[1] else ""
    urls = inputs[first].url if first == last else f"{inputs[first].url} to {inputs[last].url}"
    return f"{axis.name} {start}:{stop}{values} of {urls}"
