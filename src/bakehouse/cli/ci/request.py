"""`bakehouse ci request`: what an issue form asks for, as files."""

from __future__ import annotations

from pathlib import Path

import click

from bakehouse.cli import options
from bakehouse.cli.ci import given
from bakehouse.cli.reply import Reply


@click.command("request")
@given.event
@given.out("the files")
@options.project
@options.common
def command(event: Path | None, out: Path, project: Path | None) -> Reply:
    """Make the files of a feedstock from an issue form.

    The job may have no right to write. An issue with the label 'link-dataset' (or a dispatch with url, title, license,
    contact and id) has its store linked; one with the label 'request-dataset' gets a meta.yaml that says what it says.
    DIR/request.json says what was made, or why nothing was, DIR/files holds the files. 'bakehouse ci propose' takes
    both. Exit status 1 if nothing was made.
    """
    from bakehouse.cli.projects import project_root
    from bakehouse.github.asking import answer
    from bakehouse.github.events import read_event

    made = answer(read_event(event), project_root(project), out)
    refused = made.refusal.message if made.refusal else None
    text = f"refused: {refused}" if refused else f"{made.kind} {made.feedstock}: {made.title}"
    document = made.model_dump(mode="json")
    return Reply(text, {key: document[key] for key in document if key != "schema_version"}, ok=refused is None)
