"""Repositories of one feedstock, laid out and written as Pangeo Forge's and LEAP's are."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from bakehouse.cli import main

META = """\
title: Seasons
recipes:
  - id: {recipe}
    object: "recipe:recipe"
provenance:
  providers: [{{name: Nobody, roles: [data provider], url: 's3://bucket'}}]
  license: No constraints on data access or use.
sponsors: nobody
"""
CATALOG = """\
"ncviewjs:meta_yaml_url": "https://github.com/o/r/blob/main/feedstock/meta.yaml"
ags: [misspelt]
stores:
  - {id: small, url: "https://example.org/small.zarr"}
"""
HELPER = """\
def url(time):
    return f"package://bakehouse/cli/starter/seasons_{time}.nc"
"""
HEAD = """\
import os
import apache_beam as beam
import yaml
from pangeo_forge_recipes.patterns import ConcatDim, FilePattern
from pangeo_forge_recipes.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr
from helper import url

title = yaml.safe_load(open("feedstock/meta.yaml"))["title"]
assert os.path.basename(__file__) == "recipe.py"
pattern = FilePattern(url, ConcatDim("time", [2021, 2022]))


def _named(store):
    assert title == yaml.safe_load(open("./feedstock/meta.yaml"))["title"]
    return store


"""
PIPELINE = """(
    beam.Create(pattern.items())
    | OpenURLWithFSSpec()
    | OpenWithXarray(file_type=pattern.file_type)
    | StoreToZarr(store_name="seasons.zarr", combine_dims=pattern.combine_dim_keys)
    | "named {0}" >> beam.Map(_named)
)
"""
RECIPE = f"{HEAD}recipe = {PIPELINE.format(0)}"
IDENTITY = {f"GIT_{who}_{what}": f"{who.lower()}@example.org" for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")}  # fmt: skip


@dataclass(frozen=True)
class Repository:
    """A repository on disk."""

    root: Path

    @property
    def feedstock(self) -> Path:
        """Give the folder of meta.yaml."""
        return self.root / "feedstock"

    def commit(self) -> str:
        """Commit all that is there, and give the commit."""
        if not (self.root / ".git").exists():
            self.git("init", "--quiet", "--initial-branch=main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=more")
        return self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        """Run git in the repository."""
        env = {**os.environ, **IDENTITY}
        ran = subprocess.run(["git", *words], cwd=self.root, env=env, check=True, capture_output=True, text=True)
        return ran.stdout.strip()


def new_repository(root: Path, recipe: str = "seasons", recipe_py: str = RECIPE) -> Repository:
    """Write a repository with the sample dataset's recipe in upstream's spelling."""
    made = Repository(root)
    made.feedstock.mkdir(parents=True)
    files = {"meta.yaml": META.format(recipe=recipe), "catalog.yaml": CATALOG, "helper.py": HELPER}
    for name, text in {**files, "recipe.py": recipe_py}.items():
        (made.feedstock / name).write_text(text)
    return made


def run(*words: str) -> Result:
    """Run a command in the working directory; stdout and stderr stay apart."""
    return CliRunner().invoke(main, list(words), prog_name="bakehouse")


def document(*words: str, exit_code: int = 0) -> Any:
    """Run a command with --json; give the document that is all of its stdout."""
    result = run(*words, "--json")
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)
