"""What a store must hold: what xarray itself combines, writes and reads back. Nothing here imports Bakehouse."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import cftime
import numpy as np
import xarray as xr

Key = tuple[tuple[str, int], ...]
PACKING = ("dtype", "scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned", "units", "calendar")


def expected(
    inputs: Mapping[Key, xr.Dataset],
    combine_dims: Mapping[str, str],
    *,
    keys: Mapping[str, Sequence[Any]] | None = None,
    combine_attrs: str = "identical",
    zarr_format: int = 3,
    encoding: Mapping[str, Mapping[str, Any]] | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Combine decoded inputs, write them with ``to_zarr`` and read them with ``open_zarr``.

    Parameters
    ----------
    inputs
        Decoded datasets by position: ``{(("time", 0), ("variable", 1)): dataset}``.
    combine_dims
        ``concat`` or ``merge`` for each dimension, in the pattern's order; new dimensions come first in that order.
    keys
        Values for new dimensions that no input has a coordinate for.
    combine_attrs, zarr_format, encoding, attrs
        What the recipe asked for.
    """
    dataset = combine(inputs, combine_dims, combine_attrs)
    fill = {d: list(values) for d, values in (keys or {}).items() if d in dataset.dims and d not in dataset.coords}
    dataset = dataset.assign_coords(fill).assign_attrs(attrs or {})
    for name in _packed_differently(inputs.values()):
        for each in PACKING:
            dataset[name].encoding.pop(each, None)
    return round_trip(dataset, zarr_format, encoding)


def combine(
    inputs: Mapping[Key, xr.Dataset], combine_dims: Mapping[str, str], combine_attrs: str = "identical"
) -> xr.Dataset:
    """Concatenate and merge, from the last dimension to the first; inputs must agree exactly.

    `data_vars` is xarray's new default: all variables gain a new dimension, only those that have it grow along an
    existing one. Coordinates without the dimension that are equal stay as they are, and so do bounds and grid mappings,
    which CF counts among what describes other variables (xarray's ``decode_coords="all"``).
    """
    described = {name for dataset in inputs.values() for name in described_by_others(dataset)}
    level = {
        tuple(sorted(key)): dataset.set_coords(described & set(dataset.variables)) for key, dataset in inputs.items()
    }
    for dim, operation in reversed(list(combine_dims.items())):
        groups: dict[Key, list[tuple[int, xr.Dataset]]] = {}
        for key, dataset in level.items():
            rest = tuple((d, p) for d, p in key if d != dim)
            groups.setdefault(rest, []).append((dict(key)[dim], dataset))
        join = _merge if operation == "merge" else _concat
        ordered = {rest: [ds for _, ds in sorted(group, key=lambda g: g[0])] for rest, group in groups.items()}
        level = {rest: join(datasets, dim, combine_attrs) for rest, datasets in ordered.items()}
    (result,) = level.values()
    return result.reset_coords(described)


def described_by_others(dataset: xr.Dataset) -> set[Hashable]:
    """Name the data variables that hold another variable's bounds or grid mapping."""
    named = {
        v.attrs.get(key, v.encoding.get(key)) for v in dataset.variables.values() for key in ("bounds", "grid_mapping")
    }
    mappings = {name for name, v in dataset.data_vars.items() if "grid_mapping_name" in v.attrs}
    return (named & set(dataset.data_vars)) | mappings


def _concat(datasets: list[xr.Dataset], dim: str, combine_attrs: Any) -> xr.Dataset:
    new = dim not in datasets[0].dims
    return xr.concat(
        datasets, dim, join="exact", compat="equals", combine_attrs=combine_attrs,
        data_vars="all" if new else "minimal", coords="different",
    )  # fmt: skip


def _merge(datasets: list[xr.Dataset], dim: str, combine_attrs: Any) -> xr.Dataset:
    return xr.merge(datasets, join="exact", compat="equals", combine_attrs=combine_attrs)


def _packed_differently(inputs: Iterator[xr.Dataset] | Any) -> set[Hashable]:
    """Name variables that inputs store differently: one packing would not hold them all exactly."""
    seen: dict[Hashable, str] = {}
    differing = set()
    for dataset in inputs:
        for name, variable in dataset.variables.items():
            mine = repr([(k, variable.encoding.get(k)) for k in PACKING])
            if seen.setdefault(name, mine) != mine:
                differing.add(name)
    return differing


