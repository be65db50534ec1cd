"""What images show: colours at known places against the data through the colormap, read back from the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib import colormaps
from matplotlib.colors import to_rgb

from bakehouse.previews import draw, make_preview
from bakehouse.previews.colours import colours_for
from bakehouse.previews.places import extent_of
from bakehouse.storage import Target
from tests.previews.samples import apart, curved, grid, pixels

MISSING = np.round(np.array(to_rgb(draw.MISSING)) * 255).astype(int)


@pytest.fixture(autouse=True)
def _without_coasts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the outline of the land away, which is bundled with the site or not."""
    monkeypatch.setattr("bakehouse.previews.images.coastlines", lambda: ())


def _colour(value: float, said: Any) -> np.ndarray:
    if np.isnan(value):
        return MISSING
    low, high = said.limits
    return np.array(colormaps[said.cmap]((value - low) / (high - low), bytes=True)[:3]).astype(int)


def _made(dataset: xr.Dataset, folder: Path) -> Any:
    found = make_preview(dataset, Target(str(folder)))
    assert not found.notes
    return found.preview


def test_every_pixel_of_a_map_has_the_colour_of_the_cell_there(tmp_path: Path) -> None:
    dataset = grid()
    preview = _made(dataset, tmp_path)
    image = pixels((tmp_path / "sst.map.png").read_bytes())
    width, shown = draw.WIDTH - draw.LEFT - draw.RIGHT, dataset.sst.isel(time=-1)
    plot = image[draw.TOP : image.shape[0] - draw.BELOW, draw.LEFT : draw.LEFT + width]
    height, exact = plot.shape[0], 0
    assert abs(width / height - 2) < 0.01
    some = np.random.default_rng(3)
    for row, column in zip(some.integers(3, height - 3, 300), some.integers(3, width - 3, 300), strict=True):
        lat, lon = 90 - (row + 0.5) * 180 / height, (-180 + (column + 0.5) * 360 / width) % 360
        if min(lat % 10, -lat % 10, lon % 10, -lon % 10) < 0.3:
            continue  # a pixel that two cells share
        off = plot[row, column] - _colour(float(shown.sel(lat=lat, lon=lon, method="nearest")), preview.variables[0])
        assert np.abs(off).max() <= 26, "lines of latitude and longitude darken by a tenth"
        exact += int(not off.any())
    assert exact > 240


def test_a_curved_grid_across_the_antimeridian_lies_at_its_true_position(tmp_path: Path) -> None:
    dataset = curved()
    preview = _made(dataset, tmp_path)
    image = pixels((tmp_path / "uo.map.png").read_bytes())
    lat, lon = dataset.nav_lat.values, dataset.nav_lon.values % 360
    assert (preview.variables[0].cmap, -preview.variables[0].limits[0]) == ("RdBu_r", preview.variables[0].limits[1])
    extent = extent_of(lat, lon)
    assert extent is not None and extent.west < 180 < extent.east < 360
    width, height = draw.map_size(extent)
    extent = extent.of_aspect(width / height)
    plot = image[draw.TOP : draw.TOP + height, draw.LEFT : draw.LEFT + width]
    some, right, wrong, outside = np.random.default_rng(4), 0, 0, 0
    for row, column in zip(some.integers(3, height - 3, 400), some.integers(3, width - 3, 400), strict=True):
        at = (
            extent.north - (row + 0.5) * (extent.north - extent.south) / height,
            extent.west + (column + 0.5) * (extent.east - extent.west) / width,
        )
        far = apart(lat, lon, at)
        value = float(dataset.uo.values.ravel()[far.argmin()]) if far.min() < 0.5 else np.nan
        if 0.5 <= far.min() < 0.8:
            continue  # within or outside of the outermost cells' corners
        fits = np.abs(plot[row, column] - _colour(value, preview.variables[0])).max() <= 26
        right, wrong = right + int(fits), wrong + int(not fits)
        outside += int(far.min() >= 0.8)
    assert right > 300 and outside > 40
    assert wrong <= 0.01 * right, "only pixels that two cells share"


def test_a_thumbnail_fills_a_card_with_the_newest_map(tmp_path: Path) -> None:
    dataset = grid()
    dataset.sst[-1] = np.where(dataset.lat > 0, 10.0, 20.0)[:, None]
    preview = _made(dataset, tmp_path)
    image = pixels((tmp_path / "thumbnail.png").read_bytes())
    assert image.shape == (270, 480, 3)
    for rows, value in ((slice(2, 130), 10.0), (slice(140, 268), 20.0)):
        part = image[rows].reshape(-1, 3)
        assert (np.abs(part - _colour(value, preview.variables[0])).max(axis=1) <= 6).all()
    assert preview.thumbnail_alt == "Map of “Sea surface temperature” (2020-01-04): from 10 to 20 °C."


@pytest.mark.parametrize("along", ["lon", "lat"])
def test_a_thumbnail_of_a_long_strip_is_the_part_of_it_where_values_differ(along: str, tmp_path: Path) -> None:
    ends = {"lat": slice(86, 94), "lon": slice(None)} if along == "lon" else {"lon": slice(0, 4)}
    strip = grid(1, 180, 360).isel(ends)
    where = xr.DataArray(np.arange(strip.sizes[along]), dims=along)
    busy = (where >= 100) & (where < 130)
    strip["sst"] = xr.where(busy, 20.0 * (where % 2), 10.0).broadcast_like(strip.sst).assign_attrs(strip.sst.attrs)
    preview = _made(strip.transpose("time", "lat", "lon"), tmp_path)
    image = pixels((tmp_path / "thumbnail.png").read_bytes()).reshape(-1, 3)
    shares = {
        value: (np.abs(image - _colour(value, preview.variables[0])).max(axis=1) <= 6).mean() for value in (0, 10, 20)
    }
    assert shares[0] > 0.03 and shares[20] > 0.03
    assert 0.15 < sum(shares.values()) < 0.4, "a quarter of the card is strip"


