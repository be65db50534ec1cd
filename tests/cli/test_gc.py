"""`bakehouse gc`: what nobody needs any more is removed, what somebody may is not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import xarray as xr

from tests.cli.growing import Growing
from tests.cli.projects import Project

DAY_S = 86_400


def _versions(sea: Growing, count: int) -> list[str]:
    """Bake until there are so many versions; the oldest comes first."""
    names = [str(sea.entry.version)]
    while len(names) < count:
        sea.run("bake", "sea", "--refresh")
        names.append(str(sea.entry.version))
    return names


def _stores(sea: Growing) -> set[str]:
    return {path.name.removesuffix(".zarr") for path in (sea.project.stores / "sea/sea").glob("[!.]*.zarr")}


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _age(folder: Path, days: float) -> None:
    """Let files be older than they are."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - days * DAY_S,) * 2)


def test_earlier_versions_go_and_the_latest_of_them_stays(sea: Growing) -> None:
    oldest, earlier, current = _versions(sea, 3)
    before = _bytes(sea.project.stores)
    document = sea.document("gc", "sea", "--older-than", "0")
    assert (document["versions"], _stores(sea)) == ([oldest], {earlier, current})
    assert document["bytes_freed"] == before - _bytes(sea.project.stores)
    assert [each.version for each in sea.entry.previous] == [earlier]
    assert sea.run("verify", "sea").startswith("sea: verified")
    assert sea.run("gc", "sea", "--older-than", "0") == "sea: nothing to remove\n"


def test_a_dry_run_says_the_same_and_removes_nothing(sea: Growing) -> None:
    oldest, earlier, current = _versions(sea, 3)
    text = sea.run("gc", "sea", "--keep", "0", "--older-than", "0", "--dry-run")
    assert text.startswith("sea: would remove 2 versions")
    assert sorted(line.split()[1] for line in text.splitlines() if line.split()[0] == "version") == sorted(
        [oldest, earlier]
    )
    assert _stores(sea) == {oldest, earlier, current}
    assert sea.run("gc", "sea", "--keep", "0", "--older-than", "0") == text.replace("would remove", "removed")
    assert _stores(sea) == {current}
    xr.testing.assert_identical(sea.opened(), sea.expected())


def test_what_is_young_stays(sea: Growing) -> None:
    versions = _versions(sea, 3)
    assert sea.run("gc", "--all", "--keep", "0") == "sea: nothing to remove\n"
    assert _stores(sea) == set(versions)


def test_a_bakery_may_say_what_stays(sea: Growing) -> None:
    oldest, *others = _versions(sea, 3)
    meta = sea.project.root / "meta.yaml"
    said = meta.read_text()
    meta.write_text(said.replace("    target:", "    retention: {keep: 2, older_than_days: 0}\n    target:"))
    assert sea.run("lint", exit_code=0)
    assert sea.run("gc", "sea") == "sea: nothing to remove\n"
    assert sea.document("gc", "sea", "--keep", "1")["versions"] == [oldest]
    meta.write_text(said.replace("    target:", "    retention: {keep: -1, older_than: 0}\n    target:"))
    result = sea.project.run("lint")
    assert (result.exit_code, result.stdout.count("retention")) == (1, 2)


def test_leftovers_go_once_they_are_old(sea: Growing) -> None:
    folder = sea.project.stores / "sea/sea"
    (folder / "0123456789abcdef.zarr/sst/c").mkdir(parents=True)
    (folder / "0123456789abcdef.zarr/sst/c/0").write_bytes(b"12345")
    (folder / ".runs").mkdir(exist_ok=True)
    (folder / ".runs/run-1.json").write_bytes(b"123")
    assert sea.run("gc", "sea") == "sea: nothing to remove\n"
    _age(folder / "0123456789abcdef.zarr", 31)
    _age(folder / ".runs", 31)
    document = sea.document("gc", "sea")
    assert (document["leftovers"], document["objects"], document["bytes_freed"]) == (
        [".runs/run-1.json", "0123456789abcdef.zarr"], 2, 8,
    )  # fmt: skip
    xr.testing.assert_identical(sea.opened(), sea.expected())


def test_pruned_bakes_go_once_they_are_old(sea: Growing) -> None:
    sea.run("bake", "sea", "--prune", "1")
    pruned = sea.project.stores / "sea/sea/pruned"
    _age(pruned, 31)
    assert all(each.startswith("pruned/") for each in sea.document("gc", "sea")["leftovers"])
    assert [path for path in pruned.rglob("*") if path.is_file()] == []
    xr.testing.assert_identical(sea.opened(), sea.expected())


def test_surveys_of_other_releases_go_and_this_ones_stays(sea: Growing) -> None:
    surveys = sea.project.stores / "sea/sea/.survey"
    (mine,) = surveys.iterdir()
    (surveys / "another").mkdir()
    (surveys / "another/1.parquet").write_bytes(b"1")
    assert sea.document("gc", "sea")["leftovers"] == []
    assert sea.document("gc", "sea", "--older-than", "0")["leftovers"] == [".survey/another"]
    assert list(surveys.iterdir()) == [mine]


def test_without_an_entry_no_version_goes(sea: Growing) -> None:
    versions = _versions(sea, 3)
    sea.entry_path.unlink()
    assert sea.run("gc", "sea", "--keep", "0", "--older-than", "0") == "sea: nothing to remove\n"
    assert _stores(sea) == set(versions)


def test_a_version_that_another_catalog_names_is_not_removed(sea: Growing) -> None:
    first = _versions(sea, 2)[0]
    published = sea.project.root / "catalog/sea"
    published.mkdir(parents=True)
    sea.run("rollback", "sea")
    (published / "sea.json").write_bytes(sea.entry_path.read_bytes())
    sea.run("bake", "sea", "--refresh")
    _age(sea.project.stores, 31)
    result = sea.project.run("gc", "sea", "--keep", "0", "--older-than", "0")
    assert (result.exit_code, f"names version {first}, which is to be removed" in result.stderr) == (1, True)
    assert first in _stores(sea)


@pytest.mark.parametrize("words", [[], ["seasons", "--all"]])
def test_it_must_be_clear_what_to_collect(words: list[str], project: Project) -> None:
    result = project.run("gc", *words)
    assert (result.exit_code, "bakehouse gc ID, or bakehouse gc --all" in result.stderr) == (2, True)


def test_a_mistyped_feedstock_gets_a_suggestion(project: Project) -> None:
    result = project.run("gc", "saesons")
    assert (result.exit_code, "did you mean 'seasons'?" in result.stderr) == (2, True)
