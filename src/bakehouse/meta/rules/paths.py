"""BH2xx: names and paths, which must stay where they belong."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from bakehouse.meta.base import is_safe_name
from bakehouse.meta.findings import SAME, Example, Link, Mark, Problem, Rule
from bakehouse.meta.subjects import FeedstockSubject, ProjectSubject, Subject, is_inside
from bakehouse.meta.urls import path_escapes
from bakehouse.meta.yaml import LINK_OUT

_STYLE = re.compile(r"[a-z0-9][a-z0-9._-]*")
_SKIPPED = {".git", "__pycache__", "node_modules", ".venv"}


def _escapes(subject: Subject) -> Iterator[Problem]:
    """Look at linked stores and at targets; inputs are checked where their recipe's parameters are."""
    document = subject.document
    for loc, text in document.texts():
        if loc[:1] == ("stores",) and loc[-1] in ("url", "path", "source_url"):
            if escape := path_escapes(text):
                yield Problem("BH201", document.mark(loc), f"{text!r}: {escape}")
        elif loc[:1] == ("bakeries",) and loc[-1] == "target" and ".." in re.split(r"[/\\]", text):
            yield Problem(
                "BH201", document.mark(loc), f"{text!r}: '..' leads out of the project", "name a folder or a URL"
            )


def _links_out(subject: FeedstockSubject) -> Iterator[Problem]:
    folder = subject.folder
    if folder.is_symlink() and subject.root and not is_inside(folder, subject.root):
        yield _link(folder)
    for path in _walk(folder):
        if path.is_symlink() and not is_inside(path, folder):
            yield _link(path)


def _link(path: Path) -> Problem:
    return Problem("BH202", Mark(path), LINK_OUT)


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - _SKIPPED)
        yield from (Path(parent, name) for name in (*folders, *sorted(files)))


def _case_clash(subject: ProjectSubject) -> Iterator[Problem]:
    seen: dict[str, Path] = {}
    for folder in subject.feedstocks:
        first = seen.setdefault(folder.name.casefold(), folder)
        if first != folder:
            yield Problem(
                "BH203", Mark(folder / "meta.yaml"), f"folder '{folder.name}' differs from '{first.name}' only in case"
            )


def _id_style(subject: FeedstockSubject) -> Iterator[Problem]:
    document = subject.document
    ids = [((*loc, "id"), entry.get("id")) for key in ("recipes", "stores") for loc, entry in document.mappings(key)]
    for loc, name in (((), subject.id), *ids):
        if isinstance(name, str) and is_safe_name(name) and not _STYLE.fullmatch(name):
            mark = document.mark(loc) if loc else Mark(document.file)
            simple = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")
            what = "id" if loc else "folder"
            yield Problem(
                "BH204", mark, f"{what} '{name}' is not lower case, digits, '.', '_' and '-'", f"such as '{simple}'"
            )


RULES = (
    Rule(
        "BH201", "path-escapes", "lint", "file",
        title="A path that is absolute or contains '..'.",
        why="It exists on one machine only, or reads and writes where a feedstock has no business.",
        fix="name a URL, or package://module/path",
        bad=Example("stores: [{id: demo, url: /data/demo.zarr}]\n"),
        good=Example("stores: [{id: demo, url: 'https://example.org/demo.zarr'}]\n"),
        check=_escapes,
    ),
    Rule(
        "BH202", "link-out", "lint", "feedstock",
        title="A symbolic link that leads out of the feedstock's folder.",
        why="What lies behind it is no part of the feedstock: it is not reviewed, and not there on other machines.",
        fix="put a copy of the file into the folder",
        bad=Example(files={"table.csv": Link("../../../../table.csv")}),
        good=Example(files={"table.csv": Link("data.csv"), "data.csv": "station,height\n"}),
        check=_links_out,
    ),
    Rule(
        "BH203", "case-clash", "lint", "project",
        title="Two feedstocks whose folders differ only in case.",
        why="On macOS and Windows they are one folder.",
        fix="rename one of the folders",
        bad=Example(files={"/feedstocks/DEMO/meta.yaml": SAME, "/feedstocks/DEMO/recipe.py": SAME}, also=("BH204",)),
        good=Example(files={"/feedstocks/ostia/meta.yaml": SAME, "/feedstocks/ostia/recipe.py": SAME}),
        check=_case_clash,
    ),
    Rule(
        "BH204", "id-style", "hint", "feedstock",
        title="An id with capitals or unusual characters.",
        why="Ids are typed, and become URLs and job names; some runners refuse capitals. Such ids work all the same.",
        fix="use lower case, digits, '.', '_' and '-'",
        bad=Example("recipes: [{id: CanopyHeights-GLAD, object: 'recipe:recipe'}]\n"),
        good=Example("recipes: [{id: canopy-heights-glad, object: 'recipe:recipe'}]\n"),
        check=_id_style,
    ),
)  # fmt: skip
