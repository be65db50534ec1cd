from __future__ import annotations

from pathlib import Path

import pytest

from bakehouse.errors import MetaError, UsageError
from bakehouse.meta.examples import PROJECT, write_example
from bakehouse.meta.findings import Example
from bakehouse.meta.lint import lint_project
from bakehouse.meta.load import (
    feedstock_folders,
    feedstock_id,
    find_project_root,
    load_feedstock,
    load_project,
    meta_folder,
)
from bakehouse.meta.models import FeedstockMeta
from bakehouse.meta.project import Defaults

UPSTREAM = """\
title: "Daily sea surface height"
description: "Altimetry"
pangeo_forge_version: "0.9.2"
pangeo_notebook_version: "2022.06.02"
recipes:
  - id: cmems-sealevel
    object: "recipe:recipe"
  - id: eNATL60_BLBT02
    object: "eNATL60:recipe"
provenance:
  providers:
    - name: "CMEMS"
      description: "Copernicus"
      roles:
        - producer
        - licensor
      url: https://marine.copernicus.eu
  license: "No constraints on data access or use"
maintainers:
  - name: "Ada Lovelace"
    orcid: "9999-9999-9999-9999"
    github: ada
bakery:
  id: "pangeo-ldeo-nsf-earthcube"
citation: "Someone (2020)"
acknowledgements: {text: thanks}
contact:
  - mail: someone@example.org
"""

LEAP_META = """\
title: LEAP data
description: >
  Many
  lines
recipes:
  - dict_object: "recipe:recipes"
provenance:
  providers:
    - name: LEAP
      roles: [producer, licensor]
  license: other
  license_link: {title: Terms, url: "https://example.org/terms"}
maintainers:
  - name: Bo
    github: bo
"""

LEAP_CATALOG = """\
"ncviewjs:meta_yaml_url": "https://github.com/leap-stc/demo_feedstock/blob/main/feedstock/meta.yaml"
title: an older title
tags: [atmosphere, observation]
links:
  - label: Home
    url: https://example.org
stores:
  - id: small
    name: The small one
    url: https://example.org/small.zarr
    "ncviewjs:rechunking":
      - path: https://example.org/pyramid.zarr
        use_case: multiscales
    public: true
    xarray_open_kwargs: {engine: zarr}
    last_updated: 2024-05-01
    source: ignored
"""


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_pangeo_forges_own_files_load_unmodified(tmp_path: Path) -> None:
    meta = load_feedstock(write(tmp_path, meta=UPSTREAM))
    assert [(r.kind, r.id, r.object) for r in meta.recipes] == [
        ("object", "cmems-sealevel", "recipe:recipe"),
        ("object", "eNATL60_BLBT02", "eNATL60:recipe"),
    ]
    assert meta.provenance and meta.provenance.license == "No constraints on data access or use"


def test_leaps_catalog_is_merged_and_meta_wins(tmp_path: Path) -> None:
    meta = load_feedstock(write(tmp_path, meta=LEAP_META, catalog=LEAP_CATALOG))
    assert meta.title == "LEAP data"
    assert meta.tags == ("atmosphere", "observation")
    assert meta.meta_yaml_url == "https://github.com/leap-stc/demo_feedstock/blob/main/feedstock/meta.yaml"
    assert meta.stores[0].rechunking[0].use_case == "multiscales"
    assert meta.recipes[0].kind == "dict_object"


@pytest.mark.parametrize(
    ("recipes", "kinds"),
    [
        ("", []),
        ("recipes:\n", []),
        ("recipes: [{id: arco}]\n", ["linked"]),
        ("recipes: {dict_object: 'recipe:recipes'}\n", ["dict_object"]),
        ("recipes: [{id: a, recipe: files_to_zarr, with: {x: 1}}]\n", ["recipe"]),
        ("recipes: [{id: a, recipe: files_to_zarr, with: }]\n", ["recipe"]),
    ],
)
def test_every_form_of_recipes_loads(tmp_path: Path, recipes: str, kinds: list[str]) -> None:
    assert [entry.kind for entry in load_feedstock(write(tmp_path, meta=f"title: x\n{recipes}")).recipes] == kinds


