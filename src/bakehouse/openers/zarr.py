"""Open zarr stores and index their arrays: the names of their objects, and how chunks are stored in them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import zarr
from obstore.store import LocalStore
from zarr.storage import ObjectStore

from bakehouse.manifests import CHECKSUMS, COMPRESSORS, ChunkKeys, Filter, Manifest
from bakehouse.plan.codecs import from_numcodecs, from_zarr3
from bakehouse.storage import Source, Target

PLAIN = COMPRESSORS | CHECKSUMS | {"shuffle"}
"""Codecs that turn bytes into bytes."""


class _NotPlainError(Exception):
    """Why chunks can't be taken as bytes."""


def zarr_store(source: Source) -> ObjectStore:
    """Open a zarr source for reading, over obstore."""
    store = LocalStore(prefix=source.path) if source.is_local else Target(source.location, source.options).store
    return ObjectStore(store, read_only=True)


def manifest_in(store: Any, path: str, shape: tuple[int, ...]) -> Manifest | str:
    """Say how an array's chunks are named and stored; or why zarr itself has to read them.

    Parameters
    ----------
    store
        The zarr store, as `zarr_store` opens it.
    path
        The array's path in it.
    """
    array = zarr.open_array(store, path=path, mode="r")
    if array.shape != shape:
        return "the reader library reports another shape"
    if array.dtype.kind not in "iufb":
        return f"dtype {array.dtype} needs the zarr library"
    try:
        found: Any = array.metadata.to_dict()
        return _of_v2(array, path, found) if array.metadata.zarr_format == 2 else _of_v3(array, path, found)
    except _NotPlainError as error:
        return str(error)


def _of_v2(array: Any, path: str, found: Mapping[str, Any]) -> Manifest:
    if found["order"] != "C" and array.ndim > 1:
        raise _NotPlainError("its chunks are stored in Fortran order")
    steps = [*(found.get("filters") or ()), *([found["compressor"]] if found.get("compressor") else [])]
    filters = tuple(_plain(from_numcodecs(step, array.dtype.itemsize), step["id"]) for step in steps)
    keys = ChunkKeys(path, found.get("dimension_separator") or ".")
    return _manifest(array, array.chunks, array.dtype, filters, keys)


def _of_v3(array: Any, path: str, found: Mapping[str, Any]) -> Manifest:
    if found["chunk_grid"]["name"] != "regular":
        raise _NotPlainError("its chunks are not of one length")
    encoding = found["chunk_key_encoding"]
    lead = "c" if encoding["name"] == "default" else ""
    separator = encoding.get("configuration", {}).get("separator", "/" if lead else ".")
    keys, codecs, chunks = ChunkKeys(path, separator, lead), found["codecs"], array.chunks
    if codecs[0]["name"] == "sharding_indexed":
        keys, codecs, chunks = _inside(keys, codecs, found["chunk_grid"]["configuration"]["chunk_shape"])
    dtype = _ordered(array.dtype, codecs[0])
    filters = tuple(_plain(from_zarr3(codec), codec["name"]) for codec in codecs[1:])
    return _manifest(array, chunks, dtype, filters, keys)


def _inside(
    keys: ChunkKeys, codecs: Sequence[Any], shard: Sequence[int]
) -> tuple[ChunkKeys, Sequence[Any], tuple[int, ...]]:
    """Look into a shard: the names of shards, and the codecs and lengths of the chunks in them."""
    said = codecs[0]["configuration"]
    index = [codec["name"] for codec in said["index_codecs"]]
    little = said["index_codecs"][0].get("configuration", {}).get("endian", "little") == "little"
    if len(codecs) > 1 or said["codecs"][0]["name"] == "sharding_indexed":
        raise _NotPlainError("shards are compressed as a whole or hold shards")
    if index[0] != "bytes" or index[1:] not in ([], ["crc32c"]) or not little:
        raise _NotPlainError("the shards' indexes are stored in an unusual way")
    chunks = tuple(int(n) for n in said["chunk_shape"])
    held = tuple(int(s) // c for s, c in zip(shard, chunks, strict=True))
    at_end = said.get("index_location", "end") == "end"
    inner = ChunkKeys(keys.array, keys.separator, keys.lead, held, at_end, "crc32c" in index)
    return inner, said["codecs"], chunks


def _manifest(
    array: Any, chunks: tuple[int, ...], dtype: np.dtype[Any], filters: tuple[Filter, ...], keys: ChunkKeys
) -> Manifest:
    chunks = tuple(max(c, 1) for c in chunks)  # those of an empty array may have no length
    grid = tuple(-(-n // c) for n, c in zip(array.shape, chunks, strict=True))
    offsets = np.broadcast_to(np.uint64(0), grid)
    lengths = np.broadcast_to(np.uint64(math.prod(chunks) * dtype.itemsize), grid)
    fill = 0 if array.fill_value is None else array.fill_value
    return Manifest(array.shape, chunks, dtype, filters, fill, offsets, lengths, keys=keys)


def _ordered(dtype: np.dtype[Any], codec: Mapping[str, Any]) -> np.dtype[Any]:
    """Give the dtype in the byte order that the first codec writes."""
    if codec["name"] != "bytes":
        raise _NotPlainError(f"codec {codec['name']} needs the zarr library")
    endian = (codec.get("configuration") or {}).get("endian", "little")
    return dtype.newbyteorder("<" if endian == "little" else ">")


def _plain(step: Filter | None, name: str) -> Filter:
    if step is None or step.id not in PLAIN:
        raise _NotPlainError(f"codec {name} needs the zarr library")
    return step
