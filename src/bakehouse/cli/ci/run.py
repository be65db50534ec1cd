"""`bakehouse ci run`: run recipes and wait for what really becomes of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from bakehouse.cli import options
from bakehouse.cli.ci import given
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from bakehouse.cli.bakeries import Place
    from bakehouse.github.runs import Mode, RunResult


@click.command("run")
@options.recipe
@options.bakery
@options.prune()
@click.option(
    "--mode",
    type=click.Choice(["bake", "refresh", "update"]),
    default="bake",
    show_default=True,
    help="Bake what is not there, make a new version, or add what has come since.",
)
@click.option(
    "--credential-free", is_flag=True, help="Run recipes that nobody has merged: no credentials, a target on this disk."
)
@click.option(
    "--limit", type=click.FloatRange(min=0, min_open=True), metavar="MINUTES", help="Stop it after that long."
)
@given.out("run.json and the entries")
@options.project
@options.common
def command(
    name: str, bakery: str | None, prune: int | None, mode: str, credential_free: bool, limit: float | None, out: Path,
    project: Path | None,
) -> Reply:  # fmt: skip
    """Run recipes and hand over what came of it.

    They run in a process of their own, which gets nothing of GitHub's: no token, no address. With --credential-free it
    gets next to nothing of this one's environment, and the command refuses to run where there are credentials, because
    a recipe could read them here. DIR/run.json says what became of each recipe, DIR/entries/ID/RECIPE.json are their
    entries; secrets are in neither. The exit status is that of the bake: 0 only if every recipe went well.
    """
    from bakehouse.cli.projects import parse_name, project_root
    from bakehouse.errors import UsageError
    from bakehouse.github import outputs
    from bakehouse.github.reports import run_report
    from bakehouse.github.running import Asked, run_recipes

    root = project_root(project)
    place, named = _place(root, bakery, credential_free), parse_name(name)
    asked = Asked(
        root, place.catalog, named.feedstock, place.name, cast("Mode", mode), named.recipe, prune, credential_free,
        limit * 60 if limit else None, _has_requirements(root, named.feedstock),
        tuple(each.model_dump() for each in place.project.bakeries.values()),
    )  # fmt: skip
    if prune and mode != "bake":
        raise UsageError(f"--prune and --mode {mode} exclude each other", None, None, "leave one of them out")
    result = run_recipes(asked, out)
    outputs.summary(run_report(result, place.project))
    return Reply(_text(result), _document(result), result.ok, result.exit_status)


def _place(root: Path, bakery: str | None, credential_free: bool) -> Place:
    """Choose the bakery; strangers' recipes write to this disk alone.

    Raises
    ------
    UsageError
        If the project has none for them, or another one was named.
    """
    from bakehouse.cli.bakeries import place
    from bakehouse.errors import UsageError

    named = place(root, bakery)
    names = [named.name] if bakery else [named.name, *named.project.bakeries]
    for found in (place(root, each) for each in names) if credential_free else ():
        if found.bakery.runner == "direct" and found.target.is_local and found.bakery.catalog == "local":
            return found
    if not credential_free:
        return named
    fix = "add to meta.yaml: bakeries: {local: {target: .bakehouse/stores}}"
    raise UsageError("no bakery for recipes that nobody has merged", named.title, "they write to this disk only", fix)


def _has_requirements(root: Path, feedstock: str) -> bool:
    from bakehouse.cli.projects import feedstock_folder
    from bakehouse.meta.load import REQUIREMENTS, meta_folder

    return (meta_folder(feedstock_folder(root, feedstock)) / REQUIREMENTS).is_file()


def _text(result: RunResult) -> str:
    from bakehouse.cli.text import plural

    good = [f"{each.feedstock}/{each.recipe}: {each.status}" for each in result.recipes if each.ok]
    bad = [f"{name}: {failure.message}" for name, failure in result.failures]
    verdict = f"{plural(len(result.recipes), 'recipe')}, {result.duration_s:.1f} s, exit status {result.exit_status}"
    return "\n".join([*good, *bad, verdict])


def _document(result: RunResult) -> dict[str, Any]:
    document = result.model_dump(mode="json")
    return {key: value for key, value in document.items() if key not in ("schema_version", "ok")}
