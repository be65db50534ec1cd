from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import h5py
import netCDF4
import numpy as np
import pytest
import xarray as xr

from tests.support.generators import gpcp, ncep, oisst, path_of
from tests.support.generators.gpcp_daily import HISTORY

OISST = "https://www.ncei.noaa.gov/data/sea-surface-temperature-optimum-interpolation/v2.1/access/avhrr/198109/oisst-avhrr-v02r01.198109{:02d}.nc"
GPCP = "https://www.ncei.noaa.gov/data/global-precipitation-climatology-project-gpcp-daily/access/1996/gpcp_v01r03_daily_d199610{:02d}_c20170530.nc"
NCEP = "https://downloads.psl.noaa.gov/Datasets/ncep.reanalysis/Dailies/surface/{}.{}.nc"


def open_one(folder: Path, url: str, **kwargs: Any) -> xr.Dataset:
    with xr.open_dataset(path_of(folder, url), **kwargs) as dataset:
        return dataset.load()


def test_files_lie_below_their_host_and_path(tmp_path: Path) -> None:
    (path,) = oisst(tmp_path, [OISST.format(1)])
    where = "www.ncei.noaa.gov/data/sea-surface-temperature-optimum-interpolation/v2.1/access/avhrr/198109"
    assert path == tmp_path / where / "oisst-avhrr-v02r01.19810901.nc"


def test_oisst_is_packed_as_its_producer_packs_it(tmp_path: Path) -> None:
    (path,) = oisst(tmp_path, [OISST.format(1)])
    with netCDF4.Dataset(path) as file:
        assert {n: (d.size, d.isunlimited()) for n, d in file.dimensions.items()} == {
            "time": (1, True), "zlev": (1, False), "lat": (36, False), "lon": (72, False)}  # fmt: skip
        for name in ("sst", "anom", "err", "ice"):
            variable = file[name]
            assert (variable.dtype, variable.dimensions) == (np.int16, ("time", "zlev", "lat", "lon"))
            assert variable.chunking() == [1, 1, 36, 72]
            assert {k: variable.filters()[k] for k in ("zlib", "shuffle", "complevel")} == {
                "zlib": True,
                "shuffle": True,
                "complevel": 4,
            }
            assert (variable._FillValue, variable.scale_factor, variable.add_offset) == (-999, np.float32(0.01), 0)
            assert isinstance(variable.scale_factor, np.float32)
            assert variable.units == ("%" if name == "ice" else "Celsius")


def test_oisst_decodes_to_the_values_of_its_closed_form(tmp_path: Path) -> None:
    oisst(tmp_path, [OISST.format(2)])
    ds = open_one(tmp_path, OISST.format(2))
    assert ds.time.values == np.array(["1981-09-02T12:00"], "M8[ns]")
    assert ds.sst.dtype == np.float32
    # day 1340 of 1978, hundredths: 37 a row, 11 a column
    assert ds.sst.values[0, 0, 5, 8] == pytest.approx((1340 + 5 * 37 + 8 * 11) / 100, abs=1e-5)
    assert np.isnan(ds.sst.values[0, 0, 3, 4]) and np.isnan(ds.ice.values[0, 0, 0, 1])
    assert ds.attrs["id"] == "oisst-avhrr-v02r01.19810902.nc"
    assert ds.attrs["time_coverage_end"] == "1981-09-02T23:59:59Z"


def test_oisst_has_its_true_grid_on_request(tmp_path: Path) -> None:
    oisst(tmp_path, [OISST.format(1)], coarsen=1)
    ds = open_one(tmp_path, OISST.format(1), decode_cf=False)
    assert ds.sst.shape == (1, 1, 720, 1440)
    assert (ds.lat.values[0], ds.lat.values[-1], ds.lon.values[0], ds.lon.values[-1]) == (
        -89.875,
        89.875,
        0.125,
        359.875,
    )
    valid = ds.sst.values[ds.sst.values != -999]
    assert valid.min() >= ds.sst.attrs["valid_min"] and valid.max() <= ds.sst.attrs["valid_max"]


