"""`bakehouse ci command`: whether what a comment asks for may be run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bakehouse.cli import options
from bakehouse.cli.ci import given
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from github.Repository import Repository

    from bakehouse.github.commands import RefusedCommandError, Said

NOTHING = {"run": False, "sha": "", "number": "", "feedstock": "", "recipe": "", "prune": ""}


@click.command("command")
@given.event
@options.common
def command(event: Path | None) -> Reply:
    """Judge a comment that asks for a run.

    The comment stands under a pull request: /run COMMIT [FEEDSTOCK[/RECIPE]] [prune=N]. Sets the step's outputs 'run'
    (true or false), 'sha', 'number', 'feedstock', 'recipe' and 'prune'. It is run if who commented can push to the
    repository, the pull request is open and changes feedstocks alone, and COMMIT, with all 40 digits, is what it holds
    now: what is pushed after the command is not run. Everything else is answered with the reason and the command to
    write instead, exit status 1. Other comments are none of its business. Reads GITHUB_TOKEN (pull-requests: write).
    """
    from bakehouse.github import outputs
    from bakehouse.github.client import repository
    from bakehouse.github.commands import RefusedCommandError, allowed, insist_writer, parse, said_in
    from bakehouse.github.events import read_event

    said = said_in(read_event(event))
    found: dict[str, Any] = dict(NOTHING)
    if said is None:
        return _done(outputs, found, "not a command")
    repo = repository()
    try:
        insist_writer(repo, said.login)
    except RefusedCommandError as error:
        return _done(outputs, found, _turn_away(repo, said, error), ok=False)
    try:
        asked = allowed(repo.get_pull(said.number), parse(said.text))
    except RefusedCommandError as error:
        return _done(outputs, found, _answer(repo, said, error), ok=False)
    _react(repo, said, "rocket")
    found |= {"run": True, "sha": asked.sha, "number": said.number, "feedstock": asked.feedstock}
    found |= {"recipe": asked.recipe or "", "prune": asked.prune or ""}
    return _done(outputs, found, f"run {asked.feedstock} at {asked.sha}")


def _done(outputs: Any, found: dict[str, Any], text: str, ok: bool = True) -> Reply:
    for name, value in found.items():
        outputs.write(name, value if isinstance(value, bool) else str(value))
    return Reply(text, {**found, "said": text}, ok=ok)


def _turn_away(repo: Repository, said: Said, error: RefusedCommandError) -> str:
    """Answer strangers in one comment, however often they ask."""
    from bakehouse.github.client import keep_comment

    _react(repo, said, "confused")
    keep_comment(repo.get_issue(said.number), "run-refused", error.message)
    return error.message


def _answer(repo: Repository, said: Said, error: RefusedCommandError) -> str:
    from bakehouse.github.client import keep_comment
    from bakehouse.github.commands import reply

    _react(repo, said, "confused")
    keep_comment(repo.get_issue(said.number), f"run-answer:{said.comment}", reply(error))
    return error.message


def _react(repo: Repository, said: Said, what: str) -> None:
    repo.get_issue(said.number).get_comment(said.comment).create_reaction(what)
