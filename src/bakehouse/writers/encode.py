"""How values are stored: xarray's own CF encoding, applied region by region with one choice for all regions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bakehouse.errors import SchemaError
from bakehouse.openers.plain import as_from_file, variable_of
from bakehouse.plan.types import CF_KEYS, ArrayPlan
from bakehouse.schema import thaw

PACKING = ("scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned", "dtype")
TIMES = ("datetime64", "cftime", "timedelta64")


def cf_encoding(array: ArrayPlan, asked: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Give the CF part of an array's encoding as xarray wants it.

    What the recipe asks for replaces the sources' packing as a whole, as in xarray: half of one and half of the other
    would mean neither.
    """
    held = {k: v for k, v in thaw(array.encoding).items() if k in CF_KEYS}
    wanted = {k: v for k, v in (asked or {}).items() if k in CF_KEYS}
    if wanted:
        held = {k: v for k, v in held.items() if k not in PACKING}
        if array.dtype.startswith(TIMES):
            held = {k: v for k, v in held.items() if k == "calendar" or "units" not in wanted}
            held.setdefault("dtype", "int64")
    chosen = {**held, **wanted}
    if chosen.get("dtype") is not None:
        chosen["dtype"] = np.dtype(chosen["dtype"])
        if chosen["dtype"].kind in "iuf" and chosen.get("_FillValue") is not None:
            chosen["_FillValue"] = chosen["dtype"].type(chosen["_FillValue"])
    return chosen


def is_lossy(array: ArrayPlan, asked: Mapping[str, Any]) -> bool:
    """Say whether storing rounds values: then stored values are what can be compared."""
    encoding = cf_encoding(array, asked)
    return bool({"scale_factor", "add_offset"} & set(encoding)) or bool(set(asked) & {*CF_KEYS, "keepbits"})


def encode(name: str, variable: xr.Variable, encoding: Mapping[str, Any]) -> xr.Variable:
    """Encode a variable's values by CF.

    Raises
    ------
    SchemaError
        If the values do not survive the encoding.
    """
    bare = variable_of(variable.dims, _text(name, variable.values), variable.attrs, dict(encoding))
    try:
        with np.errstate(invalid="ignore", over="ignore"):
            encoded = xr.conventions.encode_cf_variable(_spanning(bare), name=name)
            back = _times_read(name, bare.values, encoded)
    except Exception as error:
        shown = {k: v for k, v in encoding.items() if v is not None}
        raise SchemaError(
            f"'{name}' can't be stored with {shown}",
            None,
            f"{type(error).__name__}: {error}",
            "choose another encoding",
        ) from error
    if back is not None:
        _insist_exact(name, bare.values, back, encoded, encoding)
    _insist_held(name, bare.values, encoded, encoding)
    return encoded


def _spanning(variable: xr.Variable) -> xr.Variable:
    """Give times in whole microseconds as such: counted in nanoseconds, they reach 292 years from a reference date."""
    values, units = variable.values, str(variable.encoding.get("units") or "nanoseconds")
    if values.dtype != "datetime64[ns]" or units.startswith("nanoseconds"):
        return variable
    if (values.astype("int64") % 1000)[~np.isnat(values)].any():
        return variable
    return variable_of(variable.dims, values.astype("datetime64[us]"), variable.attrs, variable.encoding)


def _times_read(name: str, values: Any, encoded: xr.Variable) -> Any:
    """Give times as they would be read, in the unit or calendar that they came in; None for what are no times."""
    calendar = getattr(next(iter(np.ravel(values)), None), "calendar", None)
    if values.dtype.kind not in "mM" and calendar is None:
        return None
    how: dict[str, Any] = {"use_cftime": True} if calendar else {"time_unit": np.datetime_data(values.dtype)[0]}
    coder = xr.coders.CFDatetimeCoder(**how)
    return xr.conventions.decode_cf_variable(
        name, as_from_file(encoded), decode_times=coder, decode_timedelta=True
    ).values


