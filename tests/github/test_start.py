"""`bakehouse ci start`: one run of the workflow for each feedstock."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from bakehouse.cli import main
from tests.cli.projects import Project, new_project
from tests.github.standin import READER, GitHub

SHA = "a" * 40


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Make a project."""
    return new_project(tmp_path_factory.mktemp("start") / "project")


def _start(project: Project, hub: GitHub, feedstocks: str, *words: str, token: str | None = None) -> Result:
    environment = {**hub.environment(*([token] if token else [])), "GITHUB_SHA": SHA, "GITHUB_REF_NAME": "main"}
    command = ["ci", "start", "--feedstocks", feedstocks, *words, "--project", str(project.root)]
    return CliRunner(env=environment).invoke(main, command)


def test_each_feedstock_has_a_run_that_knows_the_pull_request_that_was_merged(project: Project, hub: GitHub) -> None:
    hub.add_pull("not merged", "other", SHA)
    number = hub.add_pull("merged", "change", "b" * 40)
    hub.pulls[number].update(merge_commit_sha=SHA, merged_at="2026-01-01T00:00:00Z")
    assert _start(project, hub, '["seasons", "winds"]').exit_code == 0
    asked = [{"feedstock": name, "mode": "bake", "pr": str(number)} for name in ("seasons", "winds")]
    assert hub.dispatches == [("run-recipe.yml", "main", inputs) for inputs in asked]


def test_an_update_has_no_pull_request_to_tell(project: Project, hub: GitHub) -> None:
    assert _start(project, hub, '["seasons"]', "--mode", "update").exit_code == 0
    assert hub.dispatches == [("run-recipe.yml", "main", {"feedstock": "seasons", "mode": "update"})]


def test_nothing_to_start_asks_for_nothing(project: Project, hub: GitHub) -> None:
    assert (_start(project, hub, "[]", "--mode", "update").exit_code, hub.writes()) == (0, [])


@pytest.mark.parametrize(
    "text", ["", "winds", '"winds"', '["a b"]', '["$(touch x)"]', '["../x"]', "[1]", str(["a"] * 9)]
)
def test_what_is_no_list_of_ids_starts_nothing(project: Project, hub: GitHub, text: str) -> None:
    result = _start(project, hub, text)
    assert (result.exit_code, "not a JSON list of ids" in result.output, hub.requests) == (2, True, [])


def test_a_token_that_may_not_start_runs_fails_the_step(project: Project, hub: GitHub) -> None:
    assert _start(project, hub, '["seasons"]', token=READER).exit_code == 1
