"""Start runs of the workflow that bakes: one for each feedstock, so that each waits, fails and is rerun by itself."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bakehouse.errors import UsageError
from bakehouse.github.client import needed, repository

if TYPE_CHECKING:
    from github.Repository import Repository

WORKFLOW = "run-recipe.yml"
MOST = 100
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def feedstock_list(text: str) -> tuple[str, ...]:
    """Read a JSON list of ids, as a job before this one handed it over.

    Raises
    ------
    UsageError
        If it is anything else, or more than one workflow should start.

    Examples
    --------
    >>> feedstock_list('["oisst", "ostia"]')
    ('oisst', 'ostia')
    """
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(each, str) and _ID.fullmatch(each) for each in found):
        raise UsageError("not a JSON list of ids", None, repr(text[:200]), 'such as ["oisst", "ostia"]')
    if len(found) > MOST:
        raise UsageError(f"{len(found)} feedstocks at once", None, f"at most {MOST} are started", "start them in turns")
    return tuple(found)


def start(
    feedstocks: Sequence[str], mode: str, publish: Mapping[str, str], environment: Mapping[str, str] = os.environ
) -> int | None:
    """Start a run for each feedstock on the branch of this one; give the pull request that gets to know, if any.

    Parameters
    ----------
    publish
        How the entries of a feedstock are published, where it is said.
    """
    repo = repository(environment)
    number = merged_pull(repo, needed("GITHUB_SHA", environment)) if mode == "bake" else None
    workflow = repo.get_workflow(WORKFLOW)
    for each in feedstocks:
        inputs = {"feedstock": each, "mode": mode, "publish": publish.get(each), "pr": str(number) if number else None}
        given = {name: value for name, value in inputs.items() if value}
        workflow.create_dispatch(needed("GITHUB_REF_NAME", environment), given, throw=True)
    return number


def merged_pull(repo: Repository, sha: str) -> int | None:
    """Give the number of the pull request that a commit of the branch comes from."""
    merged = [pull for pull in repo.get_commit(sha).get_pulls() if pull.merged_at is not None]
    exact = [pull for pull in merged if pull.merge_commit_sha == sha]
    return next((pull.number for pull in (*exact, *merged)), None)
