"""How much is read: the chunks that a counting store saw, against what previews say and may read."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from bakehouse.previews import make_preview
from bakehouse.previews.budget import LIMIT, Cost
from bakehouse.previews.sample import Reader, sample
from bakehouse.storage import Target
from tests.previews.samples import grid, stored


@pytest.fixture(autouse=True)
def _nothing_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no dataset be small enough to be read whole."""
    monkeypatch.setattr("bakehouse.previews.sample.WHOLE_BYTES", 0)


def test_a_map_and_a_series_read_a_few_dozen_chunks_of_a_long_dataset(tmp_path: Path) -> None:
    dataset, counting = stored(grid(2000), tmp_path / "s.zarr", {"sst": (1, 18, 36)})
    reader = Reader(dataset)
    found = sample(reader, "sst")
    assert len(counting.chunks) == reader.spent.chunks == 49
    assert reader.spent.bytes == 49 * 18 * 36 * 4
    assert found.steps[0] == 0 and found.steps[-1] == 1999 and len(found.steps) == 48
    assert found.frames is not None and found.map is not None and found.series is not None
    np.testing.assert_array_equal(found.frames.values, grid(2000).sst.values[list(found.steps)])
    np.testing.assert_array_equal(found.map.values, grid(2000).sst.values[-1])
    assert (found.series.values.size, found.series.of, found.whole) == (48, 2000, False)


def test_a_dataset_cut_for_series_is_read_along_one_column(tmp_path: Path) -> None:
    dataset, counting = stored(grid(300), tmp_path / "s.zarr", {"sst": (300, 2, 2)})
    found = sample(Reader(dataset, Cost(2**30, 20)), "sst")
    assert len(set(counting.chunks)) == 1
    assert found.map is None and found.series is not None
    expected = grid(300).sst.isel(lat=9, lon=18)
    np.testing.assert_array_equal(found.series.values.values, expected.values)
    assert found.series.how == "at 5.0° S, 175.0° W"
    assert any("a map at one time would read" in text for text in found.missed)


