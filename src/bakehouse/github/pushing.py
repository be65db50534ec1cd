"""Change a branch of the remote beside whatever others push meanwhile: made again on top of theirs, never merged."""

from __future__ import annotations

import random
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bakehouse.errors import PublishError
from bakehouse.github.git import Git, git_environment, safe_branch

TRIES = 12
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 20.0
_RACE = re.compile(
    r"\[rejected\]|non-fast-forward|fetch first|stale info|cannot lock ref|failed to update ref|failed to lock"
    r"|reference already exists|incorrect old value|Unable to create .*\.lock",
)
_OFFLINE = re.compile(r"Could not resolve host|timed out|Connection (?:reset|refused)|early EOF|hung up|error: 5\d\d")

Change = Callable[[Git, str | None], str | None]
"""Changes files of a checkout; gets the commit of the branch that is pushed to, if it is there; gives the message."""


@dataclass(frozen=True)
class Pushed:
    """What a push came to; `sha` is None where there was nothing to change."""

    sha: str | None
    tries: int


def push_change(
    url: str, base: str, branch: str, paths: Sequence[str], change: Change, tries: int = TRIES, replace: bool = False
) -> Pushed:
    """Commit a change on top of a branch, and push it to the same or to another one.

    Parameters
    ----------
    paths
        Folders or files that the change may touch; nothing else is committed.
    tries
        How often it is made anew on top of what others have pushed meanwhile, with growing waits between.
    replace
        Whether what is on the other branch is replaced, unless somebody pushed to it meanwhile.

    Raises
    ------
    PublishError
        If the remote refuses it for another reason, or every time.
    """
    base, branch = safe_branch(base), safe_branch(branch)
    with tempfile.TemporaryDirectory(prefix="bakehouse-push-") as folder:
        git = Git(Path(folder), git_environment(url))
        git("init", "--quiet")
        git("remote", "add", "--", "origin", url)
        for attempt in range(1, tries + 1):
            said = _attempt(git, base, branch, paths, change, replace)
            if isinstance(said, Pushed):
                return Pushed(said.sha, attempt)
            time.sleep(random.uniform(0, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**attempt)))
    raise PublishError(f"could not push to {branch}", url, f"{tries} tries; the last: {said}", "run the job again")


def _attempt(git: Git, base: str, branch: str, paths: Sequence[str], change: Change, replace: bool) -> Pushed | str:
    """Try once; a text says why it may go well the next time."""
    known = _heads(git, {base, branch})
    if isinstance(known, str):
        return known
    if base not in known:
        raise PublishError(f"there is no branch {base}", None, None, "name the branch that pull requests go to")
    git("checkout", "--quiet", "--force", "--detach", known[base])
    git("clean", "--quiet", "--force", "-d", "-x")
    message = change(git, known.get(branch))
    for path in paths:
        if (git.folder / path).exists():
            git("add", "--all", "--force", "--", path)
    if message is None or not git.attempt("diff", "--cached", "--quiet").returncode:
        return Pushed(None, 1)
    git("commit", "--quiet", "--no-verify", "-m", message)
    return _push(git, branch, known.get(branch), replace)


def _heads(git: Git, branches: set[str]) -> dict[str, str] | str:
    """Fetch branches as they are now, with no history."""
    listed = git.attempt("ls-remote", "--heads", "--", "origin", *(f"refs/heads/{each}" for each in sorted(branches)))
    if listed.returncode:
        return _passing(git.said(listed))
    pairs = [line.split("\t") for line in listed.stdout.splitlines()]
    known = {ref.removeprefix("refs/heads/"): sha for sha, ref in pairs}
    known = {name: sha for name, sha in known.items() if name in branches}
    refs = [f"+refs/heads/{name}:refs/remotes/origin/{name}" for name in sorted(known)]
    if (
        refs
        and (fetched := git.attempt("fetch", "--quiet", "--no-tags", "--depth=1", "--", "origin", *refs)).returncode
    ):
        return _passing(git.said(fetched))
    return {name: git("rev-parse", "--verify", f"refs/remotes/origin/{name}").strip() for name in known}


def _push(git: Git, branch: str, before: str | None, replace: bool) -> Pushed | str:
    lease = [f"--force-with-lease=refs/heads/{branch}:{before or ''}"] if replace else []
    pushed = git.attempt("push", "--porcelain", *lease, "--", "origin", f"HEAD:refs/heads/{branch}")
    if not pushed.returncode:
        return Pushed(git("rev-parse", "HEAD").strip(), 1)
    said = git.said(pushed)
    if _RACE.search(said):
        return said
    return _passing(said, "let the workflow push to this branch (contents: write, no rule against it), or publish by "
                    "pull request: publish: pull-request")  # fmt: skip


def _passing(said: str, fix: str | None = None) -> str:
    """Give what may pass by itself back; anything else is final."""
    if _OFFLINE.search(said):
        return said
    raise PublishError("the remote refuses the push" if fix else "the remote can't be read", None, said, fix)
