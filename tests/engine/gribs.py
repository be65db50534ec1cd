"""Write small GRIB files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import eccodes
import numpy as np


def write_grib(
    path: Path,
    days: int = 3,
    *,
    edition: int = 2,
    packing: str = "grid_simple",
    names: tuple[str, ...] = ("2t",),
    levels: tuple[int, ...] = (),
    missing: bool = False,
    first: str = "2020-01-01",
    shape: tuple[int, int] = (5, 8),
    **keys: Any,
) -> None:
    """Write one message per day, variable and pressure level, of different values each."""
    with path.open("wb") as file:
        for number in range(days):
            date = str(np.datetime64(first) + np.timedelta64(number, "D")).replace("-", "")
            for name in names:
                for level in levels or (0,):
                    handle = _message(edition, shape)
                    at = {"typeOfLevel": "isobaricInhPa", "level": level} if levels else {}
                    said = {"dataDate": int(date), "dataTime": 0, "shortName": name, **at, "bitsPerValue": 16, **keys}
                    for key, value in said.items():
                        eccodes.codes_set(handle, key, value)
                    _fill(handle, number + len(name) + level, missing, shape)
                    if packing != "grid_simple":
                        eccodes.codes_set(handle, "packingType", packing)
                    eccodes.codes_write(handle, file)
                    eccodes.codes_release(handle)


def _message(edition: int, shape: tuple[int, int]) -> Any:
    handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib1" if edition == 1 else "regular_ll_sfc_grib2")
    rows, columns = shape
    corner = {
        "Ni": columns,
        "Nj": rows,
        "latitudeOfFirstGridPointInDegrees": 60,
        "latitudeOfLastGridPointInDegrees": 60 - 2 * (rows - 1),
        "longitudeOfFirstGridPointInDegrees": 0,
        "longitudeOfLastGridPointInDegrees": 2 * (columns - 1),
        "iDirectionIncrementInDegrees": 2,
        "jDirectionIncrementInDegrees": 2,
    }
    for key, value in corner.items():
        eccodes.codes_set(handle, key, value)
    return handle


def _fill(handle: Any, number: int, missing: bool, shape: tuple[int, int]) -> None:
    values = 250 + number + np.arange(shape[0] * shape[1], dtype="f8") / 8
    if missing:
        eccodes.codes_set(handle, "bitmapPresent", 1)
        eccodes.codes_set(handle, "missingValue", 1e30)
        values[number % 7 :: 7] = 1e30
    eccodes.codes_set_values(handle, values)
