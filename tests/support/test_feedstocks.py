"""Every feedstock of this project, baked from its real or generated inputs, holds what xarray makes of them."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from bakehouse.bake.job import Job
from bakehouse.bake.run import bake
from bakehouse.meta.lint import lint_project
from bakehouse.meta.load import load_project
from bakehouse.storage import Target
from tests.oracle import Key, assert_same, expected
from tests.support.feedstocks import ROOT, feedstock_ids, get_feedstock, input_urls, with_inputs

ALL = feedstock_ids()
ARCHIVES = ["noaa-oisst-daily", "gpcp-daily", "ncep-surface-daily"]
# The combine dims of each feedstock, and what its recipe does to each input.
DIMS: dict[str, dict[str, str]] = {
    "nemo-monthly-sst": {"time_centered": "concat"},
    "ostia-monthly-sst": {"time": "concat"},
    "north-america-scenarios": {"scenario": "concat"},
    "noaa-oisst-daily": {"time": "concat"},
    "gpcp-daily": {"time": "concat"},
    "ncep-surface-daily": {"time": "concat", "variable": "merge"},
}
STEPS: dict[str, Callable[[xr.Dataset], xr.Dataset]] = {
    "nemo-monthly-sst": lambda ds: ds.drop_vars("time_counter").swap_dims(time_counter="time_centered"),
}
KEYS = {"north-america-scenarios": {"scenario": ["A1B", "E1"]}}
OPEN: dict[str, dict[str, Any]] = {"gpcp-daily": {"decode_coords": "all"}}


def test_the_project_and_its_feedstocks_have_no_findings() -> None:
    assert lint_project(ROOT) == []


def test_this_file_knows_every_feedstock() -> None:
    assert sorted(DIMS) == sorted(ALL)


@pytest.mark.parametrize("name", ARCHIVES)
def test_fixtures_stand_for_exactly_the_urls_that_the_recipe_asks_for(name: str, tmp_path: Path) -> None:
    with with_inputs(get_feedstock(name), name, tmp_path) as inputs:
        assert inputs.server
        ((start, replacement),) = inputs.url_map.items()
        for url in inputs.urls:
            with urllib.request.urlopen(url.replace(start, replacement)) as answer:
                assert answer.status == 200 and int(answer.headers["Content-Length"]) == inputs.path(url).stat().st_size
        assert len(inputs.urls) == len([path for path in tmp_path.rglob("*") if path.is_file()])


@pytest.mark.parametrize("name", sorted(set(ALL) - set(ARCHIVES)))
def test_samples_lie_inside_an_installed_package(name: str, tmp_path: Path) -> None:
    with with_inputs(get_feedstock(name), name, tmp_path) as inputs:
        assert all(url.startswith("package://iris_sample_data/") and inputs.path(url).is_file() for url in inputs.urls)


@pytest.mark.parametrize(
    ("name", "count", "first", "last"),
    [
        ("nemo-monthly-sst", 3, "nemo_1m_20150101-20150201_grid-T.nc", "nemo_1m_20150301-20150401_grid-T.nc"),
        ("ostia-monthly-sst", 1, "ostia_monthly.nc", "ostia_monthly.nc"),
        ("north-america-scenarios", 2, "A1B_north_america.nc", "E1_north_america.nc"),
        ("noaa-oisst-daily", 15828, "198109/oisst-avhrr-v02r01.19810901.nc", "202412/oisst-avhrr-v02r01.20241231.nc"),
        (
            "gpcp-daily",
            92,
            "1996/gpcp_v01r03_daily_d19961001_c20170530.nc",
            "1996/gpcp_v01r03_daily_d19961231_c20170530.nc",
        ),
        ("ncep-surface-daily", 30, "surface/air.sig995.2002.nc", "surface/uwnd.sig995.2011.nc"),
    ],
)
def test_recipes_ask_for_the_archives_true_names(name: str, count: int, first: str, last: str) -> None:
    urls = input_urls(get_feedstock(name), name, keep=None)
    assert len(urls) == len(set(urls)) == count
    assert urls[0].endswith(first) and urls[-1].endswith(last)


@pytest.mark.parametrize("name", ALL)
def test_a_baked_feedstock_holds_what_xarray_makes_of_its_inputs(name: str, tmp_path: Path) -> None:
    feedstock = get_feedstock(name)
    with with_inputs(feedstock, name, tmp_path / "www") as inputs:
        target = Target(str(tmp_path / "stores"))
        job = Job(feedstock, name, load_project(ROOT).bakery(), target, prune=2, url_map=inputs.url_map)
        outcome = bake(job, None)
        opened = {
            key: _opened(name, inputs.path(url))
            for key, url in zip(_keys(name, len(inputs.urls)), inputs.urls, strict=True)
        }
    store = xr.open_zarr(outcome.url, chunks=None)
    assert_same(store, expected(opened, DIMS[name], keys=KEYS.get(name), combine_attrs="drop_conflicts"))


def _opened(name: str, path: Path) -> xr.Dataset:
    with xr.open_dataset(path, engine="h5netcdf", **OPEN.get(name, {})) as dataset:
        return STEPS.get(name, lambda ds: ds)(dataset.load())


def _keys(name: str, count: int) -> list[Key]:
    """Give the positions of a pruned pattern's inputs, in its order."""
    concat, *merge = DIMS[name]
    if not merge:
        return [((concat, i),) for i in range(count)]
    return [((concat, i), (merge[0], j)) for i in range(2) for j in range(count // 2)]
