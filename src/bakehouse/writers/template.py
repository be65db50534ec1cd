"""The metadata documents of a store, exactly as xarray writes them for the same dataset."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numcodecs
import numpy as np
import xarray as xr
from zarr.codecs import ZstdCodec
from zarr.storage import MemoryStore

from bakehouse.manifests import COMPRESSORS, Filter
from bakehouse.openers.plain import variable_of
from bakehouse.plan.codecs import CODEC_KEYS, DEFAULT_LEVEL, as_zarr3, default_filters
from bakehouse.plan.present import beyond
from bakehouse.plan.types import ArrayPlan, Template
from bakehouse.schema import POINTING, thaw
from bakehouse.writers.encode import cf_encoding, encode, sample_of
from bakehouse.writers.rounding import quantisation

Documents = dict[str, bytes]
METADATA_NAMES = ("zarr.json", ".zgroup", ".zattrs", ".zarray", ".zmetadata")
TEXT = np.dtype(object, metadata={"element_type": str})
"""What xarray takes for text without looking at elements."""
RAW_ATTRS = ("scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned", "units", "calendar")


def root_names(zarr_format: int) -> tuple[str, ...]:
    """Name the documents whose appearance publishes a store, in the order they are written."""
    return ("zarr.json",) if zarr_format == 3 else (".zattrs", ".zgroup", ".zmetadata")


def is_metadata(key: str) -> bool:
    """Tell a metadata document from a data object."""
    return key.rsplit("/", 1)[-1] in METADATA_NAMES


def template_dataset(template: Template) -> xr.Dataset:
    """Give the planned dataset with zeros that take no memory, as a reader will see it.

    This is what a recipe's `dynamic_chunking_fn` gets.
    """
    variables = {
        name: _zeros(name, a.dims, a.shape, _decoded_dtype(a.dtype), thaw(a.attrs))
        for name, a in template.arrays.items()
    }
    return xr.Dataset(variables, attrs=dict(template.attrs)).set_coords(_coordinates(template))


def make_documents(template: Template, asked: Mapping[str, Mapping[str, Any]] | None = None) -> Documents:
    """Make every metadata document of the store, the consolidated root included; key to JSON bytes.

    xarray writes them for arrays without any element, which takes no time whatever the chunks; then shapes are put in.
    """
    variables = {
        name: _encoded(a, dict((asked or {}).get(name, {})), template.zarr_format)
        for name, a in template.arrays.items()
    }
    own = {name: variables.pop(name) for name in list(variables) if not template.arrays[name].coordinate}
    dataset = xr.Dataset(own, xr.Coordinates(variables, indexes={}), dict(template.attrs))
    store = MemoryStore()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.to_zarr(store, compute=False, zarr_format=template.zarr_format, consolidated=True)
    documents = {key: value.to_bytes() for key, value in store._store_dict.items() if is_metadata(key)}
    return {key: _shaped(key, data, template) for key, data in documents.items()}


def _shaped(key: str, data: bytes, template: Template) -> bytes:
    """Put shapes into an array's document, or into those that a root consolidates; attributes are left as they are."""
    if key.endswith((".zattrs", ".zgroup")):
        return data
    said = json.loads(data)
    consolidated = (
        said["metadata"] if key == ".zmetadata" else said.get("consolidated_metadata", {}).get("metadata", {})
    )
    for name, document in {key: said, **consolidated}.items():
        parent, _, kind = name.rpartition("/")
        array = template.arrays.get(parent if kind in METADATA_NAMES else name)
        if array is not None and "shape" in document and kind != ".zattrs":
            document["shape"] = list(array.shape)
    return json.dumps(said, indent=None if key == ".zmetadata" else 2).encode()


def _coordinates(template: Template) -> list[str]:
    return [name for name, array in template.arrays.items() if array.coordinate]


