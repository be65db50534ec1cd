"""The explore page draws what xarray reads, in the colours that matplotlib would give."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib import colormaps

from tests.browser.conftest import Site, Watched, eventually, until
from tests.browser.shelf import LIMITS, RADIUS

pytestmark = pytest.mark.xdist_group("browser")

Visit = Callable[..., Watched]
PIXELS = """places => { const canvas = document.querySelector("#map canvas"), context = canvas.getContext("2d");
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  const first = (x, y) => 4 * (Math.floor(y * canvas.height) * canvas.width + Math.floor(x * canvas.width));
  return places.map(([x, y]) => [...image.data.slice(first(x, y), first(x, y) + 4)]); }"""


def ready(watched: Watched) -> Any:
    """Wait until the map is drawn, and give the page."""
    watched.page.wait_for_selector("#explore:is([data-state=ready], [data-state=trouble])")
    assert watched.page.get_attribute("#explore", "data-state") == "ready", watched.page.inner_text("#trouble")
    return watched.page


def view_of(page: Any) -> dict[str, float]:
    """Give the box that the map shows."""
    return dict(json.loads(page.get_attribute("#map", "data-view")))


def fractions(view: dict[str, float], lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Place longitudes and latitudes in the frame, from its upper left."""
    middle = (view["west"] + view["east"]) / 2
    x = (lon - middle + 180) % 360 - 180 + middle
    across = (x - view["west"]) / (view["east"] - view["west"])
    return np.stack([across, (view["north"] - lat) / (view["north"] - view["south"])], axis=-1)


def expected(values: np.ndarray, cmap: str = "plasma", limits: tuple[float, float] = LIMITS) -> np.ndarray:
    """Colour values as matplotlib does; missing ones are transparent."""
    colours = colormaps[cmap]((values - limits[0]) / (limits[1] - limits[0]), bytes=True)
    return np.where(np.isnan(values)[..., None], 0, colours)


