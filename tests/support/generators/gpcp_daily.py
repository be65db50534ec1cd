"""GPCP daily v1.3 climate data record: one float32 file a day whose name carries its creation date.

Names, types and attributes are those of NCEI's ``gpcp_v01r03_daily_dYYYYMMDD_cYYYYMMDD.nc``, down to a `history`
that is no valid UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from tests.support.generators.files import add, creating, path_of

LATITUDE, LONGITUDE = 180, 360
MISSING = np.float32(-99999)
HISTORY = b"1) \xd0R`\x8b, Dr. Jian-Jian Wang, U of Maryland"
SINCE = "days since 1970-01-01 00:00:00 0:00"
ATTRS: dict[str, dict[str, Any]] = {
    "latitude": {
        "long_name": "Latitude",
        "standard_name": "latitude",
        "units": "degrees_north",
        "valid_range": np.array([-90, 90], "f4"),
        "axis": "Y",
        "bounds": "lat_bounds",
    },
    "longitude": {
        "long_name": "Longitude",
        "standard_name": "longitude",
        "units": "degrees_east",
        "valid_range": np.array([0, 360], "f4"),
        "axis": "X",
        "bounds": "lon_bounds",
    },
    "time": {
        "long_name": "time",
        "standard_name": "time",
        "units": SINCE,
        "calendar": "standard",
        "axis": "T",
        "bounds": "time_bounds",
    },
    "lat_bounds": {
        "units": "degrees_north",
        "comment": "latitude values at the north and south bounds of each pixel.",
    },
    "lon_bounds": {
        "units": "degrees_east",
        "comment": "longitude values at the west and east bounds of each pixel.",
    },
    "time_bounds": {"units": SINCE, "comment": "time bounds for each time value"},
    "precip": {
        "long_name": "NOAA Climate Data Record (CDR) of Daily GPCP Satellite-Gauge Combined Precipitation",
        "standard_name": "lwe_precipitation_rate",
        "units": "mm/day",
        "cell_methods": "area: mean time: mean",
        "valid_range": np.array([0, 100], "f4"),
        "missing_value": MISSING,
    },
}


def gpcp(folder: Path, urls: Iterable[str], *, coarsen: int = 10) -> list[Path]:
    """Write the files behind GPCP's URLs; `coarsen=1` gives the true 180 × 360 grid."""
    return [_write(path_of(folder, url), *_dates_of(url), coarsen) for url in urls]


def stored(day: date, latitude: NDArray[np.int64], longitude: NDArray[np.int64]) -> NDArray[np.float32]:
    """Give the precipitation in mm/day at indices of a day: quarters of a millimetre, or -99999 where it is missing.

    Examples
    --------
    >>> stored(date(1996, 10, 1), np.arange(2)[:, None], np.arange(2)[None, :])
    array([[-9.9999e+04,  4.4250e+01],
           [ 4.3250e+01,  4.5000e+01]], dtype=float32)
    """
    values = (3 * latitude + 7 * longitude + days_since_1970(day)) % 200 / 4
    return np.where((latitude + longitude) % 11 == 0, MISSING, values).astype(np.float32)


def days_since_1970(day: date) -> int:
    """Count days since 1970-01-01."""
    return (day - date(1970, 1, 1)).days


def _dates_of(url: str) -> tuple[date, date]:
    found = re.search(r"gpcp_v01r03_daily_d(\d{8})_c(\d{8})\.nc$", url)
    if not found:
        raise ValueError(f"not a GPCP file: {url}")
    day, created = (date(int(t[:4]), int(t[4:6]), int(t[6:])) for t in found.groups())
    return day, created


def _write(path: Path, day: date, created: date, step: int) -> Path:
    nlat, nlon, start = LATITUDE // step, LONGITUDE // step, days_since_1970(day)
    latitude, longitude = (-90 + step * np.arange(nlat)).astype("f4"), (step * np.arange(nlon)).astype("f4")
    with creating(path) as file:
        for name, size in (("latitude", nlat), ("longitude", nlon), ("time", 1), ("nv", 2)):
            file.createDimension(name, size)
        for name, values, dims in (
            ("latitude", latitude, ("latitude",)),
            ("longitude", longitude, ("longitude",)),
            ("time", np.array([start], "f4"), ("time",)),
            ("lat_bounds", _bounds(latitude, step), ("latitude", "nv")),
            ("lon_bounds", _bounds(longitude, step), ("longitude", "nv")),
            ("time_bounds", np.array([[start, start + 1]], "f4"), ("time", "nv")),
        ):
            add(file, name, values, dims, ATTRS[name])
        rain = stored(day, np.arange(nlat)[:, None], np.arange(nlon)[None, :])[None]
        filters = {"zlib": True, "complevel": 4, "shuffle": True}
        add(file, "precip", rain, ("time", "latitude", "longitude"), ATTRS["precip"], **filters)
        file.setncatts(_attrs(path, day, created))
    with h5py.File(path, "r+") as raw:
        raw.attrs["history"] = np.bytes_(HISTORY)
    return path


def _bounds(edges: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    return np.stack([edges, edges + step], axis=1).astype("f4")


def _attrs(path: Path, day: date, created: date) -> dict[str, object]:
    return {
        "Conventions": "CF-1.6, ACDD 1.3",
        "title": "Global Precipitation Climatatology Project (GPCP) Climate Data Record (CDR), Daily V1.3",
        "source": f"oc.{day:%Y%m}.sg",
        "references": "Huffman_etal2001",
        "Metadata_Conventions": "CF-1.6, Unidata Dataset Discovery v1.0, NOAA CDR v1.0, GDS v2.0",
        "standard_name_vocabulary": "CF Standard Name Table (v41, 22 February 2017)",
        "id": f"{day:%Y}/{path.name}",
        "naming_authority": "gov.noaa.ncdc",
        "date_created": f"{created:%Y-%m-%d}T19:30:42Z",
        "license": "No constraints on data access or use.",
        "summary": "Global Precipitation Climatology Project (GPCP) Daily Version 1.3 gridded, merged satellite/gauge "
        "precipitation Climate data Record (CDR) from 1996 to present.",
        "keywords": "EARTH SCIENCE > ATMOSPHERE > PRECIPITATION > PRECIPITATION AMOUNT",
        "cdm_data_type": "Grid",
        "cdr_program": "NOAA Climate Data Record Program for satellites, FY 2011.",
        "cdr_variable": "precipitation",
        "product_version": "v01r03",
        "creator_name": "Dr. Jian-Jian Wang",
        "creator_email": "jjwang@umd.edu",
        "institution": "ACADEMIC > UMD/ESSIC > Earth System Science Interdisciplinary Center, University of Maryland",
        "publisher_name": "NOAA National Centers for Environmental Information (NCEI)",
        "publisher_url": "https://www.ncei.noaa.gov",
        "project": "GPCP > Global Precipitation Climatology Project",
        "geospatial_lat_min": np.float32(-90),
        "geospatial_lat_max": np.float32(90),
        "geospatial_lat_resolution": "1 degree",
        "geospatial_lon_min": np.float32(0),
        "geospatial_lon_max": np.float32(360),
        "geospatial_lon_resolution": "1 degree",
        "spatial_resolution": "1 degree",
        "time_coverage_start": f"{day:%Y-%m-%d}T00:00:00Z",
        "time_coverage_end": f"{day:%Y-%m-%d}T23:59:59Z",
        "time_coverage_duration": "P1D",
        "contributor_role": "principalInvestigator, processor and custodian",
    }
