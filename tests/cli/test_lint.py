"""`lint` and `explain` on the command line; the rules themselves have their own tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bakehouse.cli import main
from bakehouse.meta.rules import RULES
from tests.cli.projects import ABOUT, Project

RECIPE = "recipes: [{id: demo, recipe: files_to_zarr, with: {pattern: {url: 'https://example.org/a.nc'}}}]\n"


@pytest.fixture
def faulty(project: Project) -> Project:
    project.add("demo", RECIPE.replace("url:", "ulr:") + "titel: x\n")
    return project


def test_findings_are_lines_with_place_code_and_fix(faulty: Project) -> None:
    result = faulty.run("lint")
    *findings, count = result.stdout.splitlines()
    assert result.exit_code == 1
    assert all(line.startswith("feedstocks/demo/meta.yaml:") and "; fix: " in line for line in findings)
    assert any("unknown key 'titel'; fix: did you mean 'title'?" in line for line in findings)
    assert count == f"{len(findings)} lints, 0 hints in the project and its 2 feedstocks"


def test_one_feedstock_can_be_linted_by_its_id_or_its_folder(faulty: Project) -> None:
    assert faulty.run("lint", "seasons").exit_code == 0
    assert faulty.run("lint", "feedstocks/demo/").exit_code == 1
    assert faulty.document("lint", "demo", exit_code=1)["lints"] == 2


def test_hints_fail_only_if_asked_to(project: Project) -> None:
    (project.add("demo", RECIPE) / "meta.yaml").write_text(ABOUT.replace("A small dataset.", "") + RECIPE)
    assert project.run("lint").stdout.splitlines()[0].endswith("(hint)")
    assert project.document("lint")["hints"] == 1
    assert project.document("lint", "--strict", exit_code=1)["ok"] is False


def test_a_repository_of_one_feedstock_is_linted_without_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "feedstock").mkdir()
    (tmp_path / "feedstock/meta.yaml").write_text("title: x\ntitel: y\n")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["lint"])
    assert (result.exit_code, "BH101" in result.stdout) == (1, True)


def test_a_rule_is_explained_by_code_or_name() -> None:
    by_code = CliRunner().invoke(main, ["explain", "bh101"])
    assert by_code.stdout.startswith("BH101 unknown-key (lint)")
    assert CliRunner().invoke(main, ["explain", "unknown-key"]).stdout == by_code.stdout


def test_every_rule_is_listed() -> None:
    listed = CliRunner().invoke(main, ["explain"]).stdout
    assert [code for code in (*RULES, "CAT01") if code not in listed] == []


@pytest.mark.parametrize("code, close", [("BH999", "BH"), ("CAT99", "CAT0")])
def test_an_unknown_code_gets_a_suggestion(code: str, close: str) -> None:
    result = CliRunner().invoke(main, ["explain", code])
    assert (result.exit_code, close in result.stderr) == (2, True)
