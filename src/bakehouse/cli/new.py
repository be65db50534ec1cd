"""`bakehouse new`: the beginnings of a feedstock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply


@click.command("new")
@click.argument("name", metavar="ID")
@click.option("--title", default="", help="What the dataset is, in one line.")
@click.option("--license", default="", metavar="SPDX", help="The data's licence, such as CC-BY-4.0.")
@click.option("--maintainer", default="", metavar="NAME", help="Who looks after the feedstock.")
@click.option(
    "--url",
    default="",
    metavar="TEMPLATE",
    help="The inputs' URL with a field per dimension: 'https://…/{time:%Y%m%d}.nc'.",
)
@click.option(
    "--concat-dim",
    "concat",
    multiple=True,
    metavar="DIM",
    help="Dimension to join along; by default the dates of the URL. Repeatable.",
)
@click.option("--start", default="", metavar="DATE", help="The first input's date.")
@click.option("--end", default="", metavar="DATE", help="The last input's date.")
@click.option(
    "--freq", metavar="STEP", help="Step between inputs, as in pandas: YS, MS, D, h; by default as fine as the URL."
)
@click.option(
    "--python", is_flag=True, help="Write a recipe.py in Pangeo Forge's spelling instead of naming a shared recipe."
)
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Start from a recipe.py that you have.",
)
@options.project
@options.common
def command(
    name: str,
    python: bool,
    source: Path | None,
    project: Path | None,
    concat: tuple[str, ...],
    freq: str | None,
    **known: str,
) -> Reply:
    """Start a feedstock.

    Writes feedstocks/ID/meta.yaml and, with --python or --from, recipe.py. What you don't say is left empty,
    and 'bakehouse lint ID' asks for it.
    """
    from bakehouse.cli.projects import project_root
    from bakehouse.cli.scaffold import Draft, draft_dims

    root = project_root(project)
    folder = _new_folder(root, name)
    dims, joined = draft_dims(known["url"], concat, freq)
    draft = Draft(name, dims=dims, concat=joined, **known)
    texts = _texts(draft, python, source)
    folder.mkdir(parents=True)
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
    return _reply(root, folder, list(texts))


def _new_folder(root: Path, name: str) -> Path:
    """Choose the feedstock's folder.

    Raises
    ------
    UsageError
        If the id can't name a folder, or there is one of that name, whatever its case.
    """
    from bakehouse.cli.projects import feedstock_ids, insist_id
    from bakehouse.errors import UsageError

    insist_id(name)
    taken = {each.casefold(): each for each in feedstock_ids(root)}
    if name.casefold() in taken:
        raise UsageError(
            f"there is a feedstock '{taken[name.casefold()]}'", str(root / "feedstocks"), None, "choose another id"
        )
    return root / "feedstocks" / name


def _texts(draft: Any, python: bool, source: Path | None) -> dict[str, str]:
    from bakehouse.cli.scaffold import meta_text, python_text, shared_recipe_text

    if source:
        return {
            "meta.yaml": meta_text(draft, _exported(draft.id, source)),
            "recipe.py": source.read_text(encoding="utf-8"),
        }
    if python:
        return {
            "meta.yaml": meta_text(draft, f"  - {{id: {draft.id}, object: 'recipe:recipe'}}\n"),
            "recipe.py": python_text(draft),
        }
    return {"meta.yaml": meta_text(draft, shared_recipe_text(draft))}


def _exported(name: str, source: Path) -> str:
    """Name the recipe that a Python file defines: `recipe`, or a dict `recipes`."""
    from bakehouse.errors import UsageError
    from bakehouse.meta.exports import top_level_names
    from bakehouse.meta.subjects import read_module

    parsed = read_module(source)
    if parsed.tree is None:
        raise UsageError(
            f"Python can't read the file: {parsed.error}", f"{source}:{parsed.mark.line if parsed.mark else 1}"
        )
    names = top_level_names(parsed.tree)
    if names is not None and "recipe" not in names and "recipes" in names:
        return "  - {dict_object: 'recipe:recipes'}\n"
    if names is not None and "recipe" not in names:
        raise UsageError(
            "no 'recipe' in the file",
            str(source),
            f"it defines: {', '.join(sorted(names))}",
            "name the recipe 'recipe', or a dict of them 'recipes'",
        )
    return f"  - {{id: {name}, object: 'recipe:recipe'}}\n"


def _reply(root: Path, folder: Path, files: list[str]) -> Reply:
    from bakehouse.cli.findings import lints, listing
    from bakehouse.meta.lint import lint_feedstock

    findings = lint_feedstock(folder, root)
    shown = [f"  wrote {(folder / file).relative_to(root)}" for file in files]
    todo = ["still to be filled in:", listing(findings)] if findings else [f"next: bakehouse test {folder.name}"]
    document = {
        "folder": str(folder),
        "files": files,
        "findings": [f.as_dict() for f in findings],
        "lints": len(lints(findings)),
    }
    return Reply("\n".join([f"new feedstock {folder.name}", *shown, *todo]), document)
