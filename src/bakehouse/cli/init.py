"""`bakehouse init`: a new project that bakes at once."""

from __future__ import annotations

from pathlib import Path

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply

SAMPLE = "seasons"
FILES = {
    "meta.yaml": "meta.yaml",
    f"feedstocks/{SAMPLE}/meta.yaml": "feedstock.yaml",
    "recipes/README.md": "recipes.md",
    "catalog/README.md": "catalog.md",
    ".gitignore": "gitignore",
    "README.md": "README.md",
}


@click.command("init")
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--title", help="The project's title; by default the folder's name.")
@options.common
def command(folder: Path, title: str | None) -> Reply:
    """Make a new project.

    It has a local bakery, a sample feedstock that needs no network, and the workflows that check, bake and publish on
    GitHub. Files that are there already are kept as they are.
    """
    root = folder.resolve()
    _refuse(root)
    texts = _texts(title or root.name)
    kept = [name for name in texts if (root / name).exists()]
    written = {name: text for name, text in texts.items() if name not in kept}
    for name, text in written.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return Reply(_text(folder, list(written), kept), {"folder": str(root), "written": list(written), "kept": kept})


def _refuse(root: Path) -> None:
    from bakehouse.errors import UsageError
    from bakehouse.meta.load import META, is_project

    if is_project(root):
        raise UsageError("this is a project already", str(root / META), None, "bakehouse new ID adds a feedstock")
    if (root / META).exists():
        fix = f"move it to feedstocks/{root.name}/{META}, or choose another folder"
        raise UsageError(f"there is a {META} that is no project's", str(root / META), None, fix)


def _texts(title: str) -> dict[str, str]:
    """Give each file of a new project, by its path."""
    import json

    from bakehouse.cli.starter import text
    from bakehouse.cli.starter.flows import flow_files
    from bakehouse.meta.schemas import MODELS, schema_text

    quoted = json.dumps(title, ensure_ascii=False)
    texts = {path: text(name, {"TITLE": quoted if name == "meta.yaml" else title}) for path, name in FILES.items()}
    return texts | {path: schema_text(model) for path, model in MODELS.items()} | flow_files()


def _text(folder: Path, written: list[str], kept: list[str]) -> str:
    lines = [
        f"new project in {folder}",
        *(f"  wrote {name}" for name in written),
        *(f"  kept  {name}" for name in kept),
    ]
    if ".gitignore" in kept:
        lines.append("add /.bakehouse/ to .gitignore: local stores belong there")
    enter = [] if folder == Path(".") else [f"cd {folder}"]
    return "\n".join(
        [*lines, "next:", *(f"  {line}" for line in (*enter, f"bakehouse bake {SAMPLE}", f"bakehouse open {SAMPLE}"))]
    )
