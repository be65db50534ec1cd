"""Output of models in NetCDF files: other calendars, other grids, other ways to say when."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from common import field, holed, latitude, longitude, place, source, write

ZLIB = {"zlib": True, "complevel": 4}


@source
def climsim(folder: Path) -> None:
    """Write a climate model's columns, a time step a file: classic NetCDF with 64-bit data, the date in two scalars."""
    root = "https://huggingface.co/datasets/LEAP/ClimSim_low-res/resolve/main/train/0001-02/E3SM-MMF.mli.0001-02-01"
    for number, seconds in enumerate((0, 1200, 2400)):
        fields = {"ymd": ((), np.int32(10201)), "tod": ((), np.int32(seconds))}
        for k, name in enumerate(("state_t", "state_q0001", "state_u", "pbuf_ozone")):
            fields[name] = (("lev", "ncol"), field((60, 384), 10 * number + k, 180, 320).astype("f8"))
        for k, name in enumerate(("state_ps", "pbuf_SOLIN", "cam_in_LANDFRAC")):
            fields[name] = (("ncol",), field((384,), 100 * number + k).astype("f8"))
        write(xr.Dataset(fields), place(folder, f"{root}-{seconds:05}.nc"), format="NETCDF3_64BIT_DATA", encoding={})


@source
def enatl(folder: Path) -> None:
    """Write ocean model output, a day a file on a curvilinear grid, with a depth of one level."""
    for number, day in enumerate(pd.date_range("2009-07-01", periods=3)):
        y, x = np.mgrid[0:40, 0:50].astype("f4")
        coords = {
            "time_counter": ("time_counter", [day + pd.Timedelta(hours=12)], {"axis": "T"}),
            "deptht": ("deptht", np.array([60.5], "f4")),
        }
        fields = {"nav_lat": (("y", "x"), 25 + y / 2 + x / 50), "nav_lon": (("y", "x"), -80 + x / 2 + y / 50)}
        dims, shape = ("time_counter", "y", "x"), (1, 40, 50)
        for k, name in enumerate(("vosaline", "votemper", "vovecrtz", "sossheig")):
            fields[name] = (
                dims,
                field(shape, 10 * number + k, 0, 36),
                {"coordinates": "nav_lat nav_lon", "units": "unknown"},
            )
            fields[name] = (*fields[name][:2], {"units": "unknown"})
        packing = {
            name: {"_FillValue": np.float32(1e20), "chunksizes": (1, 20, 25), **ZLIB} for name in list(fields)[2:]
        }
        packing["time_counter"] = {
            "units": "seconds since 1900-01-01 00:00:00",
            "calendar": "gregorian",
            "dtype": "float64",
        }
        record = "https://zenodo.org/records/10261274/files"
        write(
            xr.Dataset(fields, coords, {"name": "eNATL60"}),
            place(folder, f"{record}/eNATL60-BLBT02_y{day:%Ym%md%d}.1d_TSW_60m.nc"),
            packing,
            unlimited_dims=["time_counter"],
        )


@source
def nex(folder: Path) -> None:
    """Write downscaled projections, a variable and year a file in a bucket, and the two tables beside them."""
    rows = []
    for k, name in enumerate(("tas", "pr")):
        for year in (1950, 1951):
            times = xr.date_range(f"{year}-01-01", periods=10, freq="D", calendar="noleap", use_cftime=True)
            coords = {
                "time": ("time", times, {"axis": "T"}),
                **latitude(60, dtype="f8"),
                **longitude(120, first=0, dtype="f8"),
            }
            ds = xr.Dataset(
                {name: (("time", "lat", "lon"), holed(field((10, 60, 120), year + k, 200, 300)), {"units": "K"})},
                coords,
            )
            packing = {name: {"_FillValue": np.float32(1e20), "chunksizes": (1, 60, 120), **ZLIB}}
            packing["time"] = {"units": "days since 1850-01-01", "calendar": "noleap", "dtype": "float64"}
            where = f"ACCESS-CM2/historical/r1i1p1f1/{name}/{name}_day_ACCESS-CM2_historical_r1i1p1f1_gn_{year}.nc"
            url = f"s3://nex-gddp-cmip6/NEX-GDDP-CMIP6/{where}"
            write(ds, place(folder, url), packing, unlimited_dims=["time"])
            rows.append(("ACCESS-CM2", "historical", "r1i1p1f1", name, url))
    table = pd.DataFrame(rows, columns=["GCM", "scenario", "ensemble_member", "variable", "url"])
    table.to_csv(place(folder, "s3://carbonplan-share/nasa-nex-reference/nasa_nex_formatted.csv"), index=False)
    known = pd.DataFrame([("none", "none/reference.parquet")], columns=["ID", "url"])
    known.to_csv(place(folder, "s3://carbonplan-share/nasa-nex-reference/reference_catalog_pgf_test.csv"), index=False)


@source
def hanging_bug(folder: Path) -> None:
    """Write the two small files of the prototype feedstocks into their bucket, in CMIP6's form, with no-leap dates."""
    for size, name in ((24, "file_a"), (24, "file_b"), (36, "file_a_huge"), (36, "file_b_huge")):
        first = 2000 if "_a" in name else 2000 + size // 12
        times = xr.date_range(f"{first}-01-16", periods=size, freq="MS", calendar="noleap", use_cftime=True)
        lat, lon = latitude(18, dtype="f8"), longitude(36, first=0, dtype="f8")
        coords = {"time": ("time", times, {"bounds": "time_bnds"}), **lat, **lon}
        fields = {"tos": (("time", "lat", "lon"), holed(field((size, 18, 36), first, 0, 30)), {"units": "degC"})}
        fields["time_bnds"] = (("time", "bnds"), np.stack([times, times], 1))
        unit = {"units": "days since 1850-01-01", "calendar": "noleap", "dtype": "float64"}
        packing = {
            "tos": {"_FillValue": np.float32(1e20), **ZLIB},
            "time": unit,
            "time_bnds": {**unit, "_FillValue": None},
        }
        write(
            xr.Dataset(fields, coords, {"variable_id": "tos"}),
            place(folder, f"gs://cmip6/pgf-debugging/hanging_bug/{name}.nc"),
            packing,
        )
