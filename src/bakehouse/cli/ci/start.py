"""`bakehouse ci start`: a run of the workflow that bakes, for each feedstock."""

from __future__ import annotations

from pathlib import Path

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply


@click.command("start")
@click.option("--feedstocks", required=True, metavar="JSON", help="List of ids, as 'ci scope' and 'ci due' write it.")
@click.option("--mode", type=click.Choice(["bake", "refresh", "update"]), default="bake", show_default=True)
@options.project
@options.common
def command(feedstocks: str, mode: str, project: Path | None) -> Reply:
    """Start a run of run-recipe.yml for each feedstock.

    After a merge, each knows its pull request; an update is published as the feedstock's 'update' says. Reads
    GITHUB_TOKEN (actions: write), GITHUB_SHA and GITHUB_REF_NAME.
    """
    from bakehouse.github.starting import feedstock_list, start

    ids = feedstock_list(feedstocks)
    publish = _publish(ids, project) if mode == "update" else {}
    number = start(ids, mode, publish)
    lines = [f"started: {mode} {each}" for each in ids] or ["nothing to start"]
    return Reply("\n".join(lines), {"started": list(ids), "mode": mode, "pull_request": number})


def _publish(ids: tuple[str, ...], project: Path | None) -> dict[str, str]:
    """Read how each feedstock wants its updates published."""
    from bakehouse.cli.projects import find_feedstock, project_root

    root = project_root(project)
    updates = {each: find_feedstock(root, each).meta.update for each in ids}
    return {each: update.publish for each, update in updates.items() if update is not None}
