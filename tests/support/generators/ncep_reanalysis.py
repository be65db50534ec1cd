"""NCEP/NCAR Reanalysis 1, daily surface means: one float32 file a year and variable.

Names, types and attributes are those of PSL's ``ncep.reanalysis/Dailies/surface`` files for years before 2014, whose
format is netCDF-4 classic. `actual_range`, `title` and `history` differ from file to file, as they do there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.generators.files import add, creating, path_of

LAT, LON, STEP_DEGREES = 73, 144, 2.5
MISSING = np.float32(-9.969209968386869e36)
AXES: dict[str, dict[str, object]] = {
    "lat": {"units": "degrees_north", "long_name": "Latitude", "standard_name": "latitude", "axis": "Y"},
    "lon": {"units": "degrees_east", "long_name": "Longitude", "standard_name": "longitude", "axis": "X"},
    "time": {
        "long_name": "Time",
        "delta_t": "0000-00-01 00:00:00",
        "avg_period": "0000-00-01 00:00:00",
        "standard_name": "time",
        "axis": "T",
        "units": "hours since 1800-01-01 00:00:0.0",
    },
}


@dataclass(frozen=True)
class Field:
    """One variable of the archive; `words` stand in its long name, `lowest` is the smallest generated value."""

    name: str
    units: str
    grib_id: int
    grib_name: str
    var_desc: str
    words: str
    least_significant_digit: int
    valid_range: tuple[float, float]
    lowest: float


FIELDS = {
    "air.sig995": Field("air", "degK", 11, "TMP", "Air temperature", "Air temperature", 1, (185.16, 331.16), 200.0),
    "rhum.sig995": Field("rhum", "%", 52, "RH", "Relative humidity", "relative humidity", 0, (-25.0, 125.0), 0.0),
    "uwnd.sig995": Field("uwnd", "m/s", 33, "UGRD", "u-wind", "u-wind", 1, (-102.2, 102.2), -40.0),
}


def ncep(folder: Path, urls: Iterable[str], *, coarsen: int = 12) -> list[Path]:
    """Write the files behind the reanalysis' URLs, whole years each; `coarsen=1` gives the true 73 × 144 grid."""
    return [_write(path_of(folder, url), *_name_and_year(url), coarsen) for url in urls]


def stored(
    kind: str, hours: NDArray[np.float64], lat: NDArray[np.int64], lon: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Give the value at hours since 1800 and indices on the grid, in steps of a quarter; `kind` begins the file's name.

    Examples
    --------
    >>> hours = hours_of(2001)[:2]
    >>> stored("air.sig995", hours[:, None, None], np.arange(1)[None, :, None], np.arange(3)[None, None, :])
    array([[[233.5 , 234.25, 235.  ]],
    <BLANKLINE>
           [[233.75, 234.5 , 235.25]]], dtype=float32)
    """
    steps = (hours / 24 + 7 * lat + 3 * lon) % 320
    return (FIELDS[kind].lowest + steps / 4).astype(np.float32)


def hours_of(year: int) -> NDArray[np.float64]:
    """Give the hours since 1800-01-01 at which the days of a year begin."""
    first, last = (date(y, 1, 1).toordinal() - date(1800, 1, 1).toordinal() for y in (year, year + 1))
    return 24 * np.arange(first, last, dtype="f8")


def _name_and_year(url: str) -> tuple[str, int]:
    found = re.search(r"/((?:air|rhum|uwnd)\.sig995)\.(\d{4})\.nc$", url)
    if not found:
        raise ValueError(f"not one of the reanalysis' files: {url}")
    return found[1], int(found[2])


def _write(path: Path, kind: str, year: int, coarsen: int) -> Path:
    lat = (90 - STEP_DEGREES * np.arange(0, LAT, coarsen)).astype("f4")
    lon = (STEP_DEGREES * np.arange(0, LON, coarsen)).astype("f4")
    hours = hours_of(year)
    places = np.ix_(np.arange(len(lat)), np.arange(len(lon)))
    data = stored(kind, hours[:, None, None], *places)
    field = FIELDS[kind]
    with creating(path, "NETCDF4_CLASSIC") as file:
        for dim, size in (("lat", len(lat)), ("lon", len(lon)), ("time", None)):
            file.createDimension(dim, size)
        for name, values in (("lat", lat), ("lon", lon), ("time", hours)):
            add(file, name, values, (name,), AXES[name] | {"actual_range": values[[0, -1]]})
        chunks = {"zlib": True, "complevel": 2, "shuffle": True, "chunksizes": (1, len(lat), len(lon))}
        add(file, field.name, data, ("time", "lat", "lon"), _attrs_of(field, data), **chunks)
        file.setncatts(_attrs(year))
    return path


def _attrs_of(field: Field, values: NDArray[np.float32]) -> dict[str, Any]:
    return {
        "long_name": f"mean Daily {field.words} at sigma level 995",
        "units": field.units,
        "precision": np.int16(2),
        "least_significant_digit": np.int16(field.least_significant_digit),
        "GRIB_id": np.int16(field.grib_id),
        "GRIB_name": field.grib_name,
        "var_desc": field.var_desc,
        "dataset": "NCEP Reanalysis Daily Averages",
        "level_desc": "Surface",
        "statistic": "Mean",
        "parent_stat": "Individual Obs",
        "missing_value": MISSING,
        "valid_range": np.array(field.valid_range, "f4"),
        "actual_range": np.array([values.min(), values.max()], "f4"),
    }


def _attrs(year: int) -> dict[str, str]:
    return {
        "Conventions": "COARDS",
        "title": f"mean daily NMC reanalysis ({year})",
        "description": "Data is from NMC initialized reanalysis\n(4x/day).  These are the 0.9950 sigma level values.",
        "platform": "Model",
        "history": f"created {year}/01 by Hoop (netCDF2.3)\nConverted to chunked, deflated non-packed NetCDF4 2014/09",
        "dataset_title": "NCEP-NCAR Reanalysis 1",
        "References": "http://www.psl.noaa.gov/data/gridded/data.ncep.reanalysis.html",
    }
