"""The pull request that a finished check belongs to: told from GitHub, never from what the check wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bakehouse.errors import UsageError
from bakehouse.github.scope import LABELS, Change, Scope, feedstock_of, judge

if TYPE_CHECKING:
    from github.PullRequest import PullRequest
    from github.Repository import Repository

_COMMIT = re.compile(r"[0-9a-f]{40}")
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Checked:
    """The run of a workflow on a pull request, as the event of its end says it."""

    run_id: int
    commit: str
    branch: str
    repository: str
    succeeded: bool


def checked(said: Mapping[str, Any]) -> Checked:
    """Say which run of a check has ended.

    Raises
    ------
    UsageError
        If the event is not the end of a run on a pull request.
    """
    run = said.get("workflow_run") or {}
    source = run.get("head_repository") or {}
    found = str(run.get("head_sha")), str(source.get("full_name"))
    if run.get("event") != "pull_request" or not _COMMIT.fullmatch(found[0]) or not _REPOSITORY.fullmatch(found[1]):
        raise UsageError("the event is not the end of a check of a pull request", None, None, "use workflow_run")
    return Checked(int(run["id"]), found[0], str(run.get("head_branch")), found[1], run.get("conclusion") == "success")


def pull_of(repo: Repository, run: Checked) -> PullRequest | None:
    """Find the open pull request whose newest commit was checked; None if it was closed or has newer ones."""
    owner = run.repository.split("/")[0]
    for pull in repo.get_pulls(state="open", head=f"{owner}:{run.branch}"):
        source = pull.head.repo
        if pull.head.sha == run.commit and source is not None and source.full_name == run.repository:
            return pull
    return None


def scope_of(pull: PullRequest) -> Scope:
    """Say what a pull request touches, from GitHub's list of its files."""
    files = list(pull.get_files())
    changes = [change for each in files for change in _changes(each)]
    gone = {name for each in changes if each.removed and (name := _described(each.path))}
    back = {name for each in changes if not each.removed and (name := _described(each.path))}
    here = {name for each in changes if (name := feedstock_of(each.path))} - (gone - back)
    found = judge(changes, here)
    whole = len(files) >= pull.changed_files
    return found if whole else Scope(found.feedstocks, found.removed, tuple(dict.fromkeys([*found.touched, "engine"])))


def _changes(file: Any) -> Iterator[Change]:
    yield Change(file.filename, file.status == "removed")
    if file.status == "renamed" and file.previous_filename:
        yield Change(file.previous_filename, removed=True)


def _described(path: str) -> str | None:
    """Give the feedstock that a meta.yaml is of."""
    name = feedstock_of(path)
    return name if name and path in (f"feedstocks/{name}/meta.yaml", f"feedstocks/{name}/feedstock/meta.yaml") else None


def keep_labels(pull: PullRequest, wanted: tuple[str, ...]) -> None:
    """Give a pull request the labels that hold; of others only those that we once gave are taken away."""
    there = {label.name for label in pull.labels}
    if missing := [name for name in wanted if name not in there]:
        pull.add_to_labels(*missing)
    for name in sorted(there & set(LABELS.values()) - set(wanted)):
        pull.remove_from_labels(name)
