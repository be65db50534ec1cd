"""The benchmark's workloads in miniature: their inputs, projects and commands, run in this process."""

from __future__ import annotations

import importlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import h5py
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from bakehouse.cli import main
from bakehouse.openers.opened import close_all
from benchmarks import far_server, ours, remote
from benchmarks.workloads import lifecycle, workloads
from benchmarks.workloads.base import BASE, Workload
from tests.engine.counted import Work, counted

SCALE, FEWER = 0.01, {"w1": 0.003, "w7": 0.004}
LARGE, SMALL = 1024, {"lat": 256, "lon": 256}
WORDS = ("--workers", "1", "--no-previews")
"""Two threads may read the same header at the same time; pictures read what is stored."""


def workload(name: str) -> Workload:
    """Give a workload as the benchmark defines it, but smaller; no recipe says how large a large grid is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifecycle, "LAT", 144)
        patch.setattr(lifecycle, "LON", 288)
        found = workloads(FEWER.get(name, SCALE))[name]
    is_large = found.inputs["lat"] == LARGE
    return replace(found, inputs={**found.inputs, **SMALL}) if is_large else found


def write_inputs(spec: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write a workload's inputs as the benchmark does; and below ``changed`` the one that changes, if one does."""
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(ours.__file__).parent))  # they are scripts, which import their neighbours
        inputs = importlib.import_module("inputs")
        patch.setattr(inputs, "POOL", 2)
        write = importlib.import_module("grib").write_grib if "packing" in spec else inputs.write_netcdf
        found = [folder / write(spec, folder, number) for number in range(spec["files"])]
        if "changed" in spec:
            (folder / "changed").mkdir()
            inputs.write_netcdf(spec, folder / "changed", spec["changed"], changed=1)
    return found


@dataclass(frozen=True)
class Done:
    """What a command did, and what it said."""

    work: Work
    said: Mapping[str, Any]

    @property
    def store(self) -> Path:
        """Give the store's folder."""
        return Path(self.said["url"])

    def opened(self, inputs: Path) -> xr.Dataset:
        """Read the store as any reader does; what references point to is in a folder."""
        if not (self.store / "refs.json").exists():
            return xr.open_zarr(self.store, chunks=None).load()
        document = inputs.with_name(f"{self.store.name}.json")
        document.write_text((self.store / "refs.json").read_text().replace(BASE, f"file://{inputs}/"))
        return xr.open_dataset(str(document), engine="kerchunk", chunks=None).load()


@dataclass(frozen=True)
class Miniature:
    """A project of one workload, and where its inputs lie."""

    workload: Workload
    project: Path
    inputs: str

    def run(self, verb: str, *more: str, environment: Mapping[str, str] | None = None) -> Done:
        """Run a command as the benchmark spells it, with nothing known of any file; count what it does."""
        words = ours.command(Path("python"), verb, self.workload.id, self.project, self.inputs, *WORDS, *more)[3:]
        close_all()
        with counted() as work:
            found = CliRunner().invoke(main, words, env=environment)
        document = json.loads(found.stdout)
        return Done(work, ours.outcome(found.stdout) or document)


def miniature(each: Workload, project: Path, inputs: str | Path) -> Miniature:
    """Write a workload's project."""
    ours.write_project(project, each)
    return Miniature(each, project, str(inputs))


def expected(each: Workload, files: Sequence[Path]) -> xr.Dataset:
    """Say what a store must hold, by xarray alone."""
    options: dict[str, Any] = {"engine": "h5netcdf"}
    if "packing" in each.inputs:
        options = {"engine": "cfgrib", "backend_kwargs": {"indexpath": ""}}
    whole = xr.concat([xr.load_dataset(path, **options) for path in files], "time", data_vars="minimal")
    return whole.assign({name: whole[name] * 2 for name in each.inputs.get("doubled", ())})


def assert_holds(found: xr.Dataset, wanted: xr.Dataset) -> None:
    """Insist on the same variables, types and values."""
    assert set(found.data_vars) == set(wanted.data_vars)
    for name in (*wanted.data_vars, *wanted.dims):
        assert found[name].dtype == wanted[name].dtype
        np.testing.assert_array_equal(found[name].values, wanted[name].values)


def chunk_bytes(paths: Sequence[Path]) -> int:
    """Add up the chunks of all variables, as large as HDF5 says that they are stored."""
    return sum(found.id.get_storage_size() for found in _variables(paths))


def value_bytes(paths: Sequence[Path], names: Collection[str] | None = None) -> int:
    """Add up the values of all variables, or of some, in the type that the files have them in."""
    return sum(found.nbytes for found in _variables(paths) if names is None or found.name.lstrip("/") in names)


def _variables(paths: Sequence[Path]) -> Iterator[h5py.Dataset]:
    for path in paths:
        with h5py.File(path) as file:
            yield from (found for found in file.values() if found.ndim == 3)


@dataclass(frozen=True)
class Request:
    """What a server was asked for."""

    method: str
    name: str
    range: str | None


@contextmanager
def bucket_of(folder: Path) -> Iterator[tuple[dict[str, str], list[Request]]]:
    """Serve a folder as w7's server does, but at once; give the client's environment and what is asked."""
    log: list[Request] = []

    class Logging(far_server.Handler):
        def answer(self, body: bool) -> None:
            log.append(Request(self.command, Path(urlsplit(self.path).path).name, self.headers.get("Range")))
            super().answer(body)

    server = far_server.Server(("127.0.0.1", 0), partial(Logging, folder.parent, 0.0))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield remote.client(f"http://127.0.0.1:{server.server_port}"), log
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
