"""What holds for every command: exit codes, documents, light imports, help."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bakehouse.cli import main
from tests.cli.projects import Project

HEAVY = ("apache_beam", "xarray", "zarr", "numpy", "pandas", "rich", "pystac", "obstore")
LIGHT = ["--help", "--version", "lint", "new fresh --url https://example.org/{time:%Y}.nc", "explain", "explain BH101",
         "init elsewhere", "bake --help", "lint nothing --json"]  # fmt: skip


def _commands(group: click.Group = main, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


@pytest.mark.parametrize("words", LIGHT)
def test_these_import_nothing_heavy(words: str, project: Project) -> None:
    script = (
        f"import sys\nfrom bakehouse.cli import main\ncode = main({words.split()!r}, standalone_mode=False)\n"
        f"print('heavy:', [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\nsys.exit(code > 2)"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=project.root, capture_output=True, text=True)
    assert ran.stderr.splitlines()[-1] == "heavy: []"


def test_status_imports_no_beam(baked: Project) -> None:
    script = (
        "import sys\nfrom bakehouse.cli import main\ncode = main(['status'], standalone_mode=False)\n"
        "sys.exit(code or 'apache_beam' in sys.modules or 'xarray' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=baked.root, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout.splitlines()[2].split()[:2]) == (0, ["seasons", "baked"])


@pytest.mark.parametrize("name, command", list(_commands()))
def test_every_command_is_explained_and_takes_json_and_debug(name: str, command: click.Command) -> None:
    named = {option for parameter in command.params for option in parameter.opts}
    assert {"--json", "--debug"} <= named
    assert command.help and not command.get_short_help_str(60).endswith("...")


def test_the_module_runs_as_the_command_does() -> None:
    ran = subprocess.run([sys.executable, "-m", "bakehouse", "--version"], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout.split()[0]) == (0, "bakehouse")


@pytest.mark.parametrize(
    "words, message",
    [
        (["bkae"], "No such command 'bkae'"),
        (["plan"], "Missing argument"),
        (["plan", "seasons", "--prune", "0"], "0 is not in the range"),
        (["plan", "seasons", "--mirror", "nonsense"], "is not FROM=TO"),
        (["bake", "--nope"], "No such option"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_so_on_stderr(words: list[str], message: str) -> None:
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_wrong_usage_is_a_document_too() -> None:
    result = CliRunner().invoke(main, ["catalog", "check", "--nope", "--json"])
    document = json.loads(result.stdout)
    assert result.exit_code == 2
    assert (document["schema_version"], document["command"], document["ok"]) == (1, "catalog check", False)
    assert "--nope" in document["error"]["message"]
    assert document["error"]["fix"] == "see: bakehouse catalog check --help"


@pytest.mark.parametrize("command", ["plan", "test", "bake", "verify", "status", "lint"])
def test_a_mistyped_feedstock_gets_a_suggestion(command: str, project: Project) -> None:
    result = project.run(command, "saesons")
    assert result.exit_code == 2
    assert "did you mean 'seasons'?" in result.stderr
    document = project.document(command, "saesons", exit_code=2)
    assert document["error"]["error"] == "UsageError"


@pytest.mark.parametrize("command", ["plan", "test", "bake", "verify"])
def test_a_mistyped_recipe_gets_a_suggestion(command: str, project: Project) -> None:
    result = project.run(command, "seasons/saesons")
    assert result.exit_code == 2
    assert "feedstock 'seasons' has no recipe 'saesons'" in result.stderr
    assert "did you mean 'seasons'?" in result.stderr


def test_a_mistyped_bakery_gets_a_suggestion(project: Project) -> None:
    result = project.run("bake", "seasons", "--bakery", "locale")
    assert (result.exit_code, "did you mean 'local'?" in result.stderr) == (2, True)


def test_outside_of_a_project_it_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["status"])
    assert (result.exit_code, "bakehouse init" in result.stderr) == (1, True)


def test_a_folder_that_is_no_project_is_wrong_usage(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["status", "--project", str(tmp_path)])
    assert (result.exit_code, "not a project" in result.stderr) == (2, True)


def test_a_project_is_found_from_a_folder_inside(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root / "feedstocks" / "seasons")
    assert CliRunner().invoke(main, ["lint"]).exit_code == 0


def test_a_fault_of_the_engine_fits_on_one_screen(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr("bakehouse.meta.lint.lint_project", broken)
    result = project.run("lint")
    assert result.exit_code == 1
    assert "ZeroDivisionError: of all things" in result.stderr and "Traceback" not in result.output
    assert f"{Path(__file__).name}:" in result.stderr
    assert "Traceback" in project.run("lint", "--debug").stderr