def _encoded(array: ArrayPlan, asked: dict[str, Any], zarr_format: int) -> xr.Variable:
    """Give one array as it is stored: encoded dtype and attributes, chunks and compressors."""
    attrs = thaw(array.attrs)
    if array.raw is not None:
        dtype: Any = object if array.raw == "string" else np.dtype(array.raw)
        if array.stored is not None and zarr_format == 2:
            dtype = np.dtype(array.stored.dtype)
        held = {k: v for k, v in thaw(array.encoding).items() if k in RAW_ATTRS}
        attrs = {**attrs, **{k: _typed(k, v, dtype) for k, v in held.items()}}
    else:
        sample = encode(array.name, variable_of(("sample",), sample_of(array.dtype), attrs), cf_encoding(array, asked))
        dtype, attrs = sample.dtype, sample.attrs
    nothing = np.empty((0,) * len(array.dims), TEXT if np.dtype(dtype).hasobject else dtype)
    planned = variable_of(array.dims, nothing, {**attrs, **quantisation(array, asked)})
    pointing = {k: v for k, v in thaw(array.encoding).items() if k in POINTING}
    planned.encoding = {**pointing, **_layout(array), **_compression(array, dtype, asked, zarr_format)}
    return planned


def _typed(key: str, value: Any, dtype: Any) -> Any:
    """Give a fill its array's dtype; a missing_value that nothing stored equals is left as the source has it."""
    if key not in ("_FillValue", "missing_value") or dtype is object or isinstance(value, list):
        return value
    return value if key == "missing_value" and beyond(dtype, value) else dtype.type(value)


def _layout(array: ArrayPlan) -> dict[str, Any]:
    if not array.dims:
        return {}
    return {"chunks": array.chunks, **({"shards": array.shards} if array.shards else {})}


def _compression(array: ArrayPlan, dtype: Any, asked: Mapping[str, Any], zarr_format: int) -> dict[str, Any]:
    """Encode chunks as the recipe says, else as the sources do if their chunks are moved, else by the default."""
    if own := {k: v for k, v in asked.items() if k in CODEC_KEYS}:
        return own
    if np.dtype(dtype).kind not in "iufbc":
        two = {"compressors": _compression2(default_filters(1))["compressors"]}
        return two if zarr_format == 2 else {"compressors": (ZstdCodec(level=DEFAULT_LEVEL),)}
    filters = array.stored.filters if array.stored else default_filters(np.dtype(dtype).itemsize)
    if zarr_format == 2:
        return _compression2(filters)
    big = array.stored is not None and array.stored.dtype.startswith(">")
    serializer = {"serializer": {"name": "bytes", "configuration": {"endian": "big"}}} if big else {}
    return {"filters": (), "compressors": tuple(as_zarr3(f) for f in filters), **serializer}


def _compression2(filters: Sequence[Filter]) -> dict[str, Any]:
    """Spell filters as zarr v2 does: the last is the compressor, if it is one; blosc takes its width from the array."""
    steps = [(f, {k: v for k, v in f.as_config().items() if (f.id, k) != ("blosc", "typesize")}) for f in filters]
    codecs = [(f, numcodecs.get_codec(config)) for f, config in steps]
    ends = bool(codecs) and codecs[-1][0].id in COMPRESSORS
    before = [codec for _, codec in (codecs[:-1] if ends else codecs)]
    return {"filters": before or None, "compressors": (codecs[-1][1],) if ends else None}


def _decoded_dtype(dtype: str) -> Any:
    return object if dtype == "string" or dtype.startswith("cftime") else np.dtype(dtype)


def _zeros(
    name: str, dims: tuple[str, ...], shape: tuple[int, ...], dtype: Any, attrs: Mapping[str, Any]
) -> xr.Variable:
    """Make a variable without data; dimension coordinates become indexes, which hold theirs."""
    import dask.array

    fill = "" if np.dtype(dtype).hasobject else np.zeros((), dtype)
    if dims == (name,):
        return xr.Variable(dims, np.full(shape, fill, dtype=dtype), dict(attrs))
    return xr.Variable(dims, dask.array.full(shape, fill, dtype=dtype, chunks=shape or -1), dict(attrs))
