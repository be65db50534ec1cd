"""Lint: every problem of a feedstock or a project at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bakehouse.meta import load
from bakehouse.meta.findings import Finding, Problem
from bakehouse.meta.models import FeedstockMeta
from bakehouse.meta.project import Defaults, Project
from bakehouse.meta.rules import RULES, report
from bakehouse.meta.subjects import FeedstockSubject, ProjectSubject, Subject


def lint_feedstock(folder: Path, project_root: Path | None = None) -> list[Finding]:
    """List everything that is wrong with a feedstock, or could be better.

    Parameters
    ----------
    folder
        The feedstock's folder.
    project_root
        The project that it belongs to; looked for above `folder` if left out.
    """
    folder = folder.absolute()
    root = project_root.absolute() if project_root else load.project_around(folder.parent)
    return report(_feedstock_problems(folder, root, _defaults(root)), root or folder)


def lint_project(root: Path) -> list[Finding]:
    """List everything that is wrong with a project's meta.yaml, shared recipes and feedstocks.

    A repository of one feedstock, as Pangeo Forge has them, counts as a project.
    """
    root = root.absolute()
    if not (root / load.META).exists() and load.meta_folder(root) != root:
        return lint_feedstock(root)
    folders = tuple(load.feedstock_folders(root))
    subject = ProjectSubject(root, load.read_project(root), folders)
    problems = load.check(Project, subject.document)[1] + list(_checked(subject, "project"))
    defaults = _defaults(root)
    for folder in folders:
        problems += _feedstock_problems(folder, root, defaults)
    return report(problems, root)


def _feedstock_problems(folder: Path, root: Path | None, defaults: Defaults) -> list[Problem]:
    document, base = load.read_feedstock(folder), load.meta_folder(folder)
    subject = FeedstockSubject(load.feedstock_id(folder), folder, base, document, root, defaults)
    return load.check(FeedstockMeta, document)[1] + list(_checked(subject, "feedstock"))


def _checked(subject: Subject, scope: str) -> Iterator[Problem]:
    for rule in RULES.values():
        if rule.check and rule.scope in ("file", scope):
            yield from rule.check(subject)


def _defaults(root: Path | None) -> Defaults:
    """Give what a sound project says for all its feedstocks."""
    found = load.check(Project, load.read_project(root))[0] if root else None
    return found.defaults if found else Defaults()
