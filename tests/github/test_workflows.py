"""The workflows, read and not run: what each job may do, and what no file may hold. So too in a new project."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from check_jsonschema.cli import main as check_jsonschema
from click.testing import CliRunner

from tests.cli.projects import new_project
from tests.github.act import evidence
from tests.github.act.played import SCENARIOS
from tests.github.workflows import EXPRESSION, PINNED, ROOT, Job, Workflow, jobs, rows, workflows

BIN = Path(sys.executable).parent
TRIGGERS = {
    "check": {"pull_request"},
    "comment": {"workflow_run"},
    "engine": {"pull_request", "push"},
    "link": {"issues", "workflow_dispatch"},
    "nightly": {"schedule", "workflow_dispatch"},
    "publish-catalog": {"push", "workflow_call", "workflow_dispatch"},
    "release": {"push"},
    "request": {"issues"},
    "run-command": {"issue_comment"},
    "run-recipe": {"push", "workflow_dispatch"},
    "update": {"schedule", "workflow_dispatch"},
}
STRANGERS = {"pull_request", "workflow_run", "issues", "issue_comment"}
"""Triggers that people without any right can pull."""
OF_THE_EVENT = re.compile(r"github\.(?:event\.[\w.*]+|head_ref|actor|triggering_actor)")
NUMBERS_AND_COMMITS = {
    *("github.event.before", "github.event.comment.id", "github.event.issue.number", "github.event.repository.name"),
    *("github.event.pull_request.base.sha", "github.event.pull_request.head.sha", "github.event.pull_request.number"),
    *("github.event.workflow_run.head_sha", "github.event.workflow_run.id"),
}
"""All that an expression may take of an event: nothing that a stranger spells."""
OURS_ALONE = {"engine", "release"}


@pytest.fixture(scope="module", params=["this repository", "a new project"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give this repository, and what init makes."""
    if request.param == "this repository":
        return ROOT
    made = new_project(tmp_path_factory.mktemp("flows") / "project").root
    (made / ".git").mkdir()
    return made


def test_these_are_the_workflows_and_what_starts_them(root: Path) -> None:
    found = {each.name: set(each.triggers) for each in workflows(root)}
    asked = {name: on for name, on in TRIGGERS.items() if root == ROOT or name not in OURS_ALONE}
    assert found == asked


