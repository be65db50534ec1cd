"""The names below `StoreToZarr` keep their meaning, without what upstream mixes silently."""

from __future__ import annotations

import os
from pathlib import Path

import apache_beam as beam
import pytest
import xarray as xr
import zarr

import bakehouse.compat  # noqa: F401  the names are served once this is imported
from bakehouse.storage import Target
from tests.compat.feedstocks import concatenated, days, three


def put_together(root: Path, inputs: dict[str, xr.Dataset], chunks: dict[str, int]) -> str:
    """Store inputs with upstream's lower transforms, one after the other."""
    from pangeo_forge_recipes.patterns import pattern_from_file_sequence
    from pangeo_forge_recipes.transforms import (
        DetermineSchema,
        IndexItems,
        OpenWithXarray,
        PrepareZarrTarget,
        Rechunk,
        StoreDatasetFragments,
    )

    for name, dataset in inputs.items():
        dataset.to_netcdf(root / f"{name}.nc", engine="h5netcdf")
    pattern = pattern_from_file_sequence([str(root / f"{name}.nc") for name in inputs], concat_dim="time")
    store = str(root / "store.zarr")
    with beam.Pipeline() as pipeline:
        opened = pipeline | beam.Create(pattern.items()) | OpenWithXarray(load=True)
        schema = opened | DetermineSchema(combine_dims=pattern.combine_dim_keys)
        rechunked = opened | IndexItems(schema=schema) | Rechunk(target_chunks=chunks, schema=schema)
        target = schema | PrepareZarrTarget(target=store, target_chunks=chunks)
        rechunked | StoreDatasetFragments(target_store=target)
    return store


@pytest.mark.parametrize("chunks", [{"time": 2}, {"time": 3}, {"time": 6, "lat": 2}])
def test_a_pipeline_put_together_by_hand_stores_what_xarray_combines(tmp_path: Path, chunks: dict[str, int]) -> None:
    store = put_together(tmp_path, three(), chunks)
    found = xr.open_zarr(store, consolidated=False, chunks=None)
    xr.testing.assert_equal(found.load(), concatenated(three()))
    assert found.sst.encoding["chunks"][0] == chunks["time"]


def test_fragments_whose_files_count_time_from_other_days_are_encoded_as_the_store_says(tmp_path: Path) -> None:
    inputs = three()
    for number, dataset in enumerate(inputs.values()):
        dataset.time.encoding = {"units": f"hours since 2000-01-0{2 * number + 1}", "dtype": "i4"}
    found = xr.open_zarr(put_together(tmp_path, inputs, {"time": 2}), consolidated=False, chunks=None)
    xr.testing.assert_equal(found.load(), concatenated(three()))


def test_a_cached_copy_is_fetched_anew_when_its_source_has_changed_at_the_same_size(tmp_path: Path) -> None:
    from pangeo_forge_recipes.storage import CacheFSSpecTarget

    source, cache = tmp_path / "a.nc", CacheFSSpecTarget.from_url(str(tmp_path / "cache"))
    source.write_bytes(b"first")
    cache.cache_file(str(source), None)
    source.write_bytes(b"other")
    os.utime(source, ns=(1, 1))
    cache.cache_file(str(source), None)
    with cache.open(str(source), mode="rb") as copy:
        assert copy.read() == b"other"


def test_a_pipeline_outside_of_a_bake_writes_to_a_target_root_and_passes_on_an_open_store(tmp_path: Path) -> None:
    from pangeo_forge_recipes.patterns import pattern_from_file_sequence
    from pangeo_forge_recipes.storage import FSSpecTarget
    from pangeo_forge_recipes.transforms import OpenWithXarray, StoreToZarr

    seen = Target(str(tmp_path / "seen"))

    def look(store: zarr.storage.FSStore) -> None:  # type: ignore[name-defined]
        seen.put("sum", str(float(xr.open_zarr(store).sst.sum())).encode())

    for name, dataset in three().items():
        dataset.to_netcdf(tmp_path / f"{name}.nc", engine="h5netcdf")
    pattern = pattern_from_file_sequence([str(tmp_path / f"{n}.nc") for n in three()], concat_dim="time")
    root = FSSpecTarget.from_url(str(tmp_path / "root"))
    with beam.Pipeline() as pipeline:
        stored = (
            pipeline
            | beam.Create(pattern.items())
            | OpenWithXarray()
            | StoreToZarr(store_name="sea.zarr", target_root=root, combine_dims=pattern.combine_dim_keys)
        )
        stored | beam.Map(look)
    xr.testing.assert_equal(xr.open_zarr(tmp_path / "root/sea.zarr", chunks=None).load(), concatenated(three()))
    assert float(seen.get("sum") or b"nan") == pytest.approx(float(concatenated(three()).sst.sum()))


def test_coordinates_of_a_store_made_elsewhere_are_brought_into_one_chunk(tmp_path: Path) -> None:
    from pangeo_forge_recipes.rechunking import consolidate_dimension_coordinates
    from pangeo_forge_recipes.writers import consolidate_metadata

    store = zarr.storage.FSStore(str(tmp_path / "a.zarr"))  # type: ignore[attr-defined]
    made = days(0, 6)
    made.to_zarr(store, encoding={"time": {"chunks": (1,)}}, consolidated=False)
    consolidate_metadata(consolidate_dimension_coordinates(store))
    found = xr.open_zarr(tmp_path / "a.zarr", consolidated=True, chunks=None)
    assert found.time.encoding["chunks"] == (6,)
    xr.testing.assert_identical(found.load(), made)
