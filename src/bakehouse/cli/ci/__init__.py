"""`bakehouse ci`: what the jobs of the workflows in .github/ call."""

from __future__ import annotations

import click

from bakehouse.cli.ci.check import command as _check
from bakehouse.cli.ci.command import command as _command
from bakehouse.cli.ci.comment import command as _comment
from bakehouse.cli.ci.due import command as _due
from bakehouse.cli.ci.health import command as _health
from bakehouse.cli.ci.owners import command as _owners
from bakehouse.cli.ci.propose import command as _propose
from bakehouse.cli.ci.publish import command as _publish
from bakehouse.cli.ci.report import command as _report
from bakehouse.cli.ci.request import command as _request
from bakehouse.cli.ci.run import command as _run
from bakehouse.cli.ci.scope import command as _scope
from bakehouse.cli.ci.start import command as _start

COMMANDS: tuple[click.Command, ...] = (
    _scope,
    _check,
    _comment,
    _start,
    _command,
    _run,
    _publish,
    _report,
    _due,
    _owners,
    _request,
    _propose,
    _health,
)

command = click.Group(
    "ci",
    commands={each.name: each for each in COMMANDS if each.name},
    help="Steps of the workflows on GitHub; each says what it reads of a job's environment.",
)
