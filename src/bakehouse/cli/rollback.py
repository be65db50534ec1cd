"""`bakehouse rollback`: back to a version that was published before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from bakehouse.catalog.entry import Entry


@click.command("rollback")
@options.recipe
@click.option("--to", "to", metavar="VERSION", help="The version to go to; by default the one published before.")
@options.bakery
@options.project
@options.common
def command(name: str, to: str | None, bakery: str | None, project: Path | None) -> Reply:
    """Go back to an earlier version.

    The catalog's entry names that version again. Nothing is written anew and nothing is removed: the later
    version stays until 'gc' removes it, and --to goes forward as well as back.
    """
    from bakehouse.cli.bakeries import place
    from bakehouse.cli.entries import only_entry
    from bakehouse.cli.projects import project_root

    where = place(project_root(project), bakery)
    before = only_entry(where, name)
    from bakehouse.bake.history import rollback

    after = rollback(where.catalog, where.recipe_target(before.feedstock, before.recipe), before, to)
    return Reply(_text(before, after), {"bakery": where.name, "recipes": [_document(before, after)]})


def _document(before: Entry, after: Entry) -> dict[str, Any]:
    from bakehouse.catalog.lines import opening_line

    return {
        "feedstock": after.feedstock,
        "recipe": after.recipe,
        "from": before.version,
        "to": after.version,
        "url": after.store.url,
        "published_at": after.published_at,
        "line": opening_line(after),
    }


def _text(before: Entry, after: Entry) -> str:
    from bakehouse.catalog.lines import opening_line
    from bakehouse.cli.text import labelled, short

    name = short(after.id)
    when = f", published {after.published_at.isoformat(timespec='seconds')}" if after.published_at else ""
    rows = [
        ("store", after.store.url),
        ("note", f"{before.version} stays until it is collected: bakehouse rollback {name} --to {before.version}"),
        ("open", opening_line(after)),
    ]
    return f"{name}: rolled back, version {before.version} → {after.version}{when}\n{labelled(rows)}"
