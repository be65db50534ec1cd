"""A project whose one feedstock is written as Pangeo Forge's users write theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from bakehouse.bake import Outcome, bake, plan_recipe
from bakehouse.bake.job import Job
from bakehouse.catalog.entry import Entry
from bakehouse.feedstock import find_feedstock
from bakehouse.meta.project import Bakery
from bakehouse.storage import Target

META = """\
title: Sea
provenance: {license: CC0-1.0, providers: [{name: A, roles: [producer]}]}
maintainers: [{name: B}]
recipes: [{id: sea, object: "recipe:recipe"}]
"""
HEAD = """
import apache_beam as beam
import xarray as xr
import zarr
from pangeo_forge_recipes.patterns import ConcatDim, FilePattern, MergeDim, pattern_from_file_sequence
from pangeo_forge_recipes.transforms import (
    ConsolidateDimensionCoordinates, ConsolidateMetadata, Indexed, OpenURLWithFSSpec, OpenWithXarray, StoreToZarr, T,
)
urls = [{urls}]
pattern = pattern_from_file_sequence(urls, concat_dim="time")
"""
PLAIN = """
recipe = (
    beam.Create(pattern.items())
    | OpenURLWithFSSpec()
    | OpenWithXarray(file_type=pattern.file_type)
    | StoreToZarr(store_name="sea.zarr", combine_dims=pattern.combine_dim_keys, target_chunks={"time": 2})
"""


@dataclass(frozen=True)
class Upstream:
    """The project below `root`, with its inputs."""

    root: Path

    @property
    def stores(self) -> Path:
        """Give the recipe's folder on the target."""
        return self.root / "stores"

    @property
    def entry(self) -> Entry:
        """Read the catalog's entry."""
        return Entry.from_json((self.root / "catalog" / "sea" / "sea.json").read_bytes())

    def job(self, **options: Any) -> Job:
        """Make the recipe's job."""
        bakery = Bakery(target=str(self.stores), workers=2)
        return Job(find_feedstock(self.root, "sea"), "sea", bakery, Target(str(self.stores)), **options)

    def bake(self, **options: Any) -> Outcome:
        """Bake, verify, publish and register."""
        return bake(self.job(**options), self.root / "catalog")

    def plan(self) -> Mapping[str, Any]:
        """Plan."""
        return plan_recipe(self.job())

    def open(self, outcome: Outcome) -> xr.Dataset:
        """Read what was published, with xarray alone."""
        return xr.open_zarr(outcome.url, chunks=None).load()


def upstream(root: Path, recipe: str, inputs: Mapping[str, xr.Dataset], head: str = HEAD, **files: str) -> Upstream:
    """Write inputs, feedstock and project."""
    folder = root / "feedstocks" / "sea"
    folder.mkdir(parents=True)
    (root / "inputs").mkdir(exist_ok=True)
    for name, dataset in inputs.items():
        dataset.to_netcdf(root / "inputs" / f"{name}.nc", engine="h5netcdf")
    urls = ", ".join(repr(str(root / "inputs" / f"{name}.nc")) for name in inputs)
    (folder / "recipe.py").write_text(head.replace("{urls}", urls).replace("{root}", str(root)) + recipe)
    (folder / "meta.yaml").write_text(META)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    (root / "meta.yaml").write_text("title: Test\nbakeries: {local: {target: stores}}\n")
    return Upstream(root)


def days(first: int, count: int = 2, seed: int = 0, shape: tuple[int, int] = (4, 5), **attrs: Any) -> xr.Dataset:
    """Make a small sea with daily steps from the first day on."""
    values = np.random.default_rng(seed + first).random((count, *shape)).astype("f4")
    time = np.datetime64("2000-01-01", "ns") + np.arange(first, first + count) * np.timedelta64(1, "D")
    sea = xr.Dataset(
        {"sst": (("time", "lat", "lon"), values, {"units": "K", **attrs})},
        {"time": time, "lat": np.arange(float(shape[0])), "lon": np.arange(float(shape[1]))},
    )
    sea["time"].encoding = {"units": "days since 1999-12-31", "dtype": "i4"}
    return sea


def three() -> dict[str, xr.Dataset]:
    """Make three inputs of two days each."""
    return {str(number): days(2 * number) for number in range(3)}


def concatenated(inputs: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Say what a store of all inputs holds."""
    return xr.concat(inputs.values(), "time", data_vars="minimal", coords="minimal", compat="equals", join="exact")
