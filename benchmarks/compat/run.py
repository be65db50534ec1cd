"""Bake public feedstocks with upstream and with Bakehouse: ``python -m benchmarks.compat.run CORPUS``.

CORPUS is a folder of fetched repositories named ``OWNER+NAME``. Their code is exported at the commit that a case names,
runs unmodified, and is not kept. What they read is generated and served on this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.compat import ours, upstream_side
from benchmarks.compat.cases import CASES, Case
from benchmarks.compat.corpus import export
from benchmarks.compat.report import write_report
from benchmarks.compat.services import serving
from benchmarks.environments import Environment, installed

HERE = Path(__file__).parent
PROJECT = HERE.parent.parent
SIDES = {"upstream": upstream_side, "ours": ours}


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description="Public feedstocks, baked by upstream and by Bakehouse.")
    parser.add_argument("corpus", type=Path, help="a folder of repositories named OWNER+NAME")
    parser.add_argument("--cases", default="", help="ids, or what they begin with: 'casm gpcp'; all if left out")
    parser.add_argument("--sides", default="upstream ours")
    parser.add_argument("--folder", type=Path, default=Path(os.environ.get("BENCH_DIR", PROJECT / ".bench")))
    parser.add_argument("--report", type=Path, help="where to write the table")
    asked = parser.parse_args()
    folder = asked.folder.absolute()
    envs = environments(folder)
    for case in chosen(asked.cases):
        attempt(case, asked.corpus.absolute(), folder / "compat", envs, asked.sides.split())
    if asked.report:
        write_report(folder / "compat", asked.report, envs)


def chosen(words: str) -> list[Case]:
    """Give the cases that are asked for."""
    return [case for case in CASES if not words or case.id.startswith(tuple(words.split()))]


def environments(folder: Path) -> dict[str, Environment]:
    """Give the Python of each side."""
    own = Path(os.environ.get("OURS", PROJECT / ".venv/bin/python"))
    theirs = installed("pfr", ("3.11",), HERE / "requirements.txt", folder / "envs" / "pfr")
    return {"ours": Environment("ours", own), "upstream": theirs}


def attempt(case: Case, corpus: Path, folder: Path, envs: dict[str, Environment], sides: list[str]) -> None:
    """Bake one recipe on each side and say what came out."""
    sources = generated(case, folder / "sources" / case.sources, envs["upstream"].python)
    (folder / "results").mkdir(exist_ok=True)
    with serving(sources, envs["upstream"].python) as env:
        for side in sides:
            scratch = folder / "runs" / case.id / side
            shutil.rmtree(scratch, ignore_errors=True)
            checkout = export(corpus, case, scratch / "checkout")
            outcome = SIDES[side].bake(case, checkout, scratch, envs[side].python, {**os.environ, **env, **case.env})
            (folder / "results" / f"{case.id}.{side}.json").write_text(json.dumps(outcome))
            print(
                f"{case.id:20}{side:10}{outcome['error'].splitlines()[-1] if outcome['error'] else 'stored'}"[:200],
                flush=True,
            )


def generated(case: Case, folder: Path, python: Path) -> Path:
    """Write a case's source files unless they are there."""
    if not folder.exists():
        subprocess.run([python, HERE / "sources" / "make.py", case.sources, folder], check=True)
    return folder


def read(path: Path) -> dict[str, Any]:
    """Read a document, or give an empty one."""
    return json.loads(path.read_text()) if path.exists() else {}


if __name__ == "__main__":
    main()
