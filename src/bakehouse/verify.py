"""Whether a store is whole: every planned object there, as receipted, and what a reader sees hangs together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from bakehouse.errors import VerifyError
from bakehouse.storage import Target
from bakehouse.writers.receipts import Receipt, Written
from bakehouse.writers.template import is_metadata

SHOWN = 10


def check_objects(store: Target, expected: Iterable[Written], hashes: bool) -> list[str]:
    """Compare a listing with what was written; with `hashes`, read every object and compare digests.

    Returns
    -------
    list of str
        One line per problem: missing, of another size, changed, or not accounted for.
    """
    there = {key: size for key, size in store.list() if not is_metadata(key)}
    known = {o.key: o for o in expected}
    problems = [f"object '{k}' is missing" for k in known if k not in there]
    problems += [f"object '{k}' is in no receipt" for k in sorted(set(there) - set(known))]
    for key in sorted(set(known) & set(there)):
        if there[key] != known[key].size_bytes:
            problems.append(f"object '{key}' has {there[key]} bytes, its receipt says {known[key].size_bytes}")
        elif hashes and hashlib.sha256(store.get(key) or b"").hexdigest() != known[key].sha256:
            problems.append(f"object '{key}' has other content than was written")
    return problems


def check_tasks(receipts: Mapping[str, Receipt], planned: Iterable[str]) -> list[str]:
    """Insist on a receipt for every planned task."""
    missing = [task for task in planned if task not in receipts]
    return [f"{len(missing)} of the planned tasks have no receipt"] if missing else []


def check_dataset(dataset: xr.Dataset, concat: Mapping[str, Any], ordered: bool = True) -> list[str]:
    """Check what a reader sees: planned lengths, and concat coordinates that run one way."""
    problems = [
        f"dimension '{d}' has {dataset.sizes.get(d)} elements, the plan has {said['size']}"
        for d, said in concat.items() if dataset.sizes.get(d) != said["size"]
    ]  # fmt: skip
    for d in concat:
        if ordered and d in dataset.indexes and dataset[d].dtype.kind in "iufmMO" and not _one_way(dataset[d].values):
            problems.append(f"coordinate '{d}' does not run one way")
    return problems


def stop_on(problems: list[str], where: str) -> None:
    """Raise what was found.

    Raises
    ------
    VerifyError
        If there is any problem.
    """
    if problems:
        more = [f"… and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
        raise VerifyError(f"the store is not whole: {len(problems)} problems", where, "\n".join([*problems[:SHOWN], *more]),
                          "run the bake again: it completes what is missing")  # fmt: skip


def _one_way(values: Any) -> bool:
    if values.dtype == object and (values.size == 0 or isinstance(values.flat[0], str)):
        return True
    rising = [bool(b > a) for a, b in zip(values, values[1:], strict=False)] if values.dtype == object else list(np.diff(values) > np.zeros((), np.diff(values).dtype))  # fmt: skip
    falling = [bool(b < a) for a, b in zip(values, values[1:], strict=False)] if values.dtype == object else list(np.diff(values) < np.zeros((), np.diff(values).dtype))  # fmt: skip
    return all(rising) or all(falling)
