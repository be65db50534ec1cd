"""Bake with Bakehouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.compat.cases import Case


def bake(case: Case, checkout: Path, scratch: Path, python: Path, env: dict[str, str]) -> dict[str, Any]:
    """Bake one recipe and describe its store."""
    return {"error": "not yet", "seconds": 0.0, "unreadable": "", "store": "", "dump": ""}
