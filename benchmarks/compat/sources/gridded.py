"""Datasets on regular grids in NetCDF files, with the names, types and packing of the real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from common import field, holed, latitude, longitude, place, source, write

ZLIB = {"zlib": True, "complevel": 4}


@source
def casm(folder: Path) -> None:
    """Write soil moisture, a year a file, every third day along ``date``; the time unit is the same in all."""
    for year in range(2002, 2021):
        dates = pd.date_range(f"{year}-01-02", f"{year}-12-31", freq="24D")
        coords = {"date": ("date", dates), **latitude(18), **longitude(36)}
        values = holed(field((len(dates), 18, 36), year, 0, 0.6))
        ds = xr.Dataset({"CASM_soil_moisture": (("date", "lat", "lon"), values, {"units": "cm3/cm3"})}, coords)
        packing = {"CASM_soil_moisture": {**ZLIB, "_FillValue": np.float32(np.nan)}}
        packing["date"] = {"units": "days since 2002-01-01", "calendar": "proleptic_gregorian", "dtype": "int64"}
        for record in ("records", "record"):
            write(ds, place(folder, f"https://zenodo.org/{record}/7072512/files/CASM_SM_{year}.nc"), packing)


@source
def metaflux(folder: Path) -> None:
    """Write carbon fluxes as xarray does by default: the time unit counts from each file's first step."""
    root = "https://zenodo.org/record/7761881/files/METAFLUX_GPP_RECO"
    for year in range(2001, 2022):
        fluxes(f"{root}_monthly_{year}.nc", pd.date_range(f"{year}-01-01", periods=12, freq="MS"), year, folder)
        for month in range(1, 13):
            days = pd.date_range(f"{year}-{month:02}-01", periods=3, freq="10D")
            fluxes(f"{root}_daily_{year}{month:02}.nc", days, year * 12 + month, folder)


def fluxes(url: str, times: pd.DatetimeIndex, seed: int, folder: Path) -> None:
    """Write one file."""
    coords = {"time": ("time", times), **latitude(12, "latitude", dtype="f8"), **longitude(24, "longitude", dtype="f8")}
    units = {"units": "gC m-2 d-1"}
    dims = ("time", "latitude", "longitude")
    fields = {
        name: (dims, holed(field((len(times), 12, 24), seed + k, 0, 9)), units)
        for k, name in enumerate(("GPP", "RECO"))
    }
    write(
        xr.Dataset(fields, coords),
        place(folder, url),
        {name: {**ZLIB, "_FillValue": np.float32(np.nan)} for name in fields},
    )


SURFACE = ("dbss_obil", "dbss_obml", "sltfl", "sshg", "thflx", "uflx", "vflx")
MULTI = ("dzdt", "pottmp", "salt", "ucur", "vcur")


@source
def godas(folder: Path) -> None:
    """Write ocean analyses, a variable and year a file: int16, with the two extra time variables of the archive."""
    for number, name in enumerate(SURFACE + MULTI):
        for year in (1980, 1981):
            coords = {
                "time": ("time", pd.date_range(f"{year}-01-01", periods=12, freq="MS")),
                **latitude(22),
                **longitude(36, first=0),
            }
            dims, shape = ("time", "lat", "lon"), (12, 22, 36)
            if name in MULTI:
                coords["level"] = ("level", np.array([5, 15, 25, 35], "f4"), {"units": "m", "positive": "down"})
                dims, shape = ("time", "level", "lat", "lon"), (12, 4, 22, 36)
            held = {"long_name": name, "units": "unknown", "level_desc": "Surface", "dataset": "NCEP GODAS"}
            fields = {name: (dims, holed(field(shape, year + number, -2, 30)), held)}
            fields["date"] = ("time", np.arange(12, dtype="i4") + year * 100)
            fields["timePlot"] = ("time", np.arange(12, dtype="f4"))
            ds = xr.Dataset(fields, coords, {"title": "NCEP Global Ocean Data Assimilation System"})
            packing = {
                name: {
                    "dtype": "int16",
                    "scale_factor": 0.001,
                    "add_offset": 0.0,
                    "_FillValue": np.int16(32767),
                    **ZLIB,
                }
            }
            packing["time"] = {"units": "days since 1800-01-01 00:00:00", "dtype": "float64"}
            url = f"https://downloads.psl.noaa.gov/Datasets/godas/{name}.{year}.nc"
            write(ds, place(folder, url), packing, unlimited_dims=["time"])


@source
def gpcp(folder: Path) -> None:
    """Write daily precipitation, a day a file, with bounds that are variables of their own."""
    for number, day in enumerate(pd.date_range("1996-10-01", periods=4)):
        url = f"https://storage.googleapis.com/pforge-test-data/gpcp/v01r03_daily_d{day:%Y%m%d}.nc"
        write(precipitation(day, number), place(folder, url), PRECIPITATION, unlimited_dims=["time"])