def drawn(page: Any, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Read the pixels at places."""
    return np.array(page.evaluate(PIXELS, fractions(view_of(page), lon, lat).reshape(-1, 2).tolist()))


def assert_same_colours(page: Any, values: xr.DataArray, lon: np.ndarray, lat: np.ndarray, **colours: Any) -> None:
    """Compare the pixel at each cell's centre; a value next to a colour's edge may round either way."""
    wanted, got = expected(values.values.ravel().astype("f8"), **colours), drawn(page, lon.ravel(), lat.ravel())
    missing = np.isnan(values.values.ravel())
    assert (got[missing] == 0).all()
    assert np.abs(wanted.astype(int) - got)[~missing].max() <= 5


def test_packed_integers_in_shards_have_the_colours_of_their_values(site: Site, visit: Visit) -> None:
    page = ready(visit(site.explore("packed/shards")))
    sst = site.shelf["packed/shards"].data.sst.isel(time=-1)
    lon, lat = np.meshgrid(sst.lon, sst.lat)
    assert_same_colours(page, sst, lon, lat)
    assert page.inner_text("#time-label") == "2001-12-01"


def test_cells_of_a_curvilinear_grid_lie_at_their_places_across_the_antimeridian(site: Site, visit: Visit) -> None:
    page = ready(visit(site.explore("curved/grid", "?time=2001-02-01")))
    tos = site.shelf["curved/grid"].data.tos.isel(time=1)
    view = view_of(page)
    assert view["east"] - view["west"] < 60
    assert_same_colours(page, tos, tos.nav_lon.values, tos.nav_lat.values)


def test_a_rotated_grid_is_turned_back_by_its_pole(site: Site, visit: Visit) -> None:
    page = ready(visit(site.explore("rotated/pole", "?plev=850 hPa")))
    ta = site.shelf["rotated/pole"].data.ta.isel(time=-1, plev=1)
    # Turned back by PROJ's ob_tran.
    for rlon, rlat, lon, lat in [(0.0, 0.0, 18.0, 50.75), (-10.0, -5.0, 3.8906, 44.7958), (15.0, 8.0, 45.26, 55.9738)]:
        value = ta.sel(rlon=rlon, rlat=rlat, method="nearest")
        got = drawn(page, np.array([lon]), np.array([lat]))
        assert np.abs(expected(np.array([float(value)])).astype(int) - got).max() <= 5
    assert page.input_value("#axis-plev") == "1"
    page.select_option("#axis-plev", label="500 hPa")
    until(page, "location.search.includes('500')")
    until(page, "document.querySelector('#explore').dataset.state === 'ready'")


def test_a_polar_grid_is_seen_from_above_its_pole(site: Site, visit: Visit) -> None:
    page = ready(visit(site.explore("polar/plane")))
    ice = site.shelf["polar/plane"].data.siconc
    x, y = np.meshgrid(np.degrees(ice.x / RADIUS), np.degrees(ice.y / RADIUS))
    view = view_of(page)
    across = (x - view["west"]) / (view["east"] - view["west"])
    places = np.stack([across, (view["north"] - y) / (view["north"] - view["south"])], axis=-1)
    got = np.array(page.evaluate(PIXELS, places.reshape(-1, 2).tolist()))
    assert np.abs(expected(ice.values.ravel().astype("f8")).astype(int) - got).max() <= 5
    box = page.locator("#map").bounding_box()
    [px, py] = places[20, 20]
    page.mouse.move(box["x"] + px * box["width"], box["y"] + py * box["height"])
    eventually(page, lambda: read_out(page), shown(float(ice[20, 20])))
    assert page.inner_text("#readout-place").startswith("90.00° N")


def test_cells_reach_to_the_bounds_that_the_store_gives(site: Site, visit: Visit) -> None:
    page = ready(visit(site.explore("mesh/cells")))
    ds = site.shelf["mesh/cells"].data
    lon, lat = ds.lon_bnds.mean("v").values, ds.lat_bnds.mean("v").values
    for dx, dy in [(0, 0), (1.6, 1.6), (-1.6, 1.6), (1.6, -1.6), (-1.6, -1.6)]:
        assert_same_colours(page, ds.tas, lon + dx, lat + dy)


def test_a_preview_of_one_level_says_which_and_other_levels_come_from_the_store(site: Site, visit: Visit) -> None:
    watched = visit(site.explore("levels/three"))
    page = ready(watched)
    assert page.inner_text("#detail-text").startswith("A preview of every 2nd cell at plev 500 hPa.")
    assert page.input_value("#axis-plev") == "2"
    ta = site.shelf["levels/three"].data.ta.isel(time=-1)
    lon, lat = np.meshgrid(ta.lon[::2], ta.lat[::2])
    assert_same_colours(page, ta.isel(plev=2)[::2, ::2], lon, lat)
    assert not [url for url in watched.urls if "/ta/c/" in url and "preview" not in url]
    page.select_option("#axis-plev", label="1000 hPa")
    page.wait_for_selector("#detail", state="hidden")
    until(page, "document.querySelector('#explore').dataset.state === 'ready'")
    lon, lat = np.meshgrid(ta.lon, ta.lat)
    assert_same_colours(page, ta.isel(plev=0), lon, lat)


def test_the_pointer_reads_the_value_of_the_cell_below_it(site: Site, visit: Visit) -> None:
    page = ready(visit(site.explore("packed/shards")))
    sst = site.shelf["packed/shards"].data.sst.isel(time=-1)
    for row, column in [(9, 20), (4, 5)]:
        point_at(page, float(sst.lon[column]), float(sst.lat[row]))
        eventually(page, lambda: read_out(page), shown(float(sst[row, column])))


def read_out(page: Any) -> str:
    """Give the value that is read out."""
    return str(page.inner_text("#readout-value")).replace("−", "-")


def shown(value: float) -> str:
    """Write a value as the page does, with five digits."""
    return "no data" if np.isnan(value) else f"{float(f'{value:.5g}'):g}" if abs(value) < 1e4 else f"{value:.5g}"


def point_at(page: Any, lon: float, lat: float, click: bool = False) -> None:
    """Move the mouse over a place of the map."""
    box = page.locator("#map").bounding_box()
    [[x, y]] = fractions(view_of(page), np.array([lon]), np.array([lat]))
    page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    if click:
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def test_a_click_gives_the_series_of_its_cell(site: Site, visit: Visit) -> None:
    page = ready(visit(site.explore("packed/shards")))
    sst = site.shelf["packed/shards"].data.sst
    point_at(page, float(sst.lon[20]), float(sst.lat[9]), click=True)
    page.wait_for_selector("#series[data-state=ready]")
    with page.expect_download() as download:
        page.click("#series-csv")
    rows = [line.split(",") for line in download.value.path().read_text().splitlines()]
    assert rows[0] == ["time", "sst (°C)"]
    assert [row[0] for row in rows[1:]] == [str(day)[:10] for day in sst.time.values]
    np.testing.assert_allclose([float(row[1]) for row in rows[1:]], sst[:, 9, 20], rtol=1e-5)
    assert page.locator("#series circle.chart-dot").count() == 12


def test_arrow_keys_move_a_cell_that_is_read_out(site: Site, visit: Visit) -> None:
    page = ready(visit(site.explore("packed/shards")))
    page.focus("#map")
    sst = site.shelf["packed/shards"].data.sst.isel(time=-1)
    # The cursor begins in the map's middle, at the cell south-east of 0° N, 0° E.
    for key, lat, lon in [("ArrowRight", 0, 0), ("ArrowRight", 0, 1), ("ArrowUp", 1, 1)]:
        page.keyboard.press(key)
        eventually(page, lambda: page.inner_text("#announce").partition(" °C, ")[0], shown(float(sst[9 - lat, lon])))
    page.keyboard.press("Enter")
    page.wait_for_selector("#series[data-state=ready]")
    page.keyboard.press("PageUp")
    until(page, "document.querySelector('#time-label').textContent === '2001-01-01'")


def test_the_address_holds_what_is_shown(site: Site, visit: Visit) -> None:
    page = ready(visit(site.explore("packed/shards", "?time=2001-03-01&limits=5,25&cmap=viridis&point=5,205")))
    page.wait_for_selector("#series[data-state=ready]")
    sst = site.shelf["packed/shards"].data.sst.isel(time=2)
    lon, lat = np.meshgrid(sst.lon, sst.lat)
    assert_same_colours(page, sst, lon, lat, cmap="viridis", limits=(5.0, 25.0))
    assert page.input_value("#low") == "5"
    page.fill("#low", "0")
    page.press("#low", "Enter")
    until(page, "location.search.includes('limits=0,25')")
    point_at(page, 100.0, 20.0, click=True)
    until(page, "!location.search.includes('point=5,')")
    page.go_back()
    until(page, "location.search.includes('point=5,205')")


def test_a_large_dataset_is_shown_by_its_preview_and_asks_before_a_dear_series(site: Site, visit: Visit) -> None:
    watched = visit(site.explore("huge/store"))
    page = ready(watched)
    pr = site.shelf["huge/store"].data.pr[0]
    lon, lat = np.meshgrid(pr.lon, pr.lat)
    assert_same_colours(page, pr, lon, lat)
    assert "every 80th cell" in page.inner_text("#detail-text")
    point_at(page, 100.0, 20.0, click=True)
    page.wait_for_selector("#series[data-state=asking]")
    assert "40 chunks" in page.inner_text("#series-body")
    assert not [url for url in watched.urls if "/pr/c/" in url and "preview" not in url]


def test_a_store_that_allows_no_other_origin_says_which_header_is_missing(site: Site, visit: Visit) -> None:
    page = visit(site.explore("closed/elsewhere"), strict=False).page
    page.wait_for_selector("#explore[data-state=trouble]")
    words = page.inner_text("#trouble")
    assert f"Access-Control-Allow-Origin: {site.url.rstrip('/')}" in words
    assert site.elsewhere in words
