"""`bakehouse test`: what a contributor runs before a pull request."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply, say
from bakehouse.errors import UsageError

if TYPE_CHECKING:
    from bakehouse.bake import Outcome
    from bakehouse.cli.engine import Done, Settings
    from bakehouse.cli.selection import Chosen, Failed
    from bakehouse.cli.words import Where
    from bakehouse.meta.findings import Finding


@click.command("test")
@options.recipes
@options.elsewhere
@options.isolated
@options.prune(2)
@options.workers
@options.mirrors
@options.cache
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Leave the pruned store, its preview and its entry there.",
)
@options.project
@options.common
def command(
    names: tuple[str, ...],
    subdir: str | None,
    ref: str | None,
    isolated: bool,
    prune: int,
    workers: int | None,
    mirrors: tuple[tuple[str, str], ...],
    cache: str | None,
    keep: Path | None,
    project: Path | None,
) -> Reply:
    """Try a feedstock in a sandbox.

    Lints it, then bakes its recipes from the first inputs. Every value is compared with its source, the store
    is opened again, nothing is registered and nothing is left behind; with --keep, what was made can be looked at:
    'bakehouse catalog build FOLDER/catalog' makes its page. Lints fail the test, but not that of a
    feedstock that was written for Pangeo Forge.
    """
    from bakehouse.cli.bakeries import place_around
    from bakehouse.cli.engine import Settings, run_each
    from bakehouse.cli.findings import lints
    from bakehouse.cli.isolation import isolate
    from bakehouse.cli.words import Where

    place = place_around(project, None, names)
    if isolated:
        isolate(place.root, names, Where(subdir, ref))
    settings = Settings(place, prune, "full", workers, dict(mirrors), cache)
    findings, chosen = _chosen(place.root, names, Where(subdir, ref))
    done = run_each("testing", chosen, partial(_try, settings, keep))
    ok = not lints(findings) and all(not each.error for each in done)
    document = {"findings": [f.as_dict() for f in findings], "recipes": [each.as_dict() for each in done]}
    kept = [f"kept, pruned: {keep}"] if keep and any(not each.error for each in done) else []
    return Reply("\n".join([*kept, _text(" ".join(names), done, findings, ok)]), document, ok)


def _chosen(root: Path, names: tuple[str, ...], where: Where) -> tuple[list[Finding], list[Chosen | Failed]]:
    """Lint first; a feedstock whose lints stop a bake has no recipes to try."""
    from bakehouse.cli.findings import blocking, listing
    from bakehouse.cli.selection import choose

    findings: list[Finding] = []

    def check(folder: Path, root: Path) -> None:
        found = [each for each in _judged(folder, root) if each not in findings]
        findings.extend(found)
        if found:
            say(listing(found))
        if blocking(found):
            raise Unsound("lints stop it", str(folder))

    try:
        return findings, choose(root, names, check, where)
    except Unsound:
        return findings, []


class Unsound(UsageError):
    """Lints stop a feedstock; they were shown."""


def _judged(folder: Path, root: Path) -> list[Finding]:
    """Lint a feedstock; what was not written for Bakehouse gets hints where others get lints."""
    from bakehouse.cli.findings import is_foreign
    from bakehouse.meta.lint import lint_feedstock

    found = lint_feedstock(folder, root)
    return [replace(each, severity="hint") for each in found] if is_foreign(folder) else found


def _try(settings: Settings, keep: Path | None, chosen: Chosen, watch: Any) -> Outcome:
    from bakehouse.bake import try_recipe

    return try_recipe(settings.job(chosen, watch), keep)


def _text(name: str, done: list[Done], findings: list[Finding], ok: bool) -> str:
    from bakehouse.cli.findings import summary
    from bakehouse.cli.text import short

    lines = [_line(each) for each in done if not each.error]
    lines += [f"{short(each.name)}: failed" for each in done if each.error]
    return "\n".join([*lines, f"{'ok' if ok else 'failed'}: {name}, {summary(findings)}"])


def _line(done: Done) -> str:
    from bakehouse.cli.text import human_bytes, plural, short

    outcome = done.result
    size = f"{plural(outcome.objects, 'object')}, {human_bytes(outcome.bytes_stored)}, {outcome.duration_s:.1f} s"
    compared = f"compared with its sources ({outcome.values_compared:,} values)"
    return f"{short(done.name)}: baked, {compared}, opened again ({size})"