PRECIPITATION = {
    "precip": {"_FillValue": np.float32(-9999.0), **ZLIB},
    "time": {"units": "days since 1970-01-01 00:00:00 0:00", "calendar": "julian", "dtype": "float32"},
    "time_bounds": {"units": "days since 1970-01-01 00:00:00 0:00", "calendar": "julian", "dtype": "float32"},
}
PRECIPITATION["time"]["calendar"] = PRECIPITATION["time_bounds"]["calendar"] = "gregorian"


def precipitation(day: pd.Timestamp, seed: int) -> xr.Dataset:
    """Make one day."""
    lat, lon = latitude(18, "latitude"), longitude(36, "longitude", 0)
    lat["latitude"][2]["bounds"], lon["longitude"][2]["bounds"] = "lat_bounds", "lon_bounds"
    coords = {"time": ("time", [day], {"standard_name": "time", "bounds": "time_bounds"}), **lat, **lon}
    edges = {
        name: np.stack([coords[of][1] - 5, coords[of][1] + 5], 1)
        for name, of in (("lat_bounds", "latitude"), ("lon_bounds", "longitude"))
    }
    values = holed(field((1, 18, 36), seed, 0, 50))
    fields = {
        "precip": (
            ("time", "latitude", "longitude"),
            values,
            {"units": "mm/day", "cell_methods": "area: mean time: mean"},
        ),
        "lat_bounds": (("latitude", "nv"), edges["lat_bounds"]),
        "lon_bounds": (("longitude", "nv"), edges["lon_bounds"]),
        "time_bounds": (("time", "nv"), np.array([[day, day + pd.Timedelta(days=1)]], "datetime64[ns]")),
    }
    title = "Global Precipitation Climatatology Project (GPCP) Climate Data Record (CDR), Daily V1.3"
    return xr.Dataset(fields, coords, {"title": title, "Conventions": "CF-1.6, ACDD 1.3"})


@source
def gpcp_zarr(folder: Path) -> None:
    """Write the store that the rechunking example reads: zarr v2, consolidated, a day a chunk."""
    days = pd.date_range("1996-10-01", periods=40)
    ds = xr.concat([precipitation(day, number) for number, day in enumerate(days)], "time", data_vars="minimal")
    path = place(folder, "https://ncsa.osn.xsede.org/Pangeo/pangeo-forge/gpcp-feedstock/gpcp.zarr")
    ds = ds.set_coords(["lat_bounds", "lon_bounds", "time_bounds"])
    ds.chunk({"time": 1}).to_zarr(path, mode="w", consolidated=True)


@source
def oisst(folder: Path) -> None:
    """Write sea surface temperature, a day a file: int16, packed with one scale a variable."""
    for number, day in enumerate(pd.date_range("1981-09-01", periods=3)):
        lat, lon = latitude(18), longitude(36, first=0)
        coords = {
            "time": ("time", [day + pd.Timedelta(hours=12)], {"long_name": "Center time of the day"}),
            **lat,
            **lon,
        }
        coords["zlev"] = ("zlev", np.zeros(1, "f4"), {"units": "meters", "positive": "down"})
        limits = {"sst": (-2, 35), "anom": (-5, 5), "err": (0, 3), "ice": (0, 1)}
        dims = ("time", "zlev", "lat", "lon")
        fields = {
            name: (dims, np.round(holed(field((1, 1, 18, 36), 10 * number + k, *ends)), 2), {"units": "Celsius"})
            for k, (name, ends) in enumerate(limits.items())
        }
        packed = {
            "dtype": "int16",
            "scale_factor": np.float32(0.01),
            "add_offset": np.float32(0),
            "_FillValue": np.int16(-999),
            **ZLIB,
        }
        packing = {name: packed for name in limits}
        packing["time"] = {"units": "days since 1978-01-01 12:00:00", "dtype": "float32"}
        root = "https://www.ncei.noaa.gov/data/sea-surface-temperature-optimum-interpolation/v2.1/access/avhrr"
        write(
            xr.Dataset(fields, coords, {"title": "OISST", "id": f"oisst-{day:%Y%m%d}"}),
            place(folder, f"{root}/{day:%Y%m}/oisst-avhrr-v02r01.{day:%Y%m%d}.nc"),
            packing,
        )


@source
def terraclimate(folder: Path) -> None:
    """Write a water balance, a variable and year a file, with a global attribute that is no UTF-8."""
    import h5py

    for name, scale in (("soil", 0.1), ("srad", 0.05)):
        for year in (2000, 2001):
            coords = {
                "time": ("time", pd.date_range(f"{year}-01-01", periods=12, freq="MS")),
                **latitude(18, descending=True, dtype="f8"),
                **longitude(36, dtype="f8"),
            }
            values = holed(field((12, 18, 36), year + len(name), 0, 300))
            fields = {name: (("time", "lat", "lon"), values, {"units": "mm"})}
            coords["crs"] = ("crs", np.array([3], "i2"), {"grid_mapping_name": "latitude_longitude"})
            packing = {
                name: {
                    "dtype": "int32",
                    "scale_factor": scale,
                    "add_offset": 0.0,
                    "_FillValue": np.int32(-2147483648),
                    **ZLIB,
                }
            }
            packing["time"] = {"units": "days since 1900-01-01 00:00:00", "dtype": "float64"}
            root = "http://thredds.northwestknowledge.net:8080/thredds/fileServer/TERRACLIMATE_ALL/data"
            path = place(folder, f"{root}/TerraClimate_{name}_{year}.nc")
            write(xr.Dataset(fields, coords, {"title": "TerraClimate"}), path, packing)
            with h5py.File(path, "a") as file:
                file.attrs["method"] = np.bytes_("caf\xe9".encode("latin-1"))


