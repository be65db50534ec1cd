"""Stores of every kind that the explore page draws, each with what xarray reads from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import xarray as xr
import zarr
from zarr.codecs.numcodecs import Shuffle, Zlib

from bakehouse.catalog.entry import Entry, Store
from bakehouse.catalog.harvest import harvest
from bakehouse.catalog.preview import Preview, VariablePreview
from tests.catalog.samples import HOSTILE, entry

RNG = np.random.default_rng(7)
LIMITS = (0.0, 30.0)


@dataclass(frozen=True)
class Shelved:
    """An entry, and its store as xarray opens it."""

    entry: Entry
    data: xr.Dataset


def smooth(*shape: int) -> np.ndarray:
    """Make values between 0 and 30 that differ from cell to cell."""
    ramp = np.add.outer(np.linspace(0, 18, shape[-2]), np.linspace(0, 9, shape[-1]))
    return (ramp + RNG.uniform(0, 3, shape)).astype("f4")


def axes(rows: int, columns: int) -> dict[str, Any]:
    """Make cell centres on the whole globe, southwards and from 0° on."""
    return {
        "lat": ("lat", 90 - (np.arange(rows) + 0.5) * 180 / rows, {"units": "degrees_north"}),
        "lon": ("lon", (np.arange(columns) + 0.5) * 360 / columns, {"units": "degrees_east"}),
    }


def months(count: int, calendar: str = "standard") -> xr.CFTimeIndex | Any:
    """Make starts of months."""
    return xr.date_range("2001-01-01", periods=count, freq="MS", calendar=calendar, use_cftime=calendar != "standard")


def packed() -> xr.Dataset:
    """Make integers with scale, offset and fill, as producers pack them; some are missing."""
    values = smooth(12, 18, 36)
    values[:, 3:6, 4:9] = np.nan
    ds = xr.Dataset({"sst": (("time", "lat", "lon"), values)}, {"time": months(12), **axes(18, 36)})
    ds.sst.attrs = {"units": "degC", "long_name": "Sea surface temperature"}
    ds.sst.encoding = {"dtype": "i2", "scale_factor": 0.01, "add_offset": 10.0, "_FillValue": np.int16(-32768)}
    return ds


def curved(rows: int = 30, columns: int = 40) -> xr.Dataset:
    """Make a grid turned by 25° across the antimeridian, in a calendar without leap days."""
    y, x = np.meshgrid((np.arange(rows) - rows / 2) * 0.8, (np.arange(columns) - columns / 2) * 0.8, indexing="ij")
    turn = np.radians(25)
    lat = -15 + x * np.sin(turn) + y * np.cos(turn)
    lon = (179 + x * np.cos(turn) - y * np.sin(turn) + 180) % 360 - 180
    values = smooth(3, rows, columns)
    values[:, 10:14, 20:28] = np.nan
    named = ("latitude", "degrees_north"), ("longitude", "degrees_east")
    north, east = ({"standard_name": name, "units": units} for name, units in named)
    where = {"nav_lat": (("y", "x"), lat, north), "nav_lon": (("y", "x"), lon, east)}
    ds = xr.Dataset({"tos": (("time", "y", "x"), values, {"units": "K"})}, {"time": months(3, "noleap"), **where})
    ds.tos.encoding["_FillValue"] = np.float32(1e20)
    return ds


def rotated() -> xr.Dataset:
    """Make a rotated pole's grid that gives no other latitudes and longitudes, with levels."""
    rlat, rlon = np.linspace(-12, 12, 25), np.linspace(-18, 18, 37)
    pole = {
        "grid_mapping_name": "rotated_latitude_longitude",
        "grid_north_pole_latitude": 39.25,
        "grid_north_pole_longitude": -162.0,
    }
    data = {
        "ta": (("time", "plev", "rlat", "rlon"), smooth(2, 3, 25, 37), {"units": "K", "grid_mapping": "crs"}),
        "crs": ((), 0, pole),
    }
    where = {
        "time": months(2, "360_day"),
        "plev": ("plev", [1000.0, 850.0, 500.0], {"units": "hPa", "axis": "Z", "positive": "down"}),
        "rlat": ("rlat", rlat, {"axis": "Y", "standard_name": "grid_latitude", "units": "degrees"}),
        "rlon": ("rlon", rlon, {"axis": "X", "standard_name": "grid_longitude", "units": "degrees"}),
    }
    return xr.Dataset(data, where)


