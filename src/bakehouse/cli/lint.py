"""`bakehouse lint`: every finding at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from bakehouse.meta.findings import Finding


@click.command("lint")
@options.feedstock
@click.option("--strict", is_flag=True, help="Let hints fail, too.")
@options.project
@options.common
def command(feedstocks: tuple[str, ...], strict: bool, project: Path | None) -> Reply:
    """List what is wrong, or could be better.

    Without ID: the whole project. Each finding is one line, file:line:col CODE message; fix. A lint must be
    fixed (exit status 1); a hint may be. 'bakehouse explain CODE' says why.
    """
    from bakehouse.cli.findings import lints, listing, summary

    findings, looked = _findings(feedstocks, project)
    count = f"{summary(findings)} in {looked}"
    text = "\n".join([listing(findings), count] if findings else [f"no findings in {looked}"])
    strictly = lints(findings)
    document = {
        "findings": [f.as_dict() for f in findings],
        "lints": len(strictly),
        "hints": len(findings) - len(strictly),
    }
    return Reply(text, document, ok=not (findings if strict else strictly))


def _findings(feedstocks: tuple[str, ...], project: Path | None) -> tuple[list[Finding], str]:
    """Lint what was asked for; say what was looked at."""
    from bakehouse.cli.projects import feedstock_folder, feedstock_ids, parse_name, project_root
    from bakehouse.cli.text import plural
    from bakehouse.meta.lint import lint_feedstock, lint_project

    if not feedstocks and not project and (lone := _lone_feedstock(Path.cwd())):
        return lint_feedstock(lone), "this feedstock"
    root = project_root(project)
    folders = [feedstock_folder(root, parse_name(name).feedstock) for name in dict.fromkeys(feedstocks)]
    if not folders:
        return lint_project(root), f"the project and its {plural(len(feedstock_ids(root)), 'feedstock')}"
    return [f for folder in folders for f in lint_feedstock(folder, root)], plural(len(folders), "feedstock")


def _lone_feedstock(folder: Path) -> Path | None:
    """Give the folder if it is a repository of one feedstock, as Pangeo Forge has them, outside of any project."""
    from bakehouse.meta.load import META, is_project, meta_folder

    inside = any(is_project(each) for each in (folder, *folder.parents))
    return folder if not inside and (meta_folder(folder) / META).is_file() else None
