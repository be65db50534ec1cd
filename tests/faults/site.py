"""A project whose last good version is known byte for byte, to be baked again while something goes wrong."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from click.testing import CliRunner

from bakehouse.catalog.entry import Entry
from bakehouse.cli import main
from bakehouse.context import work_folder
from bakehouse.storage import Target
from bakehouse.writers.receipts import Receipt, read_receipts
from tests.oracle import assert_same, round_trip

RECIPE = """
import apache_beam as beam
from bakehouse.patterns import ConcatDim, FilePattern
from bakehouse.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr

pattern = FilePattern(lambda time: f"{inputs}/{{time}}.nc", ConcatDim("time", list(range({files}))))
recipe = (
    beam.Create(pattern.items())
    | OpenURLWithFSSpec()
    | OpenWithXarray(file_type="netcdf4")
    | StoreToZarr(
        store_name="sea.zarr", combine_dims=pattern.combine_dim_keys, attrs={{"edition": "{edition}"}},
        target_chunks={{"time": 1, "lat": 1, "lon": 1}}, shards=False,
    )
)
"""
META = """\
title: Sea
provenance: {license: CC0-1.0, providers: [{name: A, roles: [producer]}]}
maintainers: [{name: B}]
recipes: [{id: sea, object: "recipe:recipe"}]
"""
FILES, STEPS = 4, 5
HOOKS = str(Path(__file__).with_name("hooks"))
NOTES = re.compile(r"(^|/)(\.runs|\.staging|\.survey|candidate)/")
"""What a run that was killed may leave: notes of its own, which no reader looks at, and the survey that it kept."""


@dataclass(frozen=True)
class Site:
    """A project below `root`, whose stores lie there or in a bucket."""

    root: Path
    inputs: str
    url: str = "stores"
    storage: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    workers: int = 2
    stations: int = 0

    @property
    def target(self) -> Target:
        """Give the recipe's folder on the target, with whatever misbehaves in front of it."""
        url = self.url if "://" in self.url else str(self.root / self.url)
        return Target(url, self.storage).child("sea", "sea")

    @property
    def entry_path(self) -> Path:
        """Give the entry's file."""
        return self.root / ".bakehouse" / "catalog" / "sea" / "sea.json"

    @property
    def entry(self) -> Entry:
        """Read the entry."""
        return Entry.from_json(self.entry_path.read_bytes())

    def write(self, edition: str) -> Site:
        """Write the project; another edition of the recipe makes another version."""
        folder = self.root / "feedstocks" / "sea"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "recipe.py").write_text(RECIPE.format(inputs=self.inputs, files=FILES, edition=edition))
        (folder / "meta.yaml").write_text(META)
        bakery = {"target": self.url, "workers": self.workers, "options": self.options, "storage_options": self.storage}
        (self.root / "meta.yaml").write_text(json.dumps({"title": "Test", "bakeries": {"local": bakery}}))
        return self

    def words(self, *words: str) -> list[str]:
        """Give a command's words, with the project's folder."""
        return [*words, "--project", str(self.root)]

    def run(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Run a command on the feedstock in this process; give its exit status and the recipe's part of its answer."""
        found = CliRunner().invoke(main, self.words(*(words or ("bake", "sea")), "--json"), env=dict(self.environment))
        return found.exit_code, _recipe(found.stdout)

    def start(self, fault: Mapping[str, Any] | None = None, *words: str) -> subprocess.Popen[str]:
        """Start a command in a process of its own, that dies as `fault` says (see hooks/sitecustomize.py)."""
        said = {"nth": 1, "after": False, "worker": False, **fault} if fault else None
        paths = [HOOKS, *filter(None, [os.environ.get("PYTHONPATH")])] if fault else []
        own = {"PYTHONPATH": os.pathsep.join(paths), "FAULT": json.dumps(said)} if fault else {}
        command = [sys.executable, "-m", "bakehouse", *self.words(*(words or ("bake", "sea")), "--json")]
        return subprocess.Popen(
            command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **self.environment, **own}, start_new_session=True,
        )  # fmt: skip

    def copy(self, root: Path, **changes: Any) -> Site:
        """Copy the project, its stores and its catalog to another folder; the inputs stay."""
        shutil.copytree(self.root, root, dirs_exist_ok=True)
        site = replace(self, root=root, **changes)
        site.entry_path.write_text(self.entry_path.read_text().replace(str(self.root), str(root)))
        return site

    def receipts(self, version: str) -> dict[str, Receipt]:
        """Give the receipts of a version, by task."""
        return read_receipts(work_folder(self.target, f"{version}.zarr"))

    def finished(self, version: str) -> set[str]:
        """Name the objects of finished tasks, by their keys below the recipe's folder."""
        return {f"{version}.zarr/{o.key}" for receipt in self.receipts(version).values() for o in receipt.objects}

    def snapshot(self) -> dict[str, str]:
        """Give the digest of every object below the recipe's folder, but for notes of runs."""
        target = self.target
        keys = [key for key, _ in target.list() if not NOTES.search(key)]
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda key: hashlib.sha256(target.get(key) or b"").hexdigest(), keys)
            return dict(zip(keys, found, strict=True))

    def stamps(self) -> dict[str, tuple[int, int]]:
        """Tell one writing of each object on disk from another."""
        paths = ((key, Path(self.target.path, key).stat()) for key, _ in self.target.list())
        return {key: (stat.st_mtime_ns, stat.st_ino) for key, stat in paths}

    def opened(self) -> xr.Dataset:
        """Open what the entry names, as any reader does."""
        options = {} if "://" not in self.url else _fsspec(self.storage, self.environment)
        return xr.open_zarr(self.entry.store.url, chunks=None, storage_options=options or None).load()


