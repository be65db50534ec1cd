"""`bakehouse bake`: make stores, check them, register them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from bakehouse.bake import Outcome
    from bakehouse.cli.engine import Done, Settings
    from bakehouse.cli.selection import Chosen


@click.command("bake")
@click.argument("names", nargs=-1, metavar="[ID[/RECIPE]]...")
@click.option("--all", "everything", is_flag=True, help="Bake every recipe of the project.")
@options.prune()
@click.option("--refresh", is_flag=True, help="Make a new version beside the published one, whatever has changed.")
@options.missing
@options.bakery
@options.workers
@options.level
@options.mirrors
@options.cache
@options.previews
@options.project
@options.common
def command(
    names: tuple[str, ...], everything: bool, prune: int | None, refresh: bool, missing: str, bakery: str | None,
    workers: int | None, level: str | None, mirrors: tuple[tuple[str, str], ...], cache: str | None,
    previews: bool, project: Path | None,
) -> Reply:  # fmt: skip
    """Write, check and register stores.

    Each store is compared with its sources before it is published, then registered in the bakery's catalog.
    Without RECIPE: all of a feedstock's. One that fails doesn't stop the others. What was published before
    stays as it is; a bake that was cut short is completed by running the same command again. Pruned bakes are
    never registered.
    """
    from bakehouse.cli.bakeries import place
    from bakehouse.cli.engine import Settings, run_each
    from bakehouse.cli.projects import project_root
    from bakehouse.cli.selection import choose_either

    _insist_refreshable(refresh, prune)
    where = place(project_root(project), bakery)
    settings = Settings(where, prune, level, workers, dict(mirrors), cache, refresh, missing, previews)
    chosen = choose_either("bake", where, names, everything, publishing=prune is None)
    done = run_each("baking", chosen, partial(_bake, settings))
    return Reply(
        _text(done),
        {"bakery": settings.place.name, "recipes": [_document(each) for each in done]},
        ok=all(not each.error for each in done),
    )


def _insist_refreshable(refresh: bool, prune: int | None) -> None:
    from bakehouse.errors import UsageError

    if refresh and prune:
        cause = "a pruned bake is never registered, so there is nothing to refresh"
        raise UsageError("--refresh and --prune exclude each other", None, cause, "leave one of them out")


def _bake(settings: Settings, chosen: Chosen, watch: Any) -> Outcome:
    from bakehouse.bake import bake

    return bake(settings.job(chosen, watch), None if settings.prune else settings.place.catalog)


def _document(done: Done) -> dict[str, Any]:
    return {**done.as_dict(), **({} if done.error else {"line": opening(done.result)})}


def _text(done: list[Done]) -> str:
    from bakehouse.cli.text import plural, short

    baked = [_outcome(short(each.name), each.result) for each in done if not each.error]
    failed = [short(each.name) for each in done if each.error]
    return "\n\n".join([*baked, *([f"{plural(len(failed), 'recipe')} failed: {', '.join(failed)}"] if failed else [])])


def _outcome(name: str, outcome: Outcome) -> str:
    from bakehouse.cli.text import human_bytes, labelled, plural

    resumed = (
        f", {outcome.tasks_done_before:,} of {plural(outcome.tasks, 'task')} done before"
        if outcome.tasks_done_before
        else ""
    )
    rows = [
        ("store", outcome.url),
        ("size", f"{human_bytes(outcome.bytes_stored)} in {plural(outcome.objects, 'object')}"),
        ("checked", checked(outcome)),
        *(("note", note) for note in outcome.notes),
        ("open", opening(outcome)),
    ]
    return (
        f"{name}: {outcome.status}, version {outcome.version} ({outcome.duration_s:.1f} s{resumed})\n{labelled(rows)}"
    )


def checked(outcome: Outcome) -> str:
    """Say how much of a store was compared with its sources."""
    if outcome.level == "full":
        return f"every value compared with its source ({outcome.values_compared:,})"
    return f"a sample compared with its sources ({outcome.values_compared:,} values); every object there, of its size"


def opening(outcome: Outcome) -> str:
    """Give the line that opens what was baked; what is not in a catalog is opened by its url."""
    return outcome.line if outcome.entry and outcome.line else f"xarray.open_zarr({outcome.url!r})"
