"""Recipe classes of pangeo-forge-recipes 0.9 and earlier: named as what they are, and rewritten as steps that bake."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import xarray as xr

import bakehouse
from bakehouse.errors import RecipeError
from bakehouse.feedstock import load_recipes
from bakehouse.meta.legacy import legacy_error, legacy_recipes, rewrite
from tests.compat.feedstocks import Upstream, concatenated, three, upstream

HEAD = """\
from pangeo_forge_recipes.patterns import ConcatDim, FilePattern, MergeDim, pattern_from_file_sequence
from pangeo_forge_recipes.recipes import HDFReferenceRecipe, XarrayZarrRecipe, setup_logging
setup_logging()
urls = [{urls}]
pattern = pattern_from_file_sequence(urls, concat_dim="time", nitems_per_file=2)
"""
ZARR = """\
def name_it(ds, filename):
    return ds.assign(sst=ds.sst.assign_attrs(file=str(len(filename.rpartition("/")[2]))))

def warm(ds):
    return ds.assign(sst=ds.sst + 1)

recipe = XarrayZarrRecipe(
    file_pattern=pattern,
    inputs_per_chunk=3,
    process_input=name_it,
    process_chunk=warm,
    xarray_open_kwargs={"drop_variables": ["nothing"]},
    subset_inputs={"time": 2},  # of no use any more
)
"""


def _store(recipe: object) -> str:
    return "'sea.zarr'"


def _new_text(made: Upstream) -> str:
    file = made.root / "feedstocks" / "sea" / "recipe.py"
    return rewrite(file.read_text(), _store).text


def _rewrite(made: Upstream) -> None:
    (made.root / "feedstocks" / "sea" / "recipe.py").write_text(_new_text(made))


def test_a_legacy_recipe_is_refused_with_its_own_new_form_before_its_module_runs(tmp_path: Path) -> None:
    network = "raise SystemExit('this module ran')\n"
    made = upstream(tmp_path, network + ZARR, {}, HEAD)
    with pytest.raises(RecipeError) as caught:
        load_recipes(made.job().feedstock)
    error = caught.value
    assert error.message == "XarrayZarrRecipe is gone since pangeo-forge-recipes 0.10"
    assert error.where == "feedstocks/sea/recipe.py:13\nrecipe = XarrayZarrRecipe("
    assert error.fix == (
        f"""bakehouse import {tmp_path}/feedstocks/sea writes it so:
