"""`bakehouse verify`: compare what was published with its proof and with its sources."""

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
    from bakehouse.verify import Statement


@click.command("verify")
@options.recipes
@options.elsewhere
@options.level
@options.bakery
@options.workers
@options.mirrors
@options.project
@options.common
def command(
    names: tuple[str, ...],
    subdir: str | None,
    ref: str | None,
    level: str | None,
    bakery: str | None,
    workers: int | None,
    mirrors: tuple[tuple[str, str], ...],
    project: Path | None,
) -> Reply:
    """Check a published store again.

    It is compared with its proof, with the catalog and with its sources, and every check says how many of how many
    it looked at. Always exhaustive: every object is there and has its size, root, proof and documents are those that
    were registered, arrays agree in length, concat coordinates run one way, the inputs still make this version.
    Contents are hashed in full on a local disk, for small stores and with --full; values are compared with their
    sources in full for small stores and with --full, else in a stated sample of the tasks.
    """
    from bakehouse.cli.bakeries import place_around
    from bakehouse.cli.engine import Settings, run_each
    from bakehouse.cli.selection import choose
    from bakehouse.cli.words import Where

    place = place_around(project, bakery, names)
    settings = Settings(place, None, level, workers, dict(mirrors))
    chosen = choose(place.root, names, where=Where(subdir, ref))
    done = run_each("verifying", chosen, partial(_verify, settings))
    return Reply(
        _text(done),
        {"recipes": [_document(each) for each in done]},
        ok=all(not each.error for each in done),
    )


def _verify(settings: Settings, chosen: Chosen, watch: Any) -> Outcome:
    from bakehouse.cli.entries import insist_entry

    entry = insist_entry(settings.place, chosen.name)
    from bakehouse.bake import verify_recipe

    return verify_recipe(settings.job(chosen, watch), entry)


def _document(done: Done) -> dict[str, Any]:
    return {**done.as_dict(), "checks": {each.check: each.as_dict() for each in _statements(done)}}


def _statements(done: Done) -> tuple[Statement, ...]:
    """Give what was looked at, also if something is wrong with it."""
    if done.error is None:
        return tuple(done.result.checks)
    checked = getattr(done.error, "checked", None)
    return checked.statements if checked else ()


def _text(done: list[Done]) -> str:
    return "\n".join(_verified(each) for each in done)


def _verified(done: Done) -> str:
    from bakehouse.cli.text import labelled, short

    said = "failed" if done.error else f"verified, version {done.result.version}"
    rows = [(each.check, each.text) for each in _statements(done)]
    width = 2 + max((len(label) for label, _ in rows), default=0)
    return "\n".join([f"{short(done.name)}: {said}", *([labelled(rows, width=width)] if rows else [])])
