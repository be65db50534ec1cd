"""`bakehouse ci check`: what a pull request's own job finds out."""

from __future__ import annotations

from pathlib import Path

import click

from bakehouse.cli import options
from bakehouse.cli.ci.scope import base, head
from bakehouse.cli.reply import Reply


@click.command("check")
@base
@head
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="FOLDER", help="A new folder for the result."
)
@click.option(
    "--limit", "limit_s", type=click.FloatRange(min=1), default=1800.0, show_default=True, metavar="SECONDS",
    help="How long a plan or a trial may take.",
)  # fmt: skip
@options.project
@options.common
def command(base: str, head: str, out: Path, limit_s: float, project: Path | None) -> Reply:
    """Lint and try what a pull request changes.

    Every feedstock that it changes is linted; if it is about one alone, that one is planned and tried. Needs no rights
    and takes no secrets: what runs a recipe is a process without the job's environment, for a limited time. Writes
    result.json and the preview of the entry (site) into FOLDER, a summary of the step, and notes beside the lines of
    the change on stdout. Exit status 1 if something has to be mended.
    """
    from bakehouse.cli.projects import project_root
    from bakehouse.github import outputs
    from bakehouse.github.beside import notes
    from bakehouse.github.check import RESULT, check
    from bakehouse.github.comment import render
    from bakehouse.github.words import Places

    result = check(project_root(project), base, head, out, limit_s)
    outputs.summary(render(result, Places(), result.labels))
    lines = [*notes(result), f"{result.verdict}: {out / RESULT}"]
    return Reply("\n".join(lines), {"result": result.model_dump(mode="json")}, ok=result.verdict != "failed")
