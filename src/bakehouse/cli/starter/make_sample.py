"""Write the sample feedstock's inputs: two NetCDF-3 files with a made-up seasonal cycle. Run as a module."""

from __future__ import annotations

from pathlib import Path

YEARS = (2021, 2022)


def write_year(year: int, folder: Path) -> Path:
    """Write one year of monthly means on a 30° grid; the same bytes every time."""
    import numpy as np
    from scipy.io import netcdf_file

    lat, lon = np.arange(-75.0, 76.0, 30.0), np.arange(15.0, 360.0, 30.0)
    days = np.array([np.datetime64(f"{year}-{month:02d}-01") - np.datetime64("2021-01-01") for month in range(1, 13)])
    phase = np.cos(2 * np.pi * (np.arange(12) - 6.5) / 12)
    warm = 28 - 0.5 * np.abs(lat) + phase[:, None] * lat / 6 + (year - YEARS[0]) * 0.5
    path = folder / f"seasons_{year}.nc"
    with netcdf_file(path, "w", version=1) as file:
        file.title = "A made-up seasonal cycle"
        for name, size in (("time", None), ("lat", lat.size), ("lon", lon.size)):
            file.createDimension(name, size)
        _put(
            file,
            "time",
            "i4",
            ("time",),
            days.astype("i4"),
            units="days since 2021-01-01",
            calendar="standard",
            standard_name="time",
        )
        _put(file, "lat", "f4", ("lat",), lat, units="degrees_north", standard_name="latitude")
        _put(file, "lon", "f4", ("lon",), lon, units="degrees_east", standard_name="longitude")
        values = np.repeat(warm[:, :, None], lon.size, axis=2)
        _put(file, "temperature", "f4", ("time", "lat", "lon"), values, units="degC", standard_name="air_temperature")
    return path


def _put(file: object, name: str, dtype: str, dims: tuple[str, ...], values: object, **attrs: str) -> None:
    variable = file.createVariable(name, dtype, dims)  # type: ignore[attr-defined]
    variable[:] = values
    for key, value in attrs.items():
        setattr(variable, key, value)


if __name__ == "__main__":
    for each in YEARS:
        write_year(each, Path(__file__).parent)
