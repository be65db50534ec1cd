"""A project with a remote, the stores of its bakery, and what a run of recipes hands over."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from bakehouse.catalog.entry import Check, Digests, Entry, Facts, Maintainer, Provider, Store
from bakehouse.cli import main

PROJECT = """\
title: Bakers
catalog_url: https://bakers.example.org/catalog.json
default_bakery: cloud
bakeries:
  cloud: {{target: "{target}", catalog: published}}
  local: {{target: .bakehouse/stores}}
defaults:
  maintainers: [{{name: The bakers, github: bakers}}]
"""
FEEDSTOCK = """\
title: Sea-surface temperature
provenance: {license: CC0-1.0, providers: [{name: Met Office, roles: [producer]}]}
maintainers: [{name: Josiah Carberry, github: jcarberry}]
recipes:
"""
RECIPE = """\
  - id: %s
    recipe: files_to_zarr
    with: {pattern: {url: "https://example.org/{time}.nc", concat: {time: {keys: [1, 2]}}}}
"""
MOMENT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def git(folder: Path, *words: str) -> str:
    """Run git as a person would."""
    person = {
        f"GIT_{role}_{what}": "person@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    done = subprocess.run(["git", *words], cwd=folder, env={**os.environ, **person}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Baker:
    """A checkout of a project, its remote on disk, and the root of its stores."""

    folder: Path
    recipes: tuple[str, ...] = ("monthly", "daily")
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.folder / "project"

    @property
    def remote(self) -> Path:
        return self.folder / "remote.git"

    @property
    def stores(self) -> Path:
        return self.folder / "stores"

    def start(self) -> Baker:
        """Write the project, and push it."""
        (self.root / "feedstocks" / "sst").mkdir(parents=True)
        (self.root / "meta.yaml").write_text(PROJECT.format(target=self.stores))
        text = FEEDSTOCK + "".join(RECIPE % each for each in self.recipes)
        (self.root / "feedstocks/sst/meta.yaml").write_text(text)
        git(self.folder, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
        git(self.root, "init", "--quiet", "--initial-branch=main")
        git(self.root, "remote", "add", "origin", str(self.remote))
        self.push("Begin")
        return self

    def push(self, message: str) -> None:
        """Push whatever is in the checkout."""
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "-m", message)
        git(self.root, "push", "--quiet", "origin", "HEAD:main")

    def run(self, *words: str, exit_code: int = 0, **environment: str) -> Result:
        """Run `bakehouse ci …` in the checkout, in this process."""
        cleared = {"GITHUB_TOKEN": None, "GITHUB_EVENT_PATH": None, "GITHUB_OUTPUT": None, "GITHUB_STEP_SUMMARY": None}
        env: Mapping[str, str | None] = {**cleared, **self.environment, **environment}
        result = CliRunner().invoke(main, ["ci", *words, "--project", str(self.root)], prog_name="bakehouse", env=env)
        assert result.exit_code == exit_code, result.output
        return result

    def document(self, *words: str, exit_code: int = 0, **environment: str) -> Any:
        """Run a command with --json; give the document that is all of its stdout."""
        return json.loads(self.run(*words, "--json", exit_code=exit_code, **environment).stdout)

    def published(self, path: str, branch: str = "main") -> Any:
        """Read a document as the remote has it."""
        return json.loads(git(self.remote, "show", f"{branch}:{path}"))

    def files(self, branch: str = "main") -> list[str]:
        """List the files that the remote has."""
        return git(self.remote, "ls-tree", "-r", "--name-only", branch).splitlines()

    def bake(self, recipe: str = "monthly", version: str = "1a2b", **said: Any) -> Entry:
        """Write the root of a store; give the entry of it, as a bake would."""
        return baked(self.stores, recipe, version, **said)

    def hand_over(self, name: str, *entries: Entry | dict[str, Any], **said: Any) -> Path:
        """Write what a run hands over; give its folder."""
        folder = self.folder / name
        for each in entries:
            document = json.loads(each.to_json()) if isinstance(each, Entry) else each
            path = folder / "entries" / document["feedstock"] / f"{document['recipe']}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(document))
        folder.mkdir(exist_ok=True)
        (folder / "run.json").write_text(json.dumps(result(**said)))
        return folder


def baked(stores: Path, recipe: str, version: str, **said: Any) -> Entry:
    """Write the root of a store; give the entry of it, as a bake would."""
    store, root = stores / "sst" / recipe / f"{version}.zarr", f'{{"zarr_format": 3, "of": "{version}"}}'
    store.mkdir(parents=True, exist_ok=True)
    (store / "zarr.json").write_text(root)
    fields: dict[str, Any] = {
        "feedstock": "sst", "recipe": recipe, "kind": "baked", "title": "Sea-surface temperature",
        "license": "CC0-1.0", "providers": (Provider(name="Met Office", roles=("producer",)),),
        "maintainers": (Maintainer(name="Josiah Carberry", github="jcarberry"),),
        "version": version, "published_at": MOMENT, "facts": Facts(bytes_decoded=1000),
        "store": Store(url=str(store), zarr_format=3, consolidated=True),
        "check": Check(level="full", checked_at=MOMENT),
        "digests": Digests(root=f"sha256:{hashlib.sha256(root.encode()).hexdigest()}", proof="sha256:1"),
    }  # fmt: skip
    return Entry(**{**fields, **said})


def result(**said: Any) -> dict[str, Any]:
    """Give the document of a run that went well."""
    moment = "2026-11-01T12:00:00Z"
    fields = {
        "schema_version": 1, "feedstock": "sst", "mode": "bake", "bakery": "cloud", "ok": True, "exit_status": 0,
        "command": "bakehouse bake sst --bakery cloud", "started_at": moment, "finished_at": moment,
        "duration_s": 61.5, "recipes": [],
    }  # fmt: skip
    return {**fields, **said}
