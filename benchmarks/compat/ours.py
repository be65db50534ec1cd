"""Bake with Bakehouse, the repository dropped into a new project as it is."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from benchmarks.compat.cases import Case
from benchmarks.compat.side import HERE, command, describe

SOURCE = HERE.parent.parent / "src"


def bake(case: Case, checkout: Path, scratch: Path, python: Path, env: dict[str, str]) -> dict[str, Any]:
    """Bake one recipe and describe its store."""
    env = {**env, "PYTHONPATH": f"{env['PYTHONPATH']}{os.pathsep}{SOURCE}", "BAKEHOUSE_URL_MAP": mirrors(env)}
    bakehouse = [python, "-m", "bakehouse"]
    project = scratch / "project"
    command([*bakehouse, "init", project], scratch / "init.log", env, scratch)
    whole = case.subdir == "feedstock"
    name = case.repository.split("/")[1]
    shutil.copytree(checkout if whole else checkout / case.subdir, project / "feedstocks" / name)
    words = [*bakehouse, "bake", f"{name}/{case.recipe}", "--project", project, "--json", *(["--prune", "2"] if case.prune else [])]
    error, seconds = command(words, scratch / "bake.log", env, project / "feedstocks" / name)
    store = next((each["url"] for each in recipes(scratch / "bake.out") if each.get("url")), "")
    unreadable = describe(case, store, scratch, python, env) if store else "there is no store"
    return {"error": error, "seconds": seconds, "unreadable": unreadable, "store": store, "dump": str(scratch / "dump")}


def recipes(path: Path) -> list[dict[str, Any]]:
    """Read the report of a bake; what recipes print themselves may stand before it."""
    text = path.read_text()
    return json.loads("{" + text.partition("\n{")[2] if not text.startswith("{") else text or "{}").get("recipes", [])


def mirrors(env: dict[str, str]) -> str:
    """Map every host and bucket of the sources to this machine, as '--mirror' takes it."""
    base, folder = env["COMPAT_BASE"], Path(env["COMPAT_SOURCES"])
    hosts = [each.name for each in folder.iterdir() if each.is_dir() and each.name not in ("s3", "gs")]
    web = [f"{scheme}://{host}={base}/{host}" for host in hosts for scheme in ("https", "http")]
    buckets = [f"gs://{each.name}={base}/gs/{each.name}" for each in sorted((folder / "gs").glob("*"))]
    return ";".join(web + buckets)

