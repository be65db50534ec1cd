"""The workflows as data, and what is asked of each: read by the static checks and by the page that lists the flows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
RUNS_RECIPES = re.compile(r"\bbakehouse (?:ci (?:check|run)|bake|plan|test|update|refresh)\b|\.ci/run\b")
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
PINNED = re.compile(r"(\s*(?:- )?)uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


@dataclass(frozen=True)
class Job:
    """A job of a workflow."""

    workflow: str
    name: str
    text: dict[str, Any]

    @property
    def steps(self) -> list[dict[str, Any]]:
        """List its steps; none if it calls a workflow."""
        return self.text.get("steps", [])

    @property
    def permissions(self) -> dict[str, str]:
        """Give what its token may do."""
        return self.text.get("permissions", {})

    @property
    def environment(self) -> str:
        """Give the environment in which it runs, as it is written."""
        found = self.text.get("environment", "")
        return found["name"] if isinstance(found, dict) else found

    @property
    def script(self) -> str:
        """Give all that its steps run."""
        return "\n".join(str(step.get("run", "")) for step in self.steps)

    @property
    def secrets(self) -> list[str]:
        """List the secrets that it reads, its token aside."""
        return sorted(set(re.findall(r"secrets\.(\w+)", yaml.safe_dump(self.text))))

    @property
    def runs_recipes(self) -> bool:
        """Say whether recipes, or a pull request's code, run in it."""
        return bool(RUNS_RECIPES.search(self.script))

    @property
    def has_token(self) -> bool:
        """Say whether a step's script gets the job's token."""
        return any("github.token" in str(step.get("env", {})) for step in self.steps)


@dataclass(frozen=True)
class Workflow:
    """A file of `.github/workflows`."""

    path: Path

    @cached_property
    def text(self) -> dict[Any, Any]:
        """Give the file, read as YAML."""
        return yaml.safe_load(self.path.read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        """Give the file's name without its ending."""
        return self.path.stem

    @property
    def triggers(self) -> dict[str, Any]:
        """Give its triggers; YAML 1.1 reads `on` as true."""
        found = self.text.get("on", self.text.get(True))
        return found if isinstance(found, dict) else {found: None}

    @property
    def jobs(self) -> list[Job]:
        """List its jobs."""
        return [Job(self.name, name, text) for name, text in self.text["jobs"].items()]


def workflows(root: Path = ROOT) -> list[Workflow]:
    """List the workflows of a project."""
    return [Workflow(path) for path in sorted((root / ".github/workflows").glob("*.yml"))]


def jobs(root: Path = ROOT) -> list[Job]:
    """List all jobs of a project's workflows."""
    return [job for workflow in workflows(root) for job in workflow.jobs]


def rows(root: Path = ROOT) -> Iterator[tuple[str, str, str, str, str]]:
    """Give workflow and job, its token's rights, environment, secrets, and whether recipes run in it."""
    for job in jobs(root):
        rights = ", ".join(f"{name}: {value}" for name, value in sorted(job.permissions.items()))
        environment = re.sub(
            r"\$\{\{ inputs\.mode == 'update' && 'update' \|\| 'bake' \}\}", "bake or update", job.environment
        )
        yield job.workflow, job.name, rights, environment, ", ".join(job.secrets), "yes" if job.runs_recipes else "no"
