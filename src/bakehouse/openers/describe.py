"""Describe a Dataset as the plan needs it: a small schema, and variables that travel as references."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from xarray.core import indexing

from bakehouse.errors import SchemaError
from bakehouse.openers.reference import ReferenceArray
from bakehouse.openers.shared import shared_values
from bakehouse.openers.stored import stored_as
from bakehouse.openers.times import extent_of
from bakehouse.plan.agree import TIMES
from bakehouse.plan.types import StoreOptions
from bakehouse.schema import POINTING, Attrs, Extent, Identity, InputSchema, VariableSchema, freeze

PACKING = ("scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned")
CF_ENCODING = (*PACKING, "units", "calendar")


def describe(
    dataset: xr.Dataset,
    url: str,
    identity: Identity,
    dims: Mapping[str, str],
    dry: bool = False,
    options: StoreOptions | None = None,
) -> InputSchema:
    """Summarise a fragment: sizes, variables, coordinates along concat dims, digests of what inputs must share.

    Parameters
    ----------
    dims
        The combine dimensions, each ``concat`` or ``merge``.
    dry
        Leave out digests that would need data to be read.
    options
        What the recipe asks of its store: some policies need values where others need digests.

    Raises
    ------
    SchemaError
        If a variable's name, dimensions or index have no counterpart in zarr.
    """
    _insist_storable(dataset, url)
    asked = options or StoreOptions("")
    auxiliary = set(dataset.coords) | _pointed_at(dataset)
    variables = {
        str(n): _variable(str(n), v, n in dataset.coords, n in auxiliary) for n, v in dataset.variables.items()
    }
    held = dataset.variables
    names = [n for n, v in variables.items() if _is_shared(n, v, dataset, dims) and not (dry and _is_large(held[n]))]
    shared = {n: shared_values(held[n], bool(asked.tolerance(n, n in auxiliary))) for n in names}
    extents = {
        d: e
        for d, op in dims.items()
        if op == "concat" and d in held and (e := _extent(held[d], asked.order == "drop_duplicates"))
    }
    return InputSchema(
        url,
        identity,
        tuple((str(d), n) for d, n in dataset.sizes.items()),
        tuple(variables.items()),
        freeze(dataset.attrs),
        tuple(extents.items()),
        tuple((n, found.digest) for n, found in shared.items()),
        tuple((n, found.preview) for n, found in shared.items()),
        values=tuple((n, found.numbers) for n, found in shared.items() if found.numbers is not None),
    )


def raw_variable(variable: xr.Variable) -> tuple[xr.Variable, ReferenceArray] | None:
    """Find the stored values behind a decoded variable, indexed as the variable is; None if a recipe made it."""
    data: Any = variable._data
    unpacked = True
    while not isinstance(data, ReferenceArray):
        inner = getattr(data, "array", None)
        if isinstance(data, indexing.LazilyIndexedArray) and isinstance(inner, ReferenceArray):
            return xr.Variable(variable.dims, data, fastpath=True), inner
        unpacked = (
            isinstance(data, indexing.CopyOnWriteArray | indexing.MemoryCachedArray) or type(data).__name__ in DECODERS
        )
        if inner is None or not unpacked:
            return None
        data = inner
    return None


DECODERS = ("_ElementwiseFunctionArray", "NativeEndiannessArray", "BoolTypeArray")


def dtype_name(variable: xr.Variable) -> str:
    """Name the dtype that a reader sees: a numpy name, ``string`` or ``cftime[<calendar>]``."""
    if variable.dtype.kind in "SUT":
        return "string"
    if variable.dtype.kind != "O":
        return str(variable.dtype.newbyteorder("="))
    if "calendar" in variable.encoding and raw_variable(variable) is not None:
        return f"cftime[{variable.encoding['calendar']}]"
    sample = variable[(slice(0, 1),) * variable.ndim].values.ravel()
    calendar = getattr(sample[0], "calendar", None) if sample.size else None
    return f"cftime[{calendar}]" if calendar else "string"


def _insist_storable(dataset: xr.Dataset, url: str) -> None:
    """Refuse what has no counterpart in zarr."""
    for name, index in dataset.xindexes.items():
        if isinstance(index, xr.indexes.PandasMultiIndex):
            fix = f"ds.reset_index('{index.dim}') in a preprocessing step"
            raise SchemaError(f"'{name}' belongs to a MultiIndex over '{index.dim}'", url, "zarr stores none", fix)
    for name in map(str, dataset.variables):
        if "/" in name or name in ("", ".", "..") or name.startswith("__"):
            fix = f"ds.rename({{'{name}': …}}) in a preprocessing step"
            raise SchemaError(f"'{name}' can't name an array in zarr", url, "names are path components", fix)
    for name, variable in dataset.variables.items():
        twice = next((d for d in variable.dims if variable.dims.count(d) > 1), None)
        if twice is not None:
            fix = (
                f"name one of them anew in a preprocessing step, or xarray_open_kwargs={{'drop_variables': ['{name}']}}"
            )
            raise SchemaError(f"'{name}' has the dimension '{twice}' twice", url, f"its dims are {variable.dims}", fix)


def _variable(name: str, variable: xr.Variable, coordinate: bool, auxiliary: bool) -> VariableSchema:
    found = raw_variable(variable)
    dtype = dtype_name(variable)
    encoding = _encoding(variable, dtype)
    raw, why = _raw(variable, found[1] if found else None, dtype)
    chunks = found[1].chunks if found else None
    lengths = tuple(min(chunks.get(d, n), n) or 1 for d, n in variable.sizes.items()) if chunks else None  # type: ignore[call-overload]
    dims = tuple(str(d) for d in variable.dims)
    stored, stays = stored_as(*found) if found and raw else (None, why)
    return VariableSchema(
        dims, dtype, coordinate, auxiliary, freeze(variable.attrs), encoding, raw, why, lengths, stored, stays
    )


def _encoding(variable: xr.Variable, dtype: str) -> Attrs:
    """Keep the part of the encoding that says what stored values mean; units are attributes of what is no time."""
    names = CF_ENCODING if dtype.startswith(TIMES) else PACKING
    kept = {k: variable.encoding[k] for k in (*names, *POINTING) if variable.encoding.get(k) is not None}
    if (number := _asked_dtype(variable)) is not None:
        kept["dtype"] = str(number)
    return freeze(kept)


def _asked_dtype(variable: xr.Variable) -> np.dtype[Any] | None:
    """Give the dtype of numbers that the encoding asks for."""
    dtype = variable.encoding.get("dtype")
    number = dtype is not None and np.dtype(dtype).kind in "iufb"
    return np.dtype(dtype).newbyteorder("=") if number else None


def _raw(variable: xr.Variable, reference: ReferenceArray | None, dtype: str) -> tuple[str | None, str]:
    """Say whether the stored values can be taken as they are, and if not, why."""
    if reference is None:
        loaded = isinstance(variable, xr.IndexVariable) or variable.dims == (str(getattr(variable, "name", "")),)
        return None, "it is an index coordinate" if loaded else "the recipe computes it"
    if _is_encoded_anew(variable, reference):
        return None, "the recipe changed its encoding"
    if dtype.startswith("timedelta64"):
        return None, "durations are stored with an attribute that says so"
    if dtype == "string":
        return (
            ("string", "")
            if reference.dtype.kind == "O"
            else (None, "text of fixed width is stored as text of any length")
        )
    if reference.dtype.kind not in "iufb":
        return None, f"dtype {reference.dtype} has no zarr counterpart"
    return str(reference.dtype.newbyteorder("=")), ""


def _is_encoded_anew(variable: xr.Variable, reference: ReferenceArray) -> bool:
    """Say whether the encoding is another than the source's: something is gone, different, or new."""
    asked, stored = variable.encoding, reference.dtype.newbyteorder("=")
    said = {k: v for k, v in reference.attrs.items() if k in CF_ENCODING and k not in variable.attrs}
    if any(k not in asked or repr(asked[k]) != repr(v) for k, v in said.items()):
        return True
    if any(asked.get(k) is not None and k not in reference.attrs for k in PACKING):
        return True
    number = _asked_dtype(variable)
    return number is not None and number not in (stored, np.dtype(bool))  # to numpy, None is float64


def _pointed_at(dataset: xr.Dataset) -> set[Any]:
    """List the variables that others name as their bounds, grid mapping or measures."""
    names: set[Any] = {n for n, v in dataset.variables.items() if "grid_mapping_name" in v.attrs}
    for variable in dataset.variables.values():
        for key in POINTING:
            text = str(variable.attrs.get(key, variable.encoding.get(key, "")))
            names |= {word for word in text.replace(":", " ").split() if word in dataset.variables}
    return names


def _is_shared(name: str, schema: VariableSchema, dataset: xr.Dataset, dims: Mapping[str, str]) -> bool:
    """Say whether inputs must agree on a variable's values: it does not run along every combine dimension."""
    gains = {
        d for d, op in dims.items() if op == "concat" and d not in dataset.dims and (not schema.auxiliary or d == name)
    }
    lacks = [d for d in dims if d not in schema.dims and d not in gains]
    return any(dims[d] == "concat" for d in lacks) or (bool(lacks) and schema.auxiliary)


def _is_large(variable: xr.Variable) -> bool:
    return variable.nbytes > 2**16


def _extent(variable: xr.Variable, every: bool) -> Extent | None:
    return extent_of(variable.values, every) if variable.ndim <= 1 and variable.size else None
