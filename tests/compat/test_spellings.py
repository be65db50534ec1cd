"""Recipes in every spelling that is in use bake to what xarray itself combines."""

from __future__ import annotations

from pathlib import Path

import pytest
import xarray as xr

from bakehouse.errors import BakehouseError
from tests.compat.feedstocks import HEAD, PLAIN, concatenated, days, three, upstream

OPENED = "| OpenURLWithFSSpec() | OpenWithXarray()"
STORED = 'StoreToZarr(store_name="sea.zarr", combine_dims=pattern.combine_dim_keys)'
SPELLINGS = {
    "items": f"recipe = beam.Create(pattern.items()) {OPENED} | {STORED}",
    "list": f"recipe = beam.Create(list(pattern.items())) {OPENED} | {STORED}",
    "imported Create": f"from apache_beam import Create\nrecipe = Create(pattern.items()) {OPENED} | {STORED}",
    "labelled": f'recipe = "Making it" >> beam.Create(pattern.items()) {OPENED} | "Storing" >> {STORED}',
    "module": "from pangeo_forge_recipes import transforms as t\n"
    f"recipe = beam.Create(pattern.items()) {OPENED} | t.{STORED}",
    "alias": "from pangeo_forge_recipes.transforms import StoreToZarr as S2Z\n"
    f'recipe = beam.Create(pattern.items()) {OPENED} | S2Z(pattern.combine_dim_keys, "sea.zarr")',
    "hints": f'recipe = beam.Create(pattern.items()) {OPENED} | {STORED}.with_resource_hints(min_ram="1GB")',
    "nested": f"recipe = dict(a=beam.Create(pattern.items()) {OPENED} | {STORED})['a']",
    "cache": f"recipe = beam.Create(pattern.items()) | OpenURLWithFSSpec(cache=None, max_concurrency=1)"
    f" | OpenWithXarray(load=True, copy_to_local=True) | {STORED}",
    "direct": f"recipe = beam.Create(pattern.items()) | OpenWithXarray(file_type=pattern.file_type) | {STORED}",
    "composite": f"""
class Both(beam.PTransform):
    def expand(self, pcoll):
        return pcoll | OpenURLWithFSSpec() | OpenWithXarray()
class Tidy(beam.DoFn):
    def process(self, element):
        index, ds = element
        yield index, ds.assign_attrs(tidy="yes")
recipe = beam.Create(pattern.items()) | Both() | beam.ParDo(Tidy()) | {STORED}
""",
    "partial and lambda": f"""
from functools import partial
def change(index, ds, key):
    return index, ds.assign_attrs({{key: "yes"}})
recipe = (beam.Create(pattern.items()) {OPENED} | beam.MapTuple(partial(change, key="tidy"))
    | "again" >> beam.Map(lambda item: (item[0], item[1])) | {STORED})
""",
    "helper module": f"""
from helper import tidy
recipe = beam.Create(pattern.items()) {OPENED} | beam.MapTuple(tidy) | {STORED}
""",
    "concurrency": f"""
from pangeo_forge_recipes.transforms import MapWithConcurrencyLimit
def look(path):
    return path
recipe = (beam.Create(pattern.items()) | MapWithConcurrencyLimit(look, max_concurrency=2) | OpenWithXarray()
    | {STORED})
""",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_recipe_bakes_to_what_xarray_combines(tmp_path: Path, spelling: str) -> None:
    helper = "def tidy(index, ds):\n    return index, ds.assign_attrs(tidy='yes')\n"
    project = upstream(tmp_path, SPELLINGS[spelling], three(), helper=helper)
    found = project.open(project.bake())
    xr.testing.assert_equal(found, concatenated(three()))
    assert found.sst.attrs == {"units": "K"}


def test_a_pattern_that_the_recipe_prunes_is_pruned_once_and_the_bakes_own_prune_counts_for_the_rest(
    tmp_path: Path,
) -> None:
    inputs = {str(number): days(2 * number) for number in range(5)}
    recipe = PLAIN.replace("pattern.items()", "pattern.prune(3).items()") + ")"
    project = upstream(tmp_path, recipe, inputs)
    assert project.open(project.bake()).sizes["time"] == 6
    assert project.open(project.bake(prune=1)).sizes["time"] == 2


def test_merge_and_concat_with_dynamic_chunks_and_attributes_keep_upstreams_meaning(tmp_path: Path) -> None:
    recipe = """
pattern = FilePattern(lambda variable, time: f"{root}/inputs/{variable}{time}.nc",
    MergeDim("variable", ["sst", "ice"]), ConcatDim("time", [0, 2]), file_type="netcdf4")
def chunks(template, part):
    assert isinstance(template, xr.Dataset) and template.sizes["time"] == 4
    return {"time": template.sizes["time"] // part, "lat": -1}
recipe = (beam.Create(pattern.items()) | OpenURLWithFSSpec() | OpenWithXarray(file_type=pattern.file_type)
    | StoreToZarr(store_name="sea.zarr", combine_dims=pattern.combine_dim_keys, dynamic_chunking_fn=chunks,
        dynamic_chunking_fn_kwargs={"part": 4}, attrs={"who": "me"}, encoding={"ice": {"dtype": "f8"}}))
""".replace("{root}", str(tmp_path))
    made = {f"{name}{at}": days(at, seed=len(name)).rename(sst=name) for name in ("sst", "ice") for at in (0, 2)}
    project = upstream(tmp_path, recipe, made)
    found = project.open(project.bake())
    parts = [concatenated({k: v for k, v in made.items() if k.startswith(name)}) for name in ("sst", "ice")]
    xr.testing.assert_equal(found, xr.merge(parts, compat="equals", join="exact"))
    assert found.sst.encoding["chunks"][0] == 1 and found.attrs["pangeo-forge:who"] == "me"
    assert found.ice.dtype == "f8"


OPENERS = {
    "entered": "with item as file: return xr.open_dataset(file, engine='h5netcdf').load()",
    "lazy": "return xr.open_dataset(item.open(), engine='h5netcdf')",
    "read at once": "return xr.open_dataset(io.BytesIO(item.read()), engine='h5netcdf')",
    "by name": "return xr.open_dataset(item.full_name.removeprefix('file://'), engine='h5netcdf')",
}


@pytest.mark.parametrize("opener", OPENERS)
def test_openers_of_a_recipes_own_get_what_behaves_as_an_open_file(tmp_path: Path, opener: str) -> None:
    steps = "OpenURLWithFSSpec() | beam.MapTuple(lambda k, v: (k, opened(v)))"
    recipe = f"def opened(item):\n    {OPENERS[opener]}\nrecipe = beam.Create(pattern.items()) | {steps} | {STORED}"
    project = upstream(tmp_path, "import io\n" + recipe, three())
    xr.testing.assert_equal(project.open(project.bake()), concatenated(three()))


PASSED = {
    "path": "def found(url):\n    return url\n",
    "open file": "import fsspec\ndef found(url):\n    return fsspec.open(url)\n",
    "file object": "import fsspec\ndef found(url):\n    return fsspec.open(url).open()\n",
    "bytes": "import io\nfrom pathlib import Path\ndef found(url):\n    return io.BytesIO(Path(url).read_bytes())\n",
}


@pytest.mark.parametrize("passed", PASSED)
def test_xarray_opens_whatever_a_step_passes_on(tmp_path: Path, passed: str) -> None:
    steps = "beam.MapTuple(lambda k, v: (k, found(v))) | OpenWithXarray(file_type=pattern.file_type)"
    project = upstream(
        tmp_path, f"{PASSED[passed]}\nrecipe = beam.Create(pattern.items()) | {steps} | {STORED}", three()
    )
    xr.testing.assert_equal(project.open(project.bake()), concatenated(three()))


def test_a_fill_value_that_a_recipe_sets_as_an_attribute_reads_as_missing(tmp_path: Path) -> None:
    steps = """
def mark(index, ds):
    counts = (ds.sst * 1000).round().astype("u2")
    counts.attrs = {"_FillValue": 9999, "units": "1"}
    return index, ds.drop_vars("sst").assign(n=counts.where(ds.lat > 0, 9999).astype("u2").assign_attrs(counts.attrs))
"""
    project = upstream(
        tmp_path, f"{steps}\nrecipe = beam.Create(pattern.items()) {OPENED} | beam.MapTuple(mark) | {STORED}", three()
    )
    outcome = project.bake()
    expected = (concatenated(three()).sst * 1000).round().where(lambda n: n.lat > 0)
    xr.testing.assert_equal(project.open(outcome).n.astype("f4"), expected.rename("n").astype("f4"))
    stored = xr.open_zarr(outcome.url, chunks=None, mask_and_scale=False).n
    assert stored.dtype == "u2" and stored.attrs["_FillValue"] == 9999


def test_a_codec_that_no_reader_could_find_again_is_refused(tmp_path: Path) -> None:
    head = HEAD + "import numcodecs\nclass Own(numcodecs.Zlib):\n    codec_id = None\n"
    stored = STORED.replace(")", ', encoding={"sst": {"compressor": Own()}})')
    project = upstream(tmp_path, f"recipe = beam.Create(pattern.items()) {OPENED} | {stored}", three(), head=head)
    with pytest.raises(BakehouseError, match="the codec Own, which has no codec_id"):
        project.bake()


def test_appending_to_a_store_that_is_there_is_refused_with_what_to_do(tmp_path: Path) -> None:
    project = upstream(tmp_path, PLAIN.replace("target_chunks=", 'append_dim="time", target_chunks=') + ")", three())
    project.bake()
    (tmp_path / "feedstocks" / "sea" / "recipe.py").write_text(
        (tmp_path / "feedstocks" / "sea" / "recipe.py").read_text().replace("urls[", "urls [") + "\n# edited\n"
    )
    with pytest.raises(BakehouseError, match="appends along 'time'") as caught:
        project.bake()
    assert "bakehouse update" in str(caught.value)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('append_dim="lat",', "append_dim is 'lat'"),
        ("dynamic_chunking_fn=len,", "both target_chunks and dynamic_chunking_fn"),
    ],
)
def test_what_can_not_be_meant_is_refused_where_the_recipe_says_it(tmp_path: Path, said: str, words: str) -> None:
    project = upstream(tmp_path, PLAIN.replace("target_chunks=", f"{said} target_chunks=") + ")", three())
    with pytest.raises(BakehouseError, match=words):
        project.bake()


def test_a_pyramid_is_refused_with_the_reason(tmp_path: Path) -> None:
    head = HEAD + "from pangeo_forge_ndpyramid.transforms import StoreToPyramid\n"
    stored = 'StoreToPyramid(levels=2, store_name="p", combine_dims=pattern.combine_dim_keys)'
    project = upstream(tmp_path, f"recipe = beam.Create(pattern.items()) {OPENED} | {stored}", three(), head=head)
    with pytest.raises(BakehouseError, match="StoreToPyramid can't be baked yet"):
        project.bake()
