"""`bakehouse ci owners`: who reviews what."""

from __future__ import annotations

from pathlib import Path

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply


@click.command("owners")
@click.option("--check", is_flag=True, help="Write nothing; exit status 1 if the file is not what it would be.")
@options.project
@options.common
def command(check: bool, project: Path | None) -> Reply:
    """Write .github/CODEOWNERS from the maintainers.

    A feedstock's folder belongs to its maintainers; workflows, engine, catalog and all else to those that the
    project's meta.yaml names below 'defaults'.
    """
    from bakehouse.cli.projects import project_root
    from bakehouse.github.owners import PATH, owners_text

    root = project_root(project)
    text, file = owners_text(root), root / PATH
    same = file.is_file() and file.read_text(encoding="utf-8") == text
    if check:
        said = "is up to date" if same else "is not what meta.yaml says; run: bakehouse ci owners"
        return Reply(f"{PATH} {said}", {"path": PATH, "same": same}, ok=same)
    if not same:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return Reply(f"{PATH}: {'as it was' if same else 'written'}", {"path": PATH, "same": same})
