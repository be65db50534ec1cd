"""Feedstocks of Pangeo Forge and LEAP become native ones: nothing is lost in silence, and they bake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import xarray as xr

import bakehouse
from tests.cli.projects import Project, new_project
from tests.cli.repositories import Repository, new_repository
from tests.cli.test_bake import _sample

NEW = """\
import apache_beam as beam
from pangeo_forge_recipes.patterns import ConcatDim, FilePattern
from pangeo_forge_recipes.transforms import (
    ConsolidateDimensionCoordinates, ConsolidateMetadata, OpenURLWithFSSpec, OpenWithXarray, StoreToZarr,
)
from helper import url

pattern = FilePattern(url, ConcatDim("time", [2021, 2022], nitems_per_file=12))


def steps(*middle, chunks={"time": 6}):
    recipe = beam.Create(pattern.items()) | OpenURLWithFSSpec() | OpenWithXarray(file_type=pattern.file_type)
    for step in middle:
        recipe |= step
    return (
        recipe
        | StoreToZarr(store_name="seasons.zarr", combine_dims=pattern.combine_dim_keys, target_chunks=chunks)
        | ConsolidateDimensionCoordinates()
        | ConsolidateMetadata()
    )


plain = steps()
both = {"all": steps(chunks={}), "more": "more" >> steps()}
"""
STEPPED = """\
import yaml
from recipe import beam, steps

stores = {each["id"]: each["url"] for each in yaml.safe_load(open("feedstock/catalog.yaml"))["stores"]}


def _named(index, ds):
    return index, ds.assign_attrs(store=stores["small"])


stepped = steps(beam.MapTuple(_named))
"""
LEGACY = """\
from pangeo_forge_recipes.patterns import pattern_from_file_sequence
from pangeo_forge_recipes.recipes import XarrayZarrRecipe, setup_logging

setup_logging()
urls = [f"package://bakehouse/cli/starter/seasons_{year}.nc" for year in (2021, 2022)]


def warmer(ds, url):
    return ds.assign_attrs(read=url)


old = XarrayZarrRecipe(pattern_from_file_sequence(urls, "time", 12), inputs_per_chunk=2, cache_inputs=True)
older = XarrayZarrRecipe(pattern_from_file_sequence(urls, "time"), process_input=warmer)
"""
SECRET = "import os\nrecipe = os.environ['AWS_SECRET_ACCESS_KEY']\n"
WEB = "import urllib.request as web\nrecipe = web.urlopen('http://127.0.0.1:9/').read()\n"
META = """\
title: Seasons
description: >
  Two years
  of seasons.
pangeo_forge_version: 0.9.2
recipes:
  - {id: plain, object: "recipe:plain"}
  - {dict_object: "recipe:both"}
  - {id: stepped, object: "stepped:stepped"}
  - {id: old, object: "legacy:old"}
  - {id: older, object: "legacy:older"}
  - {id: secret, object: "secret:recipe"}
  - {id: web, object: "web:recipe"}
  - {id: script, object: "script:script"}
  - {id: linked}
provenance:
  providers: [{name: Nobody, roles: [data provider], url: 's3://bucket'}]
  license: Creative Commons Attribution 4.0
