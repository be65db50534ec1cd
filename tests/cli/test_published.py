"""Commands about what was baked: `verify`, `status`, `open`, `catalog`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from bakehouse.cli import main
from tests.cli.projects import Project


def _object(project: Project) -> Path:
    return next(
        path
        for path in sorted(project.store().rglob("*"))
        if path.is_file() and path.parts[-5:-3] == ("temperature", "c")
    )


def test_a_sound_store_is_verified_and_says_what_is_exhaustive(baked: Project) -> None:
    (verified,) = baked.document("verify", "seasons")["recipes"]
    assert {name: check["coverage"] for name, check in verified["checks"].items()} == dict.fromkeys(
        verified["checks"], "exhaustive"
    )
    assert {"objects", "checksums", "coordinate time", "inputs", "values"} < set(verified["checks"])
    assert "seasons: verified" in baked.run("verify", "seasons/seasons").stdout


def test_a_missing_object_is_named(baked: Project) -> None:
    missing = _object(baked)
    missing.unlink()
    result = baked.run("verify", "seasons")
    assert result.exit_code == 1
    assert f"object '{missing.relative_to(baked.store())}' is missing" in result.stderr
    assert baked.document("verify", "seasons", exit_code=1)["recipes"][0]["error"]["error"] == "VerifyError"


def test_a_flipped_bit_is_found_by_full(baked: Project) -> None:
    spoiled = _object(baked)
    data = bytearray(spoiled.read_bytes())
    data[-1] ^= 1
    spoiled.write_bytes(data)
    result = baked.run("verify", "seasons", "--full")
    assert (result.exit_code, "has other content than was written" in result.stderr) == (1, True)


def test_a_changed_recipe_no_longer_makes_that_version(baked: Project) -> None:
    meta = baked.root / "feedstocks/seasons/meta.yaml"
    meta.write_text(meta.read_text().replace("freq: YS}", "freq: YS}\n      store: {chunks: {time: 6}}"))
    result = baked.run("verify", "seasons")
    assert (result.exit_code, "inputs or recipe are no longer those of version" in result.stderr) == (1, True)
    (state,) = baked.document("status")["recipes"]
    assert (state["state"], state["detail"]) == ("outdated", "the recipe has changed since")


def test_what_was_never_baked_can_not_be_verified(project: Project) -> None:
    result = project.run("verify", "seasons")
    assert (result.exit_code, "'seasons/seasons' is not registered" in result.stderr) == (1, True)


def test_status_tells_what_is_baked_from_what_is_not(baked: Project) -> None:
    baked.add("later", "recipes: [{id: day, object: 'recipe:recipe'}]\n", "recipe = None\n")
    document = baked.document("status")
    assert {each["name"]: each["state"] for each in document["recipes"]} == {
        "later/day": "not baked",
        "seasons/seasons": "baked",
    }
    entry = json.loads((baked.catalog / "seasons/seasons.json").read_text())
    (seasons,) = baked.document("status", "seasons")["recipes"]
    assert (seasons["version"], seasons["check"], seasons["url"]) == (entry["version"], "full", str(baked.store()))


@pytest.mark.parametrize("damage, state", [("gone", "gone"), ("altered", "altered")])
def test_status_flags_a_store_that_is(damage: str, state: str, baked: Project) -> None:
    root = baked.store() / "zarr.json"
    if damage == "gone":
        shutil.rmtree(baked.store())
    else:
        root.write_text(root.read_text() + " ")
    (seasons,) = baked.document("status", exit_code=1)["recipes"]
    assert seasons["state"] == state


def test_status_flags_a_broken_entry_and_a_broken_feedstock(baked: Project) -> None:
    (baked.catalog / "seasons/seasons.json").write_text("{")
    baked.add("broken", "recipes: [\n")
    states = baked.document("status", exit_code=1)["recipes"]
    assert {each["name"]: each["state"] for each in states} == {"broken": "broken", "seasons/seasons": "broken"}


def test_status_lists_entries_whose_feedstock_is_gone(baked: Project) -> None:
    shutil.rmtree(baked.root / "feedstocks/seasons")
    (seasons,) = baked.document("status")["recipes"]
    assert (seasons["name"], seasons["detail"]) == ("seasons/seasons", "the project has no such feedstock any more")


def test_open_shows_the_dataset_and_both_lines(baked: Project) -> None:
    text = baked.run("open", "seasons").stdout
    assert "temperature  (time, lat, lon) float32" in text
    assert 'bakehouse.open("seasons")' in text and f"xarray.open_zarr('{baked.store()}')" in text
    document = baked.document("open", "seasons/seasons")
    assert (document["url"], document["dims"]) == (str(baked.store()), {"time": 24, "lat": 6, "lon": 12})
    assert document["variables"]["temperature"] == {
        "dims": ["time", "lat", "lon"], "shape": [24, 6, 12], "dtype": "float32", "units": "degC",
    }  # fmt: skip


def test_open_looks_in_a_given_catalog_only(baked: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(main, ["open", "seasons", "--catalog", str(baked.catalog), "--json"])
    assert json.loads(found.stdout)["id"] == "seasons/seasons"
    missing = CliRunner().invoke(main, ["open", "saesons", "--catalog", str(baked.catalog), "--json"])
    assert (missing.exit_code, json.loads(missing.stdout)["error"]["fix"]) == (1, "did you mean 'seasons'?")


def test_a_catalog_is_checked_and_rebuilt(baked: Project) -> None:
    assert baked.document("catalog", "check")["catalogs"][0]["problems"] == []
    (baked.catalog / "catalog.json").write_text("{}")
    (found,) = baked.document("catalog", "check", exit_code=1)["catalogs"]
    assert [each["code"] for each in found["problems"]] == ["CAT05"]
    assert "CAT05" in baked.run("catalog", "check", str(baked.catalog)).stdout
    assert baked.document("catalog", "build")["catalogs"][0]["entries"] == 1
    assert baked.run("catalog", "check").exit_code == 0


def test_a_project_without_catalog_has_nothing_to_check(project: Project) -> None:
    assert project.document("catalog", "check") == {
        "schema_version": 1,
        "command": "catalog check",
        "ok": True,
        "catalogs": [],
    }


def test_a_broken_entry_is_no_obstacle_to_a_plan_and_replaced_by_a_bake(baked: Project) -> None:
    (baked.catalog / "seasons/seasons.json").write_text("{")
    assert baked.document("plan", "seasons")["recipes"][0]["published"] is None
    assert baked.document("bake", "seasons")["ok"]
    assert baked.run("status").exit_code == 0


COMMANDS = (
    "lint,explain,explain BH101,explain CAT05,plan seasons,test seasons,bake seasons,verify seasons,open seasons,"
    "status,catalog build,catalog check,doctor,new other,init elsewhere"
)


@pytest.mark.parametrize("words", COMMANDS.split(","))
def test_every_command_answers_with_one_document(words: str, baked: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(baked.root)
    result = CliRunner().invoke(main, [*words.split(), "--json"])
    document = json.loads(result.stdout)
    name = " ".join(words.split()[: 2 if words.startswith("catalog") else 1])
    assert result.exit_code == 0
    assert (document["schema_version"], document["command"], document["ok"]) == (1, name, True)
