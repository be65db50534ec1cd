"""A project on a bare repository, and act to run its workflows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.github.standin import REPOSITORY, WRITER, GitHub, github

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
STAND_INS = {
    "actions/checkout": "checkout",
    "actions/setup-python": "nothing",
    "actions/upload-artifact": "upload",
    "actions/download-artifact": "download",
    "actions/upload-pages-artifact": "pages",
    "actions/deploy-pages": "deploy",
    "aws-actions/configure-aws-credentials": "keys",
    "google-github-actions/auth": "credentials",
}
USES = re.compile(r"uses: ([\w-]+/[\w./-]+)@([0-9a-f]{40})")
CANARY = "canary-9f31c7e2"
OIDC = tuple(
    f"--env=ACTIONS_ID_TOKEN_REQUEST_{name}={value}"
    for name, value in {"TOKEN": CANARY, "URL": "http://127.0.0.1:9/oidc"}.items()
)
WITH_OIDC = ("run-recipe",)
"""Workflows in which a job that runs recipes may ask for OIDC tokens."""
LIMIT_S = 300
NO_METADATA = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_METADATA_ENDPOINT": "http://127.0.0.1:9"}
"""Libraries that look for a machine's credentials ask nobody outside."""
QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


@dataclass(frozen=True)
class Ran:
    """What came of a workflow: each job's result, and what its steps printed."""

    code: int
    jobs: dict[str, str]
    lines: tuple[tuple[str, str], ...] = field(repr=False)
    raw: str = field(repr=False)

    def printed(self, job: str) -> str:
        """Give what the steps of a job printed."""
        return "".join(text for name, text in self.lines if name == job)


