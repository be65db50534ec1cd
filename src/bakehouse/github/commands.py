"""The comment `/run`, by which maintainers have unmerged recipes baked: what it says, and whether it may be done."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bakehouse.errors import BakehouseError
from bakehouse.github import markdown
from bakehouse.github.pull import scope_of
from bakehouse.github.scope import LABELS

if TYPE_CHECKING:
    from github.PullRequest import PullRequest
    from github.Repository import Repository

WRITERS = ("admin", "maintain", "write")
MOST_FILES = 300
_NAME = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9_])?"
_SHA = re.compile(r"[0-9a-f]{7,40}")
_WORDS = re.compile(rf"(?P<feedstock>{_NAME})(?:/(?P<recipe>{_NAME}))?")
_PRUNE = re.compile(r"prune=([1-9][0-9]{0,3})")
_HARMLESS = {"several", "removed"}
FORM = "/run COMMIT [FEEDSTOCK[/RECIPE]] [prune=N]"


class RefusedCommandError(BakehouseError):
    """A command that is not done; the message, cause and fix are Markdown of ours."""


@dataclass(frozen=True)
class Said:
    """Who said what under which pull request."""

    number: int
    comment: int
    login: str
    text: str


@dataclass(frozen=True)
class Command:
    """What a comment asks for; what it leaves out is None."""

    sha: str | None = None
    feedstock: str | None = None
    recipe: str | None = None
    prune: int | None = None


def said_in(event: Any) -> Said | None:
    """Read a comment from the event of a workflow; None if it is no command under a pull request.

    Examples
    --------
    >>> issue, comment = {"number": 3, "pull_request": {}}, {"id": 7, "body": "/run", "user": {"login": "ada"}}
    >>> said_in({"action": "created", "issue": issue, "comment": comment})
    Said(number=3, comment=7, login='ada', text='/run')
    >>> said_in({"action": "created", "issue": issue, "comment": {**comment, "body": "please /run"}})
    """
    issue, comment = event.get("issue") or {}, event.get("comment") or {}
    text = str(comment.get("body") or "")
    asked = text.split(None, 1)[:1] == ["/run"] and text.startswith("/run")
    if event.get("action") != "created" or "pull_request" not in issue or not asked:
        return None
    return Said(int(issue["number"]), int(comment["id"]), str(comment["user"]["login"]), text)


def parse(text: str) -> Command:
    """Read a command: its words, each of which can mean one thing only.

    Raises
    ------
    RefusedCommandError
        If there is anything else.

    Examples
    --------
    >>> parse("/run 0123abc noaa-oisst/daily prune=2")
    Command(sha='0123abc', feedstock='noaa-oisst', recipe='daily', prune=2)
    """
    first, *others = text.splitlines()
    words = first.split()[1:]
    sha = words.pop(0) if words and _SHA.fullmatch(words[0]) else None
    named = _WORDS.fullmatch(words[0]) if words and not _PRUNE.fullmatch(words[0]) else None
    words = words[1:] if named else words
    pruned = _PRUNE.fullmatch(words[0]) if words else None
    words = words[1:] if pruned else words
    if words or any(line.strip() for line in others):
        shown = words[0] if words else next(line for line in others if line.strip())
        raise RefusedCommandError(f"I don't understand {markdown.span(shown, 100)}.")
    return Command(
        sha, named["feedstock"] if named else None, named["recipe"] if named else None,
        int(pruned[1]) if pruned else None,
    )  # fmt: skip


def insist_writer(repo: Repository, login: str) -> None:
    """Let nobody command who could not push.

    Raises
    ------
    RefusedCommandError
        If they can't.
    """
    if repo.get_collaborator_permission(login) not in WRITERS:
        raise RefusedCommandError(
            "Only people who can push to this repository can have a recipe run. One of them will."
        )


def allowed(pull: PullRequest, command: Command) -> Command:
    """Give the command with everything filled in, if it may be done.

    Raises
    ------
    RefusedCommandError
        If not; it says why, and what to write instead.
    """
    if pull.state != "open":
        raise RefusedCommandError("This pull request is not open. What is merged is run by the workflow *Run recipe*.")
    feedstocks = _touched(pull)
    _insist_named(command, feedstocks, pull.head.sha)
    feedstock = command.feedstock or feedstocks[0]
    _insist_seen(command, pull.head.sha, feedstock)
    return Command(pull.head.sha, feedstock, command.recipe, command.prune)


def _touched(pull: PullRequest) -> Sequence[str]:
    """List the feedstocks that a pull request changes; it has to change nothing else that matters."""
    if pull.changed_files > MOST_FILES:
        raise RefusedCommandError(f"This pull request changes {pull.changed_files} files; {MOST_FILES} are looked at.")
    found = scope_of(pull)
    if other := [LABELS[each] for each in found.touched if each not in _HARMLESS]:
        raise RefusedCommandError(
            f"This pull request {' and '.join(other)}, which a run would not try. Move what is not a feedstock to "
            "a pull request of its own."
        )
    if not found.feedstocks:
        raise RefusedCommandError("This pull request changes no feedstock, so there is nothing to run.")
    return found.feedstocks


def _insist_named(command: Command, feedstocks: Sequence[str], head: str) -> None:
    if command.feedstock is not None and command.feedstock not in feedstocks:
        raise RefusedCommandError(
            f"This pull request does not change {markdown.span(command.feedstock, 130)}.", None, None,
            _instead(head, feedstocks, command),
        )  # fmt: skip
    if command.feedstock is None and len(feedstocks) > 1:
        said = f"This pull request changes {len(feedstocks)} feedstocks; name one."
        raise RefusedCommandError(said, None, None, _instead(head, feedstocks, command))


def _insist_seen(command: Command, head: str, feedstock: str) -> None:
    """Insist on the whole name of the commit: a part of it can be made to fit another commit within minutes."""
    fix = _instead(head, [feedstock], command)
    if command.sha is None:
        raise RefusedCommandError(
            "Name the commit that you have looked at, so that nothing else is run.", None, None, fix
        )
    if not head.startswith(command.sha):
        said = f"{markdown.span(command.sha)} is not what this pull request holds: something was pushed since."
        raise RefusedCommandError(said, None, None, fix)
    if command.sha != head:
        said = "Name the commit with all of its 40 digits: another one that begins alike is quickly made."
        raise RefusedCommandError(said, None, None, fix)


def _instead(head: str, feedstocks: Sequence[str], command: Command) -> str:
    prune = f" prune={command.prune}" if command.prune else ""
    recipe = f"/{command.recipe}" if command.recipe else ""
    lines = [f"/run {head} {each}{recipe if len(feedstocks) == 1 else ''}{prune}" for each in feedstocks[:10]]
    return f"Once you have read what the commit changes, write:\n\n{markdown.code(chr(10).join(lines))}"


def reply(error: RefusedCommandError) -> str:
    """Write the answer to a command that is not done."""
    form = f"The form is {markdown.span(FORM)}." if error.fix is None else ""
    return "\n\n".join(part for part in (error.message, error.fix, form) if part)