RADIUS = 6_371_229.0


def polar() -> xr.Dataset:
    """Make squares of a polar stereographic plane of a sphere, true at the pole, that give no places on the globe."""
    side = (np.arange(41) - 20) * 150_000.0
    mapping = {
        "grid_mapping_name": "polar_stereographic",
        "latitude_of_projection_origin": 90.0,
        "standard_parallel": 90.0,
        "straight_vertical_longitude_from_pole": 0.0,
        "earth_radius": RADIUS,
    }
    ice = {"units": "1", "standard_name": "sea_ice_area_fraction", "grid_mapping": "crs"}
    named = {
        axis: {"standard_name": f"projection_{axis}_coordinate", "units": "m", "axis": axis.upper()} for axis in "xy"
    }
    where = {axis: (axis, side if axis == "x" else side[::-1], attrs) for axis, attrs in named.items()}
    return xr.Dataset({"siconc": (("y", "x"), smooth(41, 41), ice), "crs": ((), 0, mapping)}, where)


def mesh() -> xr.Dataset:
    """Make squares in one long row, in no order, whose centres are stated near one of their corners."""
    west, south = (each.ravel() for each in np.meshgrid(np.arange(-30, 30, 4.0), np.arange(-20, 20, 4.0)))
    order = RNG.permutation(west.size)
    west, south = west[order], south[order]
    corners = (
        (("cell", "v"), np.stack([west, west + 4, west + 4, west], 1)),
        (
            ("cell", "v"),
            np.stack([south, south, south + 4, south + 4], 1),
        ),
    )
    north, east = (
        {"units": f"degrees_{side}", "bounds": f"{name}_bnds"} for side, name in (("north", "lat"), ("east", "lon"))
    )
    where = {"lat": ("cell", south + 0.5, north), "lon": ("cell", west + 0.5, east)}
    data = {"tas": ("cell", smooth(1, west.size)[0], {"units": "K"})}
    return xr.Dataset({**data, "lon_bnds": corners[0], "lat_bnds": corners[1]}, where)


def levels() -> xr.Dataset:
    """Make a field on three levels, of which a preview holds the last."""
    ds = rotated().ta.drop_vars(["rlat", "rlon"]).rename(rlat="lat", rlon="lon").to_dataset()
    ds = ds.assign_coords(axes(25, 37))
    ds.ta.attrs = {"units": "K", "long_name": "Air temperature"}
    return ds