def _fsspec(storage: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    keys = {"key": environment["AWS_ACCESS_KEY_ID"], "secret": environment["AWS_SECRET_ACCESS_KEY"]}
    return {**keys, "client_kwargs": {"endpoint_url": storage["endpoint_url"]}}


def _recipe(stdout: str) -> dict[str, Any]:
    document = json.loads(stdout)
    return dict(document["recipes"][0] if document.get("recipes") else document)


def finish(process: subprocess.Popen[str], timeout_s: float = 120) -> tuple[int, str, str]:
    """Wait for a process; give its exit status, its output and its messages."""
    try:
        output, messages = process.communicate(timeout=timeout_s)
    finally:
        process.kill()
    return process.returncode, output, messages


def write_inputs(folder: Path, stations: int = 0) -> None:
    """Write the sources."""
    folder.mkdir(parents=True)
    for number in range(FILES):
        source(number, stations).to_netcdf(folder / f"{number}.nc", engine="h5netcdf")


def source(number: int, stations: int = 0) -> xr.Dataset:
    """Make one input: some days of a small sea, and of a row of stations that makes the file large."""
    time = np.datetime64("2001-01-01", "ns") + np.arange(number * STEPS, (number + 1) * STEPS) * np.timedelta64(1, "D")
    values = (np.arange(STEPS * 6).reshape(STEPS, 2, 3) + 100 * number).astype("f4")
    level = (np.arange(STEPS * stations).reshape(STEPS, stations) % 977 + number).astype("f4")
    encoding = {"units": "days since 2001-01-01"}
    return xr.Dataset(
        {
            "sst": (("time", "lat", "lon"), values, {"units": "K"}),
            **({"level": (("time", "station"), level)} if stations else {}),
        },
        {"time": ("time", time, {}, encoding), "lat": [10.0, 20.0], "lon": [0.0, 90.0, 180.0]},
    )


def expected(edition: str, stations: int = 0) -> xr.Dataset:
    """Say what a reader must find, by xarray alone."""
    parts = [source(number, stations) for number in range(FILES)]
    whole = xr.concat(parts, "time", join="exact", compat="equals", combine_attrs="identical", data_vars="minimal")
    return round_trip(whole.assign_attrs(edition=edition))


def assert_reads(site: Site, edition: str) -> None:
    """Compare what a reader finds with what xarray alone makes of the inputs."""
    assert_same(site.opened(), expected(edition, site.stations))
