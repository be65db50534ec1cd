"""What lint finds: shown, counted, and which of it stops a bake."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bakehouse.cli.text import plural
from bakehouse.errors import MetaError
from bakehouse.meta.findings import Finding
from bakehouse.meta.lint import lint_feedstock
from bakehouse.meta.load import is_upstream, project_around

ABOUT = "BH30"
"""Codes of rules on what is said about the data, which a bake does not need."""


def listing(findings: Sequence[Finding]) -> str:
    """Write findings line by line; hints are marked."""
    return "\n".join(f"{finding}{'  (hint)' if finding.severity == 'hint' else ''}" for finding in findings)


def lints(findings: Sequence[Finding]) -> list[Finding]:
    """Leave hints out."""
    return [finding for finding in findings if finding.severity == "lint"]


def summary(findings: Sequence[Finding]) -> str:
    """Count lints and hints."""
    strict = len(lints(findings))
    return f"{plural(strict, 'lint')}, {plural(len(findings) - strict, 'hint')}"


def blocking(findings: Sequence[Finding]) -> list[Finding]:
    """Give the lints with which a feedstock can't be baked: all but those on what is said about the data."""
    return [finding for finding in lints(findings) if not finding.code.startswith(ABOUT)]


def stop_on_lints(folder: Path, root: Path, publishing: bool = False) -> list[Finding]:
    """Lint a feedstock before its recipes are imported; give what does not stop them.

    Lints of a feedstock that was not written for Bakehouse stop nothing but its publication: what can't be loaded
    is refused all the same.

    Raises
    ------
    MetaError
        If a lint stops the bake: any lint if what is baked gets published.
    """
    findings = lint_feedstock(folder, root)
    fatal = lints(findings) if publishing else [] if is_foreign(folder) else blocking(findings)
    if fatal:
        fix = f"bakehouse explain {fatal[0].code}"
        raise MetaError(f"{plural(len(fatal), 'finding')}\n{listing(fatal)}", str(folder), None, fix)
    return findings


def is_foreign(folder: Path) -> bool:
    """Say whether a feedstock was not written for Bakehouse: by its layout, or because it has no project."""
    return is_upstream(folder) or project_around(folder.parent) is None
