"""`bakehouse update`: what has come since is added, what is there is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import xarray as xr

from bakehouse.cli.bakeries import place
from bakehouse.cli.current import is_current
from bakehouse.cli.selection import Chosen
from bakehouse.feedstock import find_feedstock
from bakehouse.writers import versions
from tests.cli.growing import Growing
from tests.cli.projects import IMPORTS, PIPELINE, Project

HEAVY = ("apache_beam", "xarray", "zarr")


def _files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_new_inputs_are_appended_and_of_the_old_ones_only_a_witness_is_read(sea: Growing) -> None:
    before = sea.entry
    sea.grow(6, 8)
    sea.server.clear()
    text = sea.run("update", "sea")
    first, *lines = text.splitlines()
    assert first.startswith(f"sea: updated, version {before.version} → {sea.entry.version} (")
    assert [line.split(maxsplit=1) for line in lines if line.split()[0] in ("added", "open")] == [
        ["added", "time 6 → 10 (2 inputs)"],
        ["open", 'bakehouse.open("sea")'],
    ]
    assert {request.path for request in sea.server.log} == {"/4.nc", "/6.nc", "/8.nc"}
    assert sea.entry.store.url == before.store.url
    xr.testing.assert_identical(sea.opened(), sea.expected())


def test_an_update_with_nothing_new_needs_neither_beam_nor_xarray_nor_the_network(sea: Growing) -> None:
    sea.grow(6)
    sea.run("update", "sea")
    sea.server.clear()
    before = _files(sea.project.root)
    code, text, heavy = sea.project.imports(HEAVY, "update", "sea")
    assert (code, text, heavy) == (0, f"sea: nothing new, version {sea.entry.version}\n", "[]")
    assert sea.server.log == []
    assert _files(sea.project.root) == before


def test_the_quick_answer_is_the_engines(sea: Growing) -> None:
    quick = sea.document("update", "sea")
    thorough = sea.document("update", "sea", "--changed")
    assert thorough.pop("duration_s") >= quick.pop("duration_s") == 0
    assert thorough.pop("phases_s") and quick.pop("phases_s") == {}
    assert quick == thorough
    assert (quick["status"], quick["added"], quick["version"]) == ("unchanged", None, sea.entry.version)


def _is_current(sea: Growing) -> bool:
    root = sea.project.root
    return is_current(place(root), Chosen(find_feedstock(root, "sea"), "sea"), sea.entry)


def test_what_the_quick_answer_can_not_know_is_left_to_the_engine(sea: Growing) -> None:
    meta, root = sea.project.root / "feedstocks/sea/meta.yaml", Path(sea.entry.store.url) / "zarr.json"
    said, known = meta.read_text(), root.read_text()
    inputs = next((sea.project.stores / "sea/sea").glob("*.inputs.parquet"))
    answers = {"as it was": _is_current(sea)}
    for change, (old, new) in {
        "another title": ("Demo", "Sea"),
        "another option": ("shards: false", "shards: false, encoding: {}"),
        "another input": ("[0, 2, 4]", "[0, 2, 4, 6]"),
    }.items():
        meta.write_text(said.replace(old, new))
        answers[change] = _is_current(sea)
    meta.write_text(said)
    root.write_text(known + " ")
    answers["another root"] = _is_current(sea)
    root.write_text(known)
    versions._loaded.clear()
    inputs.unlink()
    answers["no list of inputs"] = _is_current(sea)
    assert answers == {
        "as it was": True, "another title": True, "another option": False, "another input": False,
        "another root": False, "no list of inputs": False,
    }  # fmt: skip


def test_a_store_that_was_tampered_with_is_no_base(sea: Growing) -> None:
    root = Path(sea.entry.store.url) / "zarr.json"
    root.write_text(root.read_text() + " ")
    result = sea.project.run("update", "sea")
    assert (result.exit_code, result.stdout) == (1, "1 recipe failed: sea\n")
    assert "bakehouse bake" in result.stderr and "--refresh" in result.stderr


def test_changed_inputs_are_written_anew_beside_the_old(sea: Growing) -> None:
    before, old = sea.entry, sea.opened()
    sea.write(2, warmer=1)
    assert sea.document("update", "sea")["status"] == "unchanged"
    text = sea.run("update", "sea", "--changed")
    assert "changed  1 input written anew" in text and "added" not in text
    assert sea.entry.store.url != before.store.url
    xr.testing.assert_identical(sea.opened(), sea.expected())
    xr.testing.assert_identical(xr.open_zarr(before.store.url).load(), old)


def test_an_input_that_was_not_there_leaves_a_gap_until_it_comes(sea: Growing) -> None:
    sea.say(0, 2, 4, 6, 8)
    sea.write(8)
    assert "6.nc" in sea.project.run("update", "sea").stderr
    text = sea.run("update", "sea", "--missing", "skip")
    assert "1 gap is left" in text
    assert sea.opened().sst.isnull().any(["lat", "lon"]).values.tolist() == [False] * 6 + [True] * 2 + [False] * 2
    assert "sea: 1 gap" in sea.run("status")
    sea.write(6)
    assert "filled   1 gap" in sea.run("update", "sea")
    xr.testing.assert_identical(sea.opened(), sea.expected())


def test_a_bake_and_a_plan_can_leave_gaps_too(sea: Growing) -> None:
    sea.say(0, 2, 4, 6, 8)
    sea.write(8)
    assert sea.project.run("plan", "sea").exit_code == 1
    planned = sea.document("plan", "sea", "--missing", "skip")
    assert (planned["dims"]["time"], planned["inputs"]["count"]) == (10, 5)
    assert sea.document("bake", "sea", "--missing", "skip")["version"] == planned["version"]
    assert sea.opened().sizes["time"] == 10


def test_after_an_update_a_plan_and_a_bake_have_nothing_to_do(sea: Growing) -> None:
    sea.grow(6)
    sea.run("update", "sea")
    assert "published already; a bake would change nothing" in sea.run("plan", "sea")
    assert sea.document("bake", "sea")["status"] == "unchanged"


def test_a_refresh_makes_a_version_beside_the_published_one(sea: Growing) -> None:
    before = sea.entry
    refreshed = sea.document("bake", "sea", "--refresh")
    assert (refreshed["status"], sea.entry.version) == ("published", refreshed["version"])
    assert [each.version for each in sea.entry.previous] == [before.version]
    for url in (before.store.url, sea.entry.store.url):
        xr.testing.assert_identical(xr.open_zarr(url).load(), sea.expected())


def test_pruned_bakes_can_not_be_refreshed(project: Project) -> None:
    result = project.run("bake", "seasons", "--refresh", "--prune", "1")
    assert (result.exit_code, "--refresh and --prune exclude each other" in result.stderr) == (2, True)


def test_what_was_never_baked_can_not_be_updated(project: Project) -> None:
    result = project.run("update", "seasons")
    assert (result.exit_code, "'seasons/seasons' is not registered" in result.stderr) == (1, True)


def test_all_updates_what_was_baked_and_passes_over_the_rest(sea: Growing) -> None:
    sea.project.add("later", "recipes: [{id: later, object: 'recipe:recipe'}]\n", IMPORTS + "recipe = None\n")
    result = sea.project.run("update", "--all")
    assert (result.exit_code, result.stdout) == (0, f"sea: nothing new, version {sea.entry.version}\n")
    assert "later: not baked yet, passed over" in result.stderr


def test_a_recipe_in_python_is_updated_as_well(sea: Growing) -> None:
    python = IMPORTS + f"pattern = FilePattern(lambda time: f'{sea.server.url}/{{time}}.nc', ConcatDim('time', DAYS))\n"
    recipe = sea.project.add_python("waves", python.replace("DAYS", "[0, 2]") + PIPELINE) / "recipe.py"
    sea.run("bake", "waves")
    recipe.write_text(python.replace("DAYS", "[0, 2, 4]") + PIPELINE)
    assert sea.document("update", "waves")["added"] == "time 4 → 6"
    assert sea.document("update", "waves")["status"] == "unchanged"


def test_a_recipe_that_changed_otherwise_is_named(sea: Growing) -> None:
    meta = sea.project.root / "feedstocks/sea/meta.yaml"
    meta.write_text(meta.read_text().replace("store: {", "open: {decode_times: true}\n      store: {"))
    text = sea.run("update", "sea")
    assert text.startswith(f"sea: nothing new, version {sea.entry.version}\n")
    assert "the recipe has changed; an update keeps what is stored: bakehouse bake sea makes the store anew" in text


@pytest.mark.parametrize("words", [[], ["seasons", "--all"]])
def test_it_must_be_clear_what_to_update(words: list[str], project: Project) -> None:
    result = project.run("update", *words)
    assert (result.exit_code, "bakehouse update ID, or bakehouse update --all" in result.stderr) == (2, True)
