"""Update: what is due by its schedule."""

from __future__ import annotations

import re

from tests.github.act.bench import Bench
from tests.github.act.kitchen import bake_event, feedstock
from tests.github.act.scenarios import scenario

DAILY = "update: {schedule: daily}\n"


@scenario("Update", cloud=True, nightly=True)
def what_is_due_is_updated_and_what_is_not_is_left(made: Bench) -> str:
    """One feedstock was published last year and has a daily schedule; one has none, one was never published."""
    made.commit(
        {**feedstock("winds", update=DAILY), **feedstock("waves", title="Waves"), **feedstock("ice", update=DAILY)}
    )
    made.run("run-recipe", "workflow_dispatch", bake_event("winds"))
    entry = made.file("catalog/winds/winds.json")
    made.commit({"catalog/winds/winds.json": re.sub(r"202\d-\d\d-\d\dT", "2025-01-02T", entry) + "\n"})
    ran = made.run("update", "schedule", {"schedule": "17 * * * *"})
    assert ran.jobs == {"start": "success"}, ran.lines
    asked = {"feedstock": "winds", "mode": "update", "publish": "direct"}
    assert made.hub.dispatches == [("run-recipe.yml", "main", asked)]
    (baked,) = made.follow()
    assert baked.jobs["bake"] == "success", baked.lines
    return "one run was started, for the first, with `mode: update`; it looked for new inputs, and is green"


@scenario("Update", cloud=True, nightly=True)
def an_update_can_be_proposed(made: Bench) -> str:
    """A run with `publish: pull-request`, which is what an update of a feedstock that says so is started with."""
    made.commit(feedstock("winds"))
    before = made.at()
    ran = made.run("run-recipe", "workflow_dispatch", bake_event("winds", publish="pull-request"))
    assert ran.jobs["publish"] == "success" and made.at() == before, ran.lines
    (number,) = made.hub.pulls
    return f"pull request #{number} with the entry; main is as it was"