maintainers: [{name: Josiah Carberry, github: '@josiah'}]
bakery: {id: somewhere}
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Write a feedstock with recipes of every kind."""
    made = new_repository(tmp_path_factory.mktemp("upstream") / "years_feedstock", recipe_py=NEW)
    asked = "pangeo-forge-recipes==0.10.7\napache-beam[gcp]\nxarray<2024\nrioxarray==0.15\n"
    files = {"meta.yaml": META, "stepped.py": STEPPED, "legacy.py": LEGACY, "secret.py": SECRET, "web.py": WEB,
             "script.py": "import xarray\nprint(1 / 0)\n", "table.csv": "a,b\n",
             "requirements.txt": asked}  # fmt: skip
    for name, text in files.items():
        (made.feedstock / name).write_text(text)
    return made


@pytest.fixture(scope="module")
def imported(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, Any]]:
    """Import it by its address into a project."""
    made = new_project(tmp_path_factory.mktemp("native") / "project")
    commit = repository.commit()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_SECRET_ACCESS_KEY", "not to be seen")
        patch.setenv("XDG_CACHE_HOME", str(made.root.parent / "cache"))
        document = made.document("import", f"file://{repository.root}")
    return made, document | {"commit": commit}


def test_each_recipe_is_declared_kept_or_written_anew(imported: tuple[Project, dict[str, Any]]) -> None:
    _, document = imported
    assert document["recipes"] == {
        "plain": "declarative", "all": "declarative", "more": "declarative", "stepped": "kept", "old": "declarative",
        "older": "rewritten", "secret": "kept", "web": "kept", "script": "linked", "linked": "linked",
    }  # fmt: skip
    assert document["lints"] == 0, document["findings"]


def test_the_meta_yaml_says_what_was_changed(imported: tuple[Project, dict[str, Any]], repository: Repository) -> None:
    project, document = imported
    url = "package://bakehouse/cli/starter/seasons_{time}.nc"
    dated = url.replace("{time}", "{time:%Y}")
    assert (
        (project.root / "feedstocks/years/meta.yaml").read_text()
        == f"""\
# yaml-language-server: $schema=../../schemas/feedstock.schema.json
# Imported with 'bakehouse import' from file://{repository.root} at {document["commit"]}.
# Dropped, since nothing here needs it: bakery, pangeo_forge_version, ncviewjs:meta_yaml_url.
# Dropped, since no such key is known: ags: ['misspelt'].
title: Seasons
description: Two years of seasons.
# Nobody's role 'data provider' is written as 'host': STAC knows producer, licensor, processor, host
# Nobody's url 's3://bucket' is left out: unknown scheme 's3'; known: http, https
# license 'Creative Commons Attribution 4.0' is CC-BY-4.0 in SPDX
provenance:
  providers:
    - {{name: Nobody, roles: [host]}}
  license: CC-BY-4.0
# github '@josiah' is written as josiah
maintainers: [{{name: Josiah Carberry, github: josiah}}]
# plain: in YAML, as files_to_zarr; every input's place and URL was compared
# all: in YAML, as files_to_zarr; every input's place and URL was compared
# more: in YAML, as files_to_zarr; every input's place and URL was compared
# stepped: in Python, since its step MapTuple(_named) has no place in files_to_zarr
# old: in YAML, as files_to_zarr; every input's place and URL was compared
# older: in Python, since its step process_input has no place in files_to_zarr
# secret: in Python, since the recipe can't be imported: KeyError: AWS_SECRET_ACCESS_KEY
# web: in Python, since the recipe can't be imported: URLError: <urlopen error there is no network while a feedstock
# is imported (socket.getaddrinfo)>
# script: only an id, nothing to run: script.py defines no 'script': it is a script
recipes:
  - id: plain
    recipe: files_to_zarr
    with:
      pattern:
        url: {url}
        concat:
          time: {{keys: [2021, 2022], nitems_per_file: 12}}
        file_type: netcdf4
      store: {{chunks: {{time: 6}}}}
  - id: all
    recipe: files_to_zarr
    with:
      pattern:
        url: {url}
        concat:
          time: {{keys: [2021, 2022], nitems_per_file: 12}}
        file_type: netcdf4
      store: {{chunks: {{time: 12}}}}
  - id: more
    recipe: files_to_zarr
    with:
      pattern:
        url: {url}
        concat:
          time: {{keys: [2021, 2022], nitems_per_file: 12}}
        file_type: netcdf4
      store: {{chunks: {{time: 6}}}}
  - {{id: stepped, object: 'stepped:stepped'}}
  - id: old
    recipe: files_to_zarr
    with:
      pattern:
        url: {dated}
        concat: {{time: {{start: 2021, end: 2022, freq: YS, nitems_per_file: 12}}}}
        file_type: netcdf4
      store: {{name: old.zarr, chunks: {{time: 24}}}}
  - {{id: older, object: 'legacy:older'}}
  - {{id: secret, object: 'secret:recipe'}}
  - {{id: web, object: 'web:recipe'}}
  - {{id: script}}
  - {{id: linked}}