@source
def mur(folder: Path) -> None:
    """Write GHRSST files, a day a file, for HTTP with a token and for a bucket."""
    name = "MUR-JPL-L4-GLOB-v4.1"
    for number, day in enumerate(pd.date_range("2002-06-01", periods=5)):
        file = f"{name}/{day:%Y%m%d}090000-JPL-L4_GHRSST-SSTfnd-MUR-GLOB-v02.0-fv04.1.nc"
        for url in (
            "https://archive.podaac.earthdata.nasa.gov/podaac-ops-cumulus-protected",
            "s3://podaac-ops-cumulus-protected",
        ):
            ghrsst(day, number, place(folder, f"{url}/{file}"))
    (folder / "archive.podaac.earthdata.nasa.gov/.authorization").write_text("Bearer a-token")


def ghrsst(day: pd.Timestamp, number: int, path: Path) -> None:
    """Write one day."""
    coords = {
        "time": ("time", [day + pd.Timedelta(hours=9)], {"long_name": "reference time of sst field", "axis": "T"}),
        **latitude(180),
        **longitude(360),
    }
    dims, shape = ("time", "lat", "lon"), (1, 180, 360)
    fields = {
        "analysed_sst": (dims, holed(field(shape, number, 271, 305)), {"units": "kelvin"}),
        "analysis_error": (dims, holed(field(shape, number + 50, 0, 2)), {"units": "kelvin"}),
        "mask": (
            dims,
            np.ones(shape, "i1"),
            {"flag_values": np.array([1, 2, 5], "i1"), "flag_meanings": "sea land lake"},
        ),
        "sea_ice_fraction": (dims, holed(field(shape, number + 99)), {"units": "fraction (between 0 and 1)"}),
    }
    chunk = {"chunksizes": (1, 90, 120), **ZLIB}
    packing = {
        "analysed_sst": {
            "dtype": "int16",
            "scale_factor": 0.001,
            "add_offset": 298.15,
            "_FillValue": np.int16(-32768),
            **chunk,
        },
        "analysis_error": {
            "dtype": "int16",
            "scale_factor": 0.01,
            "add_offset": 0.0,
            "_FillValue": np.int16(-32768),
            **chunk,
        },
        "mask": {"_FillValue": np.int8(-128), **chunk},
        "sea_ice_fraction": {
            "dtype": "int8",
            "scale_factor": 0.01,
            "add_offset": 0.0,
            "_FillValue": np.int8(-128),
            **chunk,
        },
        "time": {"units": "seconds since 1981-01-01 00:00:00 UTC", "dtype": "int32"},
    }
    write(xr.Dataset(fields, coords, {"title": "Daily MUR SST, Final product"}), path, packing)


@source
def modis(folder: Path) -> None:
    """Write mapped ocean colour, a variable and eight days a file, behind a password; the time is an attribute."""
    root = "https://oceandata.sci.gsfc.nasa.gov/ob/getfile/AQUA_MODIS"
    for number, day in enumerate(pd.to_datetime(["2002-07-04", "2002-07-12"])):
        days = f"{day:%Y%m%d}_{day + pd.Timedelta(days=7):%Y%m%d}"
        for name in ("CHL.chlor_a", "IOP.bbp_443", "SST.sst"):
            mapped(name.split(".")[1], day, number, place(folder, f"{root}.{days}.L3m.8D.{name}.4km.nc"))
    (folder / "oceandata.sci.gsfc.nasa.gov/.authorization").write_text("Basic dXNlcjpzZWNyZXQ=")


def mapped(name: str, day: pd.Timestamp, number: int, path: Path) -> None:
    """Write one variable of eight days."""
    coords = {**latitude(60, descending=True), **longitude(120)}
    fields = {name: (("lat", "lon"), holed(field((60, 120), number + len(name), 0, 20)), {"units": "unknown"})}
    fields["palette"] = (("rgb", "eightbitcolor"), np.zeros((3, 256), "u1"))
    packing = {name: {"_FillValue": np.float32(-32767), **ZLIB}}
    if name == "sst":
        fields["qual_sst"] = (("lat", "lon"), np.zeros((60, 120), "u1"))
        packing = {
            name: {
                "dtype": "int16",
                "scale_factor": np.float32(0.005),
                "add_offset": np.float32(0),
                "_FillValue": np.int16(-32767),
                **ZLIB,
            }
        }
        packing["qual_sst"] = {"_FillValue": np.uint8(255)}
    held = {"time_coverage_start": f"{day:%Y-%m-%d}T00:25:01.000Z", "product_name": path.name}
    write(xr.Dataset(fields, coords, held), path, packing)
