"""A module of legacy recipes in today's form: the recipes as steps, the imports that these need, all else untouched."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bakehouse.meta.legacy.edit import Edits
from bakehouse.meta.legacy.find import LegacyRecipe, derived_classes, legacy_recipes, pattern_of
from bakehouse.meta.legacy.names import CLASSES, UPSTREAM, GoneName, dotted, gone_names
from bakehouse.meta.legacy.spelling import spelled
from bakehouse.meta.legacy.steps import NewForm, new_form

BEAM = "import apache_beam as beam"
METHODS = ("to_dask", "to_function", "to_prefect", "to_beam", "to_generator", "copy_pruned", "storage_config",
           "assign_temporary_storage", "iter_inputs", "iter_chunks")  # fmt: skip
"""What only the old classes have."""
Namer = Callable[[LegacyRecipe], str]


@dataclass(frozen=True)
class Rewritten:
    """A module's new text, its recipes' new forms by line, and what is left for a person, by line of the old text."""

    text: str
    forms: tuple[tuple[LegacyRecipe, NewForm], ...]
    todo: tuple[tuple[int, str], ...]


def rewrite(source: str, store_name: Namer) -> Rewritten:
    """Rewrite a module.

    Parameters
    ----------
    source
        Its text, which Python can parse.
    store_name
        Gives the store's name, as an expression, for each recipe.
    """
    tree = ast.parse(source)
    edits = Edits(source)
    gone = gone_names(tree)
    _patterns(edits, tree, gone)
    forms = [(recipe, _recipe(edits, tree, recipe, store_name(recipe))) for recipe in legacy_recipes(tree)]
    _imports(edits, tree, gone, {name for _, form in forms for name in form.transforms})
    return Rewritten(edits.applied(), tuple(forms), tuple(sorted(_todo(tree, gone))))


def _recipe(edits: Edits, tree: ast.Module, recipe: LegacyRecipe, store: str) -> NewForm:
    """Put the steps where the class was called; a pattern that is no plain name gets one first."""
    given, indent = pattern_of(recipe.call), edits.indent_of(recipe.statement)
    if given is None:
        return NewForm(undecided=["the recipe has no pattern"])
    if isinstance(given, ast.Name | ast.Attribute | ast.Subscript):
        form = new_form(recipe, spelled(given), store)
        edits.replace(recipe.call, form.text(indent))
        return form
    name = _fresh(tree, "pattern")
    form = new_form(recipe, name, store)
    if recipe.plain and edits.starts_its_line(recipe.statement):
        edits.before(recipe.statement, f"{name} = {edits.text_of(given)}\n{indent}")
        edits.replace(recipe.call, form.text(indent))
    else:
        edits.replace(recipe.call, f"(lambda {name}: {form.text(indent)})({edits.text_of(given)})")
    return form


def _fresh(tree: ast.Module, name: str) -> str:
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return next(each for each in (name, f"file_{name}", *(f"{name}_{n}" for n in range(2, 99))) if each not in used)


def _imports(edits: Edits, tree: ast.Module, gone: list[GoneName], transforms: set[str]) -> None:
    """Take out the imports of what is gone, and put in those of what the steps need."""
    needed = "\n".join(_needed(tree, transforms))
    statements = list(dict.fromkeys(found.node for found in gone))
    first = next((node for node in statements if node in tree.body), None)
    for node in statements:
        kept = [alias for alias in node.names if not any(alias is found.alias for found in gone)]
        lines = [_import(node, kept)] if kept else []
        lines += [needed] if needed and node is first else []
        if lines:
            edits.replace(node, "\n".join(lines))
        elif _is_alone(tree, node):
            edits.replace(node, "pass")
        else:
            edits.remove(node)
    if needed and first is None and transforms:
        top = next((node for node in tree.body if not _is_docstring(node) and not _is_future(node)), tree.body[0])
        edits.before(top, f"{needed}\n")


def _needed(tree: ast.Module, transforms: set[str]) -> Iterator[str]:
    if not transforms:
        return
    if BEAM not in {ast.unparse(node) for node in tree.body}:
        yield BEAM
    line = f"from {UPSTREAM}.transforms import {', '.join(sorted(transforms))}"
    names = "".join(f"    {name},\n" for name in sorted(transforms))
    yield line if len(line) <= 100 else f"from {UPSTREAM}.transforms import (\n{names})"


def _import(node: ast.Import | ast.ImportFrom, aliases: list[ast.alias]) -> str:
    if isinstance(node, ast.Import):
        return ast.unparse(ast.Import(aliases))
    return ast.unparse(ast.ImportFrom(node.module, aliases, node.level))


def _is_alone(tree: ast.Module, node: ast.stmt) -> bool:
    """Say whether a statement is all that its block holds."""
    blocks = [getattr(each, part, None) for each in ast.walk(tree) for part in ("body", "orelse", "finalbody")]
    return any(isinstance(block, list) and block == [node] for block in blocks if block is not tree.body)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _patterns(edits: Edits, tree: ast.Module, gone: list[GoneName]) -> None:
    """Spell what else has a new name: pruned patterns, OPeNDAP, and logging that nothing sets up any more."""
    local = {found.local: found.name for found in gone}
    for node in ast.walk(tree):
        call = node.value if isinstance(node, ast.Expr) else node
        if not isinstance(call, ast.Call):
            continue
        name = local.get(dotted(call.func) or "")
        if name == "setup_logging" and isinstance(node, ast.Expr):
            edits.replace(node, "pass") if _is_alone(tree, node) else edits.remove(node)
        elif name == "prune_pattern" and node is call and call.args:
            rest = ", ".join(ast.unparse(each) for each in (*call.args[1:], *call.keywords))
            edits.replace(call, f"{ast.unparse(call.args[0])}.prune({rest})")
        elif node is call and (dotted(call.func) or "").endswith(("FilePattern", "pattern_from_file_sequence")):
            _opendap(edits, call)


def _opendap(edits: Edits, call: ast.Call) -> None:
    for keyword in call.keywords:
        if keyword.arg == "is_opendap" and isinstance(keyword.value, ast.Constant):
            edits.replace(keyword, f'file_type="{"opendap" if keyword.value.value else "netcdf4"}"')


def _todo(tree: ast.Module, gone: list[GoneName]) -> Iterator[tuple[int, str]]:
    """Say what this does not rewrite."""
    rewritten = (*CLASSES, "setup_logging", "prune_pattern")
    lost = {found.local: found.full for found in gone if found.name not in rewritten}
    for node in ast.walk(tree):
        text = dotted(node) if isinstance(node, ast.Name | ast.Attribute) else None
        if text in lost:
            yield getattr(node, "lineno", 1), f"{lost[text]} is gone, and this line uses it"
        elif isinstance(node, ast.Attribute) and node.attr in METHODS:
            yield node.lineno, f".{node.attr} is a method of the old recipe classes; 'bakehouse bake' runs recipes"
    for made, kind in derived_classes(tree):
        yield made.lineno, f"{made.name} derives from {kind}, which is gone; write its recipe as steps"
