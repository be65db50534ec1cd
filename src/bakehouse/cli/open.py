"""`bakehouse open`: what is in a dataset, and how to open it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    import xarray as xr

    from bakehouse.catalog.entry import Entry


@click.command("open")
@click.argument("name", metavar="ID")
@click.option("--catalog", "place", metavar="PLACE", help="Folder or https address of the only catalog to look in.")
@options.project
@options.common
def command(name: str, place: str | None, project: Path | None) -> Reply:
    """Show a dataset, and the lines that open it.

    ID is feedstock/recipe, feedstock, or a store's name. Looks in BAKEHOUSE_CATALOG, the project's catalogs,
    and the published one that the project names.
    """
    from bakehouse.catalog.read import find_entry, open_dataset

    catalog = os.path.abspath(place) if place and "://" not in place else place
    with _inside(project):
        entry = find_entry(name, catalog)
        dataset = open_dataset(name, catalog)
    return _reply(entry, dataset)


def _inside(project: Path | None) -> contextlib.AbstractContextManager[None]:
    """Look for catalogs from a project's folder, as everywhere else from the working directory."""
    from bakehouse.cli.projects import project_root

    return contextlib.chdir(project_root(project)) if project else contextlib.nullcontext()


def _reply(entry: Entry, dataset: xr.Dataset) -> Reply:
    from bakehouse.catalog.lines import opening_line, xarray_line

    url = str(dataset.encoding.get("source", entry.store.url))
    lines = [opening_line(entry), xarray_line(entry, url)]
    variables = {str(name): _variable(variable) for name, variable in dataset.variables.items()}
    said = {"id": entry.id, "title": entry.title, "url": url, "version": entry.version, "check": entry.check.level}
    document = {**said, "lines": lines, "dims": dict(dataset.sizes), "variables": variables}
    document["repr"] = repr(dataset)
    return Reply(
        "\n".join([entry.title, "", repr(dataset), "", "open it with", *(f"  {line}" for line in lines)]), document
    )


def _variable(variable: xr.Variable) -> dict[str, Any]:
    return {
        "dims": list(variable.dims),
        "shape": list(variable.shape),
        "dtype": str(variable.dtype),
        "units": variable.attrs.get("units"),
    }
