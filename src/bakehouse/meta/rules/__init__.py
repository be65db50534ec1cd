"""Everything that lint looks for: each module holds the rules of one subject."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bakehouse.meta.findings import Finding, Problem, Rule
from bakehouse.meta.rules import about, addresses, paths, project, reading, recipes, shape, shared_recipes

_MODULES = (reading, shape, paths, about, addresses, recipes, shared_recipes, project)

RULES: dict[str, Rule] = {rule.code: rule for module in _MODULES for rule in module.RULES}
"""All rules by code."""


def report(problems: Iterable[Problem], root: Path) -> list[Finding]:
    """Turn problems into findings, each once, in the order of files and lines."""
    return sorted({RULES[problem.code].finding(problem, root) for problem in problems})
