"""GitHub's REST API, as the jobs of a workflow reach it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bakehouse.errors import PublishError, UsageError

if TYPE_CHECKING:
    from github.Issue import Issue
    from github.IssueComment import IssueComment
    from github.PullRequest import PullRequest
    from github.Repository import Repository

TIMEOUT_S = 30


def repository(environment: Mapping[str, str] = os.environ) -> Repository:
    """Give the repository that a workflow runs in, with the rights of its token.

    The API's address, the repository and the token are the ones that GitHub gives to a job: GITHUB_API_URL,
    GITHUB_REPOSITORY, GITHUB_TOKEN.

    Raises
    ------
    UsageError
        If one of them is not there, or if PyGithub is not installed.
    """
    try:
        from github import Auth, Github
    except ImportError as error:
        raise UsageError("PyGithub is not installed", None, None, "pip install 'bakehouse[github]'") from error
    token = Auth.Token(needed("GITHUB_TOKEN", environment))
    url = environment.get("GITHUB_API_URL", "https://api.github.com")
    api = Github(
        auth=token, base_url=url, timeout=TIMEOUT_S, per_page=100, seconds_between_requests=None,
        seconds_between_writes=0.2, lazy=True,
    )  # fmt: skip
    return api.get_repo(needed("GITHUB_REPOSITORY", environment))


def needed(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """Give a variable of the environment that every job of a workflow has.

    Raises
    ------
    UsageError
        If it is not there.
    """
    value = environment.get(name, "")
    if not value:
        raise UsageError(f"{name} is not set", None, None, "run this in a job of GitHub Actions, or set it")
    return value


def marker(name: str) -> str:
    """Give the line by which one of our comments or issues is found again.

    Raises
    ------
    ValueError
        If the name could end the comment that hides it.

    Examples
    --------
    >>> marker("check"), marker("entry:sea--ice")
    ('<!-- bakehouse:check -->', '<!-- bakehouse:entry:sea-%2Dice -->')
    """
    if not name or any(character in "<>%\n\r" for character in name):
        raise ValueError(f"{name!r} can't mark a comment")
    return f"<!-- bakehouse:{name.replace('--', '-%2D')} -->"


def marked(body: str | None) -> str | None:
    """Give the name that a text of ours is marked by.

    Examples
    --------
    >>> marked(marker("entry:sea--ice")), marked("something else")
    ('entry:sea--ice', None)
    """
    first = (body or "").partition("\n")[0].strip()
    found = re.fullmatch(r"<!-- bakehouse:(\S+) -->", first)
    return found[1].replace("-%2D", "--") if found else None


def keep_comment(issue: Issue, name: str, body: str, author: str | None = None) -> IssueComment:
    """Keep one comment of a name up to date under an issue or pull request.

    Parameters
    ----------
    author
        Whose comments are looked at: anyone can write a marker. Left out, those of bots.
    """
    body = f"{marker(name)}\n{body}"
    for comment in issue.get_comments():
        if _is_ours(comment, name, author):
            if comment.body != body:
                comment.edit(body)
            return comment
    return issue.create_comment(body)


def _is_ours(comment: Any, name: str, author: str | None) -> bool:
    user = comment.user
    ours = user is not None and (user.login == author if author else user.type == "Bot")
    return ours and (comment.body or "").startswith(marker(name))


def open_issues(repo: Repository, label: str, name: str) -> Iterator[Issue]:
    """Find open issues of ours by their label and their marker, the oldest first."""
    for issue in repo.get_issues(state="open", labels=[label], sort="created", direction="asc"):
        bot = issue.user is not None and issue.user.type == "Bot"
        if bot and issue.pull_request is None and (issue.body or "").startswith(marker(name)):
            yield issue


def keep_issue(repo: Repository, label: str, name: str, title: str, body: str) -> Issue:
    """Keep one open issue of a name: made once, then its text is brought up to date."""
    body = f"{marker(name)}\n{body}"
    for issue in open_issues(repo, label, name):
        if (issue.title, issue.body) != (title, body):
            issue.edit(title=title, body=body)
        return issue
    return repo.create_issue(title=title, body=body, labels=[label])


def close_issues(repo: Repository, label: str, name: str, comment: str) -> int:
    """Close the open issues of a name, saying why; give how many there were."""
    found = list(open_issues(repo, label, name))
    for issue in found:
        issue.create_comment(comment)
        issue.edit(state="closed", state_reason="completed")
    return len(found)


def open_pull(repo: Repository, base: str, branch: str) -> PullRequest | None:
    """Find the open pull request of a branch of this repository."""
    owner = needed("GITHUB_REPOSITORY").partition("/")[0]
    return next(iter(repo.get_pulls(state="open", head=f"{owner}:{branch}", base=base)), None)


def keep_pull(repo: Repository, base: str, branch: str, title: str, body: str, draft: bool = False) -> PullRequest:
    """Open the pull request of a branch, or bring the text of the one that is open up to date.

    Raises
    ------
    PublishError
        If GitHub lets workflows open none.
    """
    from github import GithubException

    found = open_pull(repo, base, branch)
    if found is not None:
        found.edit(title=title, body=body)
        return found
    try:
        return repo.create_pull(base=base, head=branch, title=title, body=body, draft=draft)
    except GithubException as error:
        cause = str((error.data or {}).get("message", "")) if isinstance(error.data, dict) else ""
        fix = "Settings → Actions → General: allow GitHub Actions to create pull requests"
        raise PublishError(f"no pull request of branch {branch} could be opened", None, cause[:500], fix) from None
