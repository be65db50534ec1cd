"""From a feedstock's folder to recipes that Beam can run."""

from __future__ import annotations

import ast
import hashlib
import importlib
import sys
import traceback
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakehouse.errors import BakehouseError, RecipeError, UsageError, did_you_mean
from bakehouse.meta.load import feedstock_folders, feedstock_id, load_feedstock, load_project, meta_folder
from bakehouse.meta.models import FeedstockMeta, RecipeEntry
from bakehouse.meta.shared import find_shared_recipe, load_shared_recipe, parameters_class

PACKAGE = "bakehouse_feedstocks"
SKIPPED = {"__pycache__", ".git", ".ipynb_checkpoints"}


@dataclass(frozen=True)
class Feedstock:
    """One dataset's folder: its id, its meta.yaml and where its recipes are."""

    id: str
    folder: Path
    meta: FeedstockMeta
    root: Path

    @property
    def code(self) -> Path:
        """Give the folder that meta.yaml and the recipe's modules lie in."""
        return meta_folder(self.folder)

    @property
    def digest(self) -> str:
        """Hash the files that make the recipe: names and contents, documentation left out."""
        hasher = hashlib.sha256()
        for path in sorted(self.code.rglob("*")):
            if path.is_file() and path.suffix not in (".md", ".pyc") and not SKIPPED & set(path.parts):
                content = _recipes_part(self.meta) if path.name in ("meta.yaml", "catalog.yaml") else path.read_bytes()
                hasher.update(f"{path.relative_to(self.code)}\0{len(content)}\0".encode() + content)
        return hasher.hexdigest()


def find_feedstock(root: Path, name: str) -> Feedstock:
    """Load a feedstock of a project by id.

    Raises
    ------
    UsageError
        If there is no feedstock of that name.
    MetaError
        If its meta.yaml can't be used.
    """
    folders = {feedstock_id(folder): folder for folder in feedstock_folders(root)}
    if name not in folders:
        raise UsageError(f"there is no feedstock '{name}'", str(root / "feedstocks"), None, did_you_mean(name, folders))
    project = load_project(root)
    return Feedstock(name, folders[name], load_feedstock(folders[name], project.defaults), root)


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
            recipes |= _load_entry(feedstock, entry)
    if only is not None and only not in recipes:
        raise UsageError(
            f"feedstock '{feedstock.id}' has no recipe '{only}'",
            str(feedstock.folder),
            None,
            did_you_mean(only, [*recipes, *(str(e.id) for e in feedstock.meta.recipes if e.id)]),
        )
    return {only: recipes[only]} if only else recipes


def recipe_ids(feedstock: Feedstock) -> list[str]:
    """List the ids that meta.yaml gives; those of a dict_object are known only once it is imported."""
    return [str(entry.id) for entry in feedstock.meta.recipes if entry.id and entry.kind != "linked"]


def recipe_place(feedstock: Feedstock, recipe: str) -> str:
    """Say where a recipe is defined, as file and line: in its module, or in meta.yaml."""
    for entry in feedstock.meta.recipes:
        module, _, export = (entry.object or entry.dict_object or "").partition(":")
        if module and entry.id in (None, recipe):
            return _defined_at(feedstock, module, export)
        if entry.id == recipe:
            return _said_at(feedstock, f"id: {recipe}")
    return feedstock.id


def blame(error: BaseException, feedstock: Feedstock, what: str) -> BakehouseError:
    """Turn an exception from an author's code into one that names file, line and function, and the input."""
    if isinstance(error, BakehouseError):
        return error
    place, code = _culprit(error, feedstock)
    where = "\n".join(filter(None, (f"{place}{code}", _input_of(error))))
    fix = "run again with --debug for the traceback"
    if isinstance(error, ModuleNotFoundError) and error.name:
        fix = f"install '{error.name}', or correct the import"
    return RecipeError(
        f"{what}: {type(error).__name__}: {_without_stage(_text_of(error))}".rstrip(": "), where, None, fix
    )


