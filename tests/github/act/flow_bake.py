"""Run recipe: from a merge to a published entry."""

from __future__ import annotations

import json
from typing import Any

from tests.github.act.bench import CANARY, Bench, Ran
from tests.github.act.kitchen import bake_event, feedstock, merge, python_feedstock
from tests.github.act.scenarios import scenario

ALL = {"bake": "success", "publish": "success", "build": "success", "deploy": "success", "report": "success"}


@scenario("Run recipe")
def a_merge_starts_a_run_for_its_feedstock(made: Bench) -> str:
    """A pull request with one new feedstock is merged."""
    number, event = merge(made, feedstock("winds"))
    ran = made.run("run-recipe", "push", event)
    assert ran.jobs == {"start": "success"}
    inputs = {"feedstock": "winds", "mode": "bake", "pr": str(number)}
    assert made.hub.dispatches == [("run-recipe.yml", "main", inputs)]
    return f"`run-recipe.yml` was dispatched once: {inputs}"


@scenario("Run recipe")
def what_touches_more_than_one_feedstock_is_not_baked_unasked(made: Bench) -> str:
    """A pull request with a feedstock and a workflow is merged."""
    _, event = merge(made, {**feedstock("winds"), ".github/workflows/mine.yml": "on: push\njobs: {}\n"})
    ran = made.run("run-recipe", "push", event)
    assert (ran.jobs, made.hub.dispatches) == ({"start": "success"}, [])
    assert "labels: touches workflows" in ran.printed("start")
    return "nothing was dispatched; a maintainer starts the run by hand"


@scenario("Run recipe", cloud=True)
def a_merged_feedstock_is_baked_published_and_told(made: Bench) -> str:
    """The run that a merge started: bake on S3 with keys from the OIDC step, publish, rebuild the pages, report."""
    number, event = merge(made, feedstock("winds"))
    made.run("run-recipe", "push", event)
    (ran,) = made.follow()
    assert ran.jobs == ALL, ran.lines
    entry = _entry(made, "winds")
    assert entry["store"]["url"].startswith("s3://") and "winds" in made.file("catalog/catalog.json")
    (said,) = made.hub.said(number)
    assert "bakehouse.open" in said or "open_zarr" in said
    _no_canary(made, ran, said)
    return "green; the entry is on main, the pages are rebuilt, the pull request has the snippet, page, size and time"


@scenario("Run recipe", cloud=True, nightly=True)
def a_failing_bake_is_red_and_has_one_issue_until_it_heals(made: Bench) -> str:
    """An input is not there: two runs fail; then it is mended, and the third succeeds."""
    made.commit(feedstock("winds", start=2020))
    for _ in range(2):
        ran = made.run("run-recipe", "workflow_dispatch", bake_event("winds"))
        assert (ran.jobs["bake"], "publish" in ran.jobs, ran.code) == ("failure", False, 1), ran.jobs
    (issue,) = made.hub.issues.values()
    assert "seasons_2020.nc" in issue["body"] and issue["state"] == "open"
    made.commit(feedstock("winds"))
    assert made.run("run-recipe", "workflow_dispatch", bake_event("winds")).jobs == ALL
    assert issue["state"] == "closed"
    return "red, red, green; one issue that names the input and the command to rerun; closed by the third run"


@scenario("Run recipe", cloud=True, nightly=True)
def a_publisher_that_comes_second_loses_nothing(made: Bench) -> str:
    """While the entry waits to be published, somebody else pushes another entry to main."""
    made.commit({**feedstock("winds"), **feedstock("waves", title="Waves")})
    made.run("run-recipe", "workflow_dispatch", bake_event("waves"))
    waves = made.at()
    (made.folder / "meanwhile").write_text(_push_a_note(made), encoding="utf-8")
    ran = made.run("run-recipe", "workflow_dispatch", bake_event("winds"))
    assert ran.jobs == ALL, ran.jobs
    assert made.file("NOTE.md") == "meanwhile" and made.at() != waves
    index = made.file("catalog/catalog.json")
    assert all(made.file(f"catalog/{name}/{name}.json") and name in index for name in ("waves", "winds"))
    return "published on top of theirs; both entries, their note and one index are on main"


@scenario("Run recipe", cloud=True, nightly=True)
def a_second_run_changes_nothing(made: Bench) -> str:
    """What is published is run again, as after a job that died late."""
    made.commit(feedstock("winds"))
    assert made.run("run-recipe", "workflow_dispatch", bake_event("winds")).jobs == ALL
    before = made.at()
    assert made.run("run-recipe", "workflow_dispatch", bake_event("winds")).jobs == ALL
    assert made.at() == before
    return "green; no new version, no new commit"


PRYING = """\
import os
print("SEEN", {name: value for name, value in os.environ.items() if name.startswith(("ACTIONS_", "GITHUB_"))})
"""


@scenario("Run recipe", cloud=True, attack=True, nightly=True)
def a_merged_recipe_sees_storage_rights_alone(made: Bench) -> str:
    """A merged recipe.py prints what it finds of the job: the OIDC token's address, the repository's token."""
    made.commit(python_feedstock("winds", PRYING))
    ran = made.run("run-recipe", "workflow_dispatch", bake_event("winds"))
    assert ran.jobs == ALL, ran.lines
    assert "write-token" not in ran.printed("bake")
    _no_canary(made, ran)
    return "storage keys only: neither OIDC's address and token nor the repository's token are in its environment"


def _entry(made: Bench, name: str) -> Any:
    return json.loads(made.file(f"catalog/{name}/{name}.json"))


def _no_canary(made: Bench, ran: Ran, *texts: str) -> None:
    """Find the canary and the storage keys in nothing that the jobs left behind."""
    secret = made.keys["AWS_SECRET_ACCESS_KEY"]
    left = [path.read_text(errors="replace") for path in made.artifacts.rglob("*") if path.is_file()]
    for text in (*left, *texts, *(line for _, line in ran.lines), made.file("catalog/catalog.json")):
        assert CANARY not in text and secret not in text


def _push_a_note(made: Bench) -> str:
    return f"""\
set -eu
rm {made.folder}/meanwhile
git clone --quiet {made.origin} {made.folder}/other
cd {made.folder}/other
printf meanwhile > NOTE.md
git add NOTE.md
git -c user.name=Other -c user.email=other@example.org commit --quiet --message "A note"
git push --quiet origin main
"""
