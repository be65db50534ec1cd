"""`bakehouse ci health`: say in the catalog and in issues what a look at every store found."""

from __future__ import annotations

from pathlib import Path

import click

from bakehouse.cli import options
from bakehouse.cli.ci import given
from bakehouse.cli.reply import Reply


@click.command("health")
@click.option("--recheck", required=True, type=click.Path(path_type=Path), metavar="FILE",
              help="What 'bakehouse catalog recheck --json' printed.")  # fmt: skip
@given.branch
@click.option("--pull-request", is_flag=True, help="Keep a pull request with the marks, in place of pushing them.")
@options.project
@options.common
def command(recheck: Path, branch: str, pull_request: bool, project: Path | None) -> Reply:
    """Mark broken entries, and keep an issue for each.

    Entries are those of the published catalog. One that was registered anew since it was looked at is left alone, as
    is a status that a person wrote. Marks go, and issues close, once the store is as it was. Exit status 0 whatever is
    broken. Reads GITHUB_TOKEN (contents: write, issues: write, and pull-requests: write with --pull-request).
    """
    from bakehouse.catalog.lookup import PUBLISHED
    from bakehouse.cli.projects import project_root
    from bakehouse.github.client import repository
    from bakehouse.github.git import remote_of
    from bakehouse.github.health import Marking, propose_marks, read_recheck, tell
    from bakehouse.github.pushing import push_change

    root, seen = project_root(project), read_recheck(recheck)
    told = tell(repository(), seen, root / PUBLISHED)
    number = None
    if pull_request:
        pushed, number = propose_marks(root, branch, Marking(seen))
    else:
        pushed = push_change(remote_of(root), branch, branch, [PUBLISHED], Marking(seen))
    broken, healed = told["broken"], told["healed"]
    text = f"{len(seen)} entries, {len(broken)} broken, {len(healed)} healed; marks {pushed.sha or 'as they were'}"
    document = {"entries": len(seen), "issues": broken, "healed": healed, "sha": pushed.sha, "pull_request": number}
    return Reply(text, document)
