"""`bakehouse ci scope`: what a pull request touches."""

from __future__ import annotations

from pathlib import Path

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply

base = click.option("--base", required=True, metavar="SHA", help="Tip of the branch that the change is for.")
head = click.option("--head", default="HEAD", show_default=True, metavar="SHA", help="Tip of the change.")


@click.command("scope")
@base
@head
@options.project
@options.common
def command(base: str, head: str, project: Path | None) -> Reply:
    """Say which feedstocks a change touches, and what else.

    Sets the step's outputs 'feedstocks' (a JSON list), 'bake' (true or false) and 'labels' (a JSON list). A change to
    one feedstock alone is baked unasked; one that touches more is labelled, and linted only.
    """
    from bakehouse.cli.projects import project_root
    from bakehouse.github import outputs
    from bakehouse.github.changes import scope_between

    found = scope_between(project_root(project), base, head)
    document = {"feedstocks": list(found.feedstocks), "bake": found.bake, "labels": list(found.labels)}
    for name, value in document.items():
        outputs.write(name, value)
    rows = [("changed", ", ".join(found.feedstocks) or "no feedstock"), ("bake", "yes" if found.bake else "no")]
    rows += [("removed", ", ".join(found.removed))] if found.removed else []
    rows += [("labels", ", ".join(found.labels))] if found.labels else []
    return Reply("\n".join(f"{label}: {value}" for label, value in rows), {**document, "removed": list(found.removed)})
