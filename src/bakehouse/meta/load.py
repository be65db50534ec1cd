"""Load both meta.yaml files; whatever can't be understood is refused with every finding at once."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from bakehouse.errors import MetaError
from bakehouse.meta.document import Document
from bakehouse.meta.findings import Finding, Problem
from bakehouse.meta.models import FeedstockMeta, Provenance
from bakehouse.meta.project import Defaults, Project
from bakehouse.meta.rules import report
from bakehouse.meta.shape import validate
from bakehouse.meta.yaml import read_document

META = "meta.yaml"
CATALOG = "catalog.yaml"
REQUIREMENTS = "requirements.txt"

M = TypeVar("M", bound=BaseModel)


def load_project(root: Path) -> Project:
    """Load the project's meta.yaml.

    Raises
    ------
    MetaError
        If it can't be read or understood; the message lists every finding.
    """
    return _load(Project, read_project(root), root)


def load_feedstock(folder: Path, defaults: Defaults | None = None, lenient: bool = False) -> FeedstockMeta:
    """Load a feedstock's meta.yaml, with LEAP's catalog.yaml if one lies beside it.

    Parameters
    ----------
    folder
        The feedstock's folder; meta.yaml lies in it, or in its folder `feedstock`.
    defaults
        What the project says for feedstocks that don't.
    lenient
        Pass over keys that are not known, as Pangeo Forge and LEAP do.

    Raises
    ------
    MetaError
        If it can't be read or understood; the message lists every finding.
    """
    meta = _load(FeedstockMeta, read_feedstock(folder), folder, lenient)
    return with_defaults(meta, defaults) if defaults else meta


def with_defaults(meta: FeedstockMeta, defaults: Defaults) -> FeedstockMeta:
    """Fill in the licence and the maintainers that a feedstock leaves out."""
    own = meta.provenance or Provenance()
    if own.license is None:
        own = own.model_copy(
            update={"license": defaults.license, "license_link": own.license_link or defaults.license_link}
        )
    provenance = own if own != Provenance() else meta.provenance
    return meta.model_copy(update={"provenance": provenance, "maintainers": meta.maintainers or defaults.maintainers})


def meta_folder(folder: Path) -> Path:
    """Give the folder where meta.yaml and the recipe modules lie: `folder`, or `feedstock` in it."""
    inner = folder / "feedstock"
    return inner if not has_meta(folder) and has_meta(inner) else folder


def is_upstream(folder: Path) -> bool:
    """Say whether a feedstock is laid out as Pangeo Forge and LEAP do, which a native one has no need of.

    Its meta.yaml lies in a folder `feedstock` of its repository, or has a catalog.yaml or requirements.txt beside it.
    """
    base = meta_folder(folder)
    return base.name == "feedstock" or any((base / name).exists() for name in (CATALOG, REQUIREMENTS))


def feedstock_id(folder: Path) -> str:
    """Give a feedstock's id: the name of its folder, of the repository where that is called `feedstock`."""
    path = Path(os.path.abspath(folder))
    return path.parent.name if path.name == "feedstock" else path.name


def feedstock_folders(root: Path) -> list[Path]:
    """List the folders of a project's feedstocks, sorted by id."""
    found = root / "feedstocks"
    return (
        sorted(f for f in found.iterdir() if f.is_dir() and not f.name.startswith((".", "_"))) if found.is_dir() else []
    )


def find_project_root(start: Path) -> Path:
    """Find the project that a folder belongs to: the nearest one above with bakeries in its meta.yaml.

    Raises
    ------
    MetaError
        If there is none.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        if is_project(folder):
            return folder
    raise MetaError(
        "no project found", str(start), "no folder above has a meta.yaml with bakeries", "run: bakehouse init"
    )


def project_around(start: Path) -> Path | None:
    """Find the project that a folder belongs to; None outside of any."""
    try:
        return find_project_root(start)
    except MetaError:
        return None


def is_project(folder: Path) -> bool:
    """Say whether a folder is the root of a project."""
    file = folder / META
    if not file.is_file():
        return False
    return (folder / "feedstocks").is_dir() or bool(
        re.search(r"^bakeries\s*:", read_project(folder).text, re.MULTILINE)
    )


def read_project(root: Path) -> Document:
    """Read the project's meta.yaml with the place of every value."""
    return read_document(root / META, root)


def read_feedstock(folder: Path) -> Document:
    """Read a feedstock's meta.yaml, over its catalog.yaml, with the place of every value."""
    base = meta_folder(folder)
    inside = folder.parent if folder.is_symlink() else folder
    document = read_document(base / META, inside)
    has_catalog = (base / CATALOG).exists()
    return document.over(read_document(base / CATALOG, inside)) if has_catalog else document


def check(model: type[M], document: Document, lenient: bool = False) -> tuple[M | None, list[Problem]]:
    """Give a document's model, and what is wrong with its text and its shape. If lenient, unknown keys pass."""
    problems = list(document.problems)
    if document.data is None and problems:
        return None, problems
    found, more = validate(model, document, lenient=lenient)
    return found, problems + more


def _load(model: type[M], document: Document, root: Path, lenient: bool = False) -> M:
    found, problems = check(model, document, lenient)
    fatal = [finding for finding in report(problems, root) if finding.severity == "lint"]
    if found is None or fatal:
        raise _error(fatal, document.file)
    return found


def _error(findings: list[Finding], file: Path) -> MetaError:
    lines = "\n".join(str(finding) for finding in findings)
    count = "one finding" if len(findings) == 1 else f"{len(findings)} findings"
    return MetaError(f"{count}\n{lines}", str(file), None, f"bakehouse explain {findings[0].code}")


def has_meta(folder: Path) -> bool:
    """Say whether a feedstock's files lie directly in a folder."""
    return (folder / META).exists() or (folder / CATALOG).exists()
