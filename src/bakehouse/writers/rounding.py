"""Rounding floats to fewer bits of mantissa, so that what the rest would be does not have to be stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numcodecs
import numpy as np

from bakehouse.errors import SchemaError
from bakehouse.plan.types import ArrayPlan
from bakehouse.schema import thaw
from bakehouse.writers.encode import cf_encoding

MANTISSA_BITS = {"float16": 10, "float32": 23, "float64": 52}
ATTRIBUTE = "_QuantizeBitRoundNumberOfSignificantBits"
"""netCDF-C's name for it, which its readers know."""


def rounded(array: ArrayPlan, values: Any, asked: Mapping[str, Any]) -> Any:
    """Round to the nearest value with `keepbits` bits of mantissa; what stands for missing, and infinities, stay.

    So do values that would become either. The relative error is at most ``2**-(keepbits + 1)``. The method is that of
    Klöwer et al. 2021 (doi:10.1038/s43588-021-00156-2), as numcodecs has it.
    """
    keep = asked.get("keepbits")
    if keep is None:
        return values
    exact = np.asarray(values)
    near = numcodecs.BitRound(int(keep)).encode(np.ascontiguousarray(exact)).view(exact.dtype).reshape(exact.shape)
    fills = _fills(array, asked, exact.dtype)
    stay = [~np.isfinite(each) | np.isin(each, fills) for each in (exact, near)]
    return np.where(stay[0] | stay[1], exact, near)


def _fills(array: ArrayPlan, asked: Mapping[str, Any], dtype: Any) -> Any:
    """Give what stands for missing in the store: the sources' values, unless the recipe asks for others."""
    encoding = cf_encoding(array, asked)
    said = [np.ravel(encoding.get(key, np.nan)) for key in ("_FillValue", "missing_value")]
    return np.concatenate([np.empty(0, dtype), *(each.astype(dtype) for each in said if each.dtype.kind in "iuf")])


def quantisation(array: ArrayPlan, asked: Mapping[str, Any]) -> dict[str, int]:
    """State how many bits are kept, as an attribute.

    Raises
    ------
    SchemaError
        If the array has no bits to drop, or fewer than are to be kept.
    """
    keep = asked.get("keepbits")
    if keep is None:
        return {}
    dtype = array.raw or str(asked.get("dtype") or dict(thaw(array.encoding)).get("dtype") or array.dtype)
    has = MANTISSA_BITS.get(dtype, 0)
    if isinstance(keep, bool) or not isinstance(keep, int) or not 1 <= keep <= has:
        what = f"from 1 to {has}" if has else "nothing: only floats are rounded"
        raise SchemaError(f"'{array.name}' ({dtype}) is to keep {keep!r} bits", None, None, f"keepbits can be {what}")
    return {ATTRIBUTE: keep}