stores: [{{id: small, url: 'https://example.org/small.zarr'}}]
"""
    )


def test_the_answer_lists_what_was_kept_and_what_is_left_to_do(imported: tuple[Project, dict[str, Any]]) -> None:
    _, document = imported
    assert document["todo"] == [
        "check the roles of Nobody: 'data provider' is written as 'host'",
        "write a recipe for script, or link its store",
    ]
    assert "of requirements.txt: rioxarray==0.15; bake with --isolated" in document["kept"]
    left_out = "legacy.py: left out of old: cache_inputs=True; inputs are kept with 'bakehouse bake --cache'"
    assert left_out in document["changed"]
    assert "stepped.py:4: reads meta.yaml, no longer feedstock/catalog.yaml" in document["changed"]
    assert [name for name in document["files"] if not name.endswith(".py")] == [
        "meta.yaml", "requirements.txt", "table.csv",
    ]  # fmt: skip


def test_modules_that_need_no_change_are_copied_byte_for_byte(
    imported: tuple[Project, dict[str, Any]], repository: Repository
) -> None:
    folder = imported[0].root / "feedstocks/years"
    for name in ("recipe.py", "helper.py", "secret.py", "script.py", "table.csv"):
        assert (folder / name).read_bytes() == (repository.feedstock / name).read_bytes()
    assert (folder / "stepped.py").read_text() == STEPPED.replace("feedstock/catalog.yaml", "meta.yaml")
    assert not (folder / "catalog.yaml").exists()


def test_what_was_declared_kept_and_written_anew_bakes_alike(
    imported: tuple[Project, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = imported
    names = [f"years/{recipe}" for recipe in ("plain", "old", "stepped", "older")]
    baked = project.document("bake", *names)["recipes"]
    assert [each["status"] for each in baked] == ["published"] * 4
    monkeypatch.chdir(project.root)
    found = [bakehouse.open(name).load() for name in names]
    for each in found:
        xr.testing.assert_equal(each, _sample().load())
    assert [each.temperature.encoding["chunks"][0] for each in found] == [6, 24, 6, 12]
    assert found[2].attrs["store"] == "https://example.org/small.zarr"


def test_a_feedstock_is_not_overwritten_unless_told(imported: tuple[Project, dict[str, Any]], tmp_path: Path) -> None:
    project, _ = imported
    before = {path: path.read_bytes() for path in (project.root / "feedstocks").rglob("*") if path.is_file()}
    upstream = new_repository(tmp_path / "again", recipe_py="recipe = 1 / 0\n")
    (upstream.feedstock / "meta.yaml").write_text("title: [\n")
    refused = project.run("import", str(upstream.root), "years")
    assert refused.exit_code == 2 and "give --overwrite" in refused.stderr
    broken = project.run("import", str(upstream.root), "years", "--overwrite")
    assert broken.exit_code == 1 and "meta.yaml:2" in broken.stderr
    assert {path: path.read_bytes() for path in (project.root / "feedstocks").rglob("*") if path.is_file()} == before
    assert not [path for path in (project.root / "feedstocks").iterdir() if path.name.startswith(".")]


def test_a_linked_feedstock_is_imported_over_another_without_running_anything(tmp_path: Path) -> None:
    project = new_project(tmp_path / "project")
    upstream = new_repository(tmp_path / "links-feedstock", recipe_py="raise SystemExit('this ran')\n")
    (upstream.feedstock / "meta.yaml").write_text("title: Links\nrecipes: [{id: small}]\n")
    first = project.document("import", str(upstream.root))
    assert (first["feedstock"], first["recipes"]) == ("links", {"small": "linked"})
    again = project.run("import", str(upstream.root), "--overwrite")
    assert again.exit_code == 0
    assert again.stdout.splitlines()[-2].startswith("imported feedstocks/links: small (linked); 2 lints")
