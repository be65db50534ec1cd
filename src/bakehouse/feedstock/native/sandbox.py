"""Run `look` as a process of its own: without the caller's environment and home, off the network, and not for ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LOOK = "bakehouse.feedstock.native.look"
LIMIT_S = 120


def look(
    name: str, folder: Path, repository: Path | None, entries: Sequence[Mapping[str, Any]], scratch: Path
) -> tuple[dict[str, Any], str | None]:
    """Describe recipes by what importing them gives, and say why nothing could be told.

    Their code runs, with no credentials in reach; that keeps accidents away, not an attacker.

    Parameters
    ----------
    name, folder, repository
        The feedstock's id, the folder of its meta.yaml, and the one that its paths start from if that is another.
    entries
        Its recipes as meta.yaml has them.
    scratch
        A folder that may be written to.
    """
    task = {"id": name, "folder": str(folder), "repository": str(repository) if repository else None,
            "entries": [dict(entry) for entry in entries]}  # fmt: skip
    answer = scratch / "answer.json"
    try:
        ran = subprocess.run(
            [sys.executable, "-m", LOOK, str(answer)], input=json.dumps(task), cwd=repository or folder,
            env=_environment(scratch), capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {}, f"importing the recipes took longer than {LIMIT_S} s"
    if ran.returncode or not answer.is_file():
        last = next((line for line in reversed(ran.stderr.splitlines()) if line.strip()), "")
        return {}, f"importing the recipes failed: {last}"
    found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return found, None


def _environment(scratch: Path) -> dict[str, str]:
    """Give what Python needs to find the same packages, and nothing of the user's."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH") if key in os.environ}
    (scratch / "home").mkdir(exist_ok=True)
    return {
        **kept,
        "HOME": str(scratch / "home"),
        "PYTHONPATH": os.pathsep.join(filter(None, (os.path.abspath(path) for path in sys.path if path))),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
