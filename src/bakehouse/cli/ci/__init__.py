"""`bakehouse ci`: what the jobs of the workflows in .github/ call."""

from __future__ import annotations

import click

COMMANDS: tuple[click.Command, ...] = ()

command = click.Group(
    "ci",
    commands=COMMANDS,
    help="Steps of the workflows on GitHub; each says what it reads of a job's environment.",
)
