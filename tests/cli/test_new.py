"""`new` writes what it knows, and lint asks for the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bakehouse.meta.load import load_feedstock
from bakehouse.meta.shared import find_shared_recipe, load_shared_recipe, parameters_class
from tests.cli.projects import IMPORTS, PATTERN, PIPELINE, Project

KNOWN = ["--title", "Sea ice: north", "--license", "CC-BY-4.0", "--maintainer", "Jo Doe"]


def _codes(project: Project, name: str, severity: str = "lint") -> list[str]:
    found = project.document("lint", name, exit_code=1 if severity == "lint" else 0)["findings"]
    return [each["code"] for each in found if each["severity"] == severity]


def _urls(project: Project, name: str) -> list[str]:
    meta = load_feedstock(project.root / "feedstocks" / name)
    kind = parameters_class(load_shared_recipe(find_shared_recipe("files_to_zarr", project.root)))
    pattern = kind.model_validate(meta.recipes[0].with_).pattern  # type: ignore[attr-defined]
    return [url for _, url in pattern.to_file_pattern().items()]


def test_what_only_the_author_knows_is_asked_for_by_lint(project: Project) -> None:
    document = project.document("new", "fresh")
    assert document["files"] == ["meta.yaml"]
    assert _codes(project, "fresh") == ["BH301", "BH301", "BH301", "BH311", "BH422"]


def test_a_dated_url_becomes_a_range_of_dates(project: Project) -> None:
    url = "https://example.org/{time:%Y}/ice_{time:%Y%m}.nc"
    project.document("new", "ice", *KNOWN, "--url", url, "--start", "2006-11", "--end", "2007-01")
    assert _codes(project, "ice", "hint") == ["BH302", "BH302"]
    assert _urls(project, "ice") == [
        "https://example.org/2006/ice_200611.nc",
        "https://example.org/2006/ice_200612.nc",
        "https://example.org/2007/ice_200701.nc",
    ]


def test_a_field_without_dates_is_left_for_its_keys(project: Project) -> None:
    project.document("new", "runs", *KNOWN, "--url", "https://example.org/{scenario}.nc")
    assert _codes(project, "runs") == ["BH422"]
    meta = project.root / "feedstocks/runs/meta.yaml"
    meta.write_text(meta.read_text().replace("scenario: #", "scenario: [A1B, E1] #"))
    assert _urls(project, "runs") == ["https://example.org/A1B.nc", "https://example.org/E1.nc"]


def test_fields_that_are_not_joined_along_hold_different_variables(project: Project) -> None:
    url = "https://example.org/{variable}_{time:%Y}.nc"
    project.document("new", "era", *KNOWN, "--url", url, "--start", "2020", "--end", "2020")
    data = yaml.safe_load((project.root / "feedstocks/era/meta.yaml").read_text())
    pattern = data["recipes"][0]["with"]["pattern"]
    assert (list(pattern["concat"]), pattern["merge"]) == (["time"], {"variable": []})


def test_a_url_without_fields_is_one_file(project: Project) -> None:
    project.document("new", "one", *KNOWN, "--url", "https://example.org/a.nc")
    assert _urls(project, "one") == ["https://example.org/a.nc"]


def test_a_concat_dim_that_the_url_lacks_is_refused(project: Project) -> None:
    result = project.run("new", "runs", "--url", "https://example.org/{scenario}.nc", "--concat-dim", "scneario")
    assert (result.exit_code, "did you mean 'scenario'?" in result.stderr) == (2, True)
    assert not (project.root / "feedstocks/runs").exists()


def test_a_python_recipe_is_a_recipe(project: Project) -> None:
    url = "package://bakehouse/cli/starter/seasons_{time:%Y}.nc"
    project.document("new", "py", *KNOWN, "--python", "--url", url, "--start", "2021", "--end", "2022")
    assert project.document("plan", "py")["recipes"][0]["dims"] == {"time": 24, "lat": 6, "lon": 12}


def test_a_recipe_that_is_there_can_be_started_from(project: Project, tmp_path: Path) -> None:
    source = tmp_path / "theirs.py"
    source.write_text(IMPORTS + PATTERN + PIPELINE)
    project.document("new", "theirs", *KNOWN, "--from", str(source))
    assert (project.root / "feedstocks/theirs/recipe.py").read_text() == source.read_text()
    assert project.document("plan", "theirs")["ok"]


def test_a_file_without_recipe_can_not_be_started_from(project: Project, tmp_path: Path) -> None:
    source = tmp_path / "theirs.py"
    source.write_text("pattern = 1\n")
    result = project.run("new", "theirs", "--from", str(source))
    assert (result.exit_code, "it defines: pattern" in result.stderr) == (2, True)


@pytest.mark.parametrize("name", ["seasons", "Seasons", "a/b", "..", ".hidden", "_private"])
def test_an_id_that_is_taken_or_can_not_name_a_folder_is_refused(name: str, project: Project) -> None:
    assert project.run("new", name).exit_code == 2
    assert [path.name for path in (project.root / "feedstocks").iterdir()] == ["seasons"]


@pytest.mark.parametrize(
    "title", ["NO", "1.10", "12:30", "a # b", 'say "hi"', "Sea ice: north", "- x", "{a}", "Été 2003"]
)
def test_a_title_is_read_back_as_it_was_given(title: str, project: Project) -> None:
    project.document("new", "titled", "--title", title)
    assert yaml.safe_load((project.root / "feedstocks/titled/meta.yaml").read_text())["title"] == title


def test_a_url_whose_fields_are_no_names_is_refused(project: Project) -> None:
    result = project.run("new", "odd", "--url", "https://example.org/{time.year}.nc")
    assert (result.exit_code, "{time.year}" in result.stderr) == (2, True)