def _culprit(error: BaseException, feedstock: Feedstock) -> tuple[str, str]:
    """Find the innermost line of the project's own code, and what stands there."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_short(error.filename, feedstock)}:{error.lineno}", f"\n{(error.text or '').strip()}"
    own = (str(feedstock.folder), str(feedstock.root / "recipes"))
    frames = [f for f in _frames(error) if f.filename.startswith(own)]
    if not frames:
        return feedstock.id, ""
    line = f"\n{frames[-1].line}" if frames[-1].line else ""
    return f"{_short(frames[-1].filename, feedstock)}:{frames[-1].lineno}, in {frames[-1].name}", line


def _input_of(error: BaseException) -> str | None:
    """Name the input that a step was called with when it failed."""
    from bakehouse.transforms.index import SourcedIndex

    for values in _local_values(error):
        for value in [*values, *(each for group in values if isinstance(group, tuple) for each in group)]:
            if isinstance(value, SourcedIndex):
                return value.source.where
    return None


def _local_values(error: BaseException) -> Iterator[list[Any]]:
    seen: BaseException | None = error
    while seen is not None:
        yield from (list(frame.f_locals.values()) for frame, _ in traceback.walk_tb(seen.__traceback__))
        seen = seen.__cause__ or seen.__context__


def _text_of(error: BaseException) -> str:
    """Give an exception's text; a KeyError's own is quoted."""
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)


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
            _defined_at(feedstock, module, export),
        )
    return {str(name): _checked(value, feedstock, f"{named}['{name}']", entry) for name, value in found.items()}


def _shared(feedstock: Feedstock, entry: RecipeEntry) -> Any:
    module = load_shared_recipe(find_shared_recipe(str(entry.recipe), feedstock.root))
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
            f"{_said_at(feedstock, module)}, {_short(str(file), feedstock)}",
            None,
            did_you_mean(module, [p.stem for p in feedstock.code.glob("*.py")]),
        )
    loaded = _import(feedstock, module)
    if not hasattr(loaded, export):
        names = [n for n, v in vars(loaded).items() if not n.startswith("_") and not isinstance(v, types.ModuleType)]
        where = f"{_said_at(feedstock, f'{module}:{export}')}, {_short(str(file), feedstock)}"
        raise RecipeError(f"module '{module}' has no '{export}'", where, None, did_you_mean(export, names))
    return getattr(loaded, export)


def _import(feedstock: Feedstock, module: str) -> types.ModuleType:
    """Import a feedstock's module as part of a package of its own, so that two feedstocks may both have a recipe.py."""
    package = f"{PACKAGE}.f{hashlib.sha256(str(feedstock.code).encode()).hexdigest()[:10]}"
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
    for name in [n for n, m in sys.modules.items() if n.startswith(f"{package}.") or _lies_in(m, feedstock.code)]:
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


def _travel_by_value(feedstock: Feedstock) -> None:
    """Let Beam ship the feedstock's modules with the pipeline, so that workers need only the engine."""
    from apache_beam.internal import cloudpickle

    for module in [m for m in sys.modules.values() if _lies_in(m, feedstock.code)]:
        cloudpickle.register_pickle_by_value(module)


def _lies_in(module: Any, folder: Path) -> bool:
    file: str | None = getattr(module, "__file__", None)
    return file is not None and Path(file).is_relative_to(folder)


def _checked(recipe: Any, feedstock: Feedstock, named: str, entry: RecipeEntry) -> Any:
    """Insist on a PTransform: anything else would make an empty pipeline that succeeds."""
    import apache_beam as beam

    if isinstance(recipe, beam.PTransform):
        return recipe
    module, _, export = (entry.object or entry.dict_object or "").partition(":")
    where = _defined_at(feedstock, module, export) if module else f"{feedstock.id}/meta.yaml"
    hint = (
        "call it: it is a function"
        if callable(recipe)
        else "chain the steps: beam.Create(…) | OpenURLWithFSSpec() | … | StoreToZarr(…)"
    )
    raise RecipeError(f"'{named}' is of type {type(recipe).__name__}, not a Beam PTransform", where, None, hint)


def _defined_at(feedstock: Feedstock, module: str, export: str) -> str:
    file = feedstock.code / f"{module.replace('.', '/')}.py"
    for node in ast.parse(file.read_text()).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        names = {t.id for t in targets if isinstance(t, ast.Name)} | {getattr(node, "name", None)}
        if export in names:
            return f"{_short(str(file), feedstock)}:{node.lineno}"
    return _short(str(file), feedstock)


def _said_at(feedstock: Feedstock, words: str) -> str:
    """Name the line of meta.yaml that has these words."""
    file = feedstock.code / "meta.yaml"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    number = next((f":{number}" for number, line in enumerate(lines, 1) if words in line), "")
    return f"{_short(str(file), feedstock)}{number}"


def _recipes_part(meta: FeedstockMeta) -> bytes:
    return repr([e.model_dump() for e in meta.recipes]).encode()


def _frames(error: BaseException) -> Iterator[traceback.FrameSummary]:
    seen: BaseException | None = error
    while seen is not None:
        yield from traceback.extract_tb(seen.__traceback__)
        seen = seen.__cause__ or seen.__context__


def _short(file: str, feedstock: Feedstock) -> str:
    path = Path(file)
    return str(path.relative_to(feedstock.root)) if path.is_relative_to(feedstock.root) else str(path)


def _without_stage(text: str) -> str:
    return text.rpartition(" [while running")[0] or text
