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
    from bakehouse.cli.bakeries import Place
    from bakehouse.cli.configured import Configured
    from bakehouse.cli.engine import Done, Settings
    from bakehouse.cli.selection import Chosen, Failed


@click.command("bake", cls=options.WithTraits)
@click.argument("names", nargs=-1, metavar="[ID[/RECIPE]|(PATH|URL [RECIPE]...)]...")
@click.option("--all", "everything", is_flag=True, help="Bake every recipe of the project.")
@options.elsewhere
@options.traits
@options.isolated
@options.prune()
@click.option("--refresh", is_flag=True, help="Make a new version beside the published one, whatever has changed.")
@options.missing
@options.bakery
@options.workers
@options.level
@options.mirrors
@options.cache
@options.previews
@options.job_id
@options.project
@options.common
def command(
    names: tuple[str, ...], everything: bool, subdir: str | None, ref: str | None, config: Path | None,
    traits: tuple[str, ...], isolated: bool, prune: int | None, refresh: bool, missing: str, bakery: str | None,
    workers: int | None, level: str | None, mirrors: tuple[tuple[str, str], ...], cache: str | None,
    previews: bool, job_id: str | None, project: Path | None,
) -> Reply:  # fmt: skip
    """Write, check and register stores.

    Each store is compared with its sources before it is published, then registered in the bakery's catalog.
    Without RECIPE: all of a feedstock's. One that fails doesn't stop the others. What was published before
    stays as it is; a bake that was cut short is completed by running the same command again. Pruned bakes are
    never registered.

    On a bakery whose jobs are a service's, the command follows the job to its end. Interrupted or cut off, the job
    goes on; running the same command again follows it instead of starting another.

    A feedstock may lie anywhere: PATH is its folder or repository, URL a git repository (https, ssh, file); the
    words that follow are its recipes. Feedstocks of Pangeo Forge and LEAP need no change. Outside of any project,
    stores lie in .bakehouse below the working directory. Settings of pangeo-forge-runner are taken from its
    configuration files (-f), or as it takes them: --Bake.prune=True, --TargetStorage.root_path=…
    """
    from bakehouse.cli.bakeries import place_around
    from bakehouse.cli.configured import configured
    from bakehouse.cli.engine import Settings, run_each
    from bakehouse.cli.isolation import isolate
    from bakehouse.cli.selection import choose_either, insist_one_job
    from bakehouse.cli.words import Where, asked

    given = configured(config, traits)
    prune = prune or given.prune
    _insist_refreshable(refresh, prune)
    _insist_one_target(bakery, given)
    names, said = asked(names, given.text("repo"), given.text("feedstock_subdir"), given.text("ref"))
    where = Where(subdir or said.subdir, ref or said.ref)
    place = place_around(project, bakery, names)
    if isolated:
        isolate(place.root, names, where)
    publishing = prune is None and not given.has_target
    chosen = given.only(choose_either("bake", place, names, everything, publishing, where))
    jobs = _jobs(chosen, given.text("job_name"))
    place = given.place(place, next(iter(jobs.values()), ("", ""))[0])
    insist_one_job(job_id, chosen, place)
    said_name = given.text("job_name")
    settings = Settings(
        place, prune, level, workers, dict(mirrors), cache, refresh, missing, previews, said_name, job_id
    )
    _say_where(place, bool(chosen))
    done = run_each("baking", chosen, partial(_bake, settings))
    recipes = [_document(each, jobs[each.name][1]) for each in done]
    last = {key: recipes[-1][key] if recipes else None for key in ("job_id", "job_name")}
    return Reply(
        _text(done), {"bakery": place.name, **last, "recipes": recipes}, ok=all(not each.error for each in done)
    )


def _jobs(chosen: list[Chosen | Failed], given: str | None) -> dict[str, tuple[str, str]]:
    """Name the job of each feedstock, and that of each of its recipes."""
    from bakehouse.cli.configured import job_name

    pairs = [each.name.partition("/")[::2] for each in chosen]
    alone = {feedstock: sum(each == feedstock for each, _ in pairs) == 1 for feedstock, _ in pairs}
    return {
        each.name: (job_name(feedstock, given), job_name(feedstock, given, None if alone[feedstock] else recipe))
        for each, (feedstock, recipe) in zip(chosen, pairs, strict=True)
    }


def _insist_refreshable(refresh: bool, prune: int | None) -> None:
    from bakehouse.errors import UsageError

    if refresh and prune:
        cause = "a pruned bake is never registered, so there is nothing to refresh"
        raise UsageError("--refresh and --prune exclude each other", None, cause, "leave one of them out")


def _insist_one_target(bakery: str | None, given: Configured) -> None:
    from bakehouse.errors import UsageError

    if bakery and given.has_target:
        raise UsageError(f"TargetStorage and --bakery {bakery} exclude each other", None, None, "leave one of them out")


def _say_where(place: Place, baking: bool) -> None:
    """Outside of any project, say where stores lie, and keep that folder out of the repository that it lies in."""
    from bakehouse.cli.reply import say

    if not (place.is_alone and baking):
        return
    folder = place.root / ".bakehouse"
    folder.mkdir(exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    say(f"no project around: stores lie in {place.target.path}, entries in {place.catalog}")


def _bake(settings: Settings, chosen: Chosen, watch: Any) -> Outcome:
    from bakehouse.bake import bake

    return bake(settings.job(chosen, watch), None if settings.prune else settings.place.catalog)


def _document(done: Done, job: str) -> dict[str, Any]:
    said = {} if done.error else {"line": opening(done.result)}
    name = job if done.error else done.result.job_name or job
    return {**done.as_dict(), **said, "job_name": name, "job_id": None if done.error else _job_id(done.result)}


def _job_id(outcome: Outcome) -> str:
    """Give the id of a service's job; without a service, the version stands for what was done."""
    return outcome.job_id or outcome.version


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
        *([("cost", f"about ${outcome.cost_usd:.2f}, at list prices")] if outcome.cost_usd is not None else []),
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
