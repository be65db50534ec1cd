"""`bakehouse lint`: every finding at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from bakehouse.cli.words import Where
    from bakehouse.meta.findings import Finding


@click.command("lint")
@options.feedstock
@options.elsewhere
@click.option("--strict", is_flag=True, help="Let hints fail, too.")
@options.project
@options.common
def command(
    feedstocks: tuple[str, ...], subdir: str | None, ref: str | None, strict: bool, project: Path | None
) -> Reply:
    """List what is wrong, or could be better.

    Without ID: the whole project. Each finding is one line, file:line:col CODE message; fix. A lint must be
    fixed (exit status 1); a hint may be. 'bakehouse explain CODE' says why.
    """
    from bakehouse.cli.findings import lints, listing, summary
    from bakehouse.cli.words import Where

    findings, looked = _findings(feedstocks, Where(subdir, ref), project)
    count = f"{summary(findings)} in {looked}"
    text = "\n".join([listing(findings), count] if findings else [f"no findings in {looked}"])
    strictly = lints(findings)
    document = {
        "findings": [f.as_dict() for f in findings],
        "lints": len(strictly),
        "hints": len(findings) - len(strictly),
    }
    return Reply(text, document, ok=not (findings if strict else strictly))


def _findings(feedstocks: tuple[str, ...], where: Where, project: Path | None) -> tuple[list[Finding], str]:
    """Lint what was asked for; say what was looked at."""
    from bakehouse.cli.projects import feedstock_ids, project_root
    from bakehouse.cli.text import plural
    from bakehouse.cli.words import all_elsewhere
    from bakehouse.meta.lint import lint_feedstock, lint_project
    from bakehouse.meta.load import project_around

    if not feedstocks and not project and (lone := _lone_feedstock(Path.cwd())):
        return lint_feedstock(lone), "this feedstock"
    alone = not project and all_elsewhere(feedstocks) and not project_around(Path.cwd())
    root = Path.cwd() if alone else project_root(project)
    if not feedstocks:
        return lint_project(root), f"the project and its {plural(len(feedstock_ids(root)), 'feedstock')}"
    folders = _folders(root, feedstocks, where)
    return [f for folder, of in folders.items() for f in lint_feedstock(folder, of)], plural(len(folders), "feedstock")


def _folders(root: Path, texts: tuple[str, ...], where: Where) -> dict[Path, Path | None]:
    """Give each feedstock's folder, and the project that it belongs to where that is known."""
    from bakehouse.cli.projects import Named, feedstock_folder
    from bakehouse.cli.words import read_words

    words = read_words(root, texts, where)
    return {
        feedstock_folder(root, each.feedstock) if isinstance(each, Named) else each.located().folder: (
            root if isinstance(each, Named) else None
        )
        for each in words
    }


def _lone_feedstock(folder: Path) -> Path | None:
    """Give the folder if it is a repository of one feedstock, as Pangeo Forge has them, outside of any project."""
    from bakehouse.meta.load import META, is_project, meta_folder

    inside = any(is_project(each) for each in (folder, *folder.parents))
    return folder if not inside and (meta_folder(folder) / META).is_file() else None
