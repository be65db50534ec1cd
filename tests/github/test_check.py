"""The check of a pull request, run as its job runs it: with a job's environment, in a checkout of the change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bakehouse.github.check import fitted
from bakehouse.github.limited import SIZE_LIMIT_BYTES, made, read
from bakehouse.github.result import Result
from tests.cli.projects import ABOUT, IMPORTS, PATTERN, PIPELINE
from tests.github.repositories import Repository, repository
from tests.github.test_child import SECRETS
from tests.support.wheels import write_wheel

REFUSED = ("GITHUB_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "AWS_SECRET_ACCESS_KEY", "GOOGLE_APPLICATION_CREDENTIALS",
           "BAKEHOUSE_URL_MAP")  # fmt: skip
SCHEMA = Path(__file__).resolve().parents[2] / "schemas/check-result.schema.json"
ATTACK = """
import os, pathlib, sys, urllib.request

for line in ("::set-output name=bake::true", "::add-mask::a", "::stop-commands::x", "##[error]x", "::error::forged"):
    print(line)
    print(line, file=sys.stderr)
seen = repr(dict(os.environ))
try:
    urllib.request.urlopen("http://169.254.169.254/latest/meta-data/", timeout=1)
except Exception as error:
    seen += str(error)
for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"):
    if name in os.environ:
        pathlib.Path(os.environ[name]).write_text("forged=true\\n")
