"""`bakehouse ci comment`: say under a pull request what its check found."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bakehouse.cli import options
from bakehouse.cli.ci import given
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from github.PullRequest import PullRequest

    from bakehouse.github.pull import Checked
    from bakehouse.github.words import Places

NAME = "check"
NEW_HERE = ("FIRST_TIME_CONTRIBUTOR", "FIRST_TIMER", "NONE")


@click.command("comment")
@click.option(
    "--result", "file", required=True, type=click.Path(path_type=Path), metavar="FILE", help="What 'ci check' wrote."
)
@given.event
@options.common
def command(file: Path, event: Path | None) -> Reply:
    """Say under a pull request what its check found.

    One comment is kept up to date, and the labels that say what is touched. For the end of a check's workflow
    (workflow_run), in a job that may write and runs no code of the pull request. The document is a stranger's word:
    it is looked at for size, depth and form, then shown and never followed. Which pull request it is about, its
    labels and all links come from GitHub. Reads GITHUB_TOKEN (pull-requests: write). Exit status 1 if the document
    can't be used.
    """
    from bakehouse.github import client, pull
    from bakehouse.github.events import read_event

    run, repo = pull.checked(read_event(event)), client.repository()
    found = pull.pull_of(repo, run)
    if found is None:
        return Reply(f"no open pull request is at {run.commit}", {"number": None, "usable": None})
    labels = pull.scope_of(found).labels
    body, usable = _body(file, run, found, labels)
    comment = client.keep_comment(found.as_issue(), NAME, body)
    pull.keep_labels(found, labels)
    document = {"number": found.number, "usable": usable, "labels": list(labels), "url": comment.html_url}
    return Reply(f"#{found.number}: {'commented' if usable else 'commented that there is no result'}", document, usable)


def _body(file: Path, run: Checked, found: PullRequest, labels: tuple[str, ...]) -> tuple[str, bool]:
    """Write the comment, and say whether the document could be used."""
    from bakehouse.github.comment import render, unusable
    from bakehouse.github.limited import RefusedDocumentError, read
    from bakehouse.github.result import Result

    places = _places(run)
    try:
        result = read(file, Result)
        if result.commit != run.commit:
            raise RefusedDocumentError("the document is about another commit", result.commit, f"checked: {run.commit}")
    except RefusedDocumentError as error:
        return unusable(error, run.commit, places), False
    first = found.raw_data.get("author_association") in NEW_HERE
    return render(result, places, labels, run.succeeded, first), True


def _places(run: Checked) -> Places:
    from bakehouse.github.client import needed
    from bakehouse.github.words import Places

    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    files = f"{server}/{run.repository}/blob/{run.commit}"
    return Places(files, f"{server}/{needed('GITHUB_REPOSITORY')}/actions/runs/{run.run_id}")
