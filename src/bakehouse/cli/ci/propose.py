"""`bakehouse ci propose`: a pull request of what an issue form asks for, in a job that reads no strangers' data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bakehouse.cli import options
from bakehouse.cli.ci import given
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from bakehouse.errors import BakehouseError
    from bakehouse.github.requests import Refusal


@click.command("propose")
@click.option("--request", "folder", required=True, type=click.Path(path_type=Path), metavar="DIR",
              help="What 'bakehouse ci request' wrote.")  # fmt: skip
@given.event
@given.branch
@options.project
@options.common
def command(folder: Path, event: Path | None, branch: str, project: Path | None) -> Reply:
    """Open a pull request with a requested feedstock.

    Its files are those that 'bakehouse ci request' made. They may be feedstocks/ID/meta.yaml of a new feedstock,
    without code of its own, and entries of the stores that it links; anything else is refused. The pull request closes
    the issue; why nothing was made is said under it. Edit the issue, and the pull request is made anew, unless somebody
    has committed to its branch. Reads GITHUB_TOKEN (contents: write, issues: write,
    pull-requests: write).
    """
    from bakehouse.cli.projects import project_root
    from bakehouse.errors import BakehouseError
    from bakehouse.github.events import read_event
    from bakehouse.github.proposing import TakenOverError, proposal, propose_feedstock
    from bakehouse.github.requests import Refusal, read_request

    number = _number(read_event(event))
    root = project_root(project)
    try:
        request = read_request(folder)
        request = request.model_copy(update={"number": number})
        if request.refusal is not None:
            return _refuse(number, request.refusal)
        made = proposal(request, folder, root)
    except BakehouseError as error:
        return _refuse(number, Refusal.of(error), error)
    try:
        pull = propose_feedstock(root, branch, request, made)
    except TakenOverError as error:
        return _refuse(number, Refusal.of(error), error)
    _tell(number, f"#{pull.number} proposes it. Thank you! What is missing there can be discussed there.")
    document = {"pull_request": pull.number, "feedstock": made.feedstock, "kind": request.kind, "refused": None}
    return Reply(f"{made.feedstock}: pull request #{pull.number}", document)


def _number(event: dict[str, Any]) -> int | None:
    """Read which issue it is about from the event, not from what another job wrote."""
    issue = event.get("issue")
    return int(issue["number"]) if isinstance(issue, dict) else None


def _refuse(number: int | None, refusal: Refusal, error: BakehouseError | None = None) -> Reply:
    from bakehouse.github import markdown

    fix = refusal.fix or "edit the issue; it is read again each time"
    parts = [
        "Nothing could be made of this yet.",
        f"**{markdown.text(refusal.message, 1000)}**",
        f"Why: {markdown.text(refusal.cause, 1500)}" if refusal.cause else "",
        f"What to do: {markdown.text(fix, 1000)}",
        "Edit the issue, and it is read again.",
    ]
    _tell(number, markdown.joined(parts))
    document = {"pull_request": None, "feedstock": None, "kind": None, "refused": refusal.message}
    return Reply(f"refused: {refusal.message}", document, ok=False)


def _tell(number: int | None, text: str) -> None:
    """Keep one comment under the issue; a dispatch has none."""
    from bakehouse.github.client import keep_comment, repository

    if number is not None:
        keep_comment(repository().get_issue(number), "request", text)
