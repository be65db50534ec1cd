"""`bakehouse rollback`: the entry names an earlier version again."""

from __future__ import annotations

import xarray as xr

from tests.cli.growing import Growing
from tests.cli.projects import Project


def test_a_rollback_says_from_where_to_where_and_how_to_open(sea: Growing) -> None:
    first = sea.entry
    sea.run("bake", "sea", "--refresh")
    second = sea.entry
    first_line, *lines = sea.run("rollback", "sea").splitlines()
    assert first_line.startswith(f"sea: rolled back, version {second.version} → {first.version}, published 20")
    assert [line.split(maxsplit=1) for line in lines] == [
        ["store", first.store.url],
        ["note", f"{second.version} stays until it is collected: bakehouse rollback sea --to {second.version}"],
        ["open", 'bakehouse.open("sea")'],
    ]
    assert (sea.entry.version, sea.entry.store.url) == (first.version, first.store.url)
    assert sea.run("verify", "sea").startswith("sea: verified")


def test_it_goes_forward_as_well(sea: Growing) -> None:
    first = sea.entry.version
    sea.run("bake", "sea", "--refresh")
    second = str(sea.entry.version)
    sea.run("rollback", "sea")
    document = sea.document("rollback", "sea/sea", "--to", second)
    assert {key: document[key] for key in ("feedstock", "recipe", "from", "to")} == {
        "feedstock": "sea", "recipe": "sea", "from": first, "to": second,
    }  # fmt: skip
    assert sea.entry.version == second


def test_an_append_is_rolled_back_in_place(sea: Growing) -> None:
    before, old = sea.entry, sea.opened()
    sea.grow(6)
    sea.run("update", "sea")
    assert sea.opened().sizes["time"] == 8
    sea.run("rollback", "sea")
    assert (sea.entry.version, sea.entry.store.url) == (before.version, before.store.url)
    xr.testing.assert_identical(sea.opened(), old)
    sea.run("update", "sea")
    xr.testing.assert_identical(sea.opened(), sea.expected())


def test_there_must_be_such_a_version(sea: Growing) -> None:
    nowhere = sea.project.run("rollback", "sea")
    assert (nowhere.exit_code, "there is no earlier version" in nowhere.stderr) == (2, True)
    unknown = sea.project.run("rollback", "sea", "--to", "nonsense")
    assert (unknown.exit_code, "there is no version 'nonsense'" in unknown.stderr) == (2, True)


def test_what_was_never_baked_and_what_is_not_there_can_not_be_rolled_back(project: Project) -> None:
    never, typo = project.run("rollback", "seasons"), project.run("rollback", "saesons")
    assert (never.exit_code, "'seasons/seasons' is not registered" in never.stderr) == (1, True)
    assert (typo.exit_code, "did you mean 'seasons'?" in typo.stderr) == (2, True)


def test_of_several_recipes_one_has_to_be_named(sea: Growing) -> None:
    meta = sea.project.root / "feedstocks/sea/meta.yaml"
    about, recipe = meta.read_text().split("recipes:\n")
    meta.write_text(f"{about}recipes:\n{recipe}{recipe.replace('id: sea', 'id: waves')}")
    sea.run("bake", "sea/waves")
    result = sea.project.run("rollback", "sea")
    assert (result.exit_code, "name one: sea/sea, sea/waves" in result.stderr) == (2, True)
