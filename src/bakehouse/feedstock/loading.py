"""Import a feedstock's recipes as a package of its own."""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import types
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from typing import Any

from bakehouse.errors import RecipeError, UsageError, did_you_mean
from bakehouse.feedstock.blame import blame, legacy_in
from bakehouse.feedstock.folder import Feedstock
from bakehouse.feedstock.places import defined_at, said_at, short
from bakehouse.meta.models import RecipeEntry
from bakehouse.meta.shared import find_shared_recipe, load_shared_recipe, parameters_class

PACKAGE = "bakehouse_feedstocks"
_folders: set[str] = set()
"""Folders of the feedstocks that this process has loaded: two may have modules of one name."""


def load_recipes(feedstock: Feedstock, only: str | None = None) -> dict[str, Any]:
    """Import a feedstock's recipes; id to PTransform.

    Raises
    ------
    RecipeError
        If a module is missing or fails, a name is not in it, or an object is not a PTransform.
    UsageError
        If `only` is none of the recipes.
    """
    recipes: dict[str, Any] = {}
    for entry in feedstock.meta.recipes:
        if entry.kind != "linked" and (only is None or entry.id in (None, only)):
            with chdir(feedstock.workdir):
                recipes |= _load_entry(feedstock, entry)
    if only is not None and only not in recipes:
        raise UsageError(
            f"feedstock '{feedstock.id}' has no recipe '{only}'",
            str(feedstock.folder),
            None,
            did_you_mean(only, [*recipes, *(str(e.id) for e in feedstock.meta.recipes if e.id)]),
        )
    return {only: recipes[only]} if only else recipes


def _load_entry(feedstock: Feedstock, entry: RecipeEntry) -> dict[str, Any]:
    if entry.kind == "recipe":
        return {str(entry.id): _checked(_shared(feedstock, entry), feedstock, f"recipe: {entry.recipe}", entry)}
    named = entry.object or entry.dict_object or ""
    module, _, export = named.partition(":")
    found = _export(feedstock, module, export)
    if entry.kind == "object":
        return {str(entry.id): _checked(found, feedstock, named, entry)}
    if not isinstance(found, Mapping):
        raise RecipeError(
            f"dict_object '{named}' is of type {type(found).__name__}, not a dict of recipes",
            defined_at(feedstock, module, export),
        )
    return {str(name): _checked(value, feedstock, f"{named}['{name}']", entry) for name, value in found.items()}


def _shared(feedstock: Feedstock, entry: RecipeEntry) -> Any:
    from apache_beam.internal import cloudpickle

    module = load_shared_recipe(find_shared_recipe(str(entry.recipe), feedstock.root))
    cloudpickle.register_pickle_by_value(module)
    kind = parameters_class(module)
    try:
        return module.recipe(kind.model_validate(entry.with_))
    except Exception as error:
        raise blame(error, feedstock, f"shared recipe '{entry.recipe}' failed") from error


def _export(feedstock: Feedstock, module: str, export: str) -> Any:
    file = feedstock.code / f"{module.replace('.', '/')}.py"
    if not file.is_file():
        raise RecipeError(
            f"there is no module '{module}'",
            f"{said_at(feedstock, module)}, {short(str(file), feedstock)}",
            None,
            did_you_mean(module, [p.stem for p in feedstock.code.glob("*.py")]),
        )
    if legacy := legacy_in(str(file), feedstock, export):
        raise legacy
    loaded = _import(feedstock, module)
    if not hasattr(loaded, export):
        names = [n for n, v in vars(loaded).items() if not n.startswith("_") and not isinstance(v, types.ModuleType)]
        where = f"{said_at(feedstock, f'{module}:{export}')}, {short(str(file), feedstock)}"
        raise RecipeError(f"module '{module}' has no '{export}'", where, None, did_you_mean(export, names))
    return getattr(loaded, export)


def _import(feedstock: Feedstock, module: str) -> types.ModuleType:
    """Import a feedstock's module as part of a package of its own, so that two feedstocks may both have a recipe.py."""
    package = f"{PACKAGE}.f{hashlib.sha256(str(feedstock.code).encode()).hexdigest()[:10]}"
    from bakehouse.compat import install

    install()
    with _importable(feedstock, package):
        try:
            return importlib.import_module(f"{package}.{module}")
        except Exception as error:
            raise blame(error, feedstock, "the recipe can't be imported") from error
        finally:
            _travel_by_value(feedstock)


@contextmanager
def _importable(feedstock: Feedstock, package: str) -> Iterator[None]:
    """Make a folder importable as a package, and its modules as siblings, afresh."""
    _folders.add(f"{feedstock.code}{os.sep}")
    for name in [n for n, m in sys.modules.items() if n.startswith(f"{package}.") or _is_sibling(n, m)]:
        del sys.modules[name]
    for name, path in ((PACKAGE, []), (package, [str(feedstock.code)])):
        made = sys.modules.setdefault(name, types.ModuleType(name))
        made.__path__ = path
    importlib.invalidate_caches()
    sys.path.insert(0, str(feedstock.code))
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.path.remove(str(feedstock.code))
        sys.dont_write_bytecode = written


def _is_sibling(name: str, module: Any) -> bool:
    """Say whether a module is one that some feedstock's recipe has imported by its bare name."""
    return not name.startswith(f"{PACKAGE}.") and any(_lies_in(module, folder) for folder in _folders)


def _travel_by_value(feedstock: Feedstock) -> None:
    """Let Beam ship the feedstock's modules with the pipeline, so that workers need only the engine."""
    from apache_beam.internal import cloudpickle

    folder = f"{feedstock.code}{os.sep}"
    for module in [m for m in sys.modules.values() if _lies_in(m, folder)]:
        cloudpickle.register_pickle_by_value(module)


def _lies_in(module: Any, folder: str) -> bool:
    file: str | None = getattr(module, "__file__", None)
    return file is not None and file.startswith(folder)


def _checked(recipe: Any, feedstock: Feedstock, named: str, entry: RecipeEntry) -> Any:
    """Insist on a PTransform: anything else would make an empty pipeline that succeeds."""
    import apache_beam as beam

    if isinstance(recipe, beam.PTransform):
        return recipe
    module, _, export = (entry.object or entry.dict_object or "").partition(":")
    where = defined_at(feedstock, module, export) if module else f"{feedstock.id}/meta.yaml"
    hint = (
        "call it: it is a function"
        if callable(recipe)
        else "chain the steps: beam.Create(…) | OpenURLWithFSSpec() | … | StoreToZarr(…)"
    )
    raise RecipeError(f"'{named}' is of type {type(recipe).__name__}, not a Beam PTransform", where, None, hint)
