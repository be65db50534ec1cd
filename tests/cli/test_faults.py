"""Whatever is wrong with a recipe ends in one screen that says where, exit status 1, and nothing published."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.projects import IMPORTS, PATTERN, PIPELINE, STORED, Project
from tests.support.http import serve

SCREEN = 24
START = IMPORTS + PATTERN
STEP = "def halve(index, ds):\n    return index, ds.assign(half=ds['temprature'] / 2)\n"
READ = "beam.Create(pattern.items()) | OpenURLWithFSSpec() | OpenWithXarray()"
FAULTS = {
    "is no PTransform": (START + "recipe = [1, 2]\n", ["is of type list, not a Beam PTransform", "recipe.py:7"]),
    "is a function": (START + "def recipe():\n    pass\n", ["call it: it is a function", "recipe.py:7"]),
    "is a typo": (START + "recpie = 1\n", ["meta.yaml:7:", "recipe.py defines no 'recipe'", "did you mean 'recpie'?"]),
    "is a typo that only running shows": (
        START + "globals()['recpie'] = 1\n",
        ["module 'recipe' has no 'recipe'", "meta.yaml:7", "did you mean 'recpie'?"],
    ),
    "has an empty pattern": (
        START.replace("[2021, 2022]", "[]") + PIPELINE,
        ["the pattern has no inputs", "recipe.py:7", "give at least one key to every dimension"],
    ),
    "imports what is not installed": (
        IMPORTS + "import no_such_package\nrecipe = None\n",
        ["No module named 'no_such_package'", "recipe.py:4", "install 'no_such_package', or correct the import"],
    ),
    "raises when it is imported": (
        IMPORTS + "years = 1 / 0\nrecipe = None\n",
        ["ZeroDivisionError: division by zero", "recipe.py:4", "years = 1 / 0"],
    ),
    "raises in a step": (
        START + STEP + f"recipe = {READ} | beam.MapTuple(halve) | {STORED}\n",
        ["No variable named 'temprature'", "recipe.py:8, in halve", "(package://bakehouse/cli/starter/seasons_202"],
    ),
    "returns no pair from a step": (
        START + f"recipe = {READ} | beam.MapTuple(lambda index, ds: ds) | {STORED}\n",
        ["StoreToZarr got Dataset where (Index, Dataset) belongs", "recipe.py:7", "return (index, ds)"],
    ),
    "stores nothing": (START + f"recipe = {READ}\n", ["the recipe stored nothing", "recipe.py:7", "StoreToZarr"]),
    "is not Python": (IMPORTS + "recipe = (1, 2\n", ["recipe.py:4:10 BH402 '(' was never closed"]),
    "names a file that its package lacks": (
        START.replace("seasons_", "saesons_") + PIPELINE,
        ["has no file 'cli/starter/saesons_202", "input time="],
    ),
}  # fmt: skip


def _fails(project: Project, *said: str, command: str = "bake") -> None:
    result = project.run(command, "faulty")
    assert result.exit_code == 1, result.output
    assert [words for words in said if words not in result.stderr] == [], result.stderr
    assert "Traceback" not in result.output and len(result.output.splitlines()) <= SCREEN
    assert "ok:" not in result.stdout and not project.catalog.exists()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_recipe_that(fault: str, project: Project) -> None:
    recipe, said = FAULTS[fault]
    project.add_python("faulty", recipe)
    _fails(project, *said)


def test_a_module_that_is_not_there(project: Project) -> None:
    project.add_python("faulty", START + PIPELINE, export="recipes:recipe")
    _fails(project, "meta.yaml:7:", "there is no recipes.py beside meta.yaml", "did you mean 'recipe'?")


def test_an_input_that_can_not_be_reached(project: Project, tmp_path: Path) -> None:
    with serve(tmp_path) as server:
        project.add_python(
            "faulty",
            START.replace("package://bakehouse/cli/starter/seasons_{time}.nc", f"{server.url}/{{time}}.nc") + PIPELINE,
        )
        _fails(project, "input time=", f"({server.url}/202", "check the URL")


def test_a_shared_recipe_that_raises(project: Project) -> None:
    kind = "from bakehouse.meta.parameters import Parameters\n\n\nclass Nothing(Parameters):\n    pass\n\n\n"
    (project.root / "recipes/nothing.py").write_text(kind + "def recipe(p: Nothing):\n    return 1 / 0\n")
    project.add("faulty", "recipes:\n  - {id: faulty, recipe: nothing}\n")
    _fails(project, "shared recipe 'nothing' failed: ZeroDivisionError", "recipes/nothing.py:9, in recipe")


def test_a_dict_with_something_else_in_it(project: Project) -> None:
    project.add(
        "faulty",
        "recipes:\n  - dict_object: 'recipe:recipes'\n",
        START + PIPELINE + "recipes = {'a': recipe, 'b': 3}\n",
    )
    _fails(project, "'recipe:recipes['b']' is of type int", "recipe.py:8")


@pytest.mark.parametrize("command", ["plan", "test"])
@pytest.mark.parametrize("fault", ["raises in a step", "has an empty pattern", "is not Python"])
def test_other_commands_say_the_same(fault: str, command: str, project: Project) -> None:
    recipe, said = FAULTS[fault]
    project.add_python("faulty", recipe)
    _fails(project, *(words for words in said if "input time" not in words), command=command)


def test_a_fault_is_part_of_the_document(project: Project) -> None:
    project.add_python("faulty", FAULTS["raises when it is imported"][0])
    (recipe,) = project.document("bake", "faulty", exit_code=1)["recipes"]
    assert (recipe["ok"], recipe["feedstock"], recipe["recipe"]) == (False, "faulty", "faulty")
    assert recipe["error"]["where"].startswith("feedstocks/faulty/recipe.py:4")


def test_debug_shows_the_traceback(project: Project) -> None:
    project.add_python("faulty", FAULTS["raises when it is imported"][0])
    assert "Traceback (most recent call last)" in project.run("bake", "faulty", "--debug").stderr
