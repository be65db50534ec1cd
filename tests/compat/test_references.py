"""Kerchunk's references in upstream's spelling become virtual stores that read as the inputs do."""

from __future__ import annotations

import json
from pathlib import Path

import fsspec
import numpy as np
import pytest
import xarray as xr

import bakehouse
from bakehouse.errors import BakehouseError
from tests.compat.feedstocks import concatenated, days, three, upstream
from tests.engine.gribs import write_grib

HEAD = """
import apache_beam as beam
from pangeo_forge_recipes.patterns import ConcatDim, FilePattern, pattern_from_file_sequence
from pangeo_forge_recipes.transforms import (
    CombineReferences, OpenURLWithFSSpec, OpenWithKerchunk, WriteCombinedReference, WriteReference,
)
urls = [{urls}]
pattern = pattern_from_file_sequence(urls, concat_dim="time")
def scan(refs):
    assert isinstance(refs[1], list) and "refs" in refs[1][0]
    return refs
"""
SCANNED = "beam.Create(pattern.items()) | OpenWithKerchunk(file_type=pattern.file_type) | beam.Map(scan)"
WRITTEN = 'WriteCombinedReference(store_name="sea", concat_dims=["time"], identical_dims=["lat", "lon"]{more})'
RECIPES = {
    "JSON": f"recipe = {SCANNED} | {WRITTEN.format(more='')}",
    "in steps": "recipe = (beam.Create(pattern.items()) | OpenURLWithFSSpec() | OpenWithKerchunk(inline_threshold=0)"
    ' | CombineReferences(["time"], ["lat", "lon"]) | WriteReference("sea", ["time"]))',
}
RECIPES["parquet"] = f"recipe = {SCANNED} | " + WRITTEN.format(more=', output_file_name="reference.parquet"')


@pytest.mark.parametrize("kind", RECIPES)
def test_references_read_as_the_inputs_do(tmp_path: Path, kind: str) -> None:
    inputs = {str(number): days(2 * number, attrs_are="same") for number in range(3)}
    project = upstream(tmp_path, RECIPES[kind], inputs, head=HEAD)
    outcome = project.bake()
    assert project.entry.kind == "virtual"
    expected = concatenated(inputs)
    xr.testing.assert_equal(bakehouse.open("sea/sea", catalog=str(tmp_path / "catalog")).load(), expected)
    if kind != "parquet":
        place = str(Path(outcome.url) / "refs.json")
        by_fsspec = fsspec.filesystem("reference", fo=place, remote_protocol="file", asynchronous=True)
        store = __import__("zarr").storage.FsspecStore(by_fsspec, read_only=True)
        xr.testing.assert_equal(xr.open_zarr(store, consolidated=False, chunks=None).load(), expected)


def test_one_input_alone_is_referred_to(tmp_path: Path) -> None:
    project = upstream(tmp_path, RECIPES["JSON"], {"0": days(0)}, head=HEAD)
    project.bake()
    xr.testing.assert_equal(bakehouse.open("sea/sea", catalog=str(tmp_path / "catalog")).load(), days(0))


def test_references_name_the_public_addresses_of_mirrored_inputs(tmp_path: Path) -> None:
    inputs = {str(number): days(2 * number, shape=(90, 180)) for number in range(2)}
    head = HEAD.replace("[{urls}]", "['https://example.org/0.nc', 'https://example.org/1.nc']")
    recipe = RECIPES["in steps"]
    project = upstream(tmp_path, recipe, inputs, head=head)
    outcome = project.bake(url_map={"https://example.org/": f"{tmp_path}/inputs/"})
    refs = json.loads((Path(outcome.url) / "refs.json").read_text())["refs"]
    assert {ref[0] for ref in refs.values() if isinstance(ref, list)} == {f"https://example.org/{n}.nc" for n in (0, 1)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda ds: ds.sst.attrs.update(units="degC"), "'sst' has units 'degC' in one input and 'K' in another"),
        (lambda ds: ds.time.encoding.update(units="days since 2000-01-01"), "coo_map"),
        (lambda ds: ds.sst.encoding.update(dtype="i2", scale_factor=0.1), "'sst' has"),
    ],
)
def test_inputs_whose_values_mean_different_things_are_refused(tmp_path: Path, change: object, words: str) -> None:
    inputs = {str(number): days(2 * number) for number in range(3)}
    change(inputs["1"])  # type: ignore[operator]
    project = upstream(tmp_path, RECIPES["JSON"], inputs, head=HEAD)
    with pytest.raises(BakehouseError, match="in one input and") as caught:
        project.bake()
    assert words in str(caught.value) and "inputs/1.nc" in str(caught.value)


def test_times_that_are_decoded_while_combining_may_have_units_of_their_own(tmp_path: Path) -> None:
    inputs = {str(number): days(2 * number) for number in range(3)}
    for number, dataset in inputs.items():
        dataset.time.encoding["units"] = f"days since 2000-01-0{int(number) + 1}"
    more = ', mzz_kwargs={"coo_map": {"time": "cf:time"}}'
    project = upstream(tmp_path, f"recipe = {SCANNED} | " + WRITTEN.format(more=more), inputs, head=HEAD)
    project.bake()
    xr.testing.assert_equal(bakehouse.open("sea/sea", catalog=str(tmp_path / "catalog")).load(), concatenated(inputs))


def test_messages_of_grib_files_are_referred_to_and_decode_as_cfgrib_reads_them(tmp_path: Path) -> None:
    (tmp_path / "inputs").mkdir()
    for step in (0, 6):
        write_grib(tmp_path / "inputs" / f"{step}.grib2", 1, shape=(40, 60), stepRange=str(step))
    recipe = f"""
pattern = FilePattern(lambda step: f"{tmp_path}/inputs/{{step}}.grib2", ConcatDim("step", [0, 6]), file_type="grib")
recipe = (beam.Create(pattern.items())
    | OpenWithKerchunk(file_type=pattern.file_type, kerchunk_open_kwargs={{"filter": {{"shortName": "2t"}}}})
    | WriteCombinedReference(store_name="t", concat_dims=pattern.concat_dims, identical_dims=["latitude", "longitude"]))
"""
    project = upstream(tmp_path, recipe, {}, head=HEAD)
    project.bake()
    found = bakehouse.open("sea/sea", catalog=str(tmp_path / "catalog"))
    for at, step in enumerate((0, 6)):
        path = tmp_path / "inputs" / f"{step}.grib2"
        read = xr.open_dataset(path, engine="cfgrib", backend_kwargs={"indexpath": ""})
        np.testing.assert_array_equal(found.latitude.values, read.latitude.values)
        np.testing.assert_array_equal(found.t2m.isel(step=at).values, read.t2m.values)
        assert found.step.values[at] == read.step.values


def test_a_file_that_kerchunk_can_not_scan_is_named(tmp_path: Path) -> None:
    project = upstream(tmp_path, RECIPES["JSON"], three(), head=HEAD)
    (tmp_path / "inputs" / "1.nc").write_bytes(b"\x89HDF\r\n\x1a\n and nothing else")
    with pytest.raises(BakehouseError, match="kerchunk can't scan the file") as caught:
        project.bake()
    assert "inputs/1.nc" in str(caught.value)
