"""`bakehouse ci publish`: register what a run made, in a job that runs no recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bakehouse.cli import options
from bakehouse.cli.ci import given
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from bakehouse.catalog.entry import Entry
    from bakehouse.github.entries import Expected


@click.command("publish")
@given.run
@given.feedstock
@given.recipe
@options.bakery
@given.branch
@click.option("--pull-request", is_flag=True, help="Push a branch of its own, and open or update its pull request.")
@options.project
@options.common
def command(
    run: Path, feedstock: str, recipe: str | None, bakery: str | None, branch: str, pull_request: bool,
    project: Path | None,
) -> Reply:  # fmt: skip
    """Register the entries of a run and push the catalog.

    The entries are those that 'bakehouse ci run' handed over. The project around the working directory has to be the
    reviewed one: its meta.yaml says which feedstock, recipes, titles, licences and maintainers an entry may name, and
    below which target its store may lie. Entries that say anything else are refused, as are stores whose public root
    is not the one that the entry is about. If others push meanwhile, the entries are registered again on top of
    theirs. Sets the step's outputs 'sha' and 'pull_request', empty where nothing had to be pushed. Reads GITHUB_TOKEN
    (contents: write, and pull-requests: write with --pull-request); git gets it by its environment alone.
    """
    from bakehouse.cli.bakeries import place
    from bakehouse.cli.projects import find_feedstock, project_root
    from bakehouse.github.entries import Expected
    from bakehouse.github.publishing import publishable

    root = project_root(project)
    found = place(root, bakery)
    if found.bakery.catalog != "published":
        return Reply(f"nothing to publish: {found.title} keeps a catalog of its own", _document([], []))
    expected = Expected(find_feedstock(root, feedstock), found.target, recipe)
    entries, seen = publishable(run, root, expected)
    if not entries:
        return Reply("nothing to publish: the run made no entries", _document([], seen))
    return _pushed(root, branch, entries, seen, expected if pull_request else None)


def _pushed(root: Path, branch: str, entries: list[Entry], seen: list[str], proposed: Expected | None) -> Reply:
    from bakehouse.github import outputs
    from bakehouse.github.git import remote_of
    from bakehouse.github.publishing import publish

    if proposed is not None:
        from bakehouse.github.proposing import propose_entries

        pushed, number = propose_entries(root, branch, proposed.feedstock.id, entries)
    else:
        pushed, number = publish(remote_of(root), branch, entries), None
    outputs.write("sha", pushed.sha or "")
    outputs.write("pull_request", str(number or ""))
    names = ", ".join(each.id for each in entries)
    said = f"pull request #{number}" if number else f"pushed to {branch}: {pushed.sha}"
    text = f"{names}: {said if pushed.sha else 'registered already'}"
    return Reply("\n".join([*seen, text]), {**_document(entries, seen), "sha": pushed.sha, "pull_request": number})


def _document(entries: list[Entry], seen: list[str]) -> dict[str, Any]:
    published = [{"id": each.id, "version": each.version, "url": each.store.url} for each in entries]
    return {"published": published, "notes": seen, "sha": None, "pull_request": None}
