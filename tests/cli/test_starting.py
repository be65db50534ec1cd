"""What a command does not do while it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.projects import IMPORTS, PATTERN, PIPELINE, STORED, new_project
from tests.engine.gribs import write_grib

SHARED = """\
recipes:
  - id: light
    recipe: files_to_zarr
    with:
      pattern: {url: "package://bakehouse/cli/starter/seasons_{time}.nc", concat: {time: [2021, 2022]}}
"""
MESSAGES = """\
recipes:
  - id: light
    recipe: {recipe}
    with:
      pattern: {{url: "https://grib.example/{{time}}.grib2", file_type: grib, concat: {{time: [0, 1]}}}}
      store: {store}
"""
WATCHED = f"""\
import gc, sys
{IMPORTS}{PATTERN}
print("built", gc.isenabled(), gc.get_freeze_count() > 0, file=sys.stderr)


def said(index, ds):
    sys.stderr.write(f"run {{gc.isenabled()}} {{gc.get_freeze_count() > 100_000}}\\n")  # whole, from two threads
    return index, ds


recipe = (
    beam.Create(pattern.items()) | OpenURLWithFSSpec() | OpenWithXarray() | beam.MapTuple(said)
    | {STORED}
)
"""


def test_nothing_is_collected_until_the_recipe_is_loaded(tmp_path: Path) -> None:
    project = new_project(tmp_path / "project")
    project.add_python("watched", WATCHED)
    _, said = (running := project.start("bake", "watched", "--no-previews")).communicate()
    assert running.returncode == 0, said
    found = [line for line in said.splitlines() if line.startswith(("built", "run"))]
    assert found[0] == "built False False"
    assert set(found[1:]) == {"run True True"}


@pytest.mark.parametrize("is_shared", [pytest.param(True, id="shared recipe"), pytest.param(False, id="recipe.py")])
def test_a_bake_imports_no_arrays_of_dasks(tmp_path: Path, is_shared: bool) -> None:
    project = new_project(tmp_path / "project")
    if is_shared:
        project.add("light", SHARED)
    else:
        project.add_python("light", f"{IMPORTS}{PATTERN}{PIPELINE}")
    code, _, found = project.imports(("dask.array", "xarray"), "bake", "light", "--no-previews")
    assert (code, found) == (0, "['xarray']")


@pytest.mark.parametrize("recipe", ["files_to_zarr", "files_to_virtual"])
def test_neither_does_a_bake_of_messages(tmp_path: Path, recipe: str) -> None:
    project = new_project(tmp_path / "project")
    for number in range(2):
        write_grib(tmp_path / f"{number}.grib2", days=2, first=f"2020-01-{1 + 2 * number:02d}")
    store = "{format: kerchunk-json}" if recipe == "files_to_virtual" else "{}"
    project.add("light", MESSAGES.format(recipe=recipe, store=store))
    words = ("bake", "light", "--no-previews", "--mirror", f"https://grib.example/={tmp_path}/")
    code, _, found = project.imports(("dask.array", "xarray"), *words)
    assert (code, found) == (0, "['xarray']")
