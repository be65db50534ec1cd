"""Bake with Bakehouse: the repository by its path, outside of any project."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from benchmarks.compat.cases import Case
from benchmarks.compat.side import HERE, command, describe

SOURCE = HERE.parent.parent / "src"


def bake(case: Case, checkout: Path, scratch: Path, python: Path, env: dict[str, str]) -> dict[str, Any]:
    """Bake one recipe and describe its store."""
    env = {**env, "PYTHONPATH": f"{env['PYTHONPATH']}{os.pathsep}{SOURCE}", "BAKEHOUSE_URL_MAP": mirrors(env)}
    words = [python, "-m", "bakehouse", "bake", checkout, case.recipe, "--subdir", case.subdir, "--json"]
    if case.prune:
        words += ["--prune", "2"]
    error, seconds = command(words, scratch / "bake.log", env, scratch)
    said = report(scratch / "bake.out")
    store = next((each["url"] for each in said.get("recipes", []) if each.get("url")), "")
    unreadable = describe(case, store, scratch, python, env) if store else "there is no store"
    error = error and (reason(said) or error)
    return {"error": error, "seconds": seconds, "unreadable": unreadable, "store": store, "dump": str(scratch / "dump")}


def report(path: Path) -> dict[str, Any]:
    """Read the report of a bake; what a recipe prints itself may stand before it."""
    try:
        text = path.read_text()
        return dict(json.loads(text[text.index("{\n") :]))
    except ValueError:
        return {}


def reason(said: dict[str, Any]) -> str:
    """Give the error of a failed bake in a line or two."""
    found = next(
        (each["error"] for each in [*said.get("recipes", []), said] if isinstance(each.get("error"), dict)), {}
    )
    return "\n".join(str(found[key]) for key in ("where", "cause", "message") if found.get(key))


def mirrors(env: dict[str, str]) -> str:
    """Map every host and bucket of the sources to this machine, as '--mirror' takes it."""
    base, folder = env["COMPAT_BASE"], Path(env["COMPAT_SOURCES"])
    hosts = [each.name for each in folder.iterdir() if each.is_dir() and each.name not in ("s3", "gs")]
    web = [f"{scheme}://{host}={base}/{host}" for host in hosts for scheme in ("https", "http")]
    buckets = [f"gs://{each.name}={base}/gs/{each.name}" for each in sorted((folder / "gs").glob("*"))]
    return ";".join(web + buckets)
