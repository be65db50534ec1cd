"""Index the messages of GRIB files: cfgrib says which message is which field, and each is decoded by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from bakehouse.manifests import Filter, Manifest
from bakehouse.openers.local import as_local
from bakehouse.openers.opened import Opened, open_raw
from bakehouse.storage import Source, read_ranges

HEAD_BYTES = 16
MISSING = float(np.finfo(np.float32).max)
"""What cfgrib lets messages have in place of a value."""


def manifest_in(opened: Opened, name: str, shape: tuple[int, ...]) -> Manifest | str:
    """Say where the messages of a variable's fields lie; each is a chunk, which the pseudo filter ``grib`` decodes.

    The filter has the configuration of the codec of that name that readers of references know.
    """
    array = on_disk(open_raw(opened).variables[name]._data)
    if array is None:
        return "it is made from the headers of messages"
    places = {index: ids[0] for index, ids in array.field_id_index.items()}
    if not all(isinstance(place, int) for place in places.values()):
        return "its messages hold more than one field each"
    starts = [int(place) for place in places.values()]
    lengths = list(_lengths(opened.source, starts))
    if None in lengths or not starts:
        return "its messages are too large for their edition's header"
    if _turns_round(opened.source, starts[0], lengths[0] or 0):
        return "every other row of its fields runs backwards"
    fields = shape[: len(shape) - array.geo_ndim]
    grid = (*fields, *(1,) * array.geo_ndim)
    offsets, sizes = np.zeros(grid, "u8"), np.zeros(grid, "u8")
    for index, start, length in zip(places, starts, lengths, strict=True):
        at = tuple(index) + (0,) * array.geo_ndim
        offsets[at], sizes[at] = start, length
    dtype = np.dtype(array.dtype)
    chunks = (*(1,) * len(fields), *shape[len(fields) :])
    return Manifest(shape, chunks, dtype, (Filter.of("grib", var=name, dtype=dtype.name),), np.nan, offsets, sizes)


def field_values(message: Any, dtype: str = "float32", what: str = "values") -> Any:
    """Decode a whole message; missing values are NaN. `what` may be the latitudes or longitudes of its grid instead."""
    import eccodes

    handle = eccodes.codes_new_from_message(bytes(message))
    try:
        eccodes.codes_set(handle, "missingValue", MISSING)
        values = eccodes.codes_get_double_array(handle, what).astype(dtype, copy=False)
        if what == "values" and eccodes.codes_get(handle, "bitmapPresent"):
            values[values == values.dtype.type(MISSING)] = np.nan
        return values
    finally:
        eccodes.codes_release(handle)


def on_disk(data: Any) -> Any:
    """Find cfgrib's array of messages below xarray's wrappers; None where there is none."""
    while data is not None and not hasattr(data, "field_id_index"):
        data = getattr(data, "array", None)
    return data


def _lengths(source: Source, starts: Iterable[int]) -> Iterator[int | None]:
    """Read how long messages are, from the first section of each; None where its header does not tell."""
    asked = list(starts)
    for head in _heads(source, asked):
        edition = head[7]
        if edition == 1:
            size = int.from_bytes(head[4:7], "big")
            yield None if size >= 2**23 else size  # larger ones count in units of 120 bytes
        else:
            yield int.from_bytes(head[8:16], "big")


def _heads(source: Source, starts: list[int]) -> list[bytes]:
    """Read the first bytes of messages from the local copy, which cfgrib has needed already."""
    with open(as_local(source), "rb") as file:
        found = []
        for start in starts:
            file.seek(start)
            found.append(file.read(HEAD_BYTES))
    return found


def _turns_round(source: Source, start: int, length: int) -> bool:
    import eccodes

    handle = eccodes.codes_new_from_message(bytes(read_ranges(source, [(start, start + length)])[0]))
    try:
        return bool(eccodes.codes_get(handle, "alternativeRowScanning"))
    except eccodes.KeyValueNotFoundError:
        return False
    finally:
        eccodes.codes_release(handle)
