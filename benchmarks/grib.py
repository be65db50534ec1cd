"""Write GRIB2 inputs with eccodes; runs in the peers' newest environment."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import eccodes
from inputs import values

SAMPLE = "regular_ll_sfc_grib2"


def write_grib(spec: dict[str, Any], folder: Path, number: int) -> str:
    """Write one file with a message for each time step; give its name."""
    path = folder / f"{number:05d}.grib2"
    first = number * spec["steps"]
    with path.open("wb") as file:
        for step, field in enumerate(values(spec, 0, first, 0)):
            handle = eccodes.codes_grib_new_from_samples(SAMPLE)
            day = date(2000, 1, 1) + timedelta(first + step)
            for key, value in {**grid(spec), "dataDate": int(f"{day:%Y%m%d}"), "dataTime": 0}.items():
                eccodes.codes_set(handle, key, value)
            eccodes.codes_set_values(handle, field.ravel().astype("f8"))
            eccodes.codes_write(handle, file)
            eccodes.codes_release(handle)
    return path.name


def grid(spec: dict[str, Any]) -> dict[str, Any]:
    """Give the keys that describe the grid, a half or whole fraction of a degree apart, and the packing."""
    degrees = 360 / spec["lon"]
    return {
        "Ni": spec["lon"],
        "Nj": spec["lat"],
        "latitudeOfFirstGridPointInDegrees": 90.0,
        "longitudeOfFirstGridPointInDegrees": 0.0,
        "latitudeOfLastGridPointInDegrees": 90.0 - degrees * (spec["lat"] - 1),
        "longitudeOfLastGridPointInDegrees": 360 - degrees,
        "iDirectionIncrementInDegrees": degrees,
        "jDirectionIncrementInDegrees": degrees,
        "packingType": spec["packing"],
        "bitsPerValue": 16,
    }