def wide(columns: int = 72) -> xr.Dataset:
    """Make what a preview holds of the store that is too large to read at once."""
    ds = xr.Dataset(
        {"pr": (("time", "lat", "lon"), smooth(1, columns // 2, columns))},
        {"time": months(40)[-1:], **axes(columns // 2, columns)},
    )
    ds.time.encoding["units"] = "days since 1970-01-01"  # a single 0 would be fill, and no chunk would be written
    ds.pr.attrs = {"units": "kg m-2 s-1", "standard_name": "precipitation_flux"}
    return ds


def huge(path: Path) -> None:
    """Write a store of 40 maps of 64 MB, of which not one chunk was stored."""
    where = xr.Dataset(coords={"time": months(40), **axes(2880, 5760)})
    where.to_zarr(path, zarr_format=3, consolidated=False)
    group = zarr.open_group(path)
    names = ("time", "lat", "lon")
    array = group.create_array(
        "pr", shape=(40, 2880, 5760), chunks=(1, 2880, 5760), dtype="f4", fill_value=np.nan, dimension_names=names
    )
    array.attrs.update(wide().pr.attrs)
    zarr.consolidate_metadata(path)


def shelve(root: Path, elsewhere: str) -> dict[str, Shelved]:
    """Write every store, and make entries of them; `elsewhere` is a server that allows no other origin."""
    shuffled = {"compressors": [Shuffle(elementsize=2), Zlib(level=4)], "chunks": (1, 9, 18), "shards": (6, 18, 36)}
    v2 = {"filters": [numcodecs.Shuffle(4)], "compressors": [numcodecs.Zlib(4)]}
    made = {
        "packed/shards": _write(root, "packed/shards", packed(), 3, {"sst": shuffled}, "sst"),
        "curved/grid": _write(root, "curved/grid", curved(), 2, {"tos": v2}, "tos"),
        "rotated/pole": _write(
            root, "rotated/pole", rotated(), 3, {"ta": {"compressors": [zarr.codecs.GzipCodec()]}}, "ta", bare=True
        ),
    }
    made["polar/plane"] = _write(root, "polar/plane", polar(), 3, {}, "siconc")
    made["mesh/cells"] = _write(root, "mesh/cells", mesh(), 3, {}, "tas")
    made["levels/three"] = _levels(root)
    made["huge/store"] = _huge(root)
    closed = Store(url=f"{elsewhere}/closed.zarr", zarr_format=3, consolidated=True)
    there = made["packed/shards"]
    made["closed/elsewhere"] = Shelved(entry("closed/elsewhere", store=closed, facts=there.entry.facts), there.data)
    fields = {"store": there.entry.store, "facts": there.entry.facts, "title": HOSTILE, "description": HOSTILE}
    made["hostile/shards"] = Shelved(entry("hostile/shards", **fields), there.data)
    return made


def _write(
    root: Path, id: str, ds: xr.Dataset, zarr_format: Any, encoding: Any, name: str, bare: bool = False
) -> Shelved:
    path = root / f"{id.replace('/', '-')}.zarr"
    ds.to_zarr(path, zarr_format=zarr_format, encoding=encoding, consolidated=not bare)
    return _shelved(id, path, zarr_format, name, None, bare)


def _shelved(id: str, path: Path, zarr_format: Any, name: str, preview: str | None, bare: bool = False) -> Shelved:
    data = xr.open_zarr(path, chunks=None, consolidated=not bare)
    facts = harvest(data, zarr.open_group(path, mode="r", use_consolidated=not bare))
    shown = VariablePreview(name=name, cmap="plasma", limits=LIMITS)
    store = Store(url=str(path), zarr_format=zarr_format, consolidated=not bare)
    given = Preview(url=str(path.with_suffix(".preview")), variables=(shown,), store=preview)
    made = entry(
        id, store=store, facts=facts, preview=given, title=f"The {id.split('/')[0]} grid", tags=(id.split("/")[0],)
    )
    return Shelved(made, data)


def _huge(root: Path) -> Shelved:
    path = root / "huge-store.zarr"
    huge(path)
    small = path.with_suffix(".preview") / "preview.zarr"
    wide().to_zarr(small, zarr_format=3, consolidated=True)
    return Shelved(_shelved("huge/store", path, 3, "pr", "preview.zarr").entry, xr.open_zarr(small, chunks=None))


def _levels(root: Path) -> Shelved:
    path = root / "levels-three.zarr"
    ds = levels()
    ds.to_zarr(path, zarr_format=3, consolidated=True)
    small = ds.isel(plev=2).drop_vars("plev").isel(lat=slice(None, None, 2), lon=slice(None, None, 2))
    small["ta"] = small.ta.assign_attrs(selected={"plev": 2})
    small.to_zarr(path.with_suffix(".preview") / "preview.zarr", zarr_format=3, consolidated=True)
    return _shelved("levels/three", path, 3, "ta", "preview.zarr")
