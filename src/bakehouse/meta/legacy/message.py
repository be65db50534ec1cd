"""What is said of a legacy recipe: what its class was, and the same recipe in today's form."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bakehouse.errors import RecipeError
from bakehouse.meta.legacy.find import LegacyRecipe, derived_classes, legacy_recipes, pattern_of
from bakehouse.meta.legacy.names import gone_names
from bakehouse.meta.legacy.spelling import spelled
from bakehouse.meta.legacy.steps import NewForm, new_form

SINCE = "is gone since pangeo-forge-recipes 0.10"
GENERAL = "beam.Create(pattern.items()) | OpenURLWithFSSpec() | OpenWithXarray() | StoreToZarr(…)"
STORE = '"store.zarr"'
_PLAIN = ast.Name | ast.Attribute | ast.Subscript


def legacy_error(source: str, place: str, export: str | None = None, address: str = "PATH") -> RecipeError | None:
    """Say what is wrong with a module that needs names which are gone; None if it needs none.

    Parameters
    ----------
    source
        Its text.
    place
        What its file is called in the error.
    export
        The recipe that is asked for.
    address
        What `bakehouse import` would be given.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    recipes = legacy_recipes(tree)
    if recipes:
        return _of_recipe(source, place, _asked(recipes, export), len(recipes) - 1, address)
    if derived := derived_classes(tree):
        made, kind = derived[0]
        where = f"{place}:{made.lineno}\nclass {made.name}({kind})"
        return RecipeError(f"{kind} {SINCE}", where, _cause(kind), f"write its recipe as steps: {GENERAL}")
    return next(_of_imports(tree, place), None)


def explain_legacy(recipe: LegacyRecipe) -> tuple[str, str]:
    """Give what was found and its new form, each on one line."""
    return f"{recipe.kind} {SINCE}", f"write {_named(recipe)}{_form(recipe).one_line()}"


def _of_recipe(source: str, place: str, recipe: LegacyRecipe, others: int, address: str) -> RecipeError:
    line = source.splitlines()[recipe.line - 1].strip()
    more = f"; the module has {others} more" if others else ""
    fix = f"bakehouse import {address} writes it so:\n{_bound(recipe)}{_named(recipe)}{_form(recipe).text()}"
    return RecipeError(f"{recipe.kind} {SINCE}{more}", f"{place}:{recipe.line}\n{line}", _cause(recipe.kind), fix)


def _cause(kind: str) -> str:
    what = "wrote references to HDF5 files" if kind == "HDFReferenceRecipe" else "stored the files of a pattern as zarr"
    return f"it {what} up to 0.9; since then a recipe is a chain of steps"


def _asked(recipes: list[LegacyRecipe], export: str | None) -> LegacyRecipe:
    return next((each for each in recipes if export and each.name == export), recipes[0])


def _form(recipe: LegacyRecipe) -> NewForm:
    given = pattern_of(recipe.call)
    return new_form(recipe, spelled(given) if isinstance(given, _PLAIN) else "pattern", STORE)


def _bound(recipe: LegacyRecipe) -> str:
    """Give a name to a pattern that has none."""
    given = pattern_of(recipe.call)
    return "" if given is None or isinstance(given, _PLAIN) else f"pattern = {spelled(given)}\n"


def _named(recipe: LegacyRecipe) -> str:
    return f"{recipe.name} = " if recipe.name else "return " if isinstance(recipe.statement, ast.Return) else ""


def _of_imports(tree: ast.Module, place: str) -> Iterator[RecipeError]:
    """Name what a module imports when it is imported itself."""
    for found in gone_names(tree):
        if found.node in tree.body:
            yield RecipeError(
                f"'{found.full}' {SINCE}",
                f"{place}:{found.node.lineno}\n{ast.unparse(found.node)}",
                None,
                "remove the import and what uses it: a run brings its own storage, and logs by itself",
            )
