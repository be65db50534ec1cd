"""A run of recipes as a job makes it: in a process of its own, its real outcome, and no secret in what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from click.testing import CliRunner

from bakehouse.catalog.entry import Entry
from bakehouse.cli import main
from bakehouse.errors import RecipeError
from bakehouse.github.masking import Mask
from bakehouse.github.running import handed_over
from bakehouse.github.runs import RunResult
from tests.cli.projects import IMPORTS, PATTERN, PIPELINE, Project, new_project
from tests.github.baker import baked

SECRET = "canary-91ce-canary"
BAKERIES = """
  cloud: {{target: "{target}", catalog: published, storage_options: {{secret: {secret}}}}}
"""
MISSING = PATTERN.replace("seasons_{time}", "nothing_{time}") + PIPELINE


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = new_project(tmp_path_factory.mktemp("runs") / "project")
    meta = made.root / "meta.yaml"
    text = meta.read_text()
    cloud = BAKERIES.format(target=made.root / "cloud", secret=SECRET + "-option").strip("\n")
    meta.write_text(text.replace("bakeries:\n", f"bakeries:\n{cloud}\n"))
    made.add_python("broken", IMPORTS + MISSING)
    return made


def run(project: Project, out: Path, *words: str, exit_code: int = 0, **env: str) -> tuple[Any, str]:
    """Run `bakehouse ci run` in this process; give run.json, and all that was printed."""
    cleared = dict.fromkeys(("GITHUB_TOKEN", "GITHUB_STEP_SUMMARY", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
    command = ["ci", "run", *words, "--out", str(out), "--project", str(project.root)]
    result = CliRunner().invoke(main, command, env={**cleared, **env})
    assert result.exit_code == exit_code, result.output
    file = out / "run.json"
    return (json.loads(file.read_text()) if file.exists() else None), result.output


def test_a_run_hands_over_its_entry_and_says_what_it_came_to(kept: Project, tmp_path: Path) -> None:
    said, _ = run(kept, tmp_path / "out", "seasons", "--bakery", "cloud", GITHUB_STEP_SUMMARY=str(tmp_path / "page"))
    (recipe,) = said["recipes"]
    entry = Entry.from_json((tmp_path / "out" / recipe["entry"]).read_bytes())
    assert entry == Entry.from_json((kept.root / "catalog/seasons/seasons.json").read_bytes())
    assert (said["ok"], said["exit_status"], said["command"]) == (True, 0, "bakehouse bake seasons --bakery cloud")
    facts = entry.facts
    assert facts is not None
    assert (recipe["version"], recipe["size_bytes"], recipe["objects"]) == (
        entry.version, facts.bytes_stored, facts.objects
    )  # fmt: skip
    opened = eval(recipe["plain_line"], {"xarray": xr})
    assert dict(opened.sizes) == {name: dim.size for name, dim in facts.dims.items()}
    assert "| `seasons` | published, version" in (tmp_path / "page").read_text()


def test_a_failed_bake_is_red_and_names_the_input(kept: Project, tmp_path: Path) -> None:
    said, _ = run(kept, tmp_path, "broken", "--bakery", "local", exit_code=1)
    (recipe,) = said["recipes"]
    assert (said["ok"], said["exit_status"], recipe["ok"]) == (False, 1, False)
    named = [f"package://bakehouse/cli/starter/nothing_{year}.nc" for year in (2021, 2022)]
    assert recipe["failure"]["input"] in named
    assert not (tmp_path / "entries").exists()
    assert said["log"]


def test_a_feedstock_that_is_not_there_is_wrong_usage(kept: Project, tmp_path: Path) -> None:
    _, output = run(kept, tmp_path, "nothing", exit_code=2)
    assert "there is no feedstock 'nothing'" in output


@pytest.mark.nightly
def test_a_pruned_run_hands_over_no_entry(kept: Project, tmp_path: Path) -> None:
    said, _ = run(kept, tmp_path, "seasons", "--bakery", "local", "--prune", "1")
    assert (said["ok"], said["prune"], "entry" in said["recipes"][0]) == (True, 1, False)
    assert not (tmp_path / "entries").exists()


SPY = """\
import json, os, pathlib, sys
pathlib.Path({path!r}).write_text(json.dumps(dict(os.environ)))
print("::error::forged", os.environ.get("AWS_SECRET_ACCESS_KEY"), file=sys.stderr)
raise ValueError(f"can't read with {{os.environ.get('AWS_SECRET_ACCESS_KEY')}} "
                 "at https://me:" + "pw-canary@example.org/x?X-Amz-Signature=" + "sig-canary&a=1")
