"""Run recipe: from a merge to a published entry."""

from __future__ import annotations

from tests.github.act.bench import Bench
from tests.github.act.kitchen import feedstock, merge
from tests.github.act.scenarios import scenario


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
