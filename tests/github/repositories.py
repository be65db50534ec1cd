"""Repositories in which a pull request is judged: a project on main, and branches that leave it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cli.projects import Project, new_project

WHO = {
    "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
}  # fmt: skip


@dataclass(frozen=True)
class Repository:
    """A project under git."""

    project: Project
    base: str

    @property
    def root(self) -> Path:
        """Give its folder."""
        return self.project.root

    def git(self, *words: str) -> str:
        """Run git as somebody."""
        ran = subprocess.run(
            ["git", *words], cwd=self.root, env={**os.environ, **WHO}, check=True, capture_output=True, text=True
        )
        return ran.stdout.strip()

    def commit(self, message: str = "change") -> str:
        """Commit all that lies there."""
        self.git("add", "--all", "--force", "--", ".", ":!.bakehouse")
        self.git("commit", "--allow-empty", "-qm", message)
        return self.git("rev-parse", "HEAD")

    def write(self, path: str, text: str = "x\n") -> Path:
        """Write a file."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file


def repository(root: Path) -> Repository:
    """Make a project with a commit on main, and stand on a branch of it."""
    project = new_project(root)
    made = Repository(project, "")
    made.git("init", "-q", "-b", "main")
    base = made.commit("start")
    made.git("checkout", "-q", "-b", "change")
    return Repository(project, base)
