"""Bakehouse as a contestant: a small project with one feedstock, baked by the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.workloads.base import BASE, Workload

PROJECT = "title: Benchmarks\nbakeries: {local: {runner: direct, target: stores, workers: 2}}\n"
META = """\
title: Benchmark
provenance: {license: CC0-1.0, providers: [{name: Nobody, roles: [producer]}]}
maintainers: [{name: Nobody}]
recipes:
"""


def write_project(folder: Path, workload: Workload) -> None:
    """Write a project with the workload's feedstock."""
    feedstock = folder / "feedstocks" / workload.id
    feedstock.mkdir(parents=True)
    (folder / "meta.yaml").write_text(PROJECT)
    (feedstock / "meta.yaml").write_text(META + workload.meta)
    if workload.recipe:
        (feedstock / "recipe.py").write_text(workload.recipe)


def command(python: Path, verb: str, name: str, project: Path, inputs: str, *more: str) -> list[str]:
    """Spell a command of ours that reads the inputs where they lie."""
    where = ["--project", str(project), "--mirror", f"{BASE}={inputs.rstrip('/')}/"]
    return [str(python), "-m", "bakehouse", verb, name, *where, "--json", *more]


def outcome(stdout: str) -> dict[str, Any]:
    """Give the recipe's part of what the command said: its store's url, how long its phases took, or its error."""
    try:
        return json.loads(stdout)["recipes"][0]
    except (ValueError, LookupError):
        return {}


def error_of(said: dict[str, Any]) -> str | None:
    """Give the error's message, if there is one; a shared recipe that is missing is not built yet."""
    error = said.get("error")
    if not error:
        return None
    lines = [line for key in ("message", "cause") for line in str(error.get(key) or "").splitlines()]
    missing = any("no shared recipe" in line for line in lines)
    return "not built" if missing else " ".join(lines)[:300]