recipe = None
"""
GIVEN = {
    "GITHUB_TOKEN": SECRET + "-github", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": SECRET + "-oidc",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://oidc.example.org", "GITHUB_OUTPUT": "/dev/null",
    "AWS_SECRET_ACCESS_KEY": SECRET + "-aws", "GH_TOKEN": SECRET + "-gh", "SOME_OTHER_PASSWORD": SECRET + "-other",
}  # fmt: skip


def test_secrets_appear_nowhere_and_github_is_out_of_reach(kept: Project, tmp_path: Path) -> None:
    seen = tmp_path / "environment.json"
    kept.add_python("spy", SPY.format(path=str(seen)))
    page = tmp_path / "page"
    said, output = run(
        kept, tmp_path / "out", "spy", "--bakery", "cloud", exit_code=1, GITHUB_STEP_SUMMARY=str(page), **GIVEN
    )
    assert seen.exists(), output
    environment = json.loads(seen.read_text())
    assert not [name for name in environment if name.startswith(("GITHUB_", "ACTIONS_", "GH_"))]
    assert environment["AWS_SECRET_ACCESS_KEY"] == GIVEN["AWS_SECRET_ACCESS_KEY"]
    left = "\n".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file() and path != seen)
    shown = output + left
    assert "can't read with ***" in said["recipes"][0]["failure"]["message"]
    assert not [word for word in (SECRET, "pw-canary", "sig-canary") if word in shown]
    assert "\n::error::forged" not in output
    assert ": :error: :forged" in output


def test_strangers_recipes_get_nothing(kept: Project, tmp_path: Path) -> None:
    seen = tmp_path / "environment.json"
    kept.add_python("stranger", SPY.format(path=str(seen)))
    said, _ = run(
        kept, tmp_path / "out", "stranger", "--credential-free", exit_code=1, SOME_OTHER_PASSWORD=SECRET, EXTRA="x",
        BAKEHOUSE_TOKEN=SECRET,
    )  # fmt: skip
    environment = json.loads(seen.read_text())
    assert said["bakery"] == "local"
    assert SECRET not in seen.read_text()
    assert environment["HOME"] != os.environ["HOME"]
    assert not [name for name in environment if name.startswith(("GITHUB_", "ACTIONS_", "BAKEHOUSE_TOKEN", "EXTRA"))]


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
def test_strangers_recipes_are_not_run_beside_credentials(kept: Project, tmp_path: Path, name: str) -> None:
    said, output = run(kept, tmp_path, "seasons", "--credential-free", exit_code=2, **{name: SECRET})
    assert said is None
    assert f"the job has credentials: {name}" in output
    assert SECRET not in output


def test_strangers_recipes_write_to_this_disk_only(kept: Project, tmp_path: Path) -> None:
    _, output = run(kept, tmp_path, "seasons", "--credential-free", "--bakery", "cloud", exit_code=2)
    assert "no bakery for recipes that nobody has merged" in output


LEAK = (
    IMPORTS.replace("import apache", "import os\nimport apache")
    + PATTERN
    + """\
def leak(dataset):
    dataset.attrs["title"] = os.environ.get("AWS_SECRET_ACCESS_KEY", "none")
    return dataset

class Leak(beam.PTransform):
    def expand(self, fragments):
        return fragments | beam.MapTuple(lambda index, dataset: (index, leak(dataset)))

recipe = (beam.Create(pattern.items()) | OpenURLWithFSSpec() | OpenWithXarray() | Leak()
          | StoreToZarr(store_name='demo.zarr', combine_dims=pattern.combine_dim_keys))
"""
)


@pytest.mark.nightly
def test_what_a_recipe_writes_into_an_entry_is_not_handed_over_if_it_is_a_secret(kept: Project, tmp_path: Path) -> None:
    kept.add_python("leaky", LEAK)
    said, output = run(kept, tmp_path, "leaky", "--bakery", "cloud", exit_code=1, AWS_SECRET_ACCESS_KEY=SECRET)
    assert said["recipes"][0]["failure"]["message"] == "the entry holds a secret of this job"
    assert not (tmp_path / "entries").exists()
    assert SECRET not in output


def test_an_entry_that_holds_a_secret_is_not_handed_over(tmp_path: Path) -> None:
    entry = baked(tmp_path, "monthly", "1a", notes=({"message": f"read with {SECRET}"},))
    with pytest.raises(RecipeError, match="holds a secret"):
        handed_over(entry, Mask.of({"SOME_TOKEN": SECRET}), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert handed_over(entry, Mask.of({}), tmp_path / "out")["entry"] == "entries/sst/monthly.json"


FOREVER = "import os, time\nopen({path!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)\nrecipe = None\n"


def started(project: Project, tmp_path: Path, *words: str) -> subprocess.Popen[str]:
    """Start a run of a recipe that never ends, and wait until it runs."""
    name = f"forever-{len(words)}"
    project.add_python(name, FOREVER.format(path=str(tmp_path / "pid")))
    command = [
        sys.executable,
        "-m",
        "bakehouse",
        "ci",
        "run",
        name,
        "--bakery",
        "local",
        "--out",
        str(tmp_path / "out"),
    ]
    process = subprocess.Popen([*command, *words], cwd=project.root, text=True, stderr=subprocess.PIPE)
    for _ in range(600):
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            return process
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    raise AssertionError("it did not start")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def test_a_cancelled_job_leaves_a_result_and_no_process(kept: Project, tmp_path: Path) -> None:
    process = started(kept, tmp_path)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    said = RunResult.model_validate_json((tmp_path / "out" / "run.json").read_text())
    assert (process.returncode, said.ok, said.exit_status) == (130, False, 130)
    assert said.failure is not None and "the job was cancelled" in said.failure.message
    assert not is_alive(int((tmp_path / "pid").read_text()))


@pytest.mark.nightly
def test_a_process_that_is_killed_is_a_failure(kept: Project, tmp_path: Path) -> None:
    process = started(kept, tmp_path, "--limit", "10")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    process.communicate(timeout=60)
    said = RunResult.model_validate_json((tmp_path / "out" / "run.json").read_text())
    assert (process.returncode, said.ok) == (1, False)
    assert said.failure is not None and "killed by signal 9" in said.failure.message
