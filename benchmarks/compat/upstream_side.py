"""Bake as upstream does, in its own environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.compat.cases import Case
from benchmarks.compat.side import HERE, command, describe


def bake(case: Case, checkout: Path, scratch: Path, python: Path, env: dict[str, str]) -> dict[str, Any]:
    """Bake one recipe and describe its store."""
    target = scratch / "target"
    spec = {"folder": str(checkout), "subdir": case.subdir, "recipe": case.recipe, "prune": case.prune}
    spec |= {"target": str(target), "cache": str(scratch / "cache") if case.cache else ""}
    path = scratch / "spec.json"
    path.write_text(json.dumps(spec))
    error, seconds = command([python, HERE / "upstream.py", path], scratch / "bake.log", env, checkout)
    store = target / case.store
    unreadable = describe(case, str(store), scratch, python, env) if store.exists() else "there is no store"
    return {
        "error": error,
        "seconds": seconds,
        "unreadable": unreadable,
        "store": str(store),
        "dump": str(scratch / "dump"),
    }
