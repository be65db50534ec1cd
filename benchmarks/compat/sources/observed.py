"""Satellites' and forecasts' files that are no plain NetCDF grids: zipped GeoTIFF, GRIB2, scaled unsigned integers."""

from __future__ import annotations

import zipfile
from pathlib import Path

import eccodes
import numpy as np
import pandas as pd
import xarray as xr
from common import field, place, source, write


@source
def ssebop(folder: Path) -> None:
    """Write evapotranspiration, a GeoTIFF of uint16 in a zip archive for each day."""
    import rasterio

    root = "https://edcintl.cr.usgs.gov/downloads/sciweb1/shared/uswem/web/conus/eta/modis_eta/daily/downloads"
    for number, day in enumerate(pd.date_range("2000-01-01", periods=3)):
        values = (field((218, 228), number, 0, 9) * 1000).astype("u2")
        values[:4] = 9999
        name = f"det{day:%Y%j}.modisSSEBopETactual"
        profile = {
            "driver": "GTiff",
            "width": 228,
            "height": 218,
            "count": 1,
            "dtype": "uint16",
            "crs": "EPSG:4326",
            "nodata": 9999,
        }
        profile |= {"transform": rasterio.transform.from_origin(-125.0, 50.0, 0.25, 0.1), "compress": "lzw"}
        with rasterio.MemoryFile() as held:
            with held.open(**profile) as file:
                file.write(values, 1)
            with zipfile.ZipFile(place(folder, f"{root}/{name}.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(f"{name}.tif", held.read())
                archive.writestr(f"{name}.tfw", "0.25\n0\n0\n-0.1\n-124.875\n49.95\n")


@source
def goes(folder: Path) -> None:
    """Write radiation, an hour a file in a bucket: int16 that stand for uint16, the time a scalar."""
    for number, hour in enumerate(pd.date_range("2023-01-01", periods=3, freq="h")):
        lat, lon = np.arange(50.25, 10, -0.5).astype("f4"), np.arange(-110.25, -60, 0.5).astype("f4")
        shape = (lat.size, lon.size)
        coords = {"lat": ("lat", lat, {"units": "degrees_north"}), "lon": ("lon", lon, {"units": "degrees_east"})}
        coords["t"] = ((), hour + pd.Timedelta(minutes=30), {"standard_name": "time"})
        values = field(shape, number, 0, 1400)
        fields = {
            "DSR": (
                ("lat", "lon"),
                values,
                {"units": "W m-2", "standard_name": "surface_downwelling_shortwave_flux_in_air"},
            )
        }
        fields["DQF"] = (("lat", "lon"), np.zeros(shape, "i1"), {"flag_values": np.array([0, 1], "i1")})
        fields["retrieval_local_zenith_angle"] = ((), np.float32(70), {"units": "degree"})
        packed = {
            "dtype": "int16",
            "_Unsigned": "true",
            "scale_factor": np.float32(0.0229),
            "add_offset": np.float32(0),
            "_FillValue": np.int16(-1),
        }
        packing = {
            "DSR": {**packed, "zlib": True},
            "t": {"units": "seconds since 2000-01-01 12:00:00", "dtype": "float64"},
        }
        stamp = f"s{hour:%Y%j%H}00210_e{hour:%Y%j%H}59517_c{hour:%Y%j%H}59599"
        url = f"gs://gcp-public-data-goes-16/ABI-L2-DSRF/{hour:%Y/%j/%H}/OR_ABI-L2-DSRF-M6_G16_{stamp}.nc"
        write(xr.Dataset(fields, coords, {"platform_ID": "G16"}), place(folder, url), packing)
        web = place(folder, url.replace("gs://", "https://storage.googleapis.com/"))
        web.write_bytes(place(folder, url).read_bytes())


GRID = {
    "gridType": "lambert", "Nx": 60, "Ny": 40, "latitudeOfFirstGridPointInDegrees": 21.138123,
    "longitudeOfFirstGridPointInDegrees": 237.280472, "LaDInDegrees": 38.5, "LoVInDegrees": 262.5,
    "DxInMetres": 90000, "DyInMetres": 80000, "Latin1InDegrees": 38.5, "Latin2InDegrees": 38.5, "jScansPositively": 1,
    "shapeOfTheEarth": 6, "latitudeOfSouthernPoleInDegrees": 0, "longitudeOfSouthernPoleInDegrees": 0,
}  # fmt: skip
SURFACE = {
    "discipline": 0,
    "typeOfFirstFixedSurface": 1,
    "scaleFactorOfFirstFixedSurface": 0,
    "scaledValueOfFirstFixedSurface": 0,
}
MESSAGES = (
    {"parameterCategory": 0, "parameterNumber": 0, **SURFACE},
    {"parameterCategory": 3, "parameterNumber": 0, **SURFACE},
    {
        "parameterCategory": 0,
        "parameterNumber": 0,
        **SURFACE,
        "typeOfFirstFixedSurface": 103,
        "scaledValueOfFirstFixedSurface": 2,
    },
    {
        "parameterCategory": 2,
        "parameterNumber": 2,
        **SURFACE,
        "typeOfFirstFixedSurface": 103,
        "scaledValueOfFirstFixedSurface": 10,
    },
)


@source
def hrrr(folder: Path) -> None:
    """Write forecasts on a Lambert grid in GRIB2, four steps of one run and two runs of another day, in a bucket."""
    for step in range(4):
        messages(
            20220722,
            2200,
            step,
            place(folder, f"s3://noaa-hrrr-bdp-pds/hrrr.20220722/conus/hrrr.t22z.wrfsfcf{step:02}.grib2"),
        )
    for hour in (0, 1):
        messages(
            20220723,
            100 * hour,
            1,
            place(folder, f"s3://noaa-hrrr-bdp-pds/hrrr.20220723/conus/hrrr.t{hour:02}z.wrfsfcf01.grib2"),
        )


def messages(day: int, hour: int, step: int, path: Path) -> None:
    """Write one file of four messages."""
    with path.open("wb") as file:
        for number, keys in enumerate(MESSAGES):
            handle = eccodes.codes_grib_new_from_samples("GRIB2")
            for key, value in {
                "centre": "kwbc",
                "dataDate": day,
                "dataTime": hour,
                **GRID,
                **keys,
                "stepRange": step,
            }.items():
                eccodes.codes_set(handle, key, value)
            eccodes.codes_set(handle, "packingType", "grid_simple")
            eccodes.codes_set(handle, "bitsPerValue", 16)
            eccodes.codes_set_values(handle, field((40, 60), day + hour + step + number, 250, 310).ravel().astype("f8"))
            eccodes.codes_write(handle, file)
            eccodes.codes_release(handle)