@pytest.mark.parametrize("chunks", [(1, 18, 36), (7, 5, 36), (50, 18, 4), (200, 1, 36)])
@pytest.mark.parametrize("limit", [Cost(10**9, 30), Cost(60_000, 10**6), Cost(10**6, 200), Cost(0, 0)])
def test_nothing_reads_more_than_the_limit(
    tmp_path: Path, chunks: tuple[int, ...], limit: Cost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # drawing reads nothing
    other = grid(200).rename(sst="sss")
    dataset, counting = stored(grid(200).merge(other), tmp_path / "s.zarr", {"sst": chunks, "sss": chunks})
    made = make_preview(dataset, Target(str(tmp_path / "p")), limit)
    read = counting.chunks
    assert len(read) <= limit.chunks and len(read) * math.prod(chunks) * 4 <= limit.bytes
    assert made.preview is None and (read or {each.variable for each in made.notes} >= {"sst", "sss"})
    for name, said in made.statistics.items():
        assert said.statistics_cover == "sample" and name in ("sst", "sss")


def test_shards_cost_what_is_read_of_them(tmp_path: Path) -> None:
    encoding = {"sst": {"chunks": (1, 18, 36), "shards": (100, 18, 36)}}
    grid(200).to_zarr(tmp_path / "s.zarr", zarr_format=3, consolidated=True, encoding=encoding)  # type: ignore[call-overload]
    reader = Reader(xr.open_zarr(tmp_path / "s.zarr", chunks=None))
    sample(reader, "sst")
    assert reader.spent == Cost(49 * 18 * 36 * 4, 49)


def test_small_variables_are_looked_at_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bakehouse.previews.sample.WHOLE_BYTES", 2**20)
    dataset, _ = stored(grid(), tmp_path / "s.zarr", {"sst": (1, 18, 36)})
    said = make_preview(dataset, Target(str(tmp_path / "p"))).statistics["sst"]
    values = grid().sst.values
    assert said.range == tuple(float(str(f(values))) for f in (np.nanmin, np.nanmax))
    assert said.finite_fraction == round(float(np.isfinite(values).mean()), 6)
    assert said.statistics_cover == "all"


def test_a_big_dataset_has_a_small_store_of_its_own_values(tmp_path: Path) -> None:
    big = grid(5, 360, 1440)
    dataset, _ = stored(big, tmp_path / "s.zarr", {"sst": (1, 360, 1440)})
    made = make_preview(dataset, Target(str(tmp_path / "p")))
    assert made.preview is not None and made.preview.store == "preview.zarr"
    with xr.open_zarr(tmp_path / "p" / "preview.zarr", chunks=None) as small:
        assert dict(small.sizes) == {"time": 5, "lat": 180, "lon": 360}
        expected = big.isel(lat=slice(None, None, 2), lon=slice(None, None, 4))
        xr.testing.assert_equal(small.load(), expected)
    array = zarr.open_array(tmp_path / "p" / "preview.zarr" / "sst", mode="r")
    assert array.chunks == (1, 180, 360)
    assert [type(codec).__name__ for codec in array.compressors] == ["GzipCodec"]


def test_a_small_store_says_which_level_it_is_of(tmp_path: Path) -> None:
    levels = xr.DataArray([1000.0, 850.0, 10.0], dims="plev", attrs={"units": "hPa", "positive": "down"})
    deep = grid(12, 180, 360).expand_dims(plev=levels[::-1]).assign_coords(plev=levels[::-1])
    deep["sst"] = deep.sst + deep.plev
    deep.sst.attrs = {"units": "K"}
    dataset, _ = stored(deep, tmp_path / "a.zarr", {"sst": (1, 1, 180, 360)})
    made = make_preview(dataset, Target(str(tmp_path / "p")))
    assert made.preview and made.preview.store
    small = xr.open_zarr(tmp_path / "p/preview.zarr", chunks=None)
    assert small.sst.attrs["selected"] == {"plev": 2}
    whole = dataset.sst.isel(plev=2).sel(time=small.time)
    np.testing.assert_array_equal(small.sst, whole.sel(lat=small.lat, lon=small.lon))


def test_a_small_dataset_has_none(tmp_path: Path) -> None:
    dataset, _ = stored(grid(), tmp_path / "s.zarr", {"sst": (1, 18, 36)})
    made = make_preview(dataset, Target(str(tmp_path / "p")))
    assert made.preview is not None and made.preview.store is None


def test_a_damaged_variable_costs_its_own_images_only(tmp_path: Path) -> None:
    other = grid().rename(sst="sss")
    dataset, _ = stored(grid().merge(other), tmp_path / "s.zarr", {"sst": (1, 18, 36), "sss": (1, 18, 36)})
    for chunk in (tmp_path / "s.zarr" / "sss" / "c").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(b"no chunk")
    made = make_preview(dataset, Target(str(tmp_path / "p")))
    assert made.preview is not None and [each.name for each in made.preview.variables] == ["sst"]
    (note,) = made.notes
    assert (note.kind, note.variable) == ("preview", "sss") and note.message.startswith("values could not be read")
    assert set(made.statistics) == {"sst"}


def test_without_matplotlib_there_is_one_note_and_all_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    dataset, _ = stored(grid(5, 360, 1440), tmp_path / "s.zarr", {"sst": (1, 360, 1440)})
    made = make_preview(dataset, Target(str(tmp_path / "p")))
    assert [each.message for each in made.notes] == [
        "no images: matplotlib is not installed (pip install 'bakehouse[plots]')"
    ]
    assert made.preview is not None and (made.preview.store, made.preview.variables) == ("preview.zarr", ())
    assert {path.name for path in (tmp_path / "p").iterdir()} == {"preview.zarr"}
    assert set(made.statistics) == {"sst"}


def test_the_limit_is_stated() -> None:
    assert Cost(2**30, 2000) == LIMIT
