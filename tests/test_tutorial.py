"""The tutorial, done as it is written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _script(blocks: list[tuple[str, str]]) -> str:
    """Turn console blocks into their commands, and Python blocks into calls of Python."""
    lines = ["set -eu"]
    for language, text in blocks:
        if language == "console":
            lines += [line.removeprefix("$ ") for line in text.splitlines()]
        elif language == "python":
            lines += ["python <<'END'", text, "END"]
    return "\n".join(lines)


def test_every_step_of_the_tutorial_works_and_shows_what_it_says(tmp_path: Path) -> None:
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", _script(blocks)], cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    meta = (tmp_path / "my-project" / "feedstocks" / "two-years" / "meta.yaml").read_text(encoding="utf-8")
    assert [text for language, text in blocks if language == "yaml" and text not in meta] == []
    assert "published" in done.stdout and "unchanged" not in done.stdout
