"""`bakehouse ci report`: tell people what came of a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bakehouse.cli import options
from bakehouse.cli.ci import given
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from github.Repository import Repository

    from bakehouse.github.reports import Around
    from bakehouse.github.runs import RunResult
    from bakehouse.meta.project import Project


class Number(click.ParamType[int | None]):
    """The number of an issue or pull request; nothing, as workflows pass it, is none."""

    name = "number"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """Read a number."""
        text = str(value)
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**9):
            self.fail(f"{text[:50]!r} is no number of an issue or pull request", param, ctx)
        return int(text)


_ENDINGS = click.Choice(["", "success", "failure", "cancelled", "skipped"])


@click.command("report")
@given.run
@given.feedstock
@click.option("--pr", type=Number(), metavar="N", help="The pull request that the run is about.")
@click.option("--sha", metavar="SHA", default="", help="The commit that was run, if it is that of a pull request.")
@click.option("--bake-result", type=_ENDINGS, default="", envvar="BAKE_RESULT", show_envvar=True,
              help="How the job that ran the recipes ended.")  # fmt: skip
@click.option("--publish-result", type=_ENDINGS, default="", envvar="PUBLISH_RESULT", show_envvar=True,
              help="How the job that publishes ended.")  # fmt: skip
@click.option("--proposed", type=Number(), metavar="N", envvar="PROPOSED", show_envvar=True,
              help="The pull request that 'bakehouse ci publish' opened.")  # fmt: skip
@options.project
@options.common
def command(
    run: Path, feedstock: str, pr: int | None, sha: str, bake_result: str, publish_result: str, proposed: int | None,
    project: Path | None,
) -> Reply:  # fmt: skip
    """Say what came of a run where people look for it.

    Comments on a pull request: the one that is named, else the one whose merge started the workflow. While any recipe
    of a feedstock fails, one issue says so: what stopped it, the input, how to run it again; it closes by itself. What
    was run for an open pull request, or pruned, opens none. A run that left no result of use counts as failed, and the
    exit status is 1. Reads GITHUB_TOKEN (pull-requests: write, issues: write).
    """
    from bakehouse.cli.projects import project_root
    from bakehouse.github import outputs
    from bakehouse.github.client import repository
    from bakehouse.github.reports import run_report
    from bakehouse.github.telling import Jobs, read_result, tell_issue, tell_pull
    from bakehouse.meta.load import load_project

    root = project_root(project)
    told, repo = load_project(root), repository()
    result = read_result(run, feedstock, Jobs(bake_result, publish_result))
    around = _around(sha, proposed, publish_result == "success" and _is_public(told, result))
    outputs.summary(run_report(result, told, around))
    number, comment, issue = pr or _merged(repo), None, None
    if number:
        comment = tell_pull(repo, number, result, told, around, os.environ.get("GITHUB_RUN_ID", "0"))
    if not result.prune and not result.credential_free and _is_reviewed(repo, number):
        issue = tell_issue(repo, result, told, around, _maintainers(root, feedstock))
    lines = [f"told: {each}" for each in (comment, issue) if each] or ["nobody had to be told"]
    lost = result.failure is not None and result.failure.error == "Lost"
    return Reply("\n".join(lines), {"run_ok": result.ok, "comment": comment, "issue": issue, "lost": lost}, ok=not lost)


def _is_public(project: Project, result: RunResult) -> bool:
    """Say whether the bakery of a run registers in the published catalog, and a whole dataset was baked."""
    bakery = project.bakeries.get(result.bakery)
    return bakery is not None and bakery.catalog == "published" and not result.prune


def _around(sha: str, proposed: int | None, is_published: bool) -> Around:
    from bakehouse.github.reports import Around

    said = [os.environ.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    url = "{}/{}/actions/runs/{}".format(*said) if all(said) else None
    return Around(url, sha or None, is_published and not proposed, proposed)


def _merged(repo: Repository) -> int | None:
    """Find the pull request whose merge was pushed, if that is what started the workflow."""
    if os.environ.get("GITHUB_EVENT_NAME") != "push" or not os.environ.get("GITHUB_SHA"):
        return None
    pulls = [each for each in repo.get_commit(os.environ["GITHUB_SHA"]).get_pulls() if each.merged_at is not None]
    return pulls[0].number if pulls else None


def _is_reviewed(repo: Repository, number: int | None) -> bool:
    return number is None or bool(repo.get_pull(number).merged)


def _maintainers(root: Path, feedstock: str) -> list[str]:
    from bakehouse.cli.projects import find_feedstock
    from bakehouse.errors import BakehouseError

    try:
        return [each.github for each in find_feedstock(root, feedstock).meta.maintainers if each.github]
    except BakehouseError:
        return []
