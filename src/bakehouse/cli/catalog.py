"""`bakehouse catalog`: the index over the entries, and whether all is well."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from bakehouse.catalog.index import Problem

_folder = click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))


@click.group("catalog")
def command() -> None:
    """Build or check a catalog."""


@command.command("build")
@_folder
@options.project
@options.common
def build(folder: Path | None, project: Path | None) -> Reply:
    """Write the index over the entries anew.

    Each entry is written in canonical form, too. Without FOLDER: the project's catalogs, local and published.
    """
    from bakehouse.catalog.register import rebuild

    return _reply({path: rebuild(path) for path in _folders(folder, project)}, "index written")


@command.command("check")
@_folder
@options.project
@options.common
def check(folder: Path | None, project: Path | None) -> Reply:
    """Check entries, names, index and STAC.

    Without FOLDER: the project's catalogs, local and published. Exit status 1 if anything is wrong; 'bakehouse
    explain CODE' says what a code means.
    """
    from bakehouse.catalog import check as checks

    return _reply({path: checks.check(path) for path in _folders(folder, project)}, "all is well")


def _folders(folder: Path | None, project: Path | None) -> list[Path]:
    """Give the folder that was named, or the project's catalogs that have entries or an index."""
    from bakehouse.catalog.lookup import LOCAL, PUBLISHED
    from bakehouse.cli.projects import project_root

    if folder:
        return [folder]
    root = project_root(project)
    return [path for path in (root / LOCAL, root / PUBLISHED) if any(path.glob("*/*.json")) or any(path.glob("*.json"))]


def _reply(found: dict[Path, list[Problem]], good: str) -> Reply:
    lines = [line for path, problems in found.items() for line in _lines(path, problems, good)]
    catalogs = [
        {"folder": str(path), "entries": _count(path), "problems": [asdict(p) for p in problems]}
        for path, problems in found.items()
    ]
    document: dict[str, Any] = {"catalogs": catalogs}
    return Reply(
        "\n".join(lines) or "no catalog yet: bakehouse bake ID makes one", document, ok=not any(found.values())
    )


def _lines(path: Path, problems: list[Problem], good: str) -> list[str]:
    from bakehouse.cli.text import plural

    listed = [f"{path / p.path}: {p.code} {p.message}; fix: {p.fix}" for p in problems]
    verdict = plural(len(problems), "problem") if problems else good
    return [*listed, f"{path}: {plural(_count(path), 'entry', 'entries')}, {verdict}"]


def _count(path: Path) -> int:
    from bakehouse.catalog.index import entry_paths

    return sum(1 for _ in entry_paths(path))
