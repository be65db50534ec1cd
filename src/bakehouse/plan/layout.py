"""Choose chunks and shards: what the recipe asks for exactly, else the sources' chunks in objects of a good size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any

from bakehouse.chunks import resolve_chunks
from bakehouse.errors import ChunkAlignmentError, SchemaError, did_you_mean
from bakehouse.plan.types import ArrayPlan, StoreOptions, Template

CHUNK_BYTES = 2**24
SMALL_CHUNK_BYTES = 2**16
SHARD_BYTES = 2**26
ENCODING_KEYS = {
    "chunks",
    "shards",
    "compressor",
    "compressors",
    "filters",
    "serializer",
    "dtype",
    "scale_factor",
    "add_offset",
    "_FillValue",
    "missing_value",
    "_Unsigned",
    "units",
    "calendar",
    "preferred_chunks",
    "write_empty_chunks",
    "keepbits",
}
"""What `encoding` may say of a variable; `preferred_chunks` and `write_empty_chunks` change nothing here."""


def lay_out(template: Template, options: StoreOptions) -> Template:
    """Give every array its chunks and shards.

    A dimension that the recipe names gets exactly that chunk length. Left out, the sources' chunks stay: a source
    without chunks is cut at about 16 MB, and chunks under 64 kB grow, outermost dimension first and concat dims last,
    because a reader pays per request. With `left_out` of ``inputs`` a concat dimension is cut as its first input is
    long, but in its own coordinate. Shards hold up to about 64 MB of chunks.

    Raises
    ------
    ChunkAlignmentError
        If a chunk names an unknown dimension, or shards are not whole multiples of chunks.
    SchemaError
        If the encoding names an unknown variable or an unknown key.
    """
    _check_encoding(options, template)
    wanted = resolve_chunks(options.target_chunks, template.sizes, growing=template.axes)
    filled = {**_first_lengths(template), **wanted} if options.left_out == "inputs" else wanted
    arrays = {
        name: _lay_out(array, template, wanted if array.dims == (name,) else filled, options)
        for name, array in template.arrays.items()
    }
    return replace(template, arrays=arrays)


def _lay_out(array: ArrayPlan, template: Template, wanted: Mapping[str, int], options: StoreOptions) -> ArrayPlan:
    asked = options.encoding.get(array.name, {})
    chunks = _own_lengths(array, "chunk", asked["chunks"]) if asked.get("chunks") else _chunks(array, wanted)
    if "shards" in asked and (asked["shards"] or template.zarr_format == 3):
        _insist_on_shards(template)
        own = _own_lengths(array, "shard", asked["shards"]) if asked["shards"] else None
        return replace(array, chunks=chunks, shards=_check_shards(array, chunks, list(own), {}) if own else None)
    return replace(array, chunks=chunks, shards=_shards(array, chunks, template, options))


def _first_lengths(template: Template) -> dict[str, int]:
    """Give how many elements the first input that has any has along each concat dimension."""
    spans = {dim: [span for _, span in sorted(axis.spans.items())] for dim, axis in template.axes.items()}
    return {dim: next((b - a for a, b in each if b > a), 1) for dim, each in spans.items()}


def _check_encoding(options: StoreOptions, template: Template) -> None:
    for name, asked in options.encoding.items():
        if name not in template.arrays:
            raise SchemaError(
                f"encoding names a variable '{name}' that the dataset does not have",
                None,
                None,
                did_you_mean(name, template.arrays),
            )
        for key in asked:
            if key not in ENCODING_KEYS:
                raise SchemaError(
                    f"encoding of '{name}' has an unknown key '{key}'", None, None, did_you_mean(key, ENCODING_KEYS)
                )
            _check_codecs(name, asked[key])


def _check_codecs(name: str, said: object) -> None:
    """Refuse codecs without an identifier: no reader could find them again."""
    for codec in said if isinstance(said, list | tuple) else [said]:
        if getattr(codec, "codec_id", "") is None:
            raise SchemaError(
                f"encoding of '{name}' names the codec {type(codec).__name__}, which has no codec_id",
                None,
                "readers look codecs up by that identifier",
                "use a codec that numcodecs registers",
            )


def _own_lengths(array: ArrayPlan, what: str, asked: int | Sequence[int]) -> tuple[int, ...]:
    """Resolve the lengths that an encoding gives for one array, in the order of its dimensions."""
    lengths: list[Any] = [asked] * len(array.dims) if isinstance(asked, int | Integral) else list(asked)
    where = f"encoding of '{array.name}'"
    if len(lengths) != len(array.dims):
        raise ChunkAlignmentError(
            f"{len(lengths)} {what} lengths for dimensions {array.dims}", where, None, "give one for each dimension"
        )
    sizes = dict(zip(array.dims, array.shape, strict=True))
    try:
        return tuple(resolve_chunks(dict(zip(array.dims, lengths, strict=True)), sizes, growing=array.dims).values())
    except ChunkAlignmentError as error:
        raise ChunkAlignmentError(error.message, where, error.cause, error.fix) from error


def _chunks(array: ArrayPlan, wanted: Mapping[str, int]) -> tuple[int, ...]:
    chunks = {d: wanted.get(d) or s or 0 for d, s in zip(array.dims, array.source_chunks, strict=True)}
    sizes = dict(zip(array.dims, array.shape, strict=True))
    free = [d for d in array.dims if d not in wanted]
    for d in (d for d, n in chunks.items() if n == 0):
        chunks[d] = 1 if d in array.runs else max(sizes[d], 1)
    whole = [d for d, s in zip(array.dims, array.source_chunks, strict=True) if s is None and d in free]
    _shrink(chunks, whole, array.itemsize)
    _grow(chunks, [d for d in free if d not in array.runs], sizes, array.itemsize)
    _grow(chunks, [d for d in free if d in array.runs], {}, array.itemsize)
    return tuple(min(chunks[d], max(sizes[d], 1)) if d not in array.runs else chunks[d] for d in array.dims)


def _shrink(chunks: dict[str, int], dims: list[str], itemsize: int) -> None:
    """Halve the longest free dimension until a chunk is at most about 16 MB."""
    while dims and math.prod(chunks.values()) * itemsize > CHUNK_BYTES:
        longest = max(dims, key=lambda d: chunks[d])
        if chunks[longest] == 1:
            return
        chunks[longest] = -(-chunks[longest] // 2)


def _grow(chunks: dict[str, int], dims: list[str], limits: Mapping[str, int], itemsize: int) -> None:
    """Lengthen chunks, outermost dimension first, by whole source chunks, to at least 64 kB."""
    for d in dims:
        size = math.prod(chunks.values()) * itemsize
        if 0 < size < SMALL_CHUNK_BYTES:
            longer = chunks[d] * -(-SMALL_CHUNK_BYTES // size)
            chunks[d] = min(longer, max(limits[d], 1)) if d in limits else longer


def _shards(
    array: ArrayPlan, chunks: tuple[int, ...], template: Template, options: StoreOptions
) -> tuple[int, ...] | None:
    if options.shards:
        _insist_on_shards(template)
    if options.shards is False or not array.dims or template.zarr_format == 2:
        return None
    if isinstance(options.shards, Mapping):
        asked = resolve_chunks(options.shards, template.sizes, growing=template.axes)
        lengths = [_asked_shard(array, i, c, asked, options) for i, c in enumerate(chunks)]
        return _check_shards(array, chunks, lengths, options.shards)
    return _default_shards(array, chunks)


def _asked_shard(array: ArrayPlan, i: int, chunk: int, asked: Mapping[str, int], options: StoreOptions) -> int:
    """Give the shard that is asked for along a dimension, in whole chunks where the chunk was not asked for.

    A coordinate's chunk often is longer than the shard that is meant for the fields.
    """
    dim = array.dims[i]
    shard = asked.get(dim, chunk)
    grown = array.source_chunks[i] is not None and chunk != array.source_chunks[i]
    if dim not in options.target_chunks and (chunk > shard or grown):
        return -(-shard // chunk) * chunk
    return shard


def _insist_on_shards(template: Template) -> None:
    if template.zarr_format == 2:
        raise ChunkAlignmentError("zarr format 2 has no shards", None, None, "leave shards out, or use zarr_format=3")


def _check_shards(
    array: ArrayPlan, chunks: tuple[int, ...], shards: list[int], asked: Mapping[str, int]
) -> tuple[int, ...]:
    """Insist on whole multiples; a whole dimension (-1) is rounded up to one."""
    for i, (dim, chunk) in enumerate(zip(array.dims, chunks, strict=True)):
        if shards[i] % chunk and (asked.get(dim) == -1 or shards[i] >= array.shape[i]):
            shards[i] = -(-shards[i] // chunk) * chunk
        if shards[i] % chunk:
            raise ChunkAlignmentError(
                f"shards of '{array.name}' have {shards[i]} elements along '{dim}', chunks have {chunk}",
                None,
                "a shard holds whole chunks",
                f"use a multiple of {chunk}, for example {-(-shards[i] // chunk) * chunk}",
            )
    return tuple(shards)


def _default_shards(array: ArrayPlan, chunks: tuple[int, ...]) -> tuple[int, ...] | None:
    """Fill about 64 MB with what is there: dimensions that do not grow first, innermost first, then the concat dims."""
    shards = list(chunks)
    room = SHARD_BYTES // max(1, math.prod(chunks) * array.itemsize)
    for i in sorted(range(len(shards)), key=lambda i: (array.dims[i] in array.runs, -i)):
        count = max(1, min(room, -(-array.shape[i] // chunks[i])))
        shards[i], room = chunks[i] * count, room // count
    return tuple(shards) if tuple(shards) != chunks else None