@dataclass
class Bench:
    """A repository with a project in it, its API, and the folders that stand in for GitHub's services."""

    folder: Path
    hub: GitHub
    keys: Mapping[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    ran: list[tuple[str, Ran]] = field(default_factory=list)

    @property
    def origin(self) -> Path:
        """Give the bare repository."""
        return self.folder / "origin.git"

    @property
    def tree(self) -> Path:
        """Give the clone in which changes are made, and act is run."""
        return self.folder / "tree"

    @property
    def artifacts(self) -> Path:
        """Give the folder of artifacts."""
        return self.folder / "artifacts"

    def git(self, *words: str, cwd: Path | None = None) -> str:
        """Run git as a contributor would; by default in the clone."""
        names = {"GIT_AUTHOR_NAME": "A baker", "GIT_AUTHOR_EMAIL": "baker@example.org"}
        names |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in names.items()}
        done = subprocess.run(
            ["git", *words], cwd=cwd or self.tree, env={**os.environ, **QUIET, **names}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str], message: str = "A change", branch: str = "main") -> str:
        """Commit files on a branch (made from main if it is new), push, and give the commit."""
        self.git("fetch", "--quiet", "origin")
        known = self.git("branch", "--remotes", "--list", f"origin/{branch}")
        self.git("checkout", "--quiet", "-B", branch, f"origin/{branch}" if known else "origin/main")
        for name, text in files.items():
            (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
            (self.tree / name).write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", branch)
        return self.git("rev-parse", "HEAD")

    def at(self, branch: str = "main") -> str:
        """Give the commit that a branch is at."""
        return self.git("rev-parse", f"refs/heads/{branch}", cwd=self.origin)

    def file(self, path: str, branch: str = "main") -> str:
        """Give a file of the bare repository."""
        return self.git("show", f"refs/heads/{branch}:{path}", cwd=self.origin)

    def run(self, name: str, event: str, payload: Mapping[str, Any], *words: str) -> Ran:
        """Run a workflow of main, or, for a pull request, of the merge with it."""
        workflow, sha = f".github/workflows/{name}.yml", self._stand(event, payload)
        about = self.folder / "event.json"
        full = {**payload, "repository": {"full_name": REPOSITORY, "name": "feedstocks", "default_branch": "main"}}
        about.write_text(json.dumps(full))
        command = [_act(), event, "--workflows", workflow, "--eventpath", str(about), "--json"]
        command += [*self._options(sha), *(OIDC if name in WITH_OIDC else ()), *words]
        done = subprocess.run(
            command, cwd=self.tree, env=self._outside(), capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        found = _read(done)
        self.ran.append((name, found))
        return found

    def follow(self) -> list[Ran]:
        """Run what was dispatched, as GitHub does."""
        started, self.hub.dispatches = self.hub.dispatches, []
        return [
            self.run(file.removesuffix(".yml"), "workflow_dispatch", {"inputs": inputs, "ref": f"refs/heads/{ref}"})
            for file, ref, inputs in started
        ]

    def _stand(self, event: str, payload: Mapping[str, Any]) -> str:
        """Stand on the commit that the event is about."""
        self.git("fetch", "--quiet", "origin")
        self.git("checkout", "--quiet", "-B", "main", "origin/main")
        if event == "pull_request":
            self.git("checkout", "--quiet", "-B", "merge")
            self.git("merge", "--quiet", "--no-edit", payload["pull_request"]["head"]["sha"])
            self.git("push", "--quiet", "--force", "origin", f"HEAD:refs/pull/{payload['number']}/merge")
        return self.git("rev-parse", "HEAD")

    def _options(self, sha: str) -> Iterator[str]:
        yield from ("--platform", "ubuntu-latest=-self-hosted", "--no-skip-checkout", "--no-cache-server")
        yield from ("--action-offline-mode", "--concurrent-jobs", "2", "--secret", f"GITHUB_TOKEN={WRITER}")
        for file in sorted((self.tree / ".github").rglob("*.yml")):
            for action, pin in USES.findall(file.read_text(encoding="utf-8")):
                yield from (
                    "--local-repository",
                    f"{action}@{pin}={HERE / 'actions' / STAND_INS.get(action, 'nothing')}",
                )
        for name, value in self.variables.items():
            yield from ("--var", f"{name}={value}")
        for name, value in self.secrets.items():
            yield from ("--secret", f"{name}={value}")
        for name, value in {**self._job(), "GITHUB_SHA": sha}.items():
            yield from ("--env", f"{name}={value}")

    def _job(self) -> dict[str, str]:
        """Give what the jobs find in their environment, and the stand-ins need."""
        known = {name: value for name, value in self.hub.environment().items() if name != "GITHUB_TOKEN"}
        folders = {"BENCH_ORIGIN": self.origin, "BENCH_ARTIFACTS": self.artifacts, "BENCH_BIN": self.folder / "bin"}
        keys = {"BENCH_NAME": self.keys.get("AWS_ACCESS_KEY_ID", ""), "BENCH_CANARY": CANARY}
        keys["BENCH_WORD"] = self.keys.get("AWS_SECRET_ACCESS_KEY", "")
        paths = {name: str(path) for name, path in folders.items()}
        return {**known, **paths, **keys, **NO_METADATA, **self.environment}

    def _outside(self) -> dict[str, str]:
        """Give act a home of its own, and nothing of this process's environment."""
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", **QUIET, **NO_METADATA, **pip}


@contextmanager
def bench(
    folder: Path, extra: Mapping[str, str], keys: Mapping[str, str] | None = None, engine: bool = False
) -> Iterator[Bench]:
    """Put a project on a bare repository, and serve its API: what `bakehouse init` makes, or this very repository."""
    from tests.cli.projects import new_project

    with github() as hub:
        made = Bench(folder, hub, keys or {})
        made.artifacts.mkdir(parents=True)
        _program(folder / "bin")
        if engine:
            _copy_of_this_repository(made.tree)
        else:
            new_project(made.tree)
        shutil.copy(HERE / "actions/setup/action.yml", made.tree / ".github/actions/setup/action.yml")
        for name, text in extra.items():
            (made.tree / name).parent.mkdir(parents=True, exist_ok=True)
            (made.tree / name).write_text(text, encoding="utf-8")
        made.git("init", "--quiet", "--bare", "--initial-branch", "main", str(made.origin), cwd=folder)
        made.git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=made.origin)
        made.git("init", "--quiet", "--initial-branch", "main")
        made.git("remote", "add", "origin", str(made.origin))
        made.git("add", "--all")
        made.git("commit", "--quiet", "--message", "A new project")
        made.git("push", "--quiet", "origin", "main")
        yield made


def _copy_of_this_repository(folder: Path) -> None:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, listed):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, folder / name)


def _program(folder: Path) -> None:
    """Put the Bakehouse under test on a path."""
    folder.mkdir()
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    ours = f"PYTHONPATH={paths} exec {sys.executable}"
    for name, command in {"bakehouse": f"{ours} -m bakehouse", "python": f"exec {sys.executable}"}.items():
        (folder / name).write_text(f'#!/bin/sh\n{command} "$@"\n')
        (folder / name).chmod(0o755)


def _act() -> str:
    return str(Path(sys.executable).with_name("act"))


def _read(done: subprocess.CompletedProcess[str]) -> Ran:
    jobs: dict[str, str] = {}
    lines: list[tuple[str, str]] = []
    for line in done.stdout.splitlines():
        about = json.loads(line) if line.startswith("{") else {}
        job = about.get("jobID", "")
        if "jobResult" in about:
            jobs[job] = about["jobResult"]
        elif about.get("raw_output"):
            lines.append((job, about["msg"]))
        elif about.get("command") in ("error", "warning", "notice"):  # act takes notes beside the code for itself
            lines.append((job, about["raw"]))
    return Ran(done.returncode, jobs, tuple(lines), done.stdout + done.stderr)
