"""Feedstocks that are no project's: by folder or by address, as their authors left them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import xarray as xr

import bakehouse
from bakehouse.feedstock.fetching import fetch
from tests.cli.projects import Project
from tests.cli.repositories import HEAD, PIPELINE, RECIPE, Repository, document, new_repository, run
from tests.cli.test_bake import _sample


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return new_repository(tmp_path / "gpcp-feedstock")


def test_a_repository_bakes_where_there_is_no_project(away: Path, repository: Repository) -> None:
    result = run("bake", str(repository.root))
    assert result.exit_code == 0, result.output
    assert f"no project around: stores lie in {away}/.bakehouse/stores" in result.stderr
    assert result.stdout.splitlines()[-1].split(maxsplit=1) == ["open", 'bakehouse.open("gpcp-feedstock/seasons")']
    xr.testing.assert_identical(bakehouse.open("gpcp-feedstock").load(), _sample().load())
    assert Path.cwd() == away
    assert document("bake", str(repository.root))["recipes"][0]["status"] == "unchanged"
    assert document("verify", str(repository.root))["ok"]


@pytest.mark.parametrize("words", [["."], ["feedstock"], ["./feedstock/"], [".", "--subdir", "feedstock"]])
def test_any_way_to_name_the_folder_is_the_same_feedstock(
    words: list[str], repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository.root)
    (planned,) = document("plan", *words)["recipes"]
    assert (planned["feedstock"], planned["recipe"]) == ("gpcp-feedstock", "seasons")
    assert not (repository.root / ".bakehouse").exists()


def test_bakes_inside_a_repository_leave_it_clean(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = repository.commit()
    monkeypatch.chdir(repository.root)
    document("bake", ".", "--prune", "1")
    assert repository.git("status", "--porcelain") == ""
    document("bake", ".")
    entry = (repository.root / ".bakehouse/catalog/gpcp-feedstock/seasons.json").read_text()
    assert f'"recipe_commit": "{commit}"' in entry


@pytest.mark.parametrize("name", ["CanopyHeights-GLAD", "GPM_3IMERGDF.07", "0_25_deg"])
def test_no_id_that_upstreams_users_have_is_refused(name: str, away: Path, tmp_path: Path) -> None:
    made = new_repository(tmp_path / name, recipe=name)
    (baked,) = document("bake", str(made.root), name)["recipes"]
    assert Path(baked["url"]).parent == away / f".bakehouse/stores/{name}/{name}"
    assert document("open", name)["id"] == f"{name}/{name}"


def test_words_after_a_folder_are_its_recipes(away: Path, tmp_path: Path) -> None:
    both = f"recipes = {{'one': {PIPELINE.format(1)}, 'two': {PIPELINE.format(2)}}}\n"
    made = new_repository(tmp_path / "both", recipe_py=HEAD + both)
    meta = made.feedstock / "meta.yaml"
    meta.write_text(
        meta.read_text().replace('id: seasons\n    object: "recipe:recipe"', "dict_object: 'recipe:recipes'")
    )
    assert [each["recipe"] for each in document("plan", str(made.root))["recipes"]] == ["one", "two"]
    assert [each["recipe"] for each in document("plan", str(made.root), "two")["recipes"]] == ["two"]
    assert "did you mean 'two'?" in run("plan", str(made.root), "tow").stderr


def test_a_project_around_the_working_directory_lends_its_bakeries(
    project: Project, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root / "recipes")
    baked = document("bake", "seasons", str(repository.root))["recipes"]
    assert [Path(each["url"]).parents[2] for each in baked] == [project.stores] * 2
    assert (project.catalog / "gpcp-feedstock/seasons.json").is_file()


def test_an_id_of_the_project_comes_before_a_folder_of_that_name(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    (project.root / "seasons").mkdir()
    assert document("plan", "seasons")["recipes"][0]["feedstock"] == "seasons"
    for folder in ("./feedstocks/seasons", "feedstocks/seasons/"):
        assert document("plan", folder)["recipes"][0]["feedstock"] == "seasons"


@pytest.mark.parametrize("flat", [False, True])
def test_it_may_be_dropped_into_a_project_as_it_is(flat: bool, project: Project, repository: Repository) -> None:
    kept = project.root / "feedstocks/dropped"
    shutil.copytree(repository.feedstock if flat else repository.root, kept)
    if flat:
        recipe = kept / "recipe.py"
        recipe.write_text(recipe.read_text().replace("feedstock/meta.yaml", "meta.yaml"))
    assert project.document("bake", "dropped")["recipes"][0]["ok"]
    assert project.document("test", "dropped")["ok"]
    xr.testing.assert_identical(
        xr.open_zarr(next((project.stores / "dropped/seasons").glob("[0-9a-f]*.zarr"))).load(), _sample().load()
    )


def test_lints_are_hints_until_it_is_published(project: Project, repository: Repository) -> None:
    shutil.copytree(repository.root, project.root / "feedstocks/dropped")
    shared = project.root / "meta.yaml"
    shared.write_text(shared.read_text() + "  public: {target: published, catalog: published}\n")
    findings = {each["code"]: each["severity"] for each in project.document("test", "dropped")["findings"]}
    assert findings.items() >= {"BH101": "hint", "BH303": "hint", "BH311": "hint"}.items()
    result = project.run("bake", "dropped", "--bakery", "public")
    assert (result.exit_code, "BH101 unknown key 'ags'" in result.stderr) == (1, True)


def test_what_is_only_linked_is_no_failure(away: Path, repository: Repository) -> None:
    (repository.feedstock / "meta.yaml").write_text("title: Far\nrecipes: [{id: small}]\n")
    result = run("bake", str(repository.root))
    assert result.exit_code == 0
    assert "gpcp-feedstock: nothing to run, linked" in result.stderr
    assert "small: https://example.org/small.zarr" in result.stderr


def test_a_folder_that_is_none_says_where_one_is(away: Path, repository: Repository) -> None:
    (repository.root / "recipes").mkdir()
    shutil.move(repository.feedstock, repository.root / "recipes/rain")
    result = run("plan", str(repository.root))
    assert (result.exit_code, "choose one: --subdir recipes/rain" in result.stderr) == (2, True)
    recipe = repository.root / "recipes/rain/recipe.py"
    recipe.write_text(recipe.read_text().replace("feedstock/meta.yaml", "recipes/rain/meta.yaml"))
    assert document("plan", str(repository.root), "--subdir", "recipes/rain")["recipes"][0]["feedstock"] == "rain"
    assert "leads out of the repository" in run("plan", str(repository.root), "--subdir", "../away").stderr


def test_a_mistake_is_named_by_its_file_in_the_repository(away: Path, tmp_path: Path) -> None:
    made = new_repository(tmp_path / "broken", recipe_py="import helper\n\n1 / 0\n")
    result = run("bake", str(made.root))
    assert (result.exit_code, "feedstock/recipe.py:3, in <module>" in result.stderr) == (1, True)
    assert Path.cwd() == away


def test_an_address_is_fetched_at_the_commit_that_was_asked_for(away: Path, repository: Repository) -> None:
    first = repository.commit()
    meta = repository.feedstock / "meta.yaml"
    meta.write_text(META_LATER := meta.read_text().replace("id: seasons", "id: later"))
    second = repository.commit()
    address = repository.root.as_uri()
    assert [
        document("plan", address, *ref)["recipes"][0]["recipe"] for ref in ([], ["--ref", first], ["--ref", first[:9]])
    ] == ["later", "seasons", "seasons"]
    assert document("plan", str(repository.root), "--ref", first)["recipes"][0]["recipe"] == "seasons"
    assert (fetch(address, "main").parent.name, META_LATER) == (second, meta.read_text())
    result = run("plan", address, "--ref", "nowhere")
    assert (result.exit_code, "the repository has no 'nowhere'" in result.stderr) == (1, True)


def test_a_commit_that_was_fetched_needs_no_network(away: Path, repository: Repository) -> None:
    commit, address = repository.commit(), repository.root.as_uri()
    folder = fetch(address, commit)
    shutil.rmtree(repository.root)
    assert fetch(address, commit) == folder
    assert folder.name == "gpcp-feedstock"


@pytest.mark.parametrize("address", ["ext::sh -c 'touch ran'", "http://example.org/a.git", "fd::7/a", "https::x"])
def test_a_transport_that_runs_programs_or_is_not_secured_is_refused(address: str, away: Path) -> None:
    result = run("bake", address)
    assert (result.exit_code, "is not fetched" in result.stderr) == (2, True)
    assert os.listdir(away) == []


def test_hooks_and_submodules_of_a_repository_do_not_run(away: Path, repository: Repository, tmp_path: Path) -> None:
    repository.commit()
    (repository.root / ".gitmodules").write_text('[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "touch ran"\n')
    repository.commit()
    assert fetch(repository.root.as_uri()).is_dir()
    assert os.listdir(away) == []


def test_an_address_that_does_not_answer_is_one_error(away: Path, tmp_path: Path) -> None:
    result = run("bake", (tmp_path / "nothing").as_uri())
    assert (result.exit_code, "the repository can't be fetched" in result.stderr) == (1, True)


def test_ref_and_subdir_need_a_repository(project: Project, away: Path, repository: Repository) -> None:
    assert project.run("plan", "seasons", "--ref", "main").exit_code == 2
    assert "--ref needs a git repository" in run("plan", str(repository.root), "--ref", "main").stderr


def test_lint_takes_a_folder(away: Path, repository: Repository) -> None:
    found = document("lint", str(repository.root), exit_code=1)["findings"]
    assert {each["code"] for each in found} >= {"BH101", "BH303"}


def test_explain_lists_what_a_dict_of_recipes_holds(away: Path, tmp_path: Path) -> None:
    made = new_repository(tmp_path / "both", recipe_py=f"{HEAD}recipes = {{'one': {PIPELINE.format(1)}}}\n")
    meta = made.feedstock / "meta.yaml"
    meta.write_text(
        meta.read_text().replace('id: seasons\n    object: "recipe:recipe"', "dict_object: 'recipe:recipes'")
    )
    said = document("explain", str(made.root))
    assert said["meta"]["recipes"] == [{"id": "one", "object": "recipe:recipes['one']"}]
    assert said["meta"]["title"] == "Seasons"
    assert "recipe   one: recipe:recipes['one']" in run("explain", str(made.root)).stdout


def test_what_a_recipe_prints_is_no_part_of_the_document(away: Path, tmp_path: Path) -> None:
    made = new_repository(tmp_path / "loud", recipe_py=f"print('loud')\n{RECIPE}")
    assert document("plan", str(made.root))["ok"]


def test_a_name_that_no_entry_can_have_is_refused_before_anything_is_written(away: Path, tmp_path: Path) -> None:
    made = new_repository(tmp_path / "odd", recipe="tos 1.0+x")
    result = run("bake", str(made.root))
    assert (result.exit_code, "call it 'tos-1.0-x'" in result.stderr) == (1, True)
    assert not list(away.rglob("*.zarr"))
