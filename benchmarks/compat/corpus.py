"""Fetched repositories: a folder of them, each named ``OWNER+NAME``, checked out or bare."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from benchmarks.compat.cases import Case


def export(corpus: Path, case: Case, into: Path) -> Path:
    """Write a case's repository as it was at its commit."""
    git = repository(corpus, case)
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    with subprocess.Popen(["git", "-C", git, "archive", case.commit], stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "-x", "-C", into], stdin=archive.stdout, check=True)
    if archive.returncode:
        raise SystemExit(f"{git} has no commit {case.commit}")
    return into


def repository(corpus: Path, case: Case) -> Path:
    """Find a case's repository."""
    for path in (corpus / case.folder / "repo", corpus / case.folder):
        if (path / "HEAD").exists() or (path / ".git").exists():
            return path
    raise SystemExit(
        f"{case.folder} is not in {corpus}: git clone https://github.com/{case.repository} {corpus / case.folder}"
    )