def round_trip(
    dataset: xr.Dataset, zarr_format: int = 3, encoding: Mapping[str, Mapping[str, Any]] | None = None
) -> xr.Dataset:
    """Write a dataset with xarray and read it back, loaded."""
    given: Any = {name: dict(each) for name, each in (encoding or {}).items()}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.load().to_zarr(f"{folder}/x.zarr", zarr_format=zarr_format, encoding=given, consolidated=True)  # type: ignore[call-overload]
        with xr.open_zarr(f"{folder}/x.zarr", chunks=None) as result:
            return result.load()


def assert_same(actual: xr.Dataset, expected: xr.Dataset) -> None:
    """Insist on the same variables, coordinates, dims, dtypes, calendars, attributes and values.

    Floats are compared bit by bit, NaN equals NaN. All kinds of strings are one dtype. Encodings are not compared.
    """
    found = list(differences(actual, expected))
    assert not found, "\n".join(["the store differs from what xarray writes:", *found])


def differences(actual: xr.Dataset, expected: xr.Dataset) -> Iterator[str]:
    """Say in words how two datasets differ."""
    yield from _unequal("variables", sorted(map(str, actual.variables)), sorted(map(str, expected.variables)))
    yield from _unequal("coordinates", sorted(map(str, actual.coords)), sorted(map(str, expected.coords)))
    yield from _unequal("sizes", dict(actual.sizes), dict(expected.sizes))
    yield from _unequal("attributes", plain(actual.attrs), plain(expected.attrs))
    for name in sorted(set(actual.variables) & set(expected.variables), key=str):
        yield from _variable(str(name), actual.variables[name], expected.variables[name])


def _variable(name: str, actual: xr.Variable, expected: xr.Variable) -> Iterator[str]:
    yield from _unequal(f"{name}: dims", actual.dims, expected.dims)
    yield from _unequal(f"{name}: dtype", dtype_of(actual), dtype_of(expected))
    yield from _unequal(f"{name}: attributes", plain(actual.attrs), plain(expected.attrs))
    if (actual.dims, actual.shape, dtype_of(actual)) != (expected.dims, expected.shape, dtype_of(expected)):
        return
    same = _same_values(np.asarray(actual.values), np.asarray(expected.values))
    if not same.all():
        where = tuple(int(i) for i in np.argwhere(~same)[0])
        shown = f"first at {where}: {actual.values[where]!r} is not {expected.values[where]!r}"
        yield f"{name}: {int((~same).sum())} of {same.size} values, {shown}"


def dtype_of(variable: xr.Variable) -> str:
    """Name a dtype: ``text`` for all strings, ``cftime:<calendar>`` for cftime objects.

    Examples
    --------
    >>> [dtype_of(xr.Variable("x", values)) for values in (["a"], [1.0], np.array(["a"], "O"))]
    ['text', 'float64', 'text']
    """
    if variable.dtype.kind in "UST":
        return "text"
    if variable.dtype.kind != "O":
        return str(variable.dtype)
    first = next(iter(np.ravel(variable.values)), "")
    return (
        f"cftime:{first.calendar}"
        if isinstance(first, cftime.datetime)
        else "text"
        if isinstance(first, str | bytes)
        else "object"
    )


def _same_values(actual: Any, expected: Any) -> Any:
    if actual.dtype.kind in "fc":
        bits = f"V{actual.dtype.itemsize}"
        equal = np.ascontiguousarray(actual).view(bits) == np.ascontiguousarray(expected).view(bits)
        return equal.reshape(actual.shape) | (np.isnan(actual) & np.isnan(expected))
    if actual.dtype.kind in "Mm":
        return actual.view("i8") == expected.view("i8")
    if actual.dtype.kind in "OUST":
        actual, expected = np.vectorize(_text, otypes=["O"])(actual), np.vectorize(_text, otypes=["O"])(expected)
    return np.asarray(actual == expected)


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else str(value) if isinstance(value, str) else value


def plain(value: Any) -> Any:
    """Turn attributes into what JSON would give: NaN as text, bytes that are no UTF-8 read as Latin-1.

    Examples
    --------
    >>> plain({"a": np.float32(0.5), "b": np.array([1, 2]), "c": b"\\xd0R".decode("utf-8", "surrogateescape")})
    {'a': 0.5, 'b': [1, 2], 'c': 'ÐR'}
    """
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, str) and any("\udc80" <= c <= "\udcff" for c in value):
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return "NaN" if isinstance(value, float) and value != value else value


def _unequal(what: str, actual: Any, expected: Any) -> Iterator[str]:
    if actual != expected:
        yield f"{what}: {actual!r} is not {expected!r}"
