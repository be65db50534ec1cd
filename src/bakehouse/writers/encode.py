"""How values are stored: xarray's own CF encoding, applied region by region with one choice for all regions."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from bakehouse.errors import SchemaError
from bakehouse.plan.asked import CF_KEYS
from bakehouse.plan.types import ArrayPlan
from bakehouse.schema import thaw


def cf_encoding(array: ArrayPlan, asked: dict[str, Any] | None = None) -> dict[str, Any]:
    """Give the CF part of an array's encoding as xarray wants it, with what the recipe asks for on top."""
    held = {k: v for k, v in thaw(array.encoding).items() if k in CF_KEYS}
    chosen = {**held, **{k: v for k, v in (asked or {}).items() if k in CF_KEYS}}
    if "dtype" in chosen:
        chosen["dtype"] = np.dtype(chosen["dtype"])
        if chosen["dtype"].kind in "iuf" and chosen.get("_FillValue") is not None:
            chosen["_FillValue"] = chosen["dtype"].type(chosen["_FillValue"])
    if asked and asked.get("dtype") is not None and "scale_factor" not in asked:
        for key in ("scale_factor", "add_offset"):
            chosen.pop(key, None)
    return chosen


def encode(name: str, variable: xr.Variable, encoding: dict[str, Any]) -> xr.Variable:
    """Encode a variable's values by CF.

    Raises
    ------
    SchemaError
        If the values do not survive the encoding.
    """
    bare = xr.Variable(variable.dims, _text(variable.values), variable.attrs, encoding)
    encoded = xr.conventions.encode_cf_variable(bare, name=name)
    wanted = encoding.get("units")
    if wanted is not None and encoded.attrs.get("units", wanted).split(" since ")[0] != wanted.split(" since ")[0]:
        raise SchemaError(f"times of '{name}' can't be stored exactly as {encoding.get('dtype', 'numbers')} in '{wanted}'",
                          None, f"they need '{encoded.attrs.get('units')}'", f"set encoding={{'{name}': {{'units': …, 'dtype': 'float64'}}}}")  # fmt: skip
    return encoded


def sample_of(dtype: str) -> Any:
    """Make one value of a dtype name, to learn how xarray stores its kind.

    Examples
    --------
    >>> sample_of("float32")
    array([0.], dtype=float32)
    """
    if dtype == "string":
        return np.array([""], dtype=object)
    if dtype.startswith("cftime"):
        import cftime

        return np.array([cftime.datetime(2000, 1, 1, calendar=dtype[7:-1])], dtype=object)
    return np.zeros(1, dtype=dtype)


def _text(values: Any) -> Any:
    """Give fixed-width text as text of any length, which zarr v3 specifies."""
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8").astype(object)
    return values.astype(object) if values.dtype.kind in "UT" else values
