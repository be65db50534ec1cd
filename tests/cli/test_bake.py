"""`plan`, `test` and `bake` on real files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import xarray as xr

import bakehouse
from bakehouse.cli.starter import make_sample
from tests.cli.projects import IMPORTS, PATTERN, PIPELINE, SCENARIOS, Project
from tests.support.http import serve

STARTER = Path(make_sample.__file__).parent


def _sample() -> xr.Dataset:
    years = [xr.open_dataset(STARTER / f"seasons_{year}.nc", engine="scipy") for year in make_sample.YEARS]
    return xr.concat(years, "time", join="exact", compat="equals", combine_attrs="identical")


def _files(project: Project) -> list[Path]:
    return [path for path in (project.root / ".bakehouse").rglob("*") if path.is_file()]


def test_a_plan_says_what_a_bake_will_do_and_writes_nothing(project: Project) -> None:
    result = project.run("plan", "seasons")
    assert result.exit_code == 0
    for words in (
        "2 files",
        "time 24 × lat 6 × lon 12",
        "temperature  float32",
        "overwrites nothing",
        "local bakery: no cost",
    ):
        assert words in result.stdout
    assert _files(project) == []


def test_a_plan_comes_true(project: Project) -> None:
    (plan,) = project.document("plan", "seasons")["recipes"]
    (baked,) = project.document("bake", "seasons")["recipes"]
    assert [(plan[key], baked[key]) for key in ("version", "objects", "tasks")] == [
        (baked[key], baked[key]) for key in ("version", "objects", "tasks")
    ]
    store = xr.open_zarr(project.store())
    assert {name: array["shape"] for name, array in zip(store.variables, plan["arrays"], strict=False)}
    assert {array["name"]: tuple(array["shape"]) for array in plan["arrays"]} == {
        str(n): v.shape for n, v in store.variables.items()
    }
    (again,) = project.document("plan", "seasons")["recipes"]
    assert again["published"] == baked["version"]


def test_a_pruned_plan_has_fewer_inputs(project: Project) -> None:
    project.add("scenarios", SCENARIOS)
    plans = [project.document("plan", "scenarios", *words)["recipes"][0] for words in ((), ("--prune", "1"))]
    assert [plan["inputs"]["count"] for plan in plans] == [2, 1]
    assert [plan["dims"]["scenario"] for plan in plans] == [2, 1]


def test_a_bake_ends_with_the_line_that_opens_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    result = project.run("bake", "seasons")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].split(maxsplit=1) == ["open", 'bakehouse.open("seasons")']
    monkeypatch.chdir(project.root)
    xr.testing.assert_identical(bakehouse.open("seasons").load(), _sample().load())


def test_progress_goes_to_stderr_and_the_document_alone_to_stdout(project: Project) -> None:
    result = project.run("bake", "seasons", "--json")
    document = json.loads(result.stdout)
    assert (document["schema_version"], document["command"], document["ok"]) == (1, "bake", True)
    assert document["recipes"][0]["line"] == 'bakehouse.open("seasons")'
    assert result.stderr.splitlines()[0] == "baking seasons"


def test_baking_twice_changes_nothing(project: Project) -> None:
    project.document("bake", "seasons")
    before = {
        path: path.read_bytes() for path in [*project.store().rglob("*"), *project.catalog.rglob("*")] if path.is_file()
    }
    assert project.document("bake", "seasons")["recipes"][0]["status"] == "unchanged"
    assert {path: path.read_bytes() for path in before} == before


def test_a_pruned_bake_lies_apart_and_is_not_registered(project: Project) -> None:
    project.add("scenarios", SCENARIOS)
    (baked,) = project.document("bake", "scenarios", "--prune", "1")["recipes"]
    assert Path(baked["url"]).parent == project.stores / "scenarios/scenarios/pruned"
    assert baked["line"] == f"xarray.open_zarr('{baked['url']}')"
    assert xr.open_zarr(baked["url"]).sizes["scenario"] == 1
    assert not project.catalog.exists()


def test_one_failing_recipe_does_not_stop_the_others(project: Project) -> None:
    project.add_python("broken", IMPORTS + "recipe = 1 / 0\n")
    result = project.run("bake", "broken", "seasons")
    assert result.exit_code == 1
    assert "feedstocks/broken/recipe.py:4" in result.stderr
    assert "1 recipe failed: broken" in result.stdout
    assert project.store().is_dir()


def test_all_bakes_every_recipe_and_a_broken_meta_yaml_hides_none(project: Project) -> None:
    project.add("broken", "recipes: [\n")
    project.add("linked", "stores: [{id: far, url: 'https://example.org/far.zarr'}]\n")
    document = project.document("bake", "--all", exit_code=1)
    assert {each["feedstock"]: each["ok"] for each in document["recipes"]} == {"broken": False, "seasons": True}


@pytest.mark.parametrize("words", [[], ["seasons", "--all"]])
def test_it_must_be_clear_what_to_bake(words: list[str], project: Project) -> None:
    assert project.run("bake", *words).exit_code == 2


def test_a_feedstock_without_recipes_or_stores_can_not_be_baked(project: Project) -> None:
    project.add("empty", "recipes: []\n")
    result = project.run("bake", "empty")
    assert (result.exit_code, "feedstock 'empty' has no recipes" in result.stderr) == (2, True)


def test_of_a_linked_feedstock_there_is_nothing_to_run(project: Project) -> None:
    project.add("linked", "stores: [{id: far, url: 'https://example.org/far.zarr'}]\n")
    result = project.run("bake", "linked")
    assert (result.exit_code, project.stores.exists()) == (0, False)
    assert "linked: nothing to run, linked" in result.stderr
    assert "far: https://example.org/far.zarr" in result.stderr


def test_each_recipe_of_a_dict_can_be_named(project: Project) -> None:
    recipes = "recipes:\n  - dict_object: 'recipe:recipes'\n"
    project.add("both", recipes, IMPORTS + PATTERN + PIPELINE + "recipes = {'one': recipe, 'two': recipe}\n")
    assert [each["recipe"] for each in project.document("plan", "both")["recipes"]] == ["one", "two"]
    assert [each["recipe"] for each in project.document("plan", "both/two")["recipes"]] == ["two"]
    assert "did you mean 'two'?" in project.run("plan", "both/tow").stderr


def test_inputs_can_be_read_from_a_mirror(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(STARTER, tmp_path / "www/data.example.org")
    meta = project.root / "feedstocks/seasons/meta.yaml"
    meta.write_text(meta.read_text().replace("package://bakehouse/cli/starter/", "https://data.example.org/"))
    with serve(tmp_path / "www") as server:
        mirror = f"https://data.example.org/={server.url}/data.example.org/"
        (planned,) = project.document("plan", "seasons", "--mirror", mirror)["recipes"]
        monkeypatch.setenv("BAKEHOUSE_URL_MAP", f"https://other.example/=https://nowhere.example/;{mirror}")
        (baked,) = project.document("bake", "seasons")["recipes"]
        assert project.document("verify", "seasons")["ok"]
    assert planned["inputs"]["first"] == "https://data.example.org/seasons_2021.nc"
    assert baked["version"] == planned["version"]


def test_the_test_command_ends_with_ok_and_leaves_nothing_behind(project: Project) -> None:
    result = project.run("test", "seasons")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "ok: seasons, 0 lints, 0 hints")
    assert "compared with its sources" in result.stdout
    assert _files(project) == []


def test_what_a_test_made_can_be_kept_and_is_marked_as_pruned(project: Project, tmp_path: Path) -> None:
    (tried,) = project.document("test", "seasons", "--prune", "1", "--keep", str(tmp_path / "kept"))["recipes"]
    entry = json.loads((tmp_path / "kept/catalog/seasons/seasons.json").read_text())
    assert tried["entry"] == str(tmp_path / "kept/catalog/seasons/seasons.json")
    assert entry["notes"][0]["kind"] == "pruned" and "not the dataset" in entry["notes"][0]["message"]
    assert xr.open_zarr(tried["url"]).sizes["time"] == 12 and entry["preview"]["thumbnail"] == "thumbnail.png"
    assert not project.catalog.exists() and not project.stores.exists()
    shown = project.document("open", "seasons", "--catalog", str(tmp_path / "kept/catalog"))
    assert shown["repr"].startswith("<xarray.Dataset>") and "time: 12" in shown["repr"]


def test_a_lint_fails_the_test_but_not_a_local_bake(project: Project) -> None:
    meta = project.root / "feedstocks/seasons/meta.yaml"
    meta.write_text(meta.read_text().replace("license: CC0-1.0", "license: CC0-1"))
    document = project.document("test", "seasons", exit_code=1)
    assert [each["code"] for each in document["findings"]] == ["BH303"]
    assert [each["ok"] for each in document["recipes"]] == [True]
    assert "BH303" in project.run("test", "seasons").stderr
    assert project.run("bake", "seasons").exit_code == 0


def test_a_lint_stops_what_would_be_published(project: Project) -> None:
    shared = project.root / "meta.yaml"
    shared.write_text(shared.read_text() + "  public: {target: published, catalog: published}\n")
    assert project.document("bake", "seasons", "--bakery", "public")["ok"]
    assert (project.root / "catalog/seasons/seasons.json").is_file()
    meta = project.root / "feedstocks/seasons/meta.yaml"
    meta.write_text(meta.read_text().replace("license: CC0-1.0", "license: CC0-1"))
    result = project.run("bake", "seasons", "--bakery", "public")
    assert (result.exit_code, "BH303" in result.stderr) == (1, True)


def test_a_sample_can_be_compared_instead_of_everything(project: Project) -> None:
    (baked,) = project.document("bake", "seasons", "--sampled")["recipes"]
    assert baked["level"] in ("sampled", "full")
    entry = json.loads((project.catalog / "seasons/seasons.json").read_text())
    assert entry["check"]["level"] == baked["level"]
