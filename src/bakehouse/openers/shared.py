"""What inputs must agree on: values by digest, with a few to show, made once where they repeat from input to input."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from bakehouse.openers.plain import variable_of
from bakehouse.plan.tolerance import COMPARED, SHOWN
from bakehouse.storage.memory import Memory

SLAB_BYTES = 2**26
KEPT_BYTES = 2**18
_known = Memory(2**25)


@dataclass(frozen=True)
class SharedValues:
    """The digest of a variable's values, a few of them in words, and all of them as float64 where they are few."""

    digest: str
    preview: str
    numbers: bytes | None


def shared_values(variable: xr.Variable, within_tolerance: bool = False) -> SharedValues:
    """Summarise a variable that inputs must share; with a tolerance, more of its numbers are kept.

    Examples
    --------
    >>> shared_values(xr.Variable("x", [1.0, 2.0])).preview
    '1.0, 2.0 (float64, shape (2,))'
    """
    if variable.nbytes > KEPT_BYTES or variable.dtype.kind in "OSUT":
        return _summary(variable, within_tolerance)
    variable = variable_of(variable.dims, variable.values)
    key = (variable.dims, variable.shape, variable.dtype.str, variable.values.tobytes(), within_tolerance)
    if (found := _known.get(key)) is None:
        found = _summary(variable, within_tolerance)
        _known.put(key, found, 2**10 + 2 * variable.nbytes)
    return found


def _summary(variable: xr.Variable, within_tolerance: bool) -> SharedValues:
    few = variable.dtype.kind in "iuf" and variable.size <= (COMPARED if within_tolerance else SHOWN)
    numbers = (np.asarray(variable.values, "f8") + 0.0).tobytes() if few else None
    return SharedValues(digest(variable), preview(variable), numbers)


def digest(variable: xr.Variable) -> str:
    """Hash a variable's values, a slab at a time; equal values have equal digests."""
    hasher = hashlib.sha256(f"{variable.dims}{variable.shape}".encode())
    for values in _slabs(variable):
        text = values.dtype.kind in "OSUT"
        values = (
            values.astype("f8") + 0.0 if values.dtype.kind == "f" else values
        )  # -0.0 equals 0.0, float32 its float64
        hasher.update(
            repr(values.tolist()).encode()
            if text
            else f"{values.dtype}".encode() + np.ascontiguousarray(values).tobytes()
        )
    return hasher.hexdigest()


def preview(variable: xr.Variable) -> str:
    """Show a variable in a few words: its first values and how many there are."""
    corner = variable[tuple(slice(0, 3 if i == variable.ndim - 1 else 1) for i in range(variable.ndim))].values.ravel()
    shown = ", ".join(str(v) for v in corner)
    return f"{shown}{', …' if variable.size > corner.size else ''} ({variable.dtype}, shape {variable.shape})"


def _slabs(variable: xr.Variable) -> Iterable[np.ndarray[Any, Any]]:
    rows = max(1, SLAB_BYTES // max(1, variable.nbytes // max(1, variable.shape[0]))) if variable.ndim else 1
    if not variable.ndim:
        yield np.asarray(variable.values)
    for start in range(0, variable.shape[0] if variable.ndim else 0, rows):
        yield variable[start : start + rows].values
