"""`init` makes a project that works at once, and overwrites nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bakehouse.cli import main
from bakehouse.cli.starter import make_sample
from bakehouse.meta.project import Project as ProjectMeta
from bakehouse.meta.schemas import schema_text
from tests.cli.projects import Project

STARTER = Path(make_sample.__file__).parent


def test_a_new_project_has_no_findings(project: Project) -> None:
    assert project.document("lint", "--strict")["findings"] == []


def test_a_new_project_has_what_its_readme_maps(project: Project) -> None:
    block = (project.root / "README.md").read_text().split("```text\n")[1].split("```")[0]
    mapped = [line.split()[0].rstrip("/") for line in block.splitlines()]
    assert [name for name in mapped if not (project.root / name).exists()] == [".bakehouse"]
    ignored = (project.root / ".gitignore").read_text().splitlines()
    assert ignored[0] == "/.bakehouse/" and "/gha-creds-*.json" in ignored


def test_editors_find_the_schemas(project: Project) -> None:
    assert (project.root / "schemas/project.schema.json").read_text() == schema_text(ProjectMeta)


@pytest.mark.parametrize("title", ["Demo: one", 'a "quoted" title', "NO", "#1"])
def test_the_title_is_read_back_as_it_was_given(title: str, tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["init", str(tmp_path), "--title", title]).exit_code == 0
    symptoms = Project(tmp_path).document("doctor")["symptoms"]
    assert [each["detail"] for each in symptoms if each["name"] == "project"] == [f"{title} ({tmp_path})"]


def test_it_refuses_a_folder_that_is_a_project(project: Project) -> None:
    before = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}
    result = CliRunner().invoke(main, ["init", str(project.root)])
    assert (result.exit_code, "this is a project already" in result.stderr) == (2, True)
    assert {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()} == before


def test_it_refuses_a_repository_of_one_feedstock(tmp_path: Path) -> None:
    (tmp_path / "meta.yaml").write_text("title: Mine\n")
    assert CliRunner().invoke(main, ["init", str(tmp_path)]).exit_code == 2
    assert (tmp_path / "meta.yaml").read_text() == "title: Mine\n"


def test_it_keeps_files_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / ".gitignore").write_text("*.tmp\n")
    result = CliRunner().invoke(main, ["init", str(tmp_path)])
    assert result.exit_code == 0
    assert "kept  README.md" in result.stdout and "add /.bakehouse/ to .gitignore" in result.stdout
    assert ((tmp_path / "README.md").read_text(), (tmp_path / ".gitignore").read_text()) == ("mine", "*.tmp\n")


@pytest.mark.parametrize("year", make_sample.YEARS)
def test_the_sample_is_what_its_program_writes(year: int, tmp_path: Path) -> None:
    made = make_sample.write_year(year, tmp_path)
    assert made.read_bytes() == (STARTER / made.name).read_bytes()
