"""Attributes of HDF5 objects, as xarray's netCDF4 readers give them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from h5py import h5, h5a, h5p, h5t

from bakehouse.openers.raw import readable

HIDDEN = frozenset(
    {
        b"REFERENCE_LIST",
        b"CLASS",
        b"DIMENSION_LIST",
        b"NAME",
        b"_Netcdf4Dimid",
        b"_Netcdf4Coordinates",
        b"_nc3_strict",
        b"_NCProperties",
    }
)
"""What netCDF4 keeps for itself."""


class UnclearError(Exception):
    """A file has something that the reader library had better explain."""


def names_of(held: Any, plist: Any) -> list[bytes]:
    """List the attributes of an open object, in the order in which readers show them."""
    tracked = plist.get_attr_creation_order() & h5p.CRT_ORDER_TRACKED
    found: list[bytes] = []
    h5a.iterate(held, found.append, index_type=h5.INDEX_CRT_ORDER if tracked else h5.INDEX_NAME)
    return found


def attributes_of(held: Any, names: list[bytes]) -> dict[str, Any]:
    """Read the attributes that are not netCDF4's own.

    Raises
    ------
    UnclearError
        If one is neither numbers nor text.
    """
    return {name.decode(): _shown(name, attribute(held, name)) for name in names if name not in HIDDEN}


def attribute(held: Any, name: bytes) -> Any:
    """Read an attribute: numbers as numpy has them, text as `str`, single elements without their list.

    Text of one byte stays bytes, which is how netCDF4 stores characters.
    """
    attr = h5a.open(held, name)
    dtype, text, memory = type_of(attr.get_type().encode())
    shape = attr.shape
    if shape is None:
        return b"" if text and text.length == 1 else np.array([], dtype=dtype)
    if text is None and dtype.kind not in "iufb":
        raise UnclearError(f"attribute {name!r} has dtype {dtype}")
    values = np.zeros(shape, dtype)
    attr.read(values, mtype=memory)
    found = values.tolist() if text and shape else values[()]
    if text is not None:
        found = _decoded(found, text) if shape == () else [_decoded(each, text) for each in _flat(found, text)]
    return found[0] if shape and len(found) == 1 else found


@lru_cache(2**12)
def type_of(encoded: bytes) -> tuple[np.dtype[Any], Any, Any]:
    """Give the dtype of a type in a file, what kind of text it is if any, and the type to read it as."""
    dtype = h5t.decode(encoded).dtype
    return dtype, h5t.check_string_dtype(dtype), h5t.py_create(dtype)


def _flat(found: Any, text: Any) -> Any:
    """Flatten text of fixed length, as netCDF4 readers do; other text keeps its lists."""
    return np.ravel(found).tolist() if text.length not in (None, 1) else found


def _decoded(value: Any, text: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(each, text) for each in value]
    if text.length == 1 or not isinstance(value, bytes):
        return value
    return value.decode("utf-8" if text.length is None else text.encoding, "surrogateescape")


def _shown(name: bytes, value: Any) -> Any:
    """Give bytes as text, where they are text, and text as what it is."""
    if name in (b"_FillValue", b"missing_value") or not isinstance(value, bytes):
        return readable(value)
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value
