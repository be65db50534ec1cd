"""From a merge to a published dataset: run, publish and report, one after the other, as the jobs do."""

from __future__ import annotations

import json
from pathlib import Path

import xarray as xr
from click.testing import CliRunner

from bakehouse.catalog.check import check
from bakehouse.cli import main
from tests.cli.projects import new_project
from tests.github.baker import git
from tests.github.standin import github


def test_what_was_merged_is_run_published_and_told_of(tmp_path: Path) -> None:
    """The comment's own code opens what was published, from a clone of what the remote has."""
    root, remote, clone = new_project(tmp_path / "project").root, tmp_path / "remote.git", tmp_path / "clone"
    meta = root / "meta.yaml"
    cloud = f'bakeries:\n  cloud: {{target: "{tmp_path / "stores"}", catalog: published}}\n'
    meta.write_text(meta.read_text().replace("bakeries:\n", cloud))
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "Begin")
    git(root, "push", "--quiet", str(remote), "HEAD:main")
    git(tmp_path, "clone", "--quiet", str(remote), str(clone))
    with github() as hub:
        number = hub.add_pull("Add seasons", "seasons", "5b" * 20)
        hub.pulls[number].update(state="closed", merged=True, merged_at="2026-11-01T10:00:00Z")
        run = str(tmp_path / "run")
        tell = ("report", "--run", run, "--feedstock", "seasons", "--pr", str(number))
        call(root, "run", "seasons", "--bakery", "cloud", "--out", run)
        call(clone, "publish", "--run", run, "--feedstock", "seasons", "--bakery", "cloud", **hub.environment())
        call(clone, *tell, BAKE_RESULT="success", PUBLISH_RESULT="success", **hub.environment())
        (said,) = hub.said(number)
    git(clone, "pull", "--quiet", "origin", "main")
    assert check(clone / "catalog") == []
    code = said.partition("```python\n")[2].partition("```")[0]
    both = [part for part in code.split("\n\n") if part.startswith("ds = ")]
    assert both[0] == 'ds = bakehouse.open("seasons")'
    entry = json.loads((clone / "catalog/seasons/seasons.json").read_text())
    found = eval(both[1].removeprefix("ds = "), {"xarray": xr})
    assert dict(found.sizes) == {name: each["size"] for name, each in entry["facts"]["dims"].items()}
    assert f"version `{entry['version']}`" in said


def call(root: Path, *words: str, **environment: str) -> None:
    cleared = dict.fromkeys(("GITHUB_TOKEN", "GITHUB_EVENT_NAME", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"))
    result = CliRunner().invoke(main, ["ci", *words, "--project", str(root)], env={**cleared, **environment})
    assert result.exit_code == 0, result.output