def test_zizmor_has_nothing_of_weight_to_say(root: Path) -> None:
    said = subprocess.run(
        [BIN / "zizmor", "--offline", "--persona", "auditor", "--format", "json", "--no-exit-codes", "."],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = {
        (each["ident"], each["determinations"]["severity"]) for each in json.loads(said.stdout) if not each["ignored"]
    }
    # `$/…` in place of `./…` is too new for act to run.
    assert found <= {("self-repository", "Low")}


def test_what_zizmor_is_told_to_pass_over_is_two_triggers() -> None:
    told = [
        (each.name, re.findall(r"zizmor: ignore\[([\w-]+)\]", each.path.read_text(encoding="utf-8")))
        for each in workflows()
    ]
    assert {name: found for name, found in told if found} == {
        "comment": ["dangerous-triggers"],
        "run-command": ["dangerous-triggers"],
    }


@pytest.mark.parametrize(
    "schema, pattern",
    [
        ("vendor.github-workflows", "workflows/*.yml"),
        ("vendor.github-actions", "actions/*/action.yml"),
        ("vendor.dependabot", "dependabot.yml"),
        ("vendor.github-issue-forms", "ISSUE_TEMPLATE/[!c]*.yml"),
        ("vendor.github-issue-config", "ISSUE_TEMPLATE/config.yml"),
    ],
)
def test_every_file_is_as_its_schema_says(root: Path, schema: str, pattern: str) -> None:
    files = [str(file) for file in sorted((root / ".github").glob(pattern))]
    said = CliRunner().invoke(check_jsonschema, ["--builtin-schema", schema, *files])
    assert files and said.exit_code == 0, said.output


def test_every_job_ends(root: Path) -> None:
    assert [job.name for job in jobs(root) if job.steps and not 0 < job.text.get("timeout-minutes", 0) <= 360] == []


def test_no_workflow_runs_pull_requests_with_the_rights_of_the_repository(root: Path) -> None:
    assert [each.name for each in workflows(root) if "pull_request_target" in each.triggers] == []


def test_a_job_has_the_rights_that_it_names_and_no_others(root: Path) -> None:
    assert [each.name for each in workflows(root) if each.text.get("permissions") != {}] == []
    assert [(job.workflow, job.name) for job in jobs(root) if not isinstance(job.text.get("permissions"), dict)] == []


def test_the_page_lists_what_each_job_may_do_and_what_came_of_each_flow() -> None:
    """`python -m tests.github.act.evidence` writes it anew."""
    outcomes = json.loads(evidence.OUTCOMES.read_text(encoding="utf-8"))
    assert sorted(outcomes) == sorted(each.name for each in SCENARIOS)
    assert evidence.PAGE.read_text(encoding="utf-8") == evidence.page(outcomes)
    assert sorted(path.stem for path in evidence.LOGS.glob("*.txt")) == sorted(outcomes)


def test_a_new_project_has_the_same_jobs(tmp_path: Path) -> None:
    made = new_project(tmp_path / "project").root
    assert list(rows(made)) == [row for row in rows() if row[0] not in OURS_ALONE]


def test_actions_are_pinned_by_commit_with_their_version(root: Path) -> None:
    loose = [
        f"{file.name}: {line.strip()}"
        for file in (root / ".github").rglob("*.yml")
        for line in file.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*(- )?uses:", line) and "uses: ./" not in line and not PINNED.fullmatch(line)
    ]
    assert loose == []


def test_one_version_of_each_action(root: Path) -> None:
    pins = {
        tuple(line.split("uses: ")[1].split("@"))
        for file in (root / ".github").rglob("*.yml")
        for line in file.read_text(encoding="utf-8").splitlines()
        if "@" in line and "uses: " in line
    }
    assert len({action for action, _ in pins}) == len(pins)


def test_no_checkout_leaves_its_token_behind(root: Path) -> None:
    steps = [step for job in jobs(root) for step in job.steps if "actions/checkout@" in step.get("uses", "")]
    assert steps and [step for step in steps if step["with"]["persist-credentials"] is not False] == []


def test_no_script_is_written_by_an_expression(root: Path) -> None:
    files = [*(root / ".github/workflows").glob("*.yml"), *(root / ".github/actions").glob("*/action.yml")]
    runs = [step["run"] for file in files for step in _steps(yaml.safe_load(file.read_text())) if "run" in step]
    assert runs and [run for run in runs if EXPRESSION.search(run)] == []


def test_what_strangers_write_is_read_from_the_event_and_never_handed_on(root: Path) -> None:
    """Conditions may look at it; names, variables, outputs and arguments may not hold it."""
    texts = [workflow.path.read_text(encoding="utf-8") for workflow in workflows(root)]
    found = {name for text in texts for each in EXPRESSION.findall(text) for name in OF_THE_EVENT.findall(each)}
    assert found == NUMBERS_AND_COMMITS


def test_where_recipes_run_nothing_can_be_written_and_no_token_is_at_hand(root: Path) -> None:
    running = [job for job in jobs(root) if job.runs_recipes]
    assert {(job.workflow, job.name) for job in running if job.workflow != "engine"} == {
        ("check", "check"), ("run-command", "bake"), ("run-recipe", "bake"),
        *([("release", "try")] if root == ROOT else []),
    }  # fmt: skip
    rights = {(name, value) for job in running for name, value in job.permissions.items()}
    assert rights == {("contents", "read"), ("id-token", "write")}
    assert [job.name for job in running if job.has_token] == []


def test_secrets_and_oidc_are_at_hand_in_protected_environments_alone(root: Path) -> None:
    credentialed = [job for job in jobs(root) if job.secrets or ("id-token" in job.permissions and job.steps)]
    assert {(job.workflow, job.name): job.environment for job in credentialed} == {
        ("run-recipe", "bake"): "${{ inputs.mode == 'update' && 'update' || 'bake' }}",
        ("publish-catalog", "deploy"): "github-pages",
        **({("release", "publish"): "release"} if root == ROOT else {}),
    }
    assert {name for job in credentialed for name in job.secrets} == {"S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"}


def test_what_strangers_start_has_no_secret_and_no_storage(root: Path) -> None:
    """Their pull requests, comments and issues reach no environment, no secret and no OIDC token."""
    started = [job for workflow in workflows(root) if STRANGERS & set(workflow.triggers) for job in workflow.jobs]
    assert [job.name for job in started if job.secrets or job.environment or "id-token" in job.permissions] == []


def test_jobs_that_may_write_run_the_default_branch(root: Path) -> None:
    """No step of a job that may write checks out anything that is named by others."""
    writing = [job for job in jobs(root) if "write" in job.permissions.values() and job.steps]
    checked_out = {
        str(step["with"].get("ref", ""))
        for job in writing
        for step in job.steps
        if "actions/checkout@" in step.get("uses", "")
    }
    assert checked_out == {""}


def test_the_first_push_of_a_project_starts_no_bake(root: Path) -> None:
    """There is no commit before it to compare with."""
    (start,) = (job for job in jobs(root) if (job.workflow, job.name) == ("run-recipe", "start"))
    assert start.text["if"] == "github.event_name == 'push' && !github.event.created"


def test_where_nobody_pushes_to_main_no_flow_tries_to(root: Path) -> None:
    """An update that asks to be pushed yields to the project's rule, as the marks of the night do."""
    pushing = [
        step for job in jobs(root) for step in job.steps if re.search(r"ci (publish|health)", step.get("run", ""))
    ]
    assert [step["env"]["PUBLISH"] for step in pushing] == [
        "${{ vars.BAKEHOUSE_PUBLISH }}",
        "${{ vars.BAKEHOUSE_PUBLISH == 'pull-request' && 'pull-request' || inputs.publish }}",
    ]
    assert all(
        'if [ "$PUBLISH" = pull-request ]; then set -- "$@" --pull-request; fi' in step["run"] for step in pushing
    )


def test_every_bake_of_a_feedstock_waits_for_the_one_before() -> None:
    concurrency = Workflow(ROOT / ".github/workflows/run-recipe.yml").text["concurrency"]
    assert concurrency == {
        "group": "run-recipe-${{ inputs.feedstock || github.run_id }}",
        "cancel-in-progress": False,
    }


def test_every_workflow_has_a_concurrency_group_and_strict_scripts(root: Path) -> None:
    shells = {each.text["defaults"]["run"]["shell"] for each in workflows(root)}
    assert shells == {"bash --noprofile --norc -euo pipefail {0}"}
    assert [each.name for each in workflows(root) if "group" not in each.text.get("concurrency", {})] == []


def test_artifacts_are_kept_for_a_stated_time(root: Path) -> None:
    steps = [step for job in jobs(root) for step in job.steps if "actions/upload-artifact@" in step.get("uses", "")]
    assert steps and [step["with"]["name"] for step in steps if "retention-days" not in step["with"]] == []


def test_no_job_keeps_a_cache_that_another_could_poison(root: Path) -> None:
    texts = [file.read_text(encoding="utf-8") for file in (root / ".github").rglob("*.yml")]
    assert [text for text in texts if "actions/cache" in text or re.search(r"^\s+cache:", text, re.MULTILINE)] == []


def test_every_command_of_a_workflow_is_one_that_the_command_line_has(root: Path) -> None:
    from bakehouse.cli import main

    called = {
        tuple(found.split())
        for job in jobs(root)
        for found in re.findall(r"^\s*bakehouse ((?:ci |catalog )?[a-z]+)", job.script, re.MULTILINE)
    }
    assert {words for words in called if not _known(main, words)} == set()


def _known(group: object, words: tuple[str, ...]) -> bool:
    for word in words:
        if word not in getattr(group, "commands", {}):
            return False
        group = group.commands[word]  # type: ignore[attr-defined]
    return True


def _steps(text: dict[str, object]) -> list[dict[str, str]]:
    """List the steps of a workflow, or of an action."""
    if "runs" in text:
        return text["runs"]["steps"]  # type: ignore[index]
    return [step for name, job in text["jobs"].items() for step in Job("", name, job).steps]  # type: ignore[attr-defined]
