"""Read the header of one group of a netCDF4 file in a single pass: dimensions, variables, attributes, chunks.

It gives what xarray's ``h5netcdf`` engine gives, at a fraction of the time. Whatever it does not know for certain
(named types, dimensions without scales, links to other files) is left to that engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5f, h5g, h5s, h5t

from bakehouse.manifests import Manifest
from bakehouse.openers.hdf5.attributes import UnclearError, attributes_of, names_of
from bakehouse.openers.hdf5.chunks import index_chunks
from bakehouse.openers.hdf5.dimensions import Scale, datasets_of, dims_of, is_variable, scale_of
from bakehouse.openers.hdf5.filters import DEFLATE, FLETCHER32, SHUFFLE

KEPT_BYTES = 2**16
"""Coordinates that index a dimension, and text, are read with the header, up to this size."""


@dataclass(frozen=True)
class HeaderVariable:
    """One variable of a file as readers see it: `shape` padded, `dtype` native; `values` of what was read along."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    attrs: dict[str, Any]
    encoding: dict[str, Any]
    manifest: Manifest | str
    values: Any = None


@dataclass(frozen=True)
class Header:
    """What one group of a file says."""

    variables: dict[str, HeaderVariable]
    attrs: dict[str, Any]
    unlimited: frozenset[str]

    @property
    def size_bytes(self) -> int:
        """Estimate the memory that it takes."""
        return 2**10 + sum(2**11 + _held_bytes(v) for v in self.variables.values())


def read_header(file: Any, group: str) -> Header:
    """Read the header of a group.

    Parameters
    ----------
    file
        h5py's low-level identifier of an open file.
    group
        The group's path; empty for the root.

    Raises
    ------
    UnclearError
        If the reader library had better read this file.
    """
    scales: dict[str, Scale] = {}
    parts = [part for part in group.split("/") if part]
    for depth in range(len(parts)):
        above = h5g.open(file, f"/{'/'.join(parts[:depth])}".encode())
        for name, dataset in datasets_of(file, above):
            if scale := scale_of(file, dataset, names_of(dataset, dataset.get_create_plist())):
                scales[name] = scale
    here = h5g.open(file, f"/{'/'.join(parts)}".encode())
    return _read_group(file, here, scales)


def _read_group(file: Any, group: Any, scales: dict[str, Scale]) -> Header:
    found = []
    own: dict[str, Scale] = {}
    for name, dataset in datasets_of(file, group):
        if name.startswith("_nc4_non_coord_"):
            raise UnclearError(f"'{name}' is a variable that has the name of a dimension that it is not")
        plist = dataset.get_create_plist()
        names = names_of(dataset, plist)
        scale = scale_of(file, dataset, names)
        if scale is not None:
            own[name] = scale
        if scale is None or is_variable(dataset, names):
            found.append((name, dataset, plist, names, scale is not None))
    scales |= own
    variables = {
        name: _variable(dataset, plist, names, name, dims_of(file, name, dataset, names, scales, is_scale), scales)
        for name, dataset, plist, names, is_scale in found
    }
    attrs = attributes_of(group, names_of(group, group.get_create_plist()))
    return Header(variables, attrs, frozenset(name for name, scale in own.items() if scale.unlimited))


def _variable(
    dataset: Any, plist: Any, names: list[bytes], name: str, dims: tuple[str, ...], scales: dict[str, Scale]
) -> HeaderVariable:
    if not dims and dataset.get_space().get_simple_extent_type() != h5s.SCALAR:
        raise UnclearError(f"'{name}' is no array")
    dtype, shape = _dtype(name, dataset), tuple(scales[d].size for d in dims)
    own = dataset.shape
    if own != shape and (dtype.kind not in "iuf" or any(a > b for a, b in zip(own, shape, strict=True))):
        raise UnclearError(f"'{name}' has shape {own} where its dimensions have {shape}")
    attrs, manifest = attributes_of(dataset, names), index_chunks(dataset, plist, shape)
    if attrs.get("dtype") == "bool":
        raise UnclearError(f"'{name}' stands for truth values")
    if dtype.kind == "O":
        text = _text(name, dataset)
        return HeaderVariable(dims, shape, text.dtype, attrs, {"dtype": text.dtype}, manifest, text)
    encoding = {"dtype": dtype, **_layout(plist, dims), **_packing(plist), "original_shape": shape}
    native, values = dtype.newbyteorder("="), None
    if dims == (name,) and own == shape and dtype.kind in "iuf" and shape[0] * dtype.itemsize <= KEPT_BYTES:
        values = np.empty(shape, native)
        dataset.read(h5s.ALL, h5s.ALL, values)
    return HeaderVariable(dims, shape, native, attrs, encoding, manifest, values)


def _text(name: str, dataset: Any) -> np.ndarray[Any, Any]:
    """Read text of any length, which readers give a common length.

    Raises
    ------
    UnclearError
        If it is long.
    """
    held = h5py.Dataset(dataset)
    if held.size * 2**6 > KEPT_BYTES:
        raise UnclearError(f"'{name}' is long text")
    return np.asarray(held.asstr()[()], dtype=str)


def _dtype(name: str, dataset: Any) -> np.dtype[Any]:
    """Give the dtype of numbers and text.

    Raises
    ------
    UnclearError
        If it is neither.
    """
    dtype: np.dtype[Any] = dataset.dtype
    text = h5t.check_string_dtype(dtype)
    if h5t.check_enum_dtype(dtype) or (text is None and dtype.kind not in "iuf"):
        raise UnclearError(f"'{name}' has dtype {dtype}")
    return h5py.string_dtype() if text and text.length is None else dtype


def _layout(plist: Any, dims: tuple[str, ...]) -> dict[str, Any]:
    if plist.get_layout() != h5d.CHUNKED or not dims:
        return {"contiguous": True, "chunksizes": None}
    chunks = plist.get_chunk()
    return {"contiguous": False, "chunksizes": chunks, "preferred_chunks": dict(zip(dims, chunks, strict=True))}


def _packing(plist: Any) -> dict[str, Any]:
    """Name the filters that netCDF4 has of old, as xarray's encodings do."""
    steps = {code: values for code, _, values, _ in map(plist.get_filter, range(plist.get_nfilters()))}
    said = {"zlib": DEFLATE in steps, "shuffle": SHUFFLE in steps, "fletcher32": FLETCHER32 in steps}
    return {**said, "complevel": steps[DEFLATE][0]} if DEFLATE in steps else said


def open_path(path: str) -> Any:
    """Open a local file as h5py does, without what its higher level adds."""
    return h5f.open(path.encode(), h5f.ACC_RDONLY)


def _held_bytes(variable: HeaderVariable) -> int:
    held = 0 if variable.values is None else variable.values.nbytes
    if isinstance(variable.manifest, str):
        return held
    arrays = (variable.manifest.offsets, variable.manifest.lengths, variable.manifest.masks)
    return held + sum(array.nbytes for array in arrays if array is not None)
