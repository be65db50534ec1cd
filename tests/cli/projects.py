"""Small projects that commands are run in, and the ways to run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from bakehouse.cli import main

ABOUT = """\
# yaml-language-server: $schema=../../schemas/feedstock.schema.json
title: Demo
description: A small dataset.
provenance: {license: CC0-1.0, providers: [{name: Met Office, roles: [producer]}]}
maintainers: [{name: Josiah Carberry}]
"""
SCENARIOS = """\
recipes:
  - id: scenarios
    recipe: files_to_zarr
    with:
      pattern:
        url: "package://iris_sample_data/sample_data/{scenario}_north_america.nc"
        concat: {scenario: [A1B, E1]}
"""
IMPORTS = """\
import apache_beam as beam
from bakehouse.patterns import ConcatDim, FilePattern
from bakehouse.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr
"""
PATTERN = """\
pattern = FilePattern(
    lambda time: f"package://bakehouse/cli/starter/seasons_{time}.nc", ConcatDim("time", [2021, 2022])
)
"""
STORED = "StoreToZarr(store_name='demo.zarr', combine_dims=pattern.combine_dim_keys)"
IMPORTED = """
import sys
from bakehouse.cli import main
code = main({words!r}, standalone_mode=False)
print([name for name in {names!r} if name in sys.modules], file=sys.stderr)
sys.exit(code)
"""
PIPELINE = f"recipe = beam.Create(pattern.items()) | OpenURLWithFSSpec() | OpenWithXarray() | {STORED}\n"


@dataclass(frozen=True)
class Project:
    """A project on disk, and the command line in it."""

    root: Path

    def run(self, *words: str) -> Result:
        """Run a command in this process; stdout and stderr stay apart."""
        return CliRunner().invoke(main, [*words, "--project", str(self.root)], prog_name="bakehouse")

    def document(self, *words: str, exit_code: int = 0) -> Any:
        """Run a command with --json; give the document that is all of its stdout."""
        result = self.run(*words, "--json")
        assert result.exit_code == exit_code, result.output
        return json.loads(result.stdout)

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        """Start a command in a process of its own."""
        command = [sys.executable, "-m", "bakehouse", *words]
        return subprocess.Popen(
            command, cwd=self.root, env={**os.environ, **env}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def imports(self, names: tuple[str, ...], *words: str) -> tuple[int, str, str]:
        """Run a command in a process of its own; give exit status, answer, and which of some modules it imported."""
        command = [sys.executable, "-c", IMPORTED.format(words=list(words), names=names)]
        ran = subprocess.run(command, cwd=self.root, capture_output=True, text=True)
        return ran.returncode, ran.stdout, ran.stderr.splitlines()[-1]

    def add(self, name: str, recipes: str, recipe_py: str | None = None) -> Path:
        """Write a feedstock, otherwise well described."""
        folder = self.root / "feedstocks" / name
        folder.mkdir(parents=True)
        (folder / "meta.yaml").write_text(ABOUT + recipes)
        if recipe_py is not None:
            (folder / "recipe.py").write_text(recipe_py)
        return folder

    def add_python(self, name: str, recipe_py: str, export: str = "recipe:recipe") -> Path:
        """Write a feedstock whose recipe is the given Python."""
        return self.add(name, f"recipes:\n  - {{id: {name}, object: '{export}'}}\n", recipe_py)

    @property
    def stores(self) -> Path:
        """Give the folder of the local bakery's stores."""
        return self.root / ".bakehouse" / "stores"

    @property
    def catalog(self) -> Path:
        """Give the local catalog."""
        return self.root / ".bakehouse" / "catalog"

    def store(self, name: str = "seasons") -> Path:
        """Give the one store of a recipe named as its feedstock."""
        (found,) = (path for path in (self.stores / name / name).glob("*.zarr") if not path.name.startswith("."))
        return found


def new_project(root: Path) -> Project:
    """Make a project with the sample feedstock."""
    result = CliRunner().invoke(main, ["init", str(root)])
    assert result.exit_code == 0, result.output
    return Project(root)