pathlib.Path(__file__).parents[2].joinpath("stray.txt").write_text(seen)
"""
STORED = "StoreToZarr(store_name='demo.zarr', combine_dims=pattern.combine_dim_keys, attrs={'seen': seen})"


@dataclass(frozen=True)
class Job:
    """A job of a workflow: its files, and its environment full of secrets."""

    repository: Repository
    folder: Path
    more: Mapping[str, str] = field(default_factory=dict)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the check of what is checked out."""
        out = self.folder / "out"
        files = {name: str(self.folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH")}
        files["GITHUB_STEP_SUMMARY"] = str(self.folder / "summary.md")
        command = [sys.executable, "-m", "bakehouse", "ci", "check", "--base", self.repository.base, "--out", str(out)]
        given = {name: value for name, value in SECRETS.items() if name not in REFUSED}
        environment = {**os.environ, **given, **files, **self.more}
        return subprocess.run(
            [*command, *words], cwd=self.repository.root, env=environment, capture_output=True, text=True, check=False
        )

    @property
    def result(self) -> Result:
        """Read the result as the job after it does."""
        Draft202012Validator(json.loads(SCHEMA.read_text())).validate(json.loads(self.file.read_text()))
        return read(self.file, Result)

    @property
    def file(self) -> Path:
        return self.folder / "out/result.json"

    def everything(self) -> str:
        """Give all text and bytes that the job left."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return "\n".join(path.read_bytes().decode("latin-1") for path in files)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    (tmp_path / "job").mkdir()
    return Job(repository(tmp_path / "project"), tmp_path / "job")


def test_a_recipe_that_attacks_its_job_is_tried_and_gets_nowhere(job: Job) -> None:
    recipe = ATTACK + IMPORTS + PATTERN + PIPELINE.split("StoreToZarr")[0] + STORED + "\n"
    job.repository.project.add_python("demo", recipe)
    job.repository.commit()
    ran = job.run()
    assert ran.returncode == 1, ran.stderr
    (feedstock,) = job.result.feedstocks
    (recipe_result,) = feedstock.recipes
    assert [each.message for each in feedstock.failures] == ["the recipe wrote into the project: stray.txt"]
    assert recipe_result.trial and recipe_result.trial.values_compared > 0 and recipe_result.plan
    assert "canary" not in ran.stdout + ran.stderr + job.everything()
    seen = (job.repository.root / "stray.txt").read_text()
    assert "canary" not in seen and "169.254.169.254 is link-local" in seen
    commands = [line for line in ran.stdout.splitlines() if "::" in line or "##[" in line]
    assert len(commands) == 1 and commands[0].startswith(
        "::error file=feedstocks/demo/meta.yaml,line=1,col=1,title=Stray"
    )
    assert "forged" not in ran.stdout + ran.stderr and not (job.folder / "GITHUB_OUTPUT").exists()
    page = (job.folder / "out/site/datasets/demo/demo/index.html").read_text()
    assert "This is a trial, not the dataset: made of the first 2 inputs" in page
    assert (job.folder / "out/site/images/demo/demo/thumbnail.png").read_bytes().startswith(b"\x89PNG")
    assert (job.folder / "summary.md").read_text().startswith("## ❌ `demo` needs some changes")


@pytest.mark.nightly
def test_a_good_feedstock_passes(job: Job) -> None:
    job.repository.write("feedstocks/seasons/note.txt")
    head = job.repository.commit()
    ran = job.run("--json")
    assert ran.returncode == 0, ran.stderr
    assert (job.result.commit, job.result.verdict, job.result.preview) == (head, "passed", True)
    assert json.loads(ran.stdout)["result"] == json.loads(job.file.read_text())
    (recipe,) = job.result.feedstocks[0].recipes
    assert recipe.plan and recipe.plan.dims == {"time": 24, "lat": 6, "lon": 12} and recipe.plan.cost_usd == 0
    assert recipe.trial and recipe.trial.repr and recipe.trial.repr.startswith("<xarray.Dataset>")


@pytest.mark.nightly
def test_a_recipe_that_fails_is_named_with_its_line(job: Job) -> None:
    said = "print('::add-mask::sst')\nraise KeyError('sst')\n"
    job.repository.project.add_python("demo", IMPORTS + PATTERN + said + PIPELINE)
    job.repository.commit()
    ran = job.run()
    failure = job.result.feedstocks[0].recipes[0].trial_failure
    assert ran.returncode == 1 and failure and "KeyError" in failure.message
    assert "::error file=feedstocks/demo/recipe.py,line=8" in ran.stdout
    log = [line for line in ran.stderr.splitlines() if "::" in line]
    assert log and all(line.startswith("| ") for line in log)


@pytest.mark.nightly
def test_a_recipe_that_never_ends_is_stopped(job: Job) -> None:
    job.repository.project.add_python("demo", IMPORTS + PATTERN + "while True: pass\n" + PIPELINE)
    job.repository.commit()
    assert job.run("--limit", "8").returncode == 1
    said = [each.message for each in job.result.feedstocks[0].failures]
    assert len(said) == 2 and all("took too long and was stopped" in each for each in said)


NEEDS = """
import socket
from rain_tools import scaled

try:
    socket.create_connection(("10.0.0.1", 80), 1)
    outcome = "reached"
except PermissionError as error:
    outcome = "refused"
assert outcome == "refused"
"""


@pytest.mark.nightly
def test_what_a_feedstock_asks_for_is_installed_and_watched_too(job: Job) -> None:
    folder = job.repository.project.add_python("demo", NEEDS + IMPORTS + PATTERN + PIPELINE)
    write_wheel(folder / "wheels", "rain-tools", "1.0", "def scaled(x):\n    return x\n")
    (folder / "requirements.txt").write_text("--no-index\n--find-links ./wheels\nrain-tools==1.0\n")
    job.repository.commit()
    ran = job.run()
    (recipe,) = job.result.feedstocks[0].recipes
    assert (recipe.plan_failure, recipe.trial_failure) == (None, None) and recipe.trial, ran.stdout
    assert job.result.feedstocks[0].failures == ()


def test_a_change_to_more_than_one_feedstock_is_linted_only(job: Job) -> None:
    job.repository.project.add(
        "demo", "recipes: [{id: demo, object: 'recipe:recipe'}]\ntitel: x\n", "raise SystemExit\n"
    )
    job.repository.write("feedstocks/seasons/note.txt")
    job.repository.commit()
    ran = job.run()
    found = {each.feedstock: [f.code for f in each.findings] for each in job.result.feedstocks}
    assert ran.returncode == 1 and set(found) == {"demo", "seasons"} and "BH101" in found["demo"]
    assert job.result.labels == ("several feedstocks",) and not any(each.recipes for each in job.result.feedstocks)
    assert any(line.startswith("::error file=feedstocks/demo/meta.yaml,line=") for line in ran.stdout.splitlines())


def test_a_link_to_files_of_the_machine_is_not_followed_into_the_result(job: Job, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{ABOUT}title: file-canary\n")
    folder = job.repository.root / "feedstocks/demo"
    folder.mkdir()
    (folder / "meta.yaml").symlink_to(tmp_path / "secret")
    job.repository.commit()
    ran = job.run()
    assert ran.returncode == 1 and job.result.labels == ("links out of its folder",)
    assert "canary" not in ran.stdout + ran.stderr + job.everything()


def test_a_change_without_feedstocks_has_nothing_to_check(job: Job) -> None:
    job.repository.git("rm", "-rq", "feedstocks/seasons")
    job.repository.commit()
    assert job.run().returncode == 0
    assert (job.result.verdict, job.result.removed) == ("nothing", ("seasons",))


@pytest.mark.parametrize("name", REFUSED[:2])
def test_a_job_with_credentials_checks_nothing(job: Job, name: str) -> None:
    ran = replace(job, more={name: "canary"}).run()
    assert ran.returncode == 2 and f"the job has credentials: {name}" in ran.stderr and "canary" not in ran.stderr
    assert not job.file.exists()


def test_what_is_not_checked_out_is_not_checked(job: Job) -> None:
    job.repository.write("feedstocks/seasons/note.txt")
    head = job.repository.commit()
    job.repository.git("checkout", "-q", "main")
    ran = job.run("--head", head)
    assert ran.returncode == 2 and "is not checked out" in ran.stderr and not job.file.exists()


def test_a_result_takes_no_place_that_the_change_has_prepared(job: Job) -> None:
    (job.folder / "out").symlink_to(job.repository.root)
    assert job.run().returncode == 2
    (job.folder / "out").unlink()
    (job.folder / "out").mkdir()
    (job.folder / "out/result.json").symlink_to("/dev/null")
    assert job.run().returncode == 2


def test_a_result_is_cut_until_it_can_be_read() -> None:
    def grown(text: str) -> dict[str, Any]:
        finding = {"path": text, "code": "BH1", "severity": "lint", "message": text, "fix": text}
        return {"feedstock": "a", "findings": [finding] * 100, "findings_total": 100}

    big = made(Result, {"commit": "a" * 40, "verdict": "failed", "feedstocks": [grown("é" * 1000)] * 10})
    cut = fitted(big)
    assert len(cut.model_dump_json(indent=1).encode()) < SIZE_LIMIT_BYTES < len(big.model_dump_json().encode())
    assert [len(each.findings) for each in cut.feedstocks] == [5] * 10
    assert fitted(made(Result, {"commit": "a" * 40, "verdict": "failed", "feedstocks": [grown("a")]})).feedstocks
