"""What a reader sees: planned shapes, and concat coordinates that run one way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from bakehouse.verify.report import Checked, Statement

ORDERED = "iufmMO"
BEFORE = 2
"""How many values before a start are looked at, which give the direction that new values must keep."""


def check_dataset(
    dataset: xr.Dataset,
    concat: Mapping[str, Any],
    ordered: bool = True,
    arrays: Iterable[Mapping[str, Any]] = (),
    since: Mapping[str, int] | None = None,
) -> Checked:
    """Check all planned arrays, planned lengths, and that numeric and time concat coordinates run strictly one way.

    Parameters
    ----------
    concat
        Concat dimension to what the plan says of it: ``{"size": elements}``, or nothing where it says nothing.
    ordered
        Whether the recipe insists on order.
    arrays
        What the plan says of each array: ``{"name": …, "shape": […]}``.
    since
        Where new values start along a dimension: those before were checked when they were published.

    Examples
    --------
    >>> found = check_dataset(xr.Dataset(coords={"time": [1, 2, 4, 3]}), {"time": {"size": 4}})
    >>> [str(p) for p in found.problems]
    ["coordinate 'time' rises, but 4 at 2 is followed by 3 at 3"]
    """
    found = _check_shapes(dataset, concat, list(arrays))
    for dim in concat:
        found += _check_order(dataset, dim, ordered, (since or {}).get(dim, 0))
    return found


def _check_shapes(dataset: xr.Dataset, concat: Mapping[str, Any], arrays: list[Mapping[str, Any]]) -> Checked:
    shapes = {str(name): list(variable.shape) for name, variable in dataset.variables.items()}
    problems = [
        f"array '{a['name']}' has shape {shapes.get(a['name'])}, the plan has {list(a['shape'])}"
        for a in arrays
        if shapes.get(a["name"]) != list(a["shape"])
    ]
    problems += [
        f"dimension '{d}' has {dataset.sizes.get(d)} elements, the plan has {said['size']}"
        for d, said in concat.items()
        if "size" in said and dataset.sizes.get(d) != said["size"]
    ]
    return Checked.of(Statement("shapes", len(arrays), len(arrays), "arrays", "have the planned shape"), problems)


def _check_order(dataset: xr.Dataset, dim: str, ordered: bool, start: int) -> Checked:
    """Check one coordinate from a start on."""
    name = f"coordinate {dim}"
    variable = dataset.variables.get(dim)
    if variable is None or variable.dims != (dim,):
        return Checked.of(Statement(name, 0, 1, "", "", "there is none"), [])
    if not ordered:
        return Checked.of(Statement(name, 0, variable.size, "", "", "the recipe has check_order=False"), [])
    values = variable[max(0, start - BEFORE) :].values
    if variable.dtype.kind not in ORDERED or _is_text(values):
        return Checked.of(Statement(name, 0, variable.size, "", "", f"{variable.dtype} values have no order"), [])
    first = variable.size - values.size
    how = f"from {first:,} on; those before were looked at when they were published"
    says = f"strictly {_direction(values)}" if values.size > 1 else "nothing to be in order with"
    statement = Statement(name, values.size, variable.size, "values", says, how)
    return Checked.of(statement, _out_of_order(dim, values, first))


def _out_of_order(dim: str, values: Any, first: int) -> list[str]:
    """Name the first value that does not continue the way of the first two."""
    missing = np.flatnonzero(values != values)
    if missing.size:
        return [f"coordinate '{dim}' is missing ({values[missing[0]]}) at {first + int(missing[0])}"]
    way = _direction(values)
    before, after = values[:-1], values[1:]
    wrong = np.flatnonzero(~np.asarray(after < before if way == "falling" else after > before, dtype=bool))
    if not wrong.size:
        return []
    at = int(wrong[0])
    verb = "does not run one way:" if at == 0 else f"{'falls' if way == 'falling' else 'rises'}, but"
    return [f"coordinate '{dim}' {verb} {before[at]} at {first + at} is followed by {after[at]} at {first + at + 1}"]


def _direction(values: Any) -> str:
    return "falling" if values.size > 1 and values[1] < values[0] else "rising"


def _is_text(values: Any) -> bool:
    return bool(values.dtype == object and (values.size == 0 or isinstance(values.flat[0], str)))
