"""BH42x: shared recipes and the parameters that feedstocks give them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from bakehouse.errors import RecipeError, did_you_mean
from bakehouse.meta.document import Loc
from bakehouse.meta.findings import Example, Mark, Problem, Rule
from bakehouse.meta.shape import validate
from bakehouse.meta.shared import (
    find_shared_recipe,
    heavy_imports,
    load_shared_recipe,
    parameters_class,
    shared_recipes,
)
from bakehouse.meta.subjects import FeedstockSubject, ProjectSubject, read_module

_LIGHT = "from bakehouse.meta.parameters import Parameters, PatternSpec\n\n\n"
_SHARED = "class Copy(Parameters):\n    pattern: PatternSpec\n\n\ndef recipe(p: Copy):\n    ...\n"
_COPY = """recipes:
  - id: demo
    recipe: copy
    with: {pattern: {url: "https://example.org/{time}.nc", concat: {%s: [1, 2]}}}
"""
_COPY_FILE = {"/recipes/copy.py": _LIGHT + _SHARED}


def _unknown_shared(subject: FeedstockSubject) -> Iterator[Problem]:
    known = shared_recipes(subject.root)
    for loc, entry in subject.document.mappings("recipes"):
        name = entry.get("recipe")
        if isinstance(name, str) and name not in known:
            message = f"there is no shared recipe '{name}'"
            yield Problem("BH421", subject.document.mark((*loc, "recipe")), message, did_you_mean(name, known))


def _parameters(subject: FeedstockSubject) -> Iterator[Problem]:
    for loc, entry in subject.document.mappings("recipes"):
        name = entry.get("recipe")
        lone = not {"object", "dict_object"} & entry.keys()
        if lone and isinstance(name, str) and name in shared_recipes(subject.root):
            yield from _parameters_of(subject, loc, name)


def _parameters_of(subject: FeedstockSubject, loc: Loc, name: str) -> Iterator[Problem]:
    document = subject.document
    file = find_shared_recipe(name, subject.root)
    parsed = read_module(file)
    if parsed.tree is None or heavy_imports(parsed.tree):
        return
    try:
        kind = parameters_class(load_shared_recipe(file))
    except RecipeError as error:
        yield Problem("BH423", document.mark((*loc, "recipe")), f"shared recipe '{name}' {error.message}", error.fix)
        return
    where = (*loc, "with") if document.get(*loc, "with") is not None else None
    if where:
        yield from validate(kind, document, where)[1]
    else:
        needed = [field for field, info in kind.model_fields.items() if info.is_required()]
        yield from (
            Problem("BH102", document.mark(loc), f"'with.{n}' is missing in the recipe", f"add with: {{{n}: …}}")
            for n in needed
        )


def _broken_shared(subject: ProjectSubject) -> Iterator[Problem]:
    for file in subject.module_files():
        parsed = read_module(file)
        if parsed.error:
            yield Problem("BH402", parsed.mark or Mark(file), parsed.error)
        elif parsed.tree and not heavy_imports(parsed.tree) and not file.stem.startswith("_"):
            yield from _loaded(file)


def _loaded(file: Path) -> Iterator[Problem]:
    try:
        parameters_class(load_shared_recipe(file))
    except RecipeError as error:
        yield Problem("BH423", Mark(file), error.message, error.fix)


def _heavy_shared(subject: ProjectSubject) -> Iterator[Problem]:
    for file in subject.module_files():
        parsed = read_module(file)
        for node, name in heavy_imports(parsed.tree or ast.Module([], [])):
            yield Problem("BH424", Mark(file, node.lineno, node.col_offset + 1), f"'{name}' is imported at the top")


RULES = (
    Rule(
        "BH421", "unknown-shared-recipe", "lint", "feedstock",
        title="A shared recipe that does not exist.",
        why="Shared recipes are the Python files in the project's recipes folder, and those that ship with Bakehouse.",
        fix="name a shared recipe",
        bad=Example("recipes: [{id: demo, recipe: cpoy}]\n", _COPY_FILE),
        good=Example(_COPY % "time", _COPY_FILE),
        check=_unknown_shared,
    ),
    Rule(
        "BH422", "parameters", "lint", "feedstock",
        title="Parameters of a shared recipe that contradict each other.",
        why="The recipe would read other inputs than meant, or none.",
        fix="make them agree",
        bad=Example(_COPY % "tiem", _COPY_FILE),
        good=Example(_COPY % "time", _COPY_FILE),
        check=_parameters,
    ),
    Rule(
        "BH423", "broken-shared-recipe", "lint", "project",
        title="A shared recipe whose parameters can't be found.",
        why="What a feedstock writes below 'with' can be checked against typed parameters only.",
        fix="define: def recipe(p: X), where X is a subclass of bakehouse.meta.parameters.Parameters",
        bad=Example(_COPY % "time", {"/recipes/copy.py": "def recipe(p):\n    ...\n"}),
        good=Example(_COPY % "time", _COPY_FILE),
        check=_broken_shared,
    ),
    Rule(
        "BH424", "heavy-shared-recipe", "lint", "project",
        title="A shared recipe that imports Beam, xarray or their kind at its top.",
        why="Its parameters are read by lint and in editors, which must not wait seconds for imports.",
        fix="move the import into the function",
        bad=Example(files={"/recipes/copy.py": "import apache_beam as beam\n" + _LIGHT + _SHARED}),
        good=Example(files={"/recipes/copy.py": _LIGHT + _SHARED.replace("...", "import apache_beam as beam")}),
        check=_heavy_shared,
    ),
)  # fmt: skip
