"""The codecs of zarr's metadata and the filters of manifests: two ways to say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bakehouse.manifests import ChunkFormat, Filter
from bakehouse.schema import plain

SHUFFLES = ("noshuffle", "shuffle", "bitshuffle")
SAME_NAME = ("zstd", "gzip", "crc32c")
"""Filters that zarr v3 knows by numcodecs' own name and configuration."""
NUMCODECS = "numcodecs."
CODEC_KEYS = ("compressors", "filters", "serializer", "compressor")
"""Keys of a variable's encoding that say how its chunks are encoded."""
DEFAULT_LEVEL = 3


def default_filters(itemsize: int) -> tuple[Filter, ...]:
    """Compress with zstd after a byte shuffle: what arrays get where nothing else is asked for.

    zarr's own default has no shuffle, and makes stores half as large again as their NetCDF.

    Examples
    --------
    >>> default_filters(4)[0].as_config()
    {'id': 'blosc', 'blocksize': 0, 'clevel': 3, 'cname': 'zstd', 'shuffle': 1, 'typesize': 4}
    """
    shuffle = int(itemsize > 1)
    return (Filter.of("blosc", cname="zstd", clevel=DEFAULT_LEVEL, shuffle=shuffle, blocksize=0, typesize=itemsize),)


def as_zarr3(step: Filter) -> dict[str, Any]:
    """Give a filter as zarr v3's metadata has it.

    Examples
    --------
    >>> as_zarr3(Filter.of("zlib", level=4))
    {'name': 'numcodecs.zlib', 'configuration': {'level': 4}}
    """
    config = dict(step.config)
    if step.id == "blosc":
        config["shuffle"] = SHUFFLES[int(config["shuffle"])]
    return {"name": step.id if step.id in (*SAME_NAME, "blosc") else f"{NUMCODECS}{step.id}", "configuration": config}


def from_zarr3(codec: Mapping[str, Any]) -> Filter | None:
    """Read a bytes-to-bytes codec of zarr v3's metadata; None if it is none of those known.

    Examples
    --------
    >>> from_zarr3({"name": "numcodecs.shuffle", "configuration": {"elementsize": 4}}) == Filter.of(
    ...     "shuffle", elementsize=4
    ... )
    True
    """
    name, config = str(codec["name"]), dict(codec.get("configuration") or {})
    if name == "blosc":
        config["shuffle"] = SHUFFLES.index(config["shuffle"])
    elif name.startswith(NUMCODECS):
        name = name.removeprefix(NUMCODECS)
    elif name not in SAME_NAME:
        return None
    return _filter({"id": name, **config})


def from_numcodecs(codec: Mapping[str, Any] | None, itemsize: int) -> Filter | None:
    """Read a codec as zarr v2's metadata has it; blosc there takes the width of an element from the array."""
    if codec is None:
        return None
    width = {"typesize": itemsize} if codec["id"] == "blosc" else {}
    return _filter({**codec, **width})


def format_of(document: Mapping[str, Any], dtype: str) -> ChunkFormat | None:
    """Say how an array's chunks are stored, from its metadata document; None if no filters can express it.

    Parameters
    ----------
    document
        The array's ``zarr.json`` or ``.zarray``; inner chunks, where it has shards.
    dtype
        numpy's name of the array's dtype.

    Examples
    --------
    >>> format_of({"zarr_format": 2, "chunks": [2], "filters": None, "compressor": {"id": "zlib", "level": 1}}, "<f4")
    ChunkFormat(chunks=(2,), dtype='<f4', filters=(Filter(id='zlib', config=(('level', 1),)),))
    """
    return _format2(document, dtype) if document["zarr_format"] == 2 else _format3(document, dtype)


def _format2(document: Mapping[str, Any], dtype: str) -> ChunkFormat | None:
    width = int(dtype[2:]) if dtype[2:].isdigit() else 0
    steps = [*(document.get("filters") or ()), *([document["compressor"]] if document.get("compressor") else ())]
    found = [from_numcodecs(step, width) for step in steps]
    if document.get("order", "C") != "C" or not all(found) or dtype[1] not in "iufb":
        return None
    return ChunkFormat(tuple(document["chunks"]), dtype, tuple(f for f in found if f))


def _format3(document: Mapping[str, Any], dtype: str) -> ChunkFormat | None:
    chunks, codecs = document["chunk_grid"]["configuration"]["chunk_shape"], document["codecs"]
    if len(codecs) == 1 and codecs[0]["name"] == "sharding_indexed":
        chunks, codecs = codecs[0]["configuration"]["chunk_shape"], codecs[0]["configuration"]["codecs"]
    if not codecs or codecs[0]["name"] != "bytes" or dtype[1] not in "iufb":
        return None
    found = [from_zarr3(codec) for codec in codecs[1:]]
    if not all(found):
        return None
    big = (codecs[0].get("configuration") or {}).get("endian") == "big"
    order = "|" if dtype[2:] == "1" else ">" if big else "<"
    return ChunkFormat(tuple(chunks), f"{order}{dtype[1:]}", tuple(f for f in found if f))


def asked_filters(asked: Mapping[str, Any], itemsize: int) -> tuple[Filter, ...] | None:
    """Read the compressors that an encoding asks for; None if it asks for none, or for what no filters express.

    An encoding of None is no compression.
    """
    steps: list[Any] = []
    for key in ("filters", "compressor", "compressors"):
        said = asked.get(key)
        steps += [] if said is None else said if isinstance(said, list | tuple) else [said]
    found = [_asked(step, itemsize) for step in steps]
    if not set(asked) & set(CODEC_KEYS) or "serializer" in asked or not all(found):
        return None
    return tuple(f for f in found if f)


def _asked(step: Any, itemsize: int) -> Filter | None:
    said = plain(step)
    if not isinstance(said, Mapping):
        return None
    return from_zarr3(said) if "name" in said else from_numcodecs(said, itemsize) if "id" in said else None


def _filter(config: Mapping[str, Any]) -> Filter | None:
    """Make a filter; what only repeats a default is left out, so that equal steps compare equal."""
    said = {k: int(v) if isinstance(v, bool) else v for k, v in config.items() if v is not None}
    if said.get("id") == "zstd":
        said.pop("checksum", None) if not said.get("checksum") else None
    name = str(said.pop("id"))
    return Filter.of(name, **said) if all(isinstance(v, int | str) for v in said.values()) else None
