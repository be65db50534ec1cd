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
    from bakehouse.cli.bakeries import Place
    from bakehouse.cli.engine import Done, Settings
    from bakehouse.cli.selection import Chosen


@click.command("verify")
@options.recipe
@options.level
@options.bakery
@options.workers
@options.mirrors
@options.project
@options.common
def command(
    name: str,
    level: str | None,
    bakery: str | None,
    workers: int | None,
    mirrors: tuple[tuple[str, str], ...],
    project: Path | None,
) -> Reply:
    """Check a published store again.

    It is compared with its proof, with the catalog and with its sources. Always exhaustive: every object is
    there and has its size, the root document and the proof are those that were registered, the inputs are those
    that the store was made from. Values are compared with their sources in full for small stores and with
    --full (which also hashes every object), else in a sample of the tasks.
    """
    from bakehouse.cli.bakeries import place
    from bakehouse.cli.engine import Settings, run_each
    from bakehouse.cli.projects import project_root
    from bakehouse.cli.selection import choose

    root = project_root(project)
    settings = Settings(place(root, bakery), None, level, workers, dict(mirrors))
    done = run_each("verifying", choose(root, [name]), partial(_verify, settings))
    return Reply(
        _text(done, level),
        {"recipes": [_document(each, level) for each in done]},
        ok=all(not each.error for each in done),
    )


def _verify(settings: Settings, chosen: Chosen, watch: Any) -> Outcome:
    entry = _entry(settings.place, chosen.name)
    from bakehouse.bake import verify_recipe

    return verify_recipe(settings.job(chosen, watch), entry)


def _entry(place: Place, name: str) -> Any:
    from bakehouse.catalog.lookup import FolderCatalog
    from bakehouse.cli.text import short
    from bakehouse.errors import CatalogError

    entry = FolderCatalog(place.catalog).entry(name)
    if entry is None:
        raise CatalogError(
            f"'{name}' is not registered",
            str(place.catalog),
            "it was never baked in this bakery",
            f"bakehouse bake {short(name)}",
        )
    return entry


def _checks(outcome: Outcome, level: str | None) -> dict[str, str]:
    """Say of each check whether it covers everything."""
    hashed = "their sizes and contents" if level == "full" else "their sizes"
    values = f"{outcome.values_compared:,} values compared with their sources"
    return {
        "objects": f"exhaustive: all {outcome.objects:,} there, compared by {hashed}",
        "root": "exhaustive: root document and proof are those that were registered",
        "inputs": f"exhaustive: they still make version {outcome.version}",
        "values": f"{'exhaustive' if outcome.level == 'full' else 'sampled'}: {values}",
    }


def _document(done: Done, level: str | None) -> dict[str, Any]:
    return {**done.as_dict(), **({} if done.error else {"checks": _checks(done.result, level)})}


def _text(done: list[Done], level: str | None) -> str:
    from bakehouse.cli.text import short

    return "\n".join(f"{short(each.name)}: failed" if each.error else _verified(each, level) for each in done)


def _verified(done: Done, level: str | None) -> str:
    from bakehouse.cli.text import labelled, short

    checks = labelled(list(_checks(done.result, level).items()))
    return f"{short(done.name)}: verified, version {done.result.version}\n{checks}"
