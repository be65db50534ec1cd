"""NOAA OISST v2.1, AVHRR only: one file a day, int16 packed to hundredths, land is -999.

Names, types, packing and attributes are those of NCEI's ``oisst-avhrr-v02r01.YYYYMMDD.nc``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.support.generators.files import add, creating, path_of

LAT, LON, STEP_DEGREES = 720, 1440, 0.25
FILL = np.int16(-999)
# long_name, units, valid_min, valid_max
VARIABLES = {
    "sst": ("Daily sea surface temperature", "Celsius", -300, 4500),
    "anom": ("Daily sea surface temperature anomalies", "Celsius", -1200, 1200),
    "err": ("Estimated error standard deviation of analysed_sst", "Celsius", 0, 1000),
    "ice": ("Sea ice concentration", "%", 0, 100),
}
AXES = {
    "time": {"long_name": "Center time of the day", "units": "days since 1978-01-01 12:00:00"},
    "zlev": {"long_name": "Sea surface height", "units": "meters", "positive": "down", "actual_range": "0, 0"},
    "lat": {
        "long_name": "Latitude",
        "units": "degrees_north",
        "grids": "Uniform grid from -89.875 to 89.875 by 0.25",
    },
    "lon": {
        "long_name": "Longitude",
        "units": "degrees_east",
        "grids": "Uniform grid from 0.125 to 359.875 by 0.25",
    },
}


def oisst(folder: Path, urls: Iterable[str], *, coarsen: int = 20) -> list[Path]:
    """Write the files behind OISST's URLs; `coarsen=1` gives the true 720 × 1440 grid."""
    return [_write(path_of(folder, url), _day_of(url), coarsen) for url in urls]


def stored(name: str, day: date, lat: NDArray[np.int64], lon: NDArray[np.int64]) -> NDArray[np.int16]:
    """Give the packed value at lat and lon indices of a day: hundredths of the unit, or -999.

    Examples
    --------
    >>> stored("sst", date(1981, 9, 1), np.arange(2)[:, None], np.arange(3)[None, :])
    array([[-999, 1350, 1361],
           [1376, 1387, 1398]], dtype=int16)
    """
    _, _, low, high = VARIABLES[name]
    values = low + (37 * lat + 11 * lon + days_since_1978(day) - low) % (high - low + 1)
    dry = (lat + lon) % 7 == 0
    missing = dry | (lon % 3 > 0) if name == "ice" else dry
    return np.where(missing, FILL, values).astype(np.int16)


def days_since_1978(day: date) -> int:
    """Count days since 1978-01-01; OISST's time is noon of that day."""
    return (day - date(1978, 1, 1)).days


def _day_of(url: str) -> date:
    found = re.search(r"oisst-avhrr-v02r01\.(\d{4})(\d{2})(\d{2})\.nc$", url)
    if not found:
        raise ValueError(f"not an OISST file: {url}")
    return date(*map(int, found.groups()))


def _write(path: Path, day: date, coarsen: int) -> Path:
    nlat, nlon, step = LAT // coarsen, LON // coarsen, STEP_DEGREES * coarsen
    with creating(path) as file:
        file.createDimension("time", None)
        for name, size in (("zlev", 1), ("lat", nlat), ("lon", nlon)):
            file.createDimension(name, size)
        for name, values in (
            ("time", np.array([days_since_1978(day)], "f4")),
            ("zlev", np.zeros(1, "f4")),
            ("lat", (-90 + step * (np.arange(nlat) + 0.5)).astype("f4")),
            ("lon", (step * (np.arange(nlon) + 0.5)).astype("f4")),
        ):
            add(file, name, values, (name,), AXES[name])
        for name in VARIABLES:
            packed = stored(name, day, np.arange(nlat)[:, None], np.arange(nlon)[None, :])[None, None]
            chunks = {"zlib": True, "complevel": 4, "shuffle": True, "chunksizes": packed.shape}
            add(file, name, packed, ("time", "zlev", "lat", "lon"), _attrs_of(name), **chunks)
        file.setncatts(_attrs(path.name, day))
    return path


def _attrs_of(name: str) -> dict[str, object]:
    long_name, units, low, high = VARIABLES[name]
    return {
        "_FillValue": FILL,
        "long_name": long_name,
        "add_offset": np.float32(0),
        "scale_factor": np.float32(0.01),
        "valid_min": np.int16(low),
        "valid_max": np.int16(high),
        "units": units,
    }


def _attrs(name: str, day: date) -> dict[str, object]:
    return {
        "title": "NOAA/NCEI 1/4 Degree Daily Optimum Interpolation Sea Surface Temperature (OISST) Analysis, "
        "Version 2.1 - Final",
        "source": "ICOADS, NCEP_GTS, GSFC_ICE, NCEP_ICE, Pathfinder_AVHRR, Navy_AVHRR",
        "id": name,
        "naming_authority": "gov.noaa.ncei",
        "cdm_data_type": "Grid",
        "history": "Final file created using preliminary as first guess, and 3 days of AVHRR data. "
        "Preliminary uses only 1 day of AVHRR data.",
        "date_modified": "2020-05-08T19:05:13Z",
        "date_created": "2020-05-08T19:05:13Z",
        "product_version": "Version v02r01",
        "processing_level": "NOAA Level 4",
        "institution": "NOAA/National Centers for Environmental Information",
        "creator_url": "https://www.ncei.noaa.gov/",
        "creator_email": "oisst-help@noaa.gov",
        "keywords": "Earth Science > Oceans > Ocean Temperature > Sea Surface Temperature",
        "keywords_vocabulary": "Global Change Master Directory (GCMD) Earth Science Keywords",
        "platform": "Ships, buoys, Argo floats, MetOp-A, MetOp-B",
        "standard_name_vocabulary": "CF Standard Name Table (v40, 25 January 2017)",
        "geospatial_lat_min": np.float32(-90),
        "geospatial_lat_max": np.float32(90),
        "geospatial_lon_min": np.float32(0),
        "geospatial_lon_max": np.float32(360),
        "geospatial_lat_units": "degrees_north",
        "geospatial_lat_resolution": np.float32(0.25),
        "geospatial_lon_units": "degrees_east",
        "geospatial_lon_resolution": np.float32(0.25),
        "time_coverage_start": f"{day:%Y-%m-%d}T00:00:00Z",
        "time_coverage_end": f"{day:%Y-%m-%d}T23:59:59Z",
        "metadata_link": "https://doi.org/10.25921/RE9P-PT57",
        "ncei_template_version": "NCEI_NetCDF_Grid_Template_v2.0",
        "comment": "Data was converted from NetCDF-3 to NetCDF-4 format with metadata updates in November 2017.",
        "sensor": "Thermometer, AVHRR",
        "Conventions": "CF-1.6, ACDD-1.3",
    }
