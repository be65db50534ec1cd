"""A project with one small feedstock of local files, and the ways to bake it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import xarray as xr

from bakehouse.bake import Outcome, bake, verify_recipe
from bakehouse.bake.job import Job
from bakehouse.catalog.entry import Entry
from bakehouse.feedstock import find_feedstock
from bakehouse.meta.project import Bakery
from bakehouse.storage import Target
from tests.oracle import round_trip
from tests.plan.samples import sea

RECIPE = """
import apache_beam as beam
import numpy as np
import zarr
from bakehouse.patterns import ConcatDim, FilePattern
from bakehouse.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr

pattern = FilePattern(lambda time: f"{inputs}/{{time}}.nc", ConcatDim("time", [0, 2, 5]), file_type="netcdf4")
{functions}
recipe = (
    beam.Create(pattern.items())
    | OpenURLWithFSSpec()
    | OpenWithXarray(file_type=pattern.file_type){before}
    | StoreToZarr(store_name="sea.zarr", combine_dims=pattern.combine_dim_keys, {options}){after}
)
"""
META = """\
title: Sea
provenance: {license: CC0-1.0, providers: [{name: A, roles: [producer]}]}
maintainers: [{name: B}]
recipes: [{id: sea, object: "recipe:recipe"}]
"""
CUT = 'target_chunks={"time": 2, "lat": 1}, shards=False'
SCRIPT = """
import json, sys
from pathlib import Path
from tests.bake.kitchen import Kitchen
Kitchen(Path(sys.argv[1])).bake()
"""


@dataclass(frozen=True)
class Kitchen:
    """A project below `root`: its inputs, its feedstock, its stores and its catalog."""

    root: Path
    runner: Mapping[str, Any] = field(default_factory=dict)

    @property
    def inputs(self) -> Path:
        """Give the folder of source files."""
        return self.root / "inputs"

    @property
    def stores(self) -> Path:
        """Give the recipe's folder on the target."""
        return self.root / "stores"

    @property
    def entry_path(self) -> Path:
        """Give the entry's file."""
        return self.root / "catalog" / "sea" / "sea.json"

    @property
    def entry(self) -> Entry:
        """Read the entry."""
        return Entry.from_json(self.entry_path.read_bytes())

    @property
    def store(self) -> Path:
        """Give the folder of the one version that is there."""
        (found,) = self.stores.glob("[!.]*.zarr")
        return found

    @property
    def work(self) -> Path:
        """Give the folder beside the version."""
        (found,) = self.stores.glob(".*.zarr.work")
        return found

    def job(self, target: Target | None = None, **options: Any) -> Job:
        """Make the job of the recipe."""
        bakery = Bakery(target=str(self.stores), workers=2, options=dict(self.runner))
        return Job(find_feedstock(self.root, "sea"), "sea", bakery, target or Target(str(self.stores)), **options)

    def bake(self, target: Target | None = None, **options: Any) -> Outcome:
        """Bake, verify, publish and register."""
        return bake(self.job(target, **options), self.root / "catalog")

    def verify(self, level: str = "full") -> Outcome:
        """Verify what the catalog says."""
        return verify_recipe(self.job(level=level), self.entry)

    def start(self) -> subprocess.Popen[str]:
        """Bake in a process of its own."""
        command = [sys.executable, "-c", SCRIPT, str(self.root)]
        return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def copy(self, root: Path, **changes: Any) -> Kitchen:
        """Copy stores and catalog to another folder; inputs and recipe stay, so the version does too."""
        for name in ("stores", "catalog", "feedstocks", "meta.yaml"):
            source = self.root / name
            if source.is_dir():
                shutil.copytree(source, root / name)
            elif source.exists():
                shutil.copy2(source, root / name)
        if (root / "catalog").exists():
            path = root / "catalog" / "sea" / "sea.json"
            path.write_text(path.read_text().replace(str(self.stores), str(root / "stores")))
        return replace(self, root=root, **changes)

    def expected(self) -> xr.Dataset:
        """Say what the store must hold."""
        return whole(self.inputs)


def whole(inputs: Path) -> xr.Dataset:
    """Combine files as xarray does, write and read back."""
    parts = [xr.open_dataset(path) for path in sorted(inputs.glob("*.nc"))]
    return round_trip(
        xr.concat(
            parts,
            "time",
            join="exact",
            compat="equals",
            combine_attrs="identical",
            data_vars="minimal",
            coords="different",
        )
    )


def make_kitchen(root: Path, options: str = CUT, before: str = "", after: str = "", functions: str = "") -> Kitchen:
    """Write the inputs and the project."""
    kitchen = Kitchen(root)
    kitchen.inputs.mkdir(parents=True)
    for start, steps in ((0, 2), (2, 3), (5, 1)):
        sea(start, steps).to_netcdf(kitchen.inputs / f"{start}.nc", engine="h5netcdf")
    recipe = RECIPE.format(inputs=kitchen.inputs, options=options, before=before, after=after, functions=functions)
    folder = root / "feedstocks" / "sea"
    folder.mkdir(parents=True)
    (folder / "recipe.py").write_text(recipe)
    (folder / "meta.yaml").write_text(META)
    (root / "meta.yaml").write_text("title: Test\nbakeries: {local: {target: stores}}\n")
    return kitchen


def files(folder: Path) -> dict[str, Path]:
    """List the objects of a folder by their keys; object stores hide what an interrupted write left (`key#1`)."""
    found = (path for path in folder.rglob("*") if path.is_file() and not re.search(r"#\d+$", path.name))
    return {str(path.relative_to(folder)): path for path in found}


def contents(folder: Path) -> dict[str, str]:
    """Give the digest of every file of a folder."""
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files(folder).items()}


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Tell one writing of each file from another."""
    return {name: (path.stat().st_mtime_ns, path.stat().st_ino) for name, path in files(folder).items()}


def receipts(kitchen: Kitchen) -> dict[str, dict[str, Any]]:
    """Read the receipts, by task."""
    found = [json.loads(path.read_bytes()) for path in (kitchen.work / "receipts").iterdir()]
    return {receipt["task"]: receipt for receipt in found}
