"""Inputs that are not there, by the run's policy: noted where the inputs are reached, and taken up by the plan."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import xarray as xr

from bakehouse.context import Context
from bakehouse.openers.plain import variable_of
from bakehouse.patterns import Index, Key, key_of
from bakehouse.plan.course import time_of
from bakehouse.plan.gaps import Absent
from bakehouse.plan.types import ArrayPlan
from bakehouse.schema import DatasetSchema, Extent
from bakehouse.transforms.fresh import published
from bakehouse.writers.assemble import Fragment

FOLDER = "absent"


def may_be_absent(context: Context | None, key: Key) -> bool:
    """Say whether a missing input is no error: by the run's policy, or because it was missing before."""
    if context is None:
        return False
    base = published(context) if context.grow else None
    known = base.by_key.get(key) if base else None
    return context.missing == "skip" or (known is not None and known.gap)


def note_absent(context: Context | None, index: Index, url: str) -> None:
    """Note a missing input where the plan will look."""
    if context is not None:
        expects = [(d, *said) for d, said in getattr(index, "expects", {}).items()]
        data = json.dumps({"key": key_of(index), "url": url, "expects": expects}).encode()
        context.staging.put(f"{FOLDER}/{hashlib.sha256(data).hexdigest()}.json", data)


def noted_absent(context: Context) -> Iterator[Absent]:
    """List the inputs that this run did not find."""
    for key, _ in context.staging.list(FOLDER):
        said = json.loads(context.staging.get(key) or b"{}")
        expects = tuple((d, count, length) for d, count, length in said["expects"])
        yield Absent(tuple((d, p) for d, p in said["key"]), said["url"], expects)


def gap_fragments(schema: DatasetSchema, arrays: Mapping[str, ArrayPlan]) -> Iterable[Fragment]:
    """Make the fragments of gaps: a coordinate that can be told, and nothing else, so that the rest is fill."""
    for key, found in sorted(schema.inputs.items()):
        for gap in found:
            if gap.gap:
                told = {d: e for d, e in gap.extents if d in arrays and e.values}
                variables = {d: _coordinate(d, e, arrays[d]) for d, e in told.items()}
                yield Fragment(key, gap.url, variables)


def _coordinate(name: str, extent: Extent, array: ArrayPlan) -> xr.Variable:
    """Turn the numbers of an extent into values as a reader sees them."""
    values = np.array(extent.values)
    if array.dtype.startswith("datetime64"):
        times = [time_of(number) for number in extent.values]
        far = any(np.datetime_data(time.dtype)[0] == "us" for time in times)
        values = np.array(times, "datetime64[us]" if far else "datetime64[ns]")
    elif array.dtype.startswith("cftime"):
        import cftime

        calendar = array.dtype.removeprefix("cftime[").rstrip("]")
        values = cftime.num2date(values.astype("int64"), "microseconds since 1970-01-01", calendar=calendar)
    else:
        values = values.astype(array.dtype)
    dims = () if name in array.expand else (name,)
    return variable_of(dims, values.reshape(()) if not dims else values)
