"""`bakehouse update`: add to published stores what has come since."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply, say

if TYPE_CHECKING:
    from bakehouse.bake import Outcome
    from bakehouse.catalog.entry import Entry
    from bakehouse.cli.engine import Done, Settings
    from bakehouse.cli.selection import Chosen, Failed
    from bakehouse.plan.base import Base


@click.command("update")
@click.argument("names", nargs=-1, metavar="[ID[/RECIPE]|(PATH|URL [RECIPE]...)]...")
@click.option("--all", "everything", is_flag=True, help="Update every recipe that was baked.")
@click.option("--changed", is_flag=True, help="Ask every input whether it has changed, and write anew those that have.")
@options.elsewhere
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
    names: tuple[str, ...], everything: bool, changed: bool, subdir: str | None, ref: str | None, missing: str,
    bakery: str | None, workers: int | None, level: str | None, mirrors: tuple[tuple[str, str], ...],
    cache: str | None, previews: bool, job_id: str | None, project: Path | None,
) -> Reply:  # fmt: skip
    """Add what has come since the last bake.

    Inputs that the store was made from are not read again, but for a few if the recipe was edited: what it makes
    of them must be what is stored. Gaps whose inputs have come are filled. New inputs behind the last are
    appended to the store; gaps and changed inputs make a version beside it that shares all other objects. Doing
    it twice changes nothing, and an update that was cut short is completed by running the same command again.
    """
    from bakehouse.cli.bakeries import place_around
    from bakehouse.cli.engine import Settings, run_each
    from bakehouse.cli.selection import choose_either, insist_one_job
    from bakehouse.cli.words import Where

    chosen_place = place_around(project, bakery, names)
    settings = Settings(
        chosen_place, None, level, workers, dict(mirrors), cache, missing=missing, previews=previews, job_id=job_id,
        verb="update --changed" if changed else "update",
    )  # fmt: skip
    chosen = choose_either("update", chosen_place, names, everything, where=Where(subdir, ref))
    insist_one_job(job_id, chosen, chosen_place)
    done = run_each("updating", _baked(settings, chosen) if everything else chosen, partial(_update, settings, changed))
    document = {"bakery": chosen_place.name, "recipes": [each.as_dict() for each in done]}
    return Reply(_text(done), document, ok=all(not each.error for each in done))


def _baked(settings: Settings, chosen: list[Chosen | Failed]) -> list[Chosen | Failed]:
    """Pass over recipes that were never baked."""
    from bakehouse.cli.entries import registered
    from bakehouse.cli.selection import Failed
    from bakehouse.cli.text import short

    kept: list[Chosen | Failed] = []
    for each in chosen:
        if isinstance(each, Failed) or each.recipe in registered(settings.place, each.feedstock.id):
            kept.append(each)
        else:
            say(f"{short(each.name)}: not baked yet, passed over")
    return kept


@dataclass(frozen=True)
class Changes:
    """How many inputs of a version are not those of the version before; `gaps` are there still."""

    added: int = 0
    changed: int = 0
    filled: int = 0
    gaps: int = 0


def changes_between(before: Base, after: Base) -> Changes:
    """Count what a version has that the one before has not."""
    fresh = [(known, before.by_key.get(known.key)) for known in after.inputs if not known.gap]
    return Changes(
        sum(old is None for _, old in fresh),
        sum(old is not None and not old.gap and old.identity != known.identity for known, old in fresh),
        sum(old is not None and old.gap for _, old in fresh),
        len(after.gaps),
    )


def _update(settings: Settings, changed: bool, chosen: Chosen, watch: Any) -> dict[str, Any]:
    from bakehouse.cli.current import is_current
    from bakehouse.cli.entries import insist_entry

    entry = insist_entry(settings.place, chosen.name)
    if not changed and is_current(settings.place, chosen, entry):
        return _as_it_is(settings, entry)
    from bakehouse.bake import update

    outcome = update(settings.job(chosen, watch), settings.place.catalog, changed)
    return {**_document(settings, entry, outcome), "outdated": _is_outdated(chosen, entry, outcome)}


def _document(settings: Settings, before: Entry, outcome: Outcome) -> dict[str, Any]:
    from bakehouse.writers.versions import load_base

    target = settings.place.recipe_target(before.feedstock, before.recipe)
    found = changes_between(load_base(target, before.version or ""), load_base(target, outcome.version))
    said = {"before": before.version, "changes": asdict(found)}
    return {**asdict(outcome), **said, "added": outcome.added if found.added else None}


def _as_it_is(settings: Settings, entry: Entry) -> dict[str, Any]:
    """Answer for a store that lacks nothing as the engine would."""
    from bakehouse.catalog.lines import opening_line

    facts, path = entry.facts, settings.place.catalog / entry.feedstock / f"{entry.recipe}.json"
    done = {"tasks": 0, "tasks_done_before": 0, "duration_s": 0.0, "notes": [], "checks": [], "added": None}
    done |= {"phases_s": {}, "job_id": None, "job_name": None, "cost_usd": None}
    return {
        **done, "status": "unchanged", "version": entry.version, "before": entry.version, "url": entry.store.url,
        "objects": facts.objects if facts else None, "bytes_stored": facts.bytes_stored if facts else None,
        "level": entry.check.level, "values_compared": entry.check.values_compared or 0,
        "entry": str(path), "line": opening_line(entry), "changes": asdict(Changes()), "outdated": False,
    }  # fmt: skip


def _is_outdated(chosen: Chosen, entry: Entry, outcome: Outcome) -> bool:
    """Say whether the recipe has changed in a way that brought no inputs."""
    same = entry.provenance.recipe_digest == f"sha256:{chosen.feedstock.digest_of(chosen.recipe)}"
    return outcome.version == entry.version and not same


def _text(done: list[Done]) -> str:
    from bakehouse.cli.text import plural, short

    updated = [_updated(short(each.name), each.result) for each in done if not each.error]
    failed = [short(each.name) for each in done if each.error]
    return "\n".join([*updated, *([f"{plural(len(failed), 'recipe')} failed: {', '.join(failed)}"] if failed else [])])


def _updated(name: str, result: dict[str, Any]) -> str:
    from bakehouse.cli.text import labelled

    if result["version"] == result["before"]:
        title, rows, end = f"{name}: nothing new, version {result['version']}", [], []
    else:
        title = f"{name}: updated, version {result['before']} → {result['version']} ({result['duration_s']:.1f} s)"
        rows, end = [*_brought(result), ("store", result["url"]), _checked(result)], [("open", result["line"])]
    rows = [*rows, *(("note", note) for note in [*result["notes"], *_remarks(name, result)]), *end]
    return "\n".join([title, *([labelled(rows)] if rows else [])])


def _brought(result: dict[str, Any]) -> list[tuple[str, str]]:
    from bakehouse.cli.text import plural

    changes = result["changes"]
    said = (
        ("added", changes["added"], f"{result['added']} ({plural(changes['added'], 'input')})"),
        ("changed", changes["changed"], f"{plural(changes['changed'], 'input')} written anew"),
        ("filled", changes["filled"], plural(changes["filled"], "gap")),
    )
    return [(label, text) for label, count, text in said if count]


def _checked(result: dict[str, Any]) -> tuple[str, str]:
    how = "every new value" if result["level"] == "full" else "a sample"
    return "checked", f"{how} compared with its source ({result['values_compared']:,})"


def _remarks(name: str, result: dict[str, Any]) -> list[str]:
    from bakehouse.cli.text import plural

    gaps = result["changes"]["gaps"]
    left = [f"{plural(gaps, 'gap is', 'gaps are')} left: the inputs are not there"] if gaps else []
    outdated = f"the recipe has changed; an update keeps what is stored: bakehouse bake {name} makes the store anew"
    return [*left, *([outdated] if result["outdated"] else [])]
