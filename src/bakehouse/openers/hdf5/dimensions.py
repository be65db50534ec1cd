"""netCDF4's dimensions as HDF5 files keep them: dimension scales, and the scales that each variable is attached to.

The rules are those of netCDF-C's file format specification, and of h5netcdf where files depart from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from h5py import h5a, h5d, h5o, h5r, h5s, h5t

from bakehouse.openers.hdf5.attributes import UnclearError, attribute, type_of

NO_VARIABLE = b"This is a netCDF dimension but not a netCDF variable."
SCALE = b"DIMENSION_SCALE"


@dataclass(frozen=True)
class Scale:
    """A dimension: its length, whether it can grow, and the open dataset that stands for it."""

    size: int
    unlimited: bool
    dataset: Any


def datasets_of(file: Any, group: Any) -> list[tuple[str, Any]]:
    """Open all datasets of a group.

    Raises
    ------
    UnclearError
        If it has named types, or links to other files.
    """
    found, number = [], h5o.get_info(group).fileno
    for name in group:
        info = h5o.get_info(group, name)
        if info.fileno != number or info.type == h5o.TYPE_NAMED_DATATYPE:
            raise UnclearError(f"{name!r} is a named type, or lies in another file")
        if info.type == h5o.TYPE_DATASET:
            found.append((name.decode(), h5d.open(group, name)))
    return found


def scale_of(file: Any, dataset: Any, names: list[bytes]) -> Scale | None:
    """Give the dimension that a dataset stands for, if any."""
    if b"CLASS" not in names or _text(dataset, b"CLASS") != SCALE:
        return None
    space = dataset.get_space()
    shape, limits = space.get_simple_extent_dims(), space.get_simple_extent_dims(True)
    unlimited = limits == (h5s.UNLIMITED,)
    size = _grown(file, dataset, shape[0]) if unlimited and b"REFERENCE_LIST" in names else shape[0]
    return Scale(size, unlimited, dataset)


def is_variable(dataset: Any, names: list[bytes]) -> bool:
    """Say whether a dimension scale has values of its own."""
    return b"NAME" not in names or NO_VARIABLE not in _text(dataset, b"NAME")


def dims_of(
    file: Any, name: str, dataset: Any, names: list[bytes], scales: Mapping[str, Scale], is_scale: bool
) -> tuple[str, ...]:
    """Name the dimensions of a variable.

    Raises
    ------
    UnclearError
        If some have no scale, or scales can't be told apart.
    """
    if is_scale and dataset.rank == 1:
        return (name,)
    if is_scale and b"_Netcdf4Coordinates" in names:
        return _by_number(np.atleast_1d(attribute(dataset, b"_Netcdf4Coordinates")), scales)
    if b"DIMENSION_LIST" in names:
        dims = _attached(file, dataset)
        if not set(dims) <= set(scales):
            raise UnclearError(f"'{name}' has a dimension that lies elsewhere: {dims}")
        return dims
    if dataset.rank == 0:
        return ()
    if name in scales and dataset.rank == 1:
        return (name,)
    raise UnclearError(f"'{name}' has dimensions without a scale")


def _by_number(numbers: Any, scales: Mapping[str, Scale]) -> tuple[str, ...]:
    known = {int(attribute(scale.dataset, b"_Netcdf4Dimid")): name for name, scale in scales.items()}
    if len(known) < len(scales):
        raise UnclearError("dimensions have no numbers of their own")
    return tuple(known[int(number)] for number in numbers)


def _attached(file: Any, dataset: Any) -> tuple[str, ...]:
    """Name the last scale of each axis, which is the one that counts."""
    attr, (dtype, memory) = h5a.open(dataset, b"DIMENSION_LIST"), _lists()
    lists = np.empty(attr.shape, dtype)
    attr.read(lists, mtype=memory)
    if len(lists) != dataset.rank or not all(len(refs) for refs in lists):
        raise UnclearError("some axes have a scale, others none")
    return tuple(h5r.get_name(refs[-1], file).decode().rpartition("/")[2] for refs in lists)


def _grown(file: Any, dataset: Any, size: int) -> int:
    """Give the length of an unlimited dimension: that of the longest variable along it."""
    attr = h5a.open(dataset, b"REFERENCE_LIST")
    users = np.zeros(attr.shape, attr.dtype)
    attr.read(users)
    lengths = [h5r.dereference(ref, file).shape[axis] for ref, axis in users]
    return int(max([size, *lengths]))


def _text(dataset: Any, name: bytes) -> bytes:
    """Read an attribute of netCDF4's own, which is text of fixed length; text of another kind is none of its own."""
    attr = h5a.open(dataset, name)
    dtype, _, memory = type_of(attr.get_type().encode())
    if dtype.kind != "S" or attr.shape != ():
        raise UnclearError(f"attribute {name!r} is not as netCDF4 writes it")
    values = np.zeros((), dtype)
    attr.read(values, mtype=memory)
    return bytes(values[()])


@cache
def _lists() -> tuple[np.dtype[Any], Any]:
    """Give the dtype of lists of references, and the type to read them as."""
    dtype = h5t.vlen_dtype(h5t.ref_dtype)
    return dtype, h5t.py_create(dtype)