def test_gpcp_has_bounds_and_decodes(tmp_path: Path) -> None:
    gpcp(tmp_path, [GPCP.format(1)])
    ds = open_one(tmp_path, GPCP.format(1), decode_coords="all")
    assert dict(ds.sizes) == {"latitude": 18, "longitude": 36, "time": 1, "nv": 2}
    assert set(ds.coords) == {"latitude", "longitude", "time", "lat_bounds", "lon_bounds", "time_bounds"}
    assert ds.time_bounds.values.tolist() == np.array([["1996-10-01", "1996-10-02"]], "M8[ns]").tolist()
    assert ds.precip.dtype == np.float32 and ds.precip.attrs["units"] == "mm/day"
    day = (date(1996, 10, 1) - date(1970, 1, 1)).days
    assert ds.precip.values[0, 2, 3] == (6 + 21 + day) % 200 / 4
    assert np.isnan(ds.precip.values[0, 5, 6])
    assert ds.attrs["date_created"].startswith("2017-05-30") and ds.attrs["id"].endswith("d19961001_c20170530.nc")


def test_gpcps_history_is_no_utf8(tmp_path: Path) -> None:
    (path,) = gpcp(tmp_path, [GPCP.format(1)])
    with h5py.File(path) as file:
        assert file.attrs["history"] == HISTORY
    with pytest.raises(UnicodeDecodeError):
        HISTORY.decode()
    assert "Jian-Jian Wang" in open_one(tmp_path, GPCP.format(1)).attrs["history"]


def test_gpcp_has_its_true_grid_on_request(tmp_path: Path) -> None:
    gpcp(tmp_path, [GPCP.format(1)], coarsen=1)
    ds = open_one(tmp_path, GPCP.format(1))
    assert ds.precip.shape == (1, 180, 360)
    assert (ds.latitude.values[-1], ds.longitude.values[-1]) == (89, 359)


def test_the_reanalysis_has_whole_years_of_unequal_length(tmp_path: Path) -> None:
    urls = [NCEP.format("air.sig995", year) for year in (2003, 2004)]
    ncep(tmp_path, urls)
    first, leap = (open_one(tmp_path, url) for url in urls)
    assert (first.sizes["time"], leap.sizes["time"]) == (365, 366)
    assert first.time.values[-1] + np.timedelta64(1, "D") == leap.time.values[0] == np.datetime64("2004-01-01")
    assert first.air.attrs["actual_range"].tolist() != [185.16, 331.16]
    assert first.attrs["title"] != leap.attrs["title"]


def test_the_reanalysis_has_one_variable_a_file_on_one_grid(tmp_path: Path) -> None:
    urls = [NCEP.format(name, 2003) for name in ("air.sig995", "rhum.sig995", "uwnd.sig995")]
    paths = ncep(tmp_path, urls)
    opened = [open_one(tmp_path, url) for url in urls]
    assert [list(ds.data_vars) for ds in opened] == [["air"], ["rhum"], ["uwnd"]]
    assert [ds[n].attrs["units"] for ds, n in zip(opened, ("air", "rhum", "uwnd"), strict=True)] == ["degK", "%", "m/s"]
    merged = xr.merge(opened, join="exact", compat="equals", combine_attrs="identical")
    assert dict(merged.sizes) == {"lat": 7, "lon": 12, "time": 365}
    days = date(2003, 1, 1).toordinal() - date(1800, 1, 1).toordinal()
    assert merged.rhum.values[9, 2, 5] == (days + 9 + 14 + 15) % 320 / 4
    with netCDF4.Dataset(paths[0]) as file:
        assert (file.data_model, file["air"].dtype, file["air"].chunking()) == (
            "NETCDF4_CLASSIC",
            np.float32,
            [1, 7, 12],
        )
        assert file["time"].units == "hours since 1800-01-01 00:00:0.0"


def test_the_reanalysis_has_its_true_grid_on_request(tmp_path: Path) -> None:
    ncep(tmp_path, [NCEP.format("uwnd.sig995", 2003)], coarsen=1)
    ds = open_one(tmp_path, NCEP.format("uwnd.sig995", 2003))
    assert ds.uwnd.shape == (365, 73, 144)
    assert (ds.lat.values[0], ds.lat.values[-1], ds.lon.values[-1]) == (90, -90, 357.5)


@pytest.mark.parametrize(
    ("write", "url"), [(oisst, OISST.format(1)), (gpcp, GPCP.format(1)), (ncep, NCEP.format("air.sig995", 2001))]
)
def test_generated_files_are_the_same_every_time(write, url: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    write(tmp_path / "a", [url])
    write(tmp_path / "b", [url])
    first, second = (open_one(tmp_path / name, url, decode_cf=False) for name in "ab")
    xr.testing.assert_identical(first, second)


@pytest.mark.parametrize("write", [oisst, gpcp, ncep])
def test_other_urls_are_refused(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"https://example\.org/other\.nc"):
        write(tmp_path, ["https://example.org/other.nc"])
