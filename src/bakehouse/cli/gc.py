"""`bakehouse gc`: remove versions that nobody needs any more."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from bakehouse.bake.collect import Collected
    from bakehouse.catalog.entry import Entry
    from bakehouse.cli.bakeries import Place
    from bakehouse.cli.engine import Done

EVERY = sys.maxsize
"""How many versions stay where no entry says which of them is in use."""


@dataclass(frozen=True)
class Rules:
    """What stays: the `keep` latest versions before the one in use, and all that is younger."""

    keep: int
    older_than_days: float
    dry: bool


@click.command("gc")
@click.argument("names", nargs=-1, metavar="[ID[/RECIPE]]...")
@click.option("--all", "everything", is_flag=True, help="Collect in every recipe's folder.")
@click.option("--keep", type=click.IntRange(min=0), metavar="N", help="Keep the N latest earlier versions.  [1]")
@click.option(
    "--older-than", type=click.FloatRange(min=0), metavar="DAYS", help="Remove nothing that is younger.  [30]"
)
@click.option("--dry-run", "dry", is_flag=True, help="Only say what would be removed.")
@options.bakery
@options.project
@options.common
def command(
    names: tuple[str, ...], everything: bool, keep: int | None, older_than: float | None, dry: bool,
    bakery: str | None, project: Path | None,
) -> Reply:  # fmt: skip
    """Remove earlier versions and leftovers.

    The version that the catalog names always stays. Leftovers are what interrupted runs and pruned bakes wrote. A
    bakery's 'retention' in meta.yaml sets other defaults for --keep and --older-than.
    """
    from bakehouse.cli.bakeries import place
    from bakehouse.cli.projects import project_root

    where = place(project_root(project), bakery)
    retention = where.bakery.retention
    days = retention.older_than_days if older_than is None else older_than
    rules = Rules(retention.keep if keep is None else keep, days, dry)
    done = [_one(where, name, rules) for name in _chosen(where, names, everything)]
    document = {"bakery": where.name, **asdict(rules), "recipes": [each.as_dict() for each in done]}
    return Reply(_text(done, dry), document, ok=all(not each.error for each in done))


def _chosen(place: Place, names: tuple[str, ...], everything: bool) -> list[str]:
    """List recipes by their full names; those without a feedstock have their entry only."""
    from bakehouse.cli.entries import registered, strangers
    from bakehouse.cli.projects import feedstock_folder, feedstock_ids, parse_name
    from bakehouse.errors import UsageError

    if bool(names) == everything:
        what = "names and --all exclude each other" if names else "collect what?"
        raise UsageError(what, None, None, "bakehouse gc ID, or bakehouse gc --all")
    ids = feedstock_ids(place.root)
    if everything:
        return [*(f"{i}/{recipe}" for i in ids for recipe in _recipes(place, i)), *strangers(place, ids)]
    named = [parse_name(name) for name in names]
    for each in named:
        if not registered(place, each.feedstock):
            feedstock_folder(place.root, each.feedstock)
    return list(
        dict.fromkeys(
            f"{each.feedstock}/{recipe}"
            for each in named
            for recipe in ([each.recipe] if each.recipe else _recipes(place, each.feedstock))
        )
    )


def _recipes(place: Place, feedstock: str) -> list[str]:
    """List a feedstock's recipes; of one that can't be read, those that were baked."""
    from bakehouse.cli.entries import registered
    from bakehouse.errors import BakehouseError
    from bakehouse.feedstock import find_feedstock, recipe_ids

    try:
        said = recipe_ids(find_feedstock(place.root, feedstock))
    except BakehouseError:
        said = []
    return list(dict.fromkeys([*said, *registered(place, feedstock)]))


def _one(place: Place, name: str, rules: Rules) -> Done:
    from bakehouse.cli.engine import Done
    from bakehouse.cli.options import debugging
    from bakehouse.cli.reply import explained, say

    try:
        return Done(name, _collect(place, name, rules))
    except Exception as error:
        found = explained(error, debugging())
        say(str(found))
        return Done(name, error=found)


def _collect(place: Place, name: str, rules: Rules) -> dict[str, Any]:
    """Collect in a recipe's folder, and in that of its pruned bakes; without an entry no version goes."""
    from bakehouse.bake.collect import collect
    from bakehouse.cli.entries import entry_of

    feedstock, _, recipe = name.partition("/")
    entry, target, days = entry_of(place, name), place.recipe_target(feedstock, recipe), rules.older_than_days
    keep = rules.keep if entry else EVERY
    pruned = place.recipe_target(feedstock, recipe, 1)
    others = [other for _, other in _others(place, name)]
    _insist_unused(place, name, collect(place.catalog, target, entry, keep, days, dry=True))
    found = collect(place.catalog, target, entry, keep, days, rules.dry, others)
    return _sum(found, collect(place.catalog, pruned, None, EVERY, days, rules.dry))


def _sum(found: Collected, pruned: Collected) -> dict[str, Any]:
    return {
        "versions": list(found.versions),
        "leftovers": [*found.leftovers, *(f"pruned/{each}" for each in pruned.leftovers)],
        "objects": found.objects + pruned.objects,
        "bytes_freed": found.bytes_freed + pruned.bytes_freed,
    }


def _insist_unused(place: Place, name: str, found: Collected) -> None:
    """Refuse to remove a version that the project's other catalog names: bakeries may share a target."""
    from bakehouse.cli.text import short
    from bakehouse.errors import CatalogError

    for folder, entry in _others(place, name):
        if entry.version in found.versions:
            cause = f"the entry in {folder} names version {entry.version}, which is to be removed"
            raise CatalogError(
                "another catalog uses the same target", name, cause, f"bakehouse gc {short(name)} --bakery NAME"
            )


def _others(place: Place, name: str) -> list[tuple[Path, Entry]]:
    from bakehouse.catalog.lookup import LOCAL, PUBLISHED, FolderCatalog

    folders = [place.root / each for each in (LOCAL, PUBLISHED) if place.root / each != place.catalog]
    return [(folder, entry) for folder in folders if (entry := FolderCatalog(folder).entry(name))]


def _text(done: list[Done], dry: bool) -> str:
    from bakehouse.cli.text import human_bytes, plural, short

    lines = [_line(short(each.name), each.result, dry) for each in done if not each.error]
    failed = [short(each.name) for each in done if each.error]
    lines += [f"{plural(len(failed), 'recipe')} failed: {', '.join(failed)}"] if failed else []
    total = sum(each.result["bytes_freed"] for each in done if not each.error)
    if len(done) > 1:
        lines.append(f"{human_bytes(total)} {'would be ' if dry else ''}freed")
    return "\n".join(lines) or "no recipes yet: bakehouse new ID"


def _line(name: str, found: dict[str, Any], dry: bool) -> str:
    from bakehouse.cli.text import human_bytes, labelled, plural

    if not found["versions"] and not found["leftovers"]:
        return f"{name}: nothing to remove"
    freed = f"{plural(found['objects'], 'object')}, {human_bytes(found['bytes_freed'])} freed"
    kinds = (("version", found["versions"]), ("leftover", found["leftovers"]))
    rows = [(kind, each) for kind, listed in kinds for each in listed]
    counts = " and ".join(plural(len(listed), kind) for kind, listed in kinds if listed)
    return f"{name}: {'would remove' if dry else 'removed'} {counts} ({freed})\n{labelled(rows)}"