def test_a_series_is_the_mean_over_the_area(tmp_path: Path) -> None:
    dataset = grid()
    preview = _made(dataset, tmp_path)
    weights = np.broadcast_to(np.cos(np.radians(dataset.lat.values))[:, None], (18, 36))
    values = dataset.sst.values.astype("f8")
    means = [np.average(v[np.isfinite(v)], weights=weights[np.isfinite(v)]) for v in values]
    said = preview.variables[0].series_alt
    assert said == (
        "Series of “Sea surface temperature, mean over the area” from 2020-01-01 to 2020-01-04: "
        f"from {min(means):.4g} to {max(means):.4g} °C."
    )
    image = pixels((tmp_path / "sst.series.png").read_bytes())
    blue = np.abs(image - [0x00, 0x72, 0xB2]).max(axis=2) < 12
    rows = {at: np.flatnonzero(blue[:, blue.any(axis=0)][:, at]).mean() for at in (2, -3)}
    assert (rows[2] > rows[-3]) == (means[0] < means[-1]), "the line falls or rises as the values do"


@pytest.mark.parametrize(
    ("attrs", "values", "cmap"),
    [
        ({"standard_name": "sea_surface_temperature", "units": "K"}, [270.0, 300.0], "plasma"),
        ({"long_name": "Daily SST anomalies", "units": "degC"}, [-1.0, 3.0], "RdBu_r"),
        ({"standard_name": "eastward_wind", "units": "m s-1"}, [-9.0, 3.0], "RdBu_r"),
        ({"standard_name": "wind_speed", "units": "m s-1"}, [0.0, 3.0], "viridis"),
        ({"standard_name": "sea_surface_wave_from_direction", "units": "degree"}, [3.0, 350.0], "twilight"),
        ({"standard_name": "precipitation_flux", "units": "kg m-2 s-1"}, [0.0, 1e-4], "YlGnBu"),
        ({"long_name": "service price"}, [1.0, 2.0], "viridis"),
    ],
)
def test_colours_suit_what_a_variable_is(attrs: dict[str, str], values: list[float], cmap: str) -> None:
    found = colours_for(xr.DataArray(values, attrs=attrs, name="x"), np.array(values))
    assert found is not None and found.cmap == cmap
    if cmap == "RdBu_r":
        assert found.low == -found.high
    if cmap == "twilight":
        assert (found.low, found.high) == (0, 360)


def test_stations_and_sections_are_drawn_without_a_map(tmp_path: Path) -> None:
    times = np.datetime64("2020-01-01", "ns") + np.arange(50) * np.timedelta64(1, "D")
    stations = xr.Dataset(
        {"tg": (("station", "time"), np.arange(150.0).reshape(3, 50), {"units": "degC"})},
        coords={
            "time": times,
            "name": ("station", ["Zürich", "Bern", "$x_1$"]),
            "lat": ("station", [47.0, 46.9, 46.2], {"units": "degrees_north"}),
            "lon": ("station", [8.5, 7.4, 6.1], {"units": "degrees_east"}),
        },
    )
    depth = ("depth", np.arange(40.0), {"units": "m", "positive": "down"})
    section = xr.Dataset({"so": (("depth", "lat"), np.ones((40, 60)))}, {"depth": depth, "lat": np.arange(60.0)})
    plane = xr.Dataset({"p": (("time", "y", "x"), np.random.default_rng(5).random((50, 30, 20)))}, {"time": times})
    for name, dataset in (("tg", stations), ("so", section), ("p", plane)):
        preview = _made(dataset, tmp_path / name)
        (found,) = preview.variables
        assert (found.map, found.series, preview.thumbnail) == (None, f"{name}.series.png", "thumbnail.png")
        assert pixels((tmp_path / name / "thumbnail.png").read_bytes()).shape == (270, 480, 3)


@pytest.mark.parametrize("part", [{"lat": [3]}, {"lat": [3], "lon": [4]}, {"lon": [4]}, {"lat": [9, 10, 11]}])
def test_few_rows_or_columns_have_maps_too(part: dict[str, list[int]], tmp_path: Path) -> None:
    (found,) = _made(grid().isel(part), tmp_path).variables
    assert (found.map, found.series) == ("sst.map.png", "sst.series.png")


def test_attributes_of_odd_types_are_no_obstacle(tmp_path: Path) -> None:
    attrs = {"long_name": np.array([1, 2]), "units": 5, "standard_name": np.float32(3)}
    (found,) = _made(grid(1).assign(sst=grid(1).sst.assign_attrs(attrs)), tmp_path).variables
    assert found.map == "sst.map.png"


def test_names_of_any_kind_become_files_in_the_folder(tmp_path: Path) -> None:
    names = ["a/b", "A b", "a b", "../up", "δ", "$\\frac{x}", "T", "t"]
    dataset = grid(times=1)
    dataset = xr.Dataset({name: dataset.sst.assign_attrs(long_name=f"{name}\n$_^{{<b>"[:200]) for name in names})
    preview = _made(dataset, tmp_path / "p")
    files = [file for each in preview.variables for file in (each.map, each.series)]
    assert {each.name for each in preview.variables} == set(names)
    assert len({file.lower() for file in files}) == 2 * len(names)
    assert {path.name for path in (tmp_path / "p").iterdir()} == {*files, "thumbnail.png"}
