"""`bakehouse catalog`: the index over the entries, and whether all is well."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bakehouse.cli import options
from bakehouse.cli.recheck import command as recheck
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from bakehouse.catalog.index import Problem

_folder = click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
_out = click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of the site.  [default: .bakehouse/site]"
)


def _web_address(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
    from bakehouse.catalog.urls import is_plain

    if given is not None and not (given.startswith(("http://", "https://")) and is_plain(given)):
        raise click.BadParameter(f"{given!r} does not begin with https:// or http://")
    return given


@click.group("catalog")
def command() -> None:
    """Build, show or check a catalog."""


@command.command("build")
@_folder
@_out
@click.option(
    "--base-url",
    metavar="URL",
    callback=_web_address,
    help="Where the site will be read; code and feeds show it.",
)
@click.option(
    "--run-for",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="Time for running the snippets of datasets that were not run before, and for fetching pictures.",
)
@options.project
@options.common
def build(
    folder: Path | None, out: Path | None, base_url: str | None, run_for: float, project: Path | None
) -> Reply:  # fmt: skip
    """Write the index over the entries anew, and the web pages.

    Each entry is written in canonical form, too. Without FOLDER: the project's catalogs, local and published. An entry
    that can't be read is a warning, and has a page that says so; 'bakehouse catalog check' fails on it.
    """
    from bakehouse.catalog.register import rebuild
    from bakehouse.cli.site import build_site, site_text

    folders = catalogs(folder, project)
    found = {path: rebuild(path) for path in folders}
    built = build_site(folders, folder, project, out, base_url, run_for)
    reply = _reply(found, "index written")
    site = {"index": str(built.index), "entries": built.entries, "warnings": built.warnings, "snippets": built.states}
    return Reply(f"{reply.text}\n{site_text(built)}", {**reply.document, "site": site})


@command.command("serve")
@_folder
@_out
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="0 takes one that is free."
)
@options.project
@options.common
def serve(folder: Path | None, out: Path | None, port: int, project: Path | None) -> Reply:
    """Show the web pages on this machine, until you press Ctrl-C.

    The pages are built if they are not there. Stores on this machine's disks are served beside them, so that the pages
    can draw them. Nothing is reachable from other machines.
    """
    from bakehouse.cli.site import serve_site

    return serve_site(catalogs(folder, project), folder, project, out, port)


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

    return _reply({path: checks.check(path) for path in catalogs(folder, project)}, "all is well")


command.add_command(recheck)


def catalogs(folder: Path | None, project: Path | None) -> list[Path]:
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
