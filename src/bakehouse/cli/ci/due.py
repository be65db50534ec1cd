"""`bakehouse ci due`: which feedstocks want an update now."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply


def _moment(_: click.Context, __: click.Parameter, text: str | None) -> datetime:
    try:
        moment = datetime.fromisoformat(text) if text else datetime.now(UTC)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no moment; write 2026-11-26T06:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command("due")
@click.option("--now", metavar="ISO", callback=_moment, help="The moment to judge by, in UTC.  [default: now]")
@options.project
@options.common
def command(now: datetime, project: Path | None) -> Reply:
    """Find the feedstocks whose 'update: {schedule: …}' is due.

    One is due if a scheduled moment has passed since it was last published. With GITHUB_TOKEN (actions: read), it is
    not while a run of run-recipe.yml called 'update ID' has begun since that moment, whatever came of it. Words mean
    midnight UTC; weeks begin on Mondays. Sets the step's outputs 'feedstocks' (a JSON list of ids) and 'matrix' (with
    how each publishes).
    """
    from bakehouse.catalog.lookup import PUBLISHED
    from bakehouse.cli.projects import project_root
    from bakehouse.github import outputs
    from bakehouse.github.client import repository
    from bakehouse.github.due import scheduled, started_on

    root = project_root(project)
    started = started_on(repository()) if os.environ.get("GITHUB_TOKEN") else (lambda _: ())
    found = list(scheduled(root, root / PUBLISHED, now, started))
    due = [each for each in found if each.due]
    ids = [each.feedstock for each in due]
    outputs.write("feedstocks", ids)
    outputs.write("matrix", {"include": [{"feedstock": each.feedstock, "publish": each.publish} for each in due]})
    text = "\n".join(f"{each.feedstock}: {'due' if each.due else 'not due'}, {each.reason}" for each in found)
    return Reply(text or "no feedstock has a schedule", {"feedstocks": ids, "judged": [asdict(each) for each in found]})