def test_the_layout_of_a_repository_with_one_feedstock_is_read(tmp_path: Path) -> None:
    root = tmp_path / "demo_feedstock"
    inner = write(root / "feedstock", meta=LEAP_META)
    assert load_feedstock(root) == load_feedstock(inner)
    assert meta_folder(root) == inner
    assert feedstock_id(root) == feedstock_id(inner) == "demo_feedstock"


def test_a_file_that_cannot_be_understood_is_refused_with_every_finding(tmp_path: Path) -> None:
    text = "title: NO\ntitel: x\nrecipes:\n  - {id: ../a, object: recipe}\n  - {object: 'a:b', recipe: c}\n"
    with pytest.raises(MetaError) as caught:
        load_feedstock(write(tmp_path, meta=text))
    lines = caught.value.message.splitlines()
    assert lines[0] == "5 findings"
    assert [line.split(" ")[:2] for line in lines[1:]] == [
        ["meta.yaml:1:8", "BH007"],
        ["meta.yaml:2:1", "BH101"],
        ["meta.yaml:4:10", "BH106"],
        ["meta.yaml:4:24", "BH105"],
        ["meta.yaml:5:5", "BH104"],
    ]
    assert caught.value.fix == "bakehouse explain BH007"


def test_findings_in_a_merged_catalog_name_its_file(tmp_path: Path) -> None:
    folder = write(tmp_path, meta=LEAP_META, catalog="stores:\n  - {id: a}\n")
    with pytest.raises(MetaError, match=r"catalog\.yaml:2:5 BH102 'url' is missing in stores\[0\]"):
        load_feedstock(folder)


def test_what_lint_merely_dislikes_loads(tmp_path: Path) -> None:
    text = "recipes: [{id: CanopyHeights-GLAD, object: 'nothing:there'}]\nprovenance: {license: Unknown}\n"
    assert load_feedstock(write(tmp_path, meta=text)).recipes[0].id == "CanopyHeights-GLAD"


def test_a_missing_meta_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MetaError, match="BH011 can't be read: No such file"):
        load_feedstock(tmp_path)


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", "a\\b", "", " a", "a\nb", "a:b"])
def test_ids_that_could_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="can't name a file"):
        FeedstockMeta.model_validate({"recipes": [{"id": name}]})


def test_the_projects_defaults_fill_in_what_is_left_out(tmp_path: Path) -> None:
    defaults = Defaults.model_validate({"license": "CC0-1.0", "maintainers": [{"name": "Us"}]})
    bare = load_feedstock(write(tmp_path / "bare", meta="title: x"), defaults)
    assert bare.provenance and bare.provenance.license == "CC0-1.0"
    assert [m.name for m in bare.maintainers] == ["Us"]
    full = load_feedstock(write(tmp_path / "full", meta=LEAP_META), defaults)
    assert full.provenance and full.provenance.license == "other"
    assert [m.name for m in full.maintainers] == ["Bo"]


def test_the_projects_defaults_count_for_lint(tmp_path: Path) -> None:
    defaults = "defaults: {license: CC0-1.0, maintainers: [{name: Us}]}\n"
    folder = write_example(Example(defaults, target="project"), tmp_path)
    text = (folder / "meta.yaml").read_text()
    kept = [line for line in text.splitlines(keepends=True) if "license" not in line and "maintainers" not in line]
    (folder / "meta.yaml").write_text("".join(kept))
    assert lint_project(tmp_path) == []


def test_a_project_loads_and_gives_its_bakeries(tmp_path: Path) -> None:
    project = load_project(write(tmp_path, meta=PROJECT))
    assert project.bakery() == project.bakery("local")
    assert (project.bakery().runner, project.bakery().target, project.bakery().catalog) == (
        "direct",
        ".bakehouse/stores",
        "local",
    )
    with pytest.raises(UsageError, match="did you mean 'local'"):
        project.bakery("locale")


def test_the_project_of_a_folder_is_the_nearest_one_above(tmp_path: Path) -> None:
    folder = write_example(Example(), tmp_path)
    assert find_project_root(folder) == find_project_root(tmp_path) == tmp_path.resolve()
    assert [f.name for f in feedstock_folders(tmp_path)] == ["demo"]


def test_no_project_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(MetaError, match="bakehouse init"):
        find_project_root(tmp_path)