recipe = (
    # left out: subset_inputs={{"time": 2}}; inputs are read region by region, never whole
    beam.Create(pattern.items())
    | OpenURLWithFSSpec()
    | OpenWithXarray(file_type=pattern.file_type, xarray_open_kwargs={{"drop_variables": ["nothing"]}})
    | "process_input" >> beam.MapTuple(
        lambda index, ds, pattern=pattern: (index, name_it(ds, pattern[index])),
    )
    | "process_chunk" >> beam.MapTuple(lambda index, ds: (index, warm(ds)))
    | StoreToZarr(
        store_name="store.zarr",
        combine_dims=pattern.combine_dim_keys,
        target_chunks={{"time": 6}},
    )
    | ConsolidateDimensionCoordinates()
    | ConsolidateMetadata()
)"""
    )


def test_what_it_is_rewritten_as_bakes_to_what_xarray_combines(tmp_path: Path) -> None:
    inputs = three()
    made = upstream(tmp_path, ZARR, inputs, HEAD)
    _rewrite(made)
    expected = concatenated(inputs)
    expected["sst"] = (expected.sst + 1).assign_attrs(expected.sst.attrs)
    stored = made.open(made.bake())
    xr.testing.assert_equal(stored, expected)
    assert stored.sst.encoding["chunks"][0] == 6


def test_a_recipe_of_references_becomes_one_that_writes_them(tmp_path: Path) -> None:
    inputs = three()
    recipe = "recipe = HDFReferenceRecipe(pattern, identical_dims=['lat', 'lon'], inline_threshold=10)\n"
    made = upstream(tmp_path, recipe, inputs, HEAD)
    _rewrite(made)
    made.bake()
    found = bakehouse.open("sea/sea", catalog=str(tmp_path / "catalog"))
    xr.testing.assert_equal(found.load(), concatenated(inputs))


SPELLINGS = {
    "in a function": "def make(n):\n    return XarrayZarrRecipe(pattern_from_file_sequence(urls[:n], 'time'))\n"
    "recipe = make(3)\n",
    "in a dict": "recipes = {n: XarrayZarrRecipe(pattern_from_file_sequence(urls[:n], 'time')) for n in (1, 3)}\n"
    "recipe = recipes[3]\n",
    "in a loop": "found = []\nfor n in (1, 3):\n    found.append(XarrayZarrRecipe(pattern_from_file_sequence(\n"
    "        urls[:n],  # so many\n        'time')))\nrecipe = found[-1]\n",
    "by its module": "import pangeo_forge_recipes.recipes as r\nrecipe = r.XarrayZarrRecipe(pattern)\n",
    "under another name": "from pangeo_forge_recipes.recipes.xarray_zarr import XarrayZarrRecipe as X\n"
    "recipe = X(pattern, cache_inputs=False)\n",
    "after a semicolon": "n = 3; recipe = XarrayZarrRecipe(pattern_from_file_sequence(urls[:n], 'time'))\n",
    "pruned": "from pangeo_forge_recipes.patterns import prune_pattern\nrecipe = XarrayZarrRecipe(\n"
    "    prune_pattern(pattern, nkeep=3))\n",
    "a pattern with options": "recipe = XarrayZarrRecipe(FilePattern(lambda time: urls[time], ConcatDim('time', "
    "range(3)), fsspec_open_kwargs={}, is_opendap=False), target_chunks={'time': 6})\n",
    "with what is gone where it is not reached": "def main():\n    from pangeo_forge_recipes.storage import "
    "MetadataTarget\nrecipe = XarrayZarrRecipe(pattern)  # ä\n",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_found_and_rewritten(spelling: str, tmp_path: Path) -> None:
    made = upstream(tmp_path, SPELLINGS[spelling], {str(n): data for n, data in enumerate(three().values())}, HEAD)
    _rewrite(made)
    (recipe,) = load_recipes(made.job().feedstock).values()
    names = [type(part).__name__ for part in recipe._parts]
    assert names[0] == "Create" and names[-4:] == [
        "OpenWithXarray", "StoreToZarr", "ConsolidateDimensionCoordinates", "ConsolidateMetadata",
    ]  # fmt: skip
    assert len(recipe._parts[0].values) == 3


def test_what_is_not_part_of_a_recipe_stays_as_it_was_written() -> None:
    gone = "from pangeo_forge_recipes.recipes import XarrayZarrRecipe  # old\n"
    source = f"# é: why\nimport os\n{gone}\nx  =  [1,2]\n"
    assert rewrite(source, _store).text == source.replace(gone, "  # old\n")


CHUNKS = {
    "inputs_per_chunk=20": ("{'time': 40}", 0),
    "inputs_per_chunk=20, target_chunks={'lat': 4}": ("{'time': 40, 'lat': 4}", 0),
    "inputs_per_chunk=20, target_chunks={'time': 4}": ("{'time': 4}", 0),
    "inputs_per_chunk=n, target_chunks=chunks": ("{'time': n * 2, **chunks}", 0),
    "inputs_per_chunk=1": (None, 0),
    "target_chunks={'time': -1}": ("{'time': -1}", 0),
}


@pytest.mark.parametrize("arguments", CHUNKS)
def test_chunks_hold_as_many_elements_as_so_many_inputs(arguments: str) -> None:
    chunks, left = CHUNKS[arguments]
    ((_, form),) = rewrite(f"{HEAD}recipe = XarrayZarrRecipe(pattern, {arguments})\n", _store).forms
    (stored,) = [
        node for node in ast.walk(ast.parse(form.text())) if isinstance(node, ast.Call) and _name(node) == "StoreToZarr"
    ]
    found = {each.arg: ast.unparse(each.value) for each in stored.keywords}
    assert found.get("target_chunks") == chunks
    assert len(form.undecided) == left


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", "")


def test_chunks_by_inputs_of_unknown_length_are_left_to_a_person() -> None:
    source = HEAD.replace(", nitems_per_file=2", "") + "recipe = XarrayZarrRecipe(pattern, inputs_per_chunk=9)\n"
    ((_, form),) = rewrite(source, _store).forms
    assert form.undecided == ['inputs_per_chunk=9; nitems_per_file is not known, so say target_chunks along "time"']


def test_an_argument_that_nothing_is_known_of_is_named() -> None:
    source = f"{HEAD}recipe = XarrayZarrRecipe(pattern, 5, colour='red', **more)\n"
    ((_, form),) = rewrite(source, _store).forms
    assert [each.partition(";")[0] for each in form.undecided] == ["5", "**more", 'colour="red"']


def test_the_recipe_that_was_asked_for_is_the_one_that_is_shown() -> None:
    source = f"{HEAD}one = XarrayZarrRecipe(a)\ntwo = XarrayZarrRecipe(b)\n"
    error = legacy_error(source, "recipe.py", "two")
    assert error is not None and error.fix is not None
    assert error.where == "recipe.py:7\ntwo = XarrayZarrRecipe(b)"
    assert error.message.endswith("; the module has 1 more")
    assert "beam.Create(b.items())" in error.fix


@pytest.mark.parametrize(
    ("source", "message", "place"),
    [
        ("from pangeo_forge_recipes.recorder import X\n", "'pangeo_forge_recipes.recorder.X' is gone", "recipe.py:1"),
        ("import pangeo_forge.utils\n", "'pangeo_forge.utils' is gone", "recipe.py:1"),
        (f"{HEAD}class Mine(XarrayZarrRecipe):\n    pass\n", "XarrayZarrRecipe is gone", "recipe.py:6"),
    ],
)
def test_other_names_that_are_gone_are_said_to_be(source: str, message: str, place: str) -> None:
    error = legacy_error(source, "recipe.py")
    assert error is not None and error.message.startswith(message)
    assert error.where is not None and error.where.startswith(f"{place}\n")


def test_a_helper_module_that_needs_what_is_gone_is_the_one_that_is_named(tmp_path: Path) -> None:
    helper = "from pangeo_forge_recipes.recipes import XarrayZarrRecipe as X\ndef make(p):\n    return X(p)\n"
    made = upstream(tmp_path, "from helper import make\nrecipe = make(1)\n", {}, "", helper=helper)
    with pytest.raises(RecipeError, match="XarrayZarrRecipe is gone") as caught:
        load_recipes(made.job().feedstock)
    assert str(caught.value.where).startswith("feedstocks/sea/helper.py:3")


def test_todays_recipes_are_none_of_these() -> None:
    source = "from pangeo_forge_recipes.transforms import StoreToZarr\nfrom pangeo_forge_recipes import patterns\n"
    assert legacy_error(source, "recipe.py") is None
    assert legacy_recipes(ast.parse("recipe = XarrayZarrRecipe(pattern)")) == []


def test_the_guide_shows_what_is_written() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "import-a-feedstock.md").read_text()
    old, new = (part.partition("\n```")[0] for part in page.split("```python\n")[1:3])
    head = HEAD.replace("nitems_per_file=2", "nitems_per_file=1")
    text = rewrite(f"{head}{old}\n", lambda _: '"noaa-oisst.zarr"').text
    assert text.endswith(f"{new}\n")
