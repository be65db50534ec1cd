"""A feedstock's recipes one by one: declared in YAML where that is proven, kept as Python where not, or only linked."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakehouse.feedstock.native.declare import SHARED, NotSimple, declared, unsaid_chunks
from bakehouse.feedstock.native.report import Report
from bakehouse.meta.base import is_safe_name
from bakehouse.meta.exports import top_level_names
from bakehouse.meta.subjects import read_module

FORMS = ("object", "dict_object", "recipe")
NOT_A_RECIPE = ("not a Beam PTransform", "not a dict of recipes", "has no '")
"""How loading says that what meta.yaml names is no recipe."""


@dataclass(frozen=True)
class Entry:
    """One recipe of upstream's meta.yaml, and why it can't be run, if that is known from its text."""

    id: str | None
    module: str = ""
    given: Mapping[str, Any] | None = None
    fault: str | None = None

    @property
    def runs(self) -> bool:
        """Say whether there is something to import."""
        return bool(self.module) and self.fault is None


def read_entries(recipes: Any, code: Path) -> Iterator[Entry]:
    """List the recipes that meta.yaml names; what is none at all is passed over."""
    for each in recipes if isinstance(recipes, list) else [recipes]:
        if not isinstance(each, dict):
            continue
        name = str(each["id"]) if each.get("id") not in (None, "") else None
        form = next((form for form in FORMS if each.get(form)), None)
        if form == "recipe":
            yield Entry(name, "", each)
            continue
        module, _, export = str(each.get(form) or "").partition(":") if form else ("", "", "")
        kept = {"dict_object": each[form]} if form == "dict_object" else {"id": name, "object": each.get(form)}
        yield Entry(name, module, kept if form else {"id": name}, _fault(code, module, export, name, form))


def _fault(code: Path, module: str, export: str, name: str | None, form: str | None) -> str | None:
    if name is not None and not is_safe_name(name):
        return f"{name!r} can't be an id"
    if form is None:
        return None
    if not all(part.isidentifier() for part in module.split(".")):
        return f"'{module}:{export}' is not of the form module:export"
    file = code / f"{module.replace('.', '/')}.py"
    if not file.is_file():
        return f"there is no {file.name}"
    tree = read_module(file).tree
    names = top_level_names(tree) if tree else None
    if tree is None:
        return f"Python can't read {file.name}"
    if not export.isidentifier() or (names is not None and export not in names):
        return f"{file.name} defines no '{export}'{'' if _has_steps(tree) else ': it is a script'}"
    return None


def _has_steps(tree: ast.Module) -> bool:
    """Say whether a module has to do with Beam at all."""
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return any("apache_beam" in ast.unparse(node) for node in imported)


def native_entries(
    entries: Sequence[Entry], found: Mapping[str, Any], trouble: str | None, rewritten: Sequence[str], report: Report
) -> list[dict[str, Any]]:
    """Write each recipe as ours, with what has become of it in the report.

    Parameters
    ----------
    entries
        As upstream has them.
    found
        What each is made of, by id, and by ``#n`` where the n-th brings its own ids but can't be imported.
    trouble
        Why nothing was found.
    rewritten
        The modules whose recipes are written anew.
    report
        Where notes are taken.
    """
    shared = _shared_names(found)
    made: list[dict[str, Any]] = []
    for number, entry in enumerate(entries):
        if entry.given and "recipe" in entry.given:
            made.append(dict(entry.given))
            report.recipes[str(entry.id)] = "declarative"
        elif not entry.runs:
            made += _linked(entry, entry.fault, report)
        else:
            made += _of(entry, _described(entry, number, found), trouble, shared, entry.module in rewritten, report)
    return made


def _described(entry: Entry, number: int, found: Mapping[str, Any]) -> dict[str, Any]:
    if entry.given and "object" in entry.given:
        return {str(entry.id): found[str(entry.id)]} if str(entry.id) in found else {}
    return {key: value for key, value in found.items() if value.get("entry") == number}


def _of(
    entry: Entry,
    described: Mapping[str, Any],
    trouble: str | None,
    shared: Sequence[str],
    rewritten: bool,
    report: Report,
) -> list[dict[str, Any]]:
    ids = [name for name in described if not name.startswith("#")]
    errors = [each["error"] for each in described.values() if "error" in each]
    if errors and any(part in errors[0] for part in NOT_A_RECIPE):
        return _linked(entry, errors[0], report)
    results: dict[str, dict[str, Any] | str] = {name: _declared(described[name], [name, *shared]) for name in ids}
    if ids and not any(isinstance(each, str) for each in results.values()):
        return [_declaration(name, each, report) for name, each in results.items() if isinstance(each, dict)]
    how: Any = "rewritten" if rewritten else "kept"
    for name, each in results.items() or {str(entry.id or entry.module): trouble or (errors or ["unknown"])[0]}.items():
        report.recipes[name] = how
        why = each if isinstance(each, str) else "others beside it can't be declared"
        report.of_recipe(report.kept, f"{name}: in Python, since {why}")
    return [dict(entry.given or {})]


def _shared_names(found: Mapping[str, Any]) -> list[str]:
    """List the names that several stores have, which therefore name none of them."""
    steps = [step["arguments"] for each in found.values() for step in each.get("steps", ())]
    names = [given["store_name"].get("value") for given in steps if "store_name" in given]
    return [name for name, count in Counter(names).items() if count > 1]


def _declared(described: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any] | str:
    """Give the parameters of the shared recipe, or why there are none."""
    if "error" in described:
        return str(described["error"])
    if not is_safe_name(known[0]):
        return f"{known[0]!r} can't be an id"
    try:
        return declared(described, known)
    except NotSimple as reason:
        return str(reason)


def _declaration(name: str, given: dict[str, Any], report: Report) -> dict[str, Any]:
    report.recipes[name] = "declarative"
    report.of_recipe(report.changed, f"{name}: in YAML, as {SHARED}; every input's place and URL was compared")
    if dims := unsaid_chunks(given):
        which = ", ".join(dims)
        report.todo.append(
            f"choose chunks of {name} along {which}: the sources' own stay, where upstream made one of each input"
        )
    return {"id": name, "recipe": SHARED, "with": given}


def _linked(entry: Entry, fault: str | None, report: Report) -> list[dict[str, Any]]:
    """Keep the id of what can't be run: its store may be linked."""
    if entry.id is None or not is_safe_name(entry.id):
        report.of_recipe(report.changed, f"recipe {dict(entry.given or {})} is left out: {fault or 'it has no id'}")
        return []
    report.recipes[entry.id] = "linked"
    if fault:
        report.of_recipe(report.changed, f"{entry.id}: only an id, nothing to run: {fault}")
        report.todo.append(f"write a recipe for {entry.id}, or link its store")
    return [{"id": entry.id}]
