"""Make a native feedstock from an upstream one: in a folder of its own, put in its place when it is whole."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakehouse.errors import MetaError, UsageError
from bakehouse.feedstock.located import Located
from bakehouse.feedstock.native.about import mend
from bakehouse.feedstock.native.entries import Entry, native_entries, read_entries
from bakehouse.feedstock.native.files import copy_code, copy_requirements, modernise
from bakehouse.feedstock.native.notes import About
from bakehouse.feedstock.native.report import Report
from bakehouse.feedstock.native.sandbox import look
from bakehouse.feedstock.native.text import meta_text
from bakehouse.meta.load import META, meta_folder, read_feedstock

SCHEMA = "# yaml-language-server: $schema=../../schemas/feedstock.schema.json"
_SUFFIX = re.compile(r"[-_]feedstock$", re.IGNORECASE)


@dataclass(frozen=True)
class _Workshop:
    """A copy of the upstream feedstock that may be changed, and room for more."""

    scratch: Path
    code: Path
    repository: Path | None


def native_id(name: str) -> str:
    """Make a feedstock's id of a repository's name.

    Examples
    --------
    >>> native_id("chirps_feedstock"), native_id("gpcp-feedstock"), native_id("CanopyHeights-GLAD")
    ('chirps', 'gpcp', 'CanopyHeights-GLAD')
    """
    return re.sub(r"[^A-Za-z0-9._-]", "-", _SUFFIX.sub("", name) or name).strip(".-") or "feedstock"


def make_native(located: Located, root: Path, name: str, source: str, overwrite: bool = False) -> Report:
    """Write ``feedstocks/<name>`` of a project.

    Parameters
    ----------
    located
        Where the upstream feedstock lies.
    root
        The project.
    name
        The new feedstock's id.
    source
        Where it came from, for the head of its meta.yaml.
    overwrite
        Replace a feedstock of that name.

    Raises
    ------
    UsageError
        If there is a feedstock of that name.
    MetaError
        If the upstream metadata can't be read.
    """
    target = root / "feedstocks" / name
    if target.exists() and not overwrite:
        raise UsageError(f"there is a feedstock '{name}'", str(target), None, "choose another ID, or give --overwrite")
    data = _read(located.folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="bakehouse-import-") as scratch,
        tempfile.TemporaryDirectory(prefix=".import-", dir=target.parent) as stage,
    ):
        workshop = _set_up(located, Path(scratch))
        made = Path(stage) / "made"
        made.mkdir()
        report = _write(workshop, made, data, name, source)
        _put(made, target, Path(stage) / "old")
    return report


def _read(folder: Path) -> Mapping[str, Any]:
    document = read_feedstock(folder)
    if isinstance(document.data, dict):
        return document.data
    problem = document.problems[0] if document.problems else None
    where = f"{document.file}:{problem.mark.line}" if problem else str(document.file)
    raise MetaError(problem.message if problem else "there is nothing in it", where, None, "correct it upstream first")


def _set_up(located: Located, scratch: Path) -> _Workshop:
    """Copy the feedstock, with the repository around it if its paths start there."""
    around = located.repository or located.folder
    copy = scratch / "copy" / around.name
    shutil.copytree(around, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", ".bakehouse", "__pycache__"))
    folder = copy / located.folder.relative_to(around)
    return _Workshop(scratch, meta_folder(folder), copy)


def _write(workshop: _Workshop, made: Path, data: Mapping[str, Any], name: str, source: str) -> Report:
    """Write the native feedstock into a new folder."""
    report, about = Report(), mend(data)
    report.todo += about.todo
    entries = list(read_entries(data.get("recipes"), workshop.code))
    exports = {str(each.given["object"]): str(each.id) for each in entries if each.given and "object" in each.given}
    rewritten = modernise(workshop.code, exports, report)
    found, trouble = _look(workshop, name, entries)
    recipes = native_entries(entries, found, trouble, rewritten, report)
    _describe(about, recipes, report)
    header = [SCHEMA, f"# Imported with 'bakehouse import' from {source}.", *_dropped(about)]
    (made / META).write_text(meta_text(header, about.data, about.comments), encoding="utf-8")
    if any(how != "declarative" for how in report.recipes.values()) or not report.recipes:
        if copy_code(workshop.code, made, report):
            _try_again(workshop, made, name, entries, found, report)
        copy_requirements(workshop.code, made, report)
    else:
        report.changed.append("its Python files are left out: YAML says all that they said")
    report.changed += [f"{key}: {note}" if key else note for key, notes in about.comments.items() for note in notes
                       if key != "recipes"]  # fmt: skip
    return report


def _look(workshop: _Workshop, name: str, entries: Sequence[Entry]) -> tuple[dict[str, Any], str | None]:
    """Import what can be imported."""
    given = [dict(each.given or {}) if each.runs else {"id": f"#{number}"} for number, each in enumerate(entries)]
    if not any(each.runs for each in entries):
        return {}, None
    return look(name, workshop.code, workshop.repository, given, workshop.scratch)


def _try_again(
    workshop: _Workshop, made: Path, name: str, entries: Sequence[Entry], found: Mapping[str, Any], report: Report
) -> None:
    """Import what was moved once more from where it lies now."""
    shutil.copytree(made, moved := workshop.scratch / "moved")
    again, trouble = _look(_Workshop(workshop.scratch, moved, None), name, entries)
    for recipe in [key for key in found if "error" not in found[key] and (trouble or "error" in again.get(key, {}))]:
        report.todo.append(f"{recipe} is not imported any more: {trouble or again[recipe]['error']}")


def _describe(about: About, recipes: list[dict[str, Any]], report: Report) -> None:
    """Put the recipes in their place, and say of each above them what was done."""
    stores = about.data.pop("stores", None)
    late: dict[str, Any] = {key: about.data.pop(key) for key in ("fixture", "update") if key in about.data}
    about.data.pop("recipes", None)
    if recipes:
        about.data["recipes"] = recipes
        about.comments["recipes"] = report.recipe_notes
    if stores:
        about.data["stores"] = stores
    about.data |= late
    if not recipes and not stores:
        report.todo.append("add recipes, or stores that are linked: there are neither")


def _dropped(about: About) -> list[str]:
    return [f"# {note}." for note in about.comments.pop("", [])]


def _put(made: Path, target: Path, old: Path) -> None:
    """Put a finished folder in its place; what was there goes with the temporary folder."""
    if target.exists():
        target.rename(old)
    try:
        made.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
