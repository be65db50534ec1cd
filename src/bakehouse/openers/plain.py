"""Variables of values in memory, made without asking xarray what they are."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from xarray.core import indexing

UNITS = ("s", "ms", "us", "ns")
"""Units of times that xarray keeps as they are."""


def variable_of(
    dims: Hashable | Sequence[Hashable], values: Any, attrs: Mapping[Any, Any] | None = None,
    encoding: Mapping[Any, Any] | None = None,
) -> xr.Variable:  # fmt: skip
    """Make the variable that xarray would make of an array.

    To find out that an array is none of dask's, xarray imports those, which takes as long as importing Beam. What is
    numbers, or times in a unit that xarray keeps, it takes as it is.

    Examples
    --------
    >>> variable_of("x", np.arange(3)).identical(xr.Variable("x", np.arange(3)))
    True
    >>> variable_of((), np.timedelta64(6, "h")).identical(xr.Variable((), np.timedelta64(6, "h")))
    True
    """
    values = np.asarray(values) if isinstance(values, np.generic) else values
    return xr.Variable(dims, values, attrs, encoding, fastpath=_is_plain(values))


def as_from_file(variable: xr.Variable) -> xr.Variable:
    """Give a variable of values in memory as a backend gives one: what decodes it then leaves dask alone, too.

    Examples
    --------
    >>> as_from_file(variable_of("x", np.arange(3))).values
    array([0, 1, 2])
    """
    values = variable._data
    if not _is_plain(values):
        return variable
    data = indexing.LazilyIndexedArray(indexing.NumpyIndexingAdapter(values))
    return xr.Variable(variable.dims, data, variable.attrs, variable.encoding, fastpath=True)


def _is_plain(values: Any) -> bool:
    if type(values) is not np.ndarray:
        return False
    return values.dtype.kind in "iufbcSUT" or (
        values.dtype.kind in "mM" and np.datetime_data(values.dtype) in [(unit, 1) for unit in UNITS]
    )
