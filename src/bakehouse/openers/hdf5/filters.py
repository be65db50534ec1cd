"""The filters of HDF5 datasets, by the names under which numcodecs has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bakehouse.manifests import Filter

DEFLATE, SHUFFLE, FLETCHER32, BZIP2, BLOSC, ZSTD = 1, 2, 3, 307, 32001, 32015
BLOSC_COMPRESSORS = ("blosclz", "lz4", "lz4hc", None, "zlib", "zstd")
"""By the number that Blosc's filter keeps; numcodecs is built without the fourth, snappy."""
NAMES = {4: "szip", 5: "nbit", 6: "scaleoffset", 32000: "lzf", 32004: "lz4", 32026: "blosc2"}
PLUGINS = frozenset({"bz2", "blosc", "zstd"})
"""Filters that the HDF5 library itself has from plugins only."""


def filters_of(plist: Any, itemsize: int) -> tuple[Filter, ...] | str:
    """Name the steps that wrote the chunks, first to last; or say which of them needs the HDF5 library."""
    found = []
    for i in range(plist.get_nfilters()):
        code, _, values, name = plist.get_filter(i)
        known = _known(code, values, itemsize)
        if known is None:
            return f"filter {NAMES.get(code) or name.decode(errors='replace') or code} needs the HDF5 library"
        found.append(known)
    return tuple(found)


def _known(code: int, values: Sequence[int], itemsize: int) -> Filter | None:
    if code == DEFLATE:
        return Filter.of("zlib", level=values[0])
    if code == SHUFFLE:
        return Filter.of("shuffle", elementsize=itemsize)
    if code == FLETCHER32:
        return Filter("fletcher32")
    if code == BZIP2:
        return Filter.of("bz2", level=values[0] if values else 9)
    if code == ZSTD:
        return Filter.of("zstd", level=values[0] if values else 3)
    return _blosc(values) if code == BLOSC else None


def _blosc(values: Sequence[int]) -> Filter | None:
    """Understand the parameters of Blosc's filter: revision, format, type size, bytes, level, shuffle, compressor."""
    level, shuffle, number = [*values[4:7], *(5, 1, 0)[len(values[4:7]) :]]
    name = BLOSC_COMPRESSORS[number] if number < len(BLOSC_COMPRESSORS) else None
    return Filter.of("blosc", cname=name, clevel=level, shuffle=shuffle, blocksize=0) if name else None
