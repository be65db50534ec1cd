"""`bakehouse import`: a feedstock of Pangeo Forge or LEAP as one of the project's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from bakehouse.feedstock.native import Report


@click.command("import")
@click.argument("place", metavar="PATH|URL")
@click.argument("name", metavar="[ID]", required=False)
@options.elsewhere
@click.option("--overwrite", is_flag=True, help="Replace a feedstock of that id.")
@click.option(
    "--into", "--project", "project", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="PROJECT",
    help="The project's folder; by default the one around the working directory.",
)  # fmt: skip
@options.common
def command(
    place: str, name: str | None, subdir: str | None, ref: str | None, overwrite: bool, project: Path | None
) -> Reply:
    """Take over a feedstock of Pangeo Forge or LEAP.

    Writes feedstocks/ID: meta.yaml and catalog.yaml merged and mended, recipes in YAML where they do no more than
    files_to_zarr and every URL proves equal, in Python otherwise; recipe classes of pangeo-forge-recipes 0.9 and
    earlier as steps. Says what was kept, what was changed and what is left to do. Recipes are imported to see what
    they are made of, off the network. ID is the repository's name without -feedstock if it is left out.
    """
    from bakehouse.cli.projects import insist_id, project_root
    from bakehouse.cli.words import Elsewhere, Where
    from bakehouse.feedstock.native import make_native, native_id
    from bakehouse.meta.load import feedstock_id

    root = project_root(project)
    located = Elsewhere(place, Where(subdir, ref)).located()
    name = insist_id(name or native_id(feedstock_id(located.repository or located.folder)))
    report = make_native(located, root, name, _source(place, located.repository or located.folder), overwrite)
    return _reply(root, name, report)


def _source(place: str, folder: Path) -> str:
    """Say where a feedstock came from; a folder of one's own is no address for others."""
    from bakehouse.feedstock.fetching import commit_of, is_address

    commit = commit_of(folder)
    return f"{place if is_address(place) else folder.name}{f' at {commit}' if commit else ''}"


def _reply(root: Path, name: str, report: Report) -> Reply:
    from bakehouse.cli.findings import lints, listing, summary
    from bakehouse.meta.lint import lint_feedstock

    folder = root / "feedstocks" / name
    files = [str(file.relative_to(folder)) for file in sorted(folder.rglob("*")) if file.is_file()]
    findings = lint_feedstock(folder, root)
    parts = (("kept", report.kept), ("changed", report.changed), ("to do", report.todo))
    lines = [f"{title}:\n" + "\n".join(f"  {note}" for note in notes) for title, notes in parts if notes]
    lines += [listing(findings)] if findings else []
    made = ", ".join(f"{each} ({how})" for each, how in report.recipes.items()) or "no recipes"
    lines += [f"imported feedstocks/{name}: {made}; {summary(findings)}", f"next: bakehouse test {name}"]
    document = {
        "feedstock": name,
        "folder": str(folder),
        "files": files,
        **report.as_dict(),
        "findings": [each.as_dict() for each in findings],
        "lints": len(lints(findings)),
    }
    return Reply("\n".join(lines), document)