def _insist_exact(name: str, values: Any, back: Any, encoded: xr.Variable, encoding: Mapping[str, Any]) -> None:
    """Refuse times that would be read as others."""
    wanted = str(encoding.get("units", ""))
    got = str(encoded.attrs.get("units", wanted))
    lost = ~((back == values) | ((back != back) & (values != values)))
    if wanted.split(" since ")[0] == got.split(" since ")[0] and not lost.any():
        return
    first = int(np.atleast_1d(lost).argmax())
    raise SchemaError(
        f"times of '{name}' can't be stored exactly as {encoded.dtype} in '{wanted}': "
        f"{np.ravel(values)[first]} would be read as {np.ravel(back)[first]}",
        None,
        f"they need '{got}'" if got != wanted else "the dtype does not hold them in these units",
        f"set encoding={{'{name}': {{'units': …, 'dtype': 'int64'}}}} with a finer unit",
    )


def _insist_held(name: str, values: Any, encoded: xr.Variable, encoding: Mapping[str, Any]) -> None:
    """Refuse values beyond an integer's range, and those that would be read as missing; rounding to a step is meant."""
    fill = encoding.get("_FillValue", encoding.get("missing_value"))
    filled, packed = fill is not None and fill == fill, encoded.dtype.kind in "iu"
    if values.dtype.kind not in "iuf" or not (filled or (packed and values.dtype != encoded.dtype)):
        return
    back = xr.conventions.decode_cf_variable(
        name, as_from_file(encoded), decode_times=False, decode_timedelta=False
    ).values
    lost = np.isnan(back) != np.isnan(values)
    if packed:
        step = abs(float(encoding.get("scale_factor") or 1))
        with np.errstate(invalid="ignore"):
            lost |= np.abs(back - values) > 0.501 * step + 4 * np.finfo("f4").eps * np.abs(values)
    if lost.any():
        first = np.atleast_1d(lost).argmax()
        raise SchemaError(
            f"values of '{name}' can't be stored as {encoded.dtype}: "
            f"{np.ravel(values)[first]} would be read as {np.ravel(back)[first]}",
            None,
            f"{int(lost.sum())} of {lost.size} values don't fit its range, scale_factor or _FillValue ({fill})",
            f"choose another encoding, or drop it in a preprocessing step: ds['{name}'].drop_encoding()",
        )


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


def missing_value(dtype: str) -> Any:
    """Give what a reader sees where an input lacked a variable: NaN, NaT or empty text.

    Examples
    --------
    >>> missing_value("float32"), missing_value("string")
    (np.float32(nan), '')
    """
    if dtype == "string":
        return ""
    kind = np.dtype(dtype)
    return kind.type("NaT", np.datetime_data(kind)[0]) if kind.kind in "mM" else kind.type(np.nan)


def stored_fill(array: ArrayPlan, asked: Mapping[str, Any]) -> Any:
    """Give what is stored where an input lacked a variable."""
    if array.raw is not None and array.raw != "string":
        fill = thaw(array.encoding).get("_FillValue", thaw(array.encoding).get("missing_value"))
        return np.dtype(array.raw).type(np.nan if fill is None else fill)
    encoding = cf_encoding(array, asked)
    fill = encoding.get("_FillValue", encoding.get("missing_value"))
    if fill is not None and not array.dtype.startswith(TIMES):
        return np.dtype(encoding.get("dtype") or array.dtype).type(fill)
    return encode(array.name, variable_of("x", np.array([missing_value(array.dtype)])), encoding).values[0]


def _text(name: str, values: Any) -> Any:
    """Give fixed-width text as text of any length, which zarr v3 specifies.

    Raises
    ------
    SchemaError
        If values are missing: zarr's text has no missing value.
    """
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8").astype(object)
    if values.dtype.kind in "UT":
        return values.astype(object)
    if values.dtype == object and any(v is None or v != v for v in np.ravel(values)):
        raise SchemaError(
            f"text of '{name}' has missing values",
            None,
            "zarr's text has none",
            f"ds['{name}'] = ds['{name}'].fillna('')",
        )
    return values
