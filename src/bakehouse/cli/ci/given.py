"""Options that several commands of `bakehouse ci` take."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

_ID = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9_])?")


def _id(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Refuse what can't be the id of a feedstock or recipe; an empty one, as workflows pass it, is none."""
    if value and not _ID.fullmatch(value):
        raise click.BadParameter(f"{value[:200]!r} is no id: use letters, digits, '.', '_' and '-'")
    return value or None


run = click.option(
    "--run", required=True, type=click.Path(path_type=Path), metavar="DIR", help="What 'bakehouse ci run' wrote."
)
feedstock = click.option("--feedstock", required=True, metavar="ID", callback=_id, help="The feedstock that was run.")
recipe = click.option("--recipe", metavar="RECIPE", callback=_id, help="The only recipe that was run.")
branch = click.option("--branch", metavar="BRANCH", default="main", show_default=True, help="The published branch.")
event = click.option(
    "--event", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="PATH",
    envvar="GITHUB_EVENT_PATH", show_envvar=True, help="The event that started the workflow.",
)  # fmt: skip


def out(holds: str) -> Any:
    """Make the option that names the folder of what a later job takes."""
    folder = click.Path(file_okay=False, path_type=Path)
    return click.option("--out", required=True, type=folder, metavar="DIR", help=f"Folder for {holds}.")
