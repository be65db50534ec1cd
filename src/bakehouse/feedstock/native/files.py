"""The files beside a feedstock's metadata: rewritten where they are legacy, and where they name upstream's layout."""

from __future__ import annotations

import ast
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from bakehouse.feedstock.native.report import Report
from bakehouse.feedstock.requirements import beyond_engine
from bakehouse.meta.legacy import LegacyRecipe, gone_names, rewrite
from bakehouse.meta.legacy.edit import Edits
from bakehouse.meta.load import CATALOG, META, REQUIREMENTS
from bakehouse.meta.subjects import read_module

_NOT_COPIED = (META, CATALOG, REQUIREMENTS)
_INNER = "feedstock/"


def modernise(code: Path, ids: Mapping[str, str], report: Report) -> list[str]:
    """Rewrite the modules of legacy recipes; give their names.

    Parameters
    ----------
    code
        The folder that they lie in, which is changed.
    ids
        The recipe's id by ``module:export``.
    report
        Where notes are taken.
    """
    changed = []
    for file in _modules(code):
        module = read_module(file)
        if module.tree is None or not gone_names(module.tree):
            continue
        name = file.relative_to(code).with_suffix("").as_posix().replace("/", ".")
        made = rewrite(module.text, partial(_store_name, ids, name))
        file.write_text(made.text, encoding="utf-8")
        changed.append(name)
        for recipe, form in made.forms:
            report.changed.append(f"{file.name}:{recipe.line}: {recipe.kind} is written as steps")
            left_out = f"{file.name}: left out of {recipe.name or recipe.kind}"
            report.changed += [f"{left_out}: {note}" for note in form.left_out]
            report.todo += [f"{left_out}: {note}" for note in form.undecided]
        report.todo += [f"{file.name}:{line}: {note}" for line, note in made.todo]
    return changed


def _store_name(ids: Mapping[str, str], module: str, recipe: LegacyRecipe) -> str:
    name = ids.get(f"{module}:{recipe.name}")
    return json.dumps(f"{name}.zarr" if name else "store.zarr")


def copy_code(code: Path, folder: Path, report: Report) -> bool:
    """Copy all files but the metadata; say whether paths that name upstream's layout were changed."""
    moved = False
    for file in _files(code):
        to = folder / file.relative_to(code)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, to)
        if to.suffix == ".py":
            moved |= _relocate(to, report)
    return moved


def copy_requirements(code: Path, folder: Path, report: Report) -> None:
    """Keep of requirements.txt what the engine does not bring."""
    file = code / REQUIREMENTS
    if not file.is_file():
        return
    lines = beyond_engine(file)
    if not lines:
        report.changed.append(f"{REQUIREMENTS} is dropped: Bakehouse brings all that it asks for")
        return
    (folder / REQUIREMENTS).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    report.kept.append(f"of {REQUIREMENTS}: {', '.join(lines)}; bake with --isolated")


def _relocate(file: Path, report: Report) -> bool:
    """Name files beside the recipe as they lie now; what catalog.yaml said stands in meta.yaml."""
    module = read_module(file)
    edits = Edits(module.text)
    inside = {id(part) for node in ast.walk(module.tree or ast.Module([], [])) if isinstance(node, ast.JoinedStr)
              for part in ast.walk(node)}  # fmt: skip
    texts = [node for node in ast.walk(module.tree) if isinstance(node, ast.Constant)] if module.tree else []
    for node in texts:
        text = node.value if isinstance(node.value, str) else ""
        plain = text.removeprefix("./")
        if plain.startswith(_INNER) and id(node) not in inside and len(plain.split()) == 1:
            beside = plain.removeprefix(_INNER)
            to = META if beside == CATALOG else beside
            edits.replace(node, json.dumps(to))
            report.changed.append(f"{file.name}:{node.lineno}: reads {to}, no longer {text}")
    if edits.spans:
        file.write_text(edits.applied(), encoding="utf-8")
    return bool(edits.spans)


def _files(code: Path) -> Iterator[Path]:
    """List the regular files of a folder, hidden ones and those of git and Python left out."""
    for parent, folders, names in os.walk(code):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
        for name in sorted(names):
            file = Path(parent, name)
            hidden = name.startswith(".") or file.suffix == ".pyc" or file.is_symlink()
            if not hidden and not (Path(parent) == code and name in _NOT_COPIED):
                yield file


def _modules(code: Path) -> list[Path]:
    return [file for file in _files(code) if file.suffix == ".py"]
