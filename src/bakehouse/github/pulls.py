"""Pull requests that the bot opens, each from a branch of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bakehouse.errors import PublishError
from bakehouse.github.client import needed

if TYPE_CHECKING:
    from github.PullRequest import PullRequest
    from github.Repository import Repository


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
