"""What the two sides have in common: run a command, then have the store described."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from benchmarks.compat.cases import Case

HERE = Path(__file__).parent
PATIENCE_S = 600


def command(words: list[Any], log: Path, env: dict[str, str], cwd: Path) -> tuple[str, float]:
    """Run a command; give the end of what it said if it failed, and its time."""
    begun = time.monotonic()
    with log.open("w") as file, log.with_suffix(".out").open("w") as out:
        try:
            code = subprocess.run(
                [*map(str, words)], stdout=out, stderr=file, env=env, cwd=cwd, timeout=PATIENCE_S
            ).returncode
        except subprocess.TimeoutExpired:
            file.write(f"stopped after {PATIENCE_S} s\n")
            code = 1
    return (log.read_text()[-6000:].strip() or f"exit {code}") if code else "", time.monotonic() - begun


def describe(case: Case, store: str, scratch: Path, python: Path, env: dict[str, str]) -> str:
    """Have a store described; give the error if it can't be read."""
    spec = {"store": store, "references": case.references, "remote": "s3", "out": str(scratch / "dump")}
    path = scratch / "dump-spec.json"
    path.write_text(json.dumps(spec))
    return command([python, HERE / "dump.py", path], scratch / "dump.log", env, scratch)[0]
