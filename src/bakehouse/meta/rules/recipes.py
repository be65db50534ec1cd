"""BH40x: the recipes that lie beside a feedstock's meta.yaml."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from bakehouse.errors import did_you_mean
from bakehouse.meta.document import Loc
from bakehouse.meta.exports import top_level_names
from bakehouse.meta.findings import Example, Mark, Problem, Rule
from bakehouse.meta.legacy import explain_legacy, gone_names, legacy_recipes
from bakehouse.meta.subjects import FeedstockSubject, Module, read_module


def _exports(subject: FeedstockSubject) -> Iterator[tuple[Loc, Path | None, str, str]]:
    """List each ``module:export`` that meta.yaml names: its place, the module's file and name, the export."""
    found = [
        ((*loc, key), entry.get(key))
        for loc, entry in subject.document.mappings("recipes")
        for key in ("object", "dict_object")
    ]
    for loc, text in (*found, (("fixture",), subject.document.get("fixture"))):
        if isinstance(text, str) and all(part.isidentifier() for part in text.replace(":", ".").split(".")):
            module, colon, export = text.partition(":")
            if colon:
                file = subject.fixture_file(module) if loc == ("fixture",) else subject.module_file(module)
                yield loc, file, module, export


def _missing_module(subject: FeedstockSubject) -> Iterator[Problem]:
    for loc, file, module, _ in _exports(subject):
        if file is None:
            known = [other.stem for other in subject.module_files()]
            message = f"there is no {module.replace('.', '/')}.py beside meta.yaml"
            yield Problem("BH401", subject.document.mark(loc), message, did_you_mean(module, known))


def _broken_module(subject: FeedstockSubject) -> Iterator[Problem]:
    files = {file for _, file, _, _ in _exports(subject)} | set(subject.module_files())
    for parsed in (read_module(file) for file in sorted(filter(None, files))):
        if parsed.error:
            yield Problem("BH402", parsed.mark or Mark(parsed.file), parsed.error)


def _missing_export(subject: FeedstockSubject) -> Iterator[Problem]:
    for loc, file, module, export in _exports(subject):
        parsed = read_module(file) if file else Module(subject.base)
        names = top_level_names(parsed.tree) if parsed.tree else None
        if names is not None and export not in names:
            own = [name for name in names if not name.startswith("_")]
            yield Problem(
                "BH403", subject.document.mark(loc), f"{module}.py defines no '{export}'", did_you_mean(export, own)
            )


def _store_ids(subject: FeedstockSubject) -> Iterator[Problem]:
    document = subject.document
    recipes = [entry["id"] for _, entry in document.mappings("recipes") if isinstance(entry.get("id"), str)]
    for loc, store in document.mappings("stores"):
        name = store.get("id")
        if recipes and isinstance(name, str) and name not in recipes:
            yield Problem(
                "BH404",
                document.mark((*loc, "id")),
                f"store '{name}' has no recipe of that id",
                did_you_mean(name, recipes),
            )


def _legacy(subject: FeedstockSubject) -> Iterator[Problem]:
    files = {file for _, file, _, _ in _exports(subject)} | set(subject.module_files())
    for parsed in (read_module(file) for file in sorted(filter(None, files))):
        yield from _legacy_in(parsed.file, parsed.tree) if parsed.tree else ()


def _legacy_in(file: Path, tree: ast.Module) -> Iterator[Problem]:
    """Name each legacy recipe; where there is none, what else the module can't be imported with."""
    recipes = legacy_recipes(tree)
    for recipe in recipes:
        yield Problem("BH405", Mark(file, recipe.line, recipe.call.col_offset + 1), *explain_legacy(recipe))
    for found in gone_names(tree) if not recipes else ():
        if found.node in tree.body:
            mark = Mark(file, found.node.lineno, found.node.col_offset + 1)
            yield Problem("BH405", mark, f"'{found.full}' is gone since pangeo-forge-recipes 0.10", "remove it")


_LEGACY = """\
from pangeo_forge_recipes.patterns import pattern_from_file_sequence
from pangeo_forge_recipes.recipes import XarrayZarrRecipe

recipe = XarrayZarrRecipe(pattern_from_file_sequence(["https://example.org/1.nc"], "time"))
"""

RULES = (
    Rule(
        "BH401", "missing-module", "lint", "feedstock",
        title="A recipe's module that is not there.",
        why="The recipe can't be imported.",
        fix="name a Python file beside meta.yaml, without its .py",
        bad=Example("recipes: [{id: demo, object: 'recipes:recipe'}]\n"),
        good=Example("recipes: [{id: demo, object: 'recipe:recipe'}]\n"),
        check=_missing_module,
    ),
    Rule(
        "BH402", "broken-module", "lint", "feedstock",
        title="A Python file that Python can't read.",
        why="The recipe can't be imported.",
        fix="correct the line",
        bad=Example(files={"recipe.py": "recipe = (1, 2\n"}),
        good=Example(files={"recipe.py": "recipe = (1, 2)\n"}),
        check=_broken_module,
    ),
    Rule(
        "BH403", "missing-export", "lint", "feedstock",
        title="A recipe's export that its module does not define.",
        why="A typo here would show only when the recipe runs.",
        fix="name something that the module defines at its top level",
        bad=Example("recipes: [{id: demo, object: 'recipe:recpie'}]\n"),
        good=Example("recipes: [{id: demo, object: 'recipe:recipe'}]\n"),
        check=_missing_export,
    ),
    Rule(
        "BH404", "store-id", "hint", "feedstock",
        title="A store whose id is no recipe's.",
        why="In files shared with LEAP, a store is what the recipe of the same id has made.",
        fix="give both the same id, unless the store was made elsewhere",
        bad=Example("stores: [{id: demos, url: 'https://example.org/demo.zarr'}]\n"),
        good=Example("stores: [{id: demo, url: 'https://example.org/demo.zarr'}]\n"),
        check=_store_ids,
    ),
    Rule(
        "BH405", "legacy-recipe", "lint", "feedstock",
        title="A recipe class of pangeo-forge-recipes 0.9 or earlier, or another name that is gone since.",
        why="The recipe can't be imported: since 0.10 a recipe is a chain of steps.",
        fix="run: bakehouse import PATH, which writes it as steps",
        bad=Example(files={"recipe.py": _LEGACY}),
        good=Example(files={"recipe.py": "recipe = None\n"}),
        check=_legacy,
    ),
)  # fmt: skip
