"""Whether a store is whole: every planned object there, as receipted, and what a reader sees hangs together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from bakehouse.errors import VerifyError
from bakehouse.storage import Target
from bakehouse.writers.receipts import Receipt, Written
from bakehouse.writers.template import is_metadata, root_names

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


def check_documents(store: Target, zarr_format: int, registered: str | None) -> list[str]:
    """Compare the root with the digest that was registered, and every other document with what the root says of it.

    Returns
    -------
    list of str
        One line per problem.
    """
    name = root_names(zarr_format)[-1]
    root = store.get(name)
    if root is None:
        return [f"the root document '{name}' is missing"]
    if f"sha256:{hashlib.sha256(root).hexdigest()}" != registered:
        return [f"the root document '{name}' is not the one that was registered"]
    listed = _listed(root, zarr_format)
    there = {key for key, _ in store.list() if is_metadata(key) and key != name}
    problems = [f"document '{key}' is missing" for key in sorted(set(listed) - there)]
    problems += [f"document '{key}' is not in the root" for key in sorted(there - set(listed))]
    return problems + [
        f"document '{key}' is not what the root says of it"
        for key in sorted(there & set(listed))
        if _canonical(store.get(key)) != listed[key]
    ]


def _listed(root: bytes, zarr_format: int) -> dict[str, str | None]:
    """Give the documents that a consolidated root holds, by key."""
    found = json.loads(root)
    if zarr_format == 2:
        return {key: _canonical(json.dumps(document).encode()) for key, document in found["metadata"].items()}
    arrays = (found.get("consolidated_metadata") or {}).get("metadata", {})
    return {f"{name}/zarr.json": _canonical(json.dumps(document).encode()) for name, document in arrays.items()}


def _canonical(data: bytes | None) -> str | None:
    """Write JSON in one way, in which NaN equals NaN; None for what is no JSON."""
    try:
        return json.dumps(json.loads(data or b""), sort_keys=True)
    except ValueError:
        return None


def check_tasks(receipts: Mapping[str, Receipt], planned: Iterable[str]) -> list[str]:
    """Insist on a receipt for every planned task."""
    missing = [task for task in planned if task not in receipts]
    return [f"{len(missing)} of the planned tasks have no receipt"] if missing else []


def check_dataset(
    dataset: xr.Dataset, concat: Mapping[str, Any], ordered: bool = True, arrays: Iterable[Mapping[str, Any]] = ()
) -> list[str]:
    """Check what a reader sees: all planned arrays, planned lengths, and concat coordinates that run one way."""
    shapes = {str(name): list(variable.shape) for name, variable in dataset.variables.items()}
    problems = [
        f"array '{a['name']}' has shape {shapes.get(a['name'])}, the plan has {a['shape']}"
        for a in arrays
        if shapes.get(a["name"]) != a["shape"]
    ]
    problems += [
        f"dimension '{d}' has {dataset.sizes.get(d)} elements, the plan has {said['size']}"
        for d, said in concat.items()
        if dataset.sizes.get(d) != said["size"]
    ]
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
        raise VerifyError(
            f"the store is not whole: {len(problems)} problems",
            where,
            "\n".join([*problems[:SHOWN], *more]),
            "run the bake again: it writes anew what is missing or damaged; remove what is in no receipt",
        )


def _one_way(values: Any) -> bool:
    if values.dtype == object and (values.size == 0 or isinstance(values.flat[0], str)):
        return True
    rising = (
        [bool(b > a) for a, b in zip(values, values[1:], strict=False)]
        if values.dtype == object
        else list(np.diff(values) > np.zeros((), np.diff(values).dtype))
    )
    falling = (
        [bool(b < a) for a, b in zip(values, values[1:], strict=False)]
        if values.dtype == object
        else list(np.diff(values) < np.zeros((), np.diff(values).dtype))
    )
    return all(rising) or all(falling)
