"""`bakehouse ci`: what the jobs of the workflows in .github/ call."""

from __future__ import annotations

import click

from bakehouse.cli.ci.scope import command as _scope

COMMANDS: tuple[click.Command, ...] = (_scope,)

command = click.Group(
    "ci",
    commands={each.name: each for each in COMMANDS if each.name},
    help="Steps of the workflows on GitHub; each says what it reads of a job's environment.",
)
