"""`bakehouse doctor`: whether a bake could work on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from bakehouse.cli.probes import Symptom

SIGNS = {"ok": "ok     ", "warning": "warning", "error": "ERROR  "}


@click.command("doctor")
@options.project
@options.common
def command(project: Path | None) -> Reply:
    """Look for what could stop a bake.

    Looks at Python, packages, the project, its bakeries' targets and catalogs, disk space and git. Each target
    is tried: write, read, list, delete, and create twice. Exit status 1 if something stops a bake in the
    default bakery.
    """
    from bakehouse.cli.text import plural

    found = list(_symptoms(project))
    counts = {state: sum(each.state == state for each in found) for state in SIGNS}
    last = f"{plural(counts['error'], 'error')}, {plural(counts['warning'], 'warning')}"
    return Reply(
        "\n".join([*map(_line, found), last]), {"symptoms": [asdict(each) for each in found]}, ok=not counts["error"]
    )


def _symptoms(given: Path | None) -> Iterator[Symptom]:
    from bakehouse.cli import probes
    from bakehouse.cli.projects import project_root
    from bakehouse.errors import MetaError
    from bakehouse.meta.load import load_project

    yield from (*probes.python(), *probes.packages(), *probes.readers())
    try:
        root = project_root(given)
    except MetaError as error:
        yield probes.Symptom("project", "warning", f"{error.message} around {error.where}", error.fix)
        yield from probes.git(None)
        return
    yield from probes.git(root)
    try:
        project = load_project(root)
    except MetaError as error:
        yield probes.Symptom("project", "error", error.message, error.fix)
        return
    yield probes.Symptom("project", "ok", f"{project.title} ({root})")
    yield from _bakeries(root)


def _bakeries(root: Path) -> Iterator[Symptom]:
    from bakehouse.cli import probes
    from bakehouse.cli.bakeries import place
    from bakehouse.meta.load import load_project

    project = load_project(root)
    places = [place(root, name) for name in project.bakeries]
    for each in places:
        yield from probes.bakery(each, default=each.name == project.default_bakery)
        yield from probes.disk(each)
    for folder in dict.fromkeys(each.catalog for each in places):
        yield from probes.catalog(folder)


def _line(symptom: Symptom) -> str:
    fix = f"\n         fix: {symptom.fix}" if symptom.fix else ""
    return f"{SIGNS[symptom.state]}  {symptom.name}: {symptom.detail}{fix}"
