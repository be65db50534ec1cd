"""A kitchen whose archive grows and changes, and a bake of it without a runner."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from bakehouse.bake import Outcome, update, verify_recipe
from bakehouse.bake.history import rollback
from bakehouse.bake.job import Job
from bakehouse.catalog.entry import Entry
from bakehouse.context import Context
from bakehouse.openers.xarray import open_dataset
from bakehouse.patterns import combine_dims_of, key_of
from bakehouse.schema import merge_all
from bakehouse.storage import Target
from bakehouse.transforms.fresh import is_wanted
from bakehouse.transforms.opening import LabelNewDims, _Changed, _Identify, _reach
from bakehouse.transforms.prepare import Prepare
from bakehouse.transforms.steps import Compare, Describe, Route, Write
from bakehouse.writers.receipts import read_receipts
from tests.bake.kitchen import META, Kitchen, contents, files, stamps
from tests.lifecycle.reading import day_values as day_values
from tests.lifecycle.reading import days as days
from tests.oracle import expected

RECIPE = """
import json
from pathlib import Path
import apache_beam as beam
from bakehouse.patterns import ConcatDim, FilePattern, MergeDim
from bakehouse.transforms import LabelNewDims, OpenURLWithFSSpec, OpenWithXarray, StoreToZarr

said = json.loads(Path("{archive}").read_text())
dims = [{{"concat": ConcatDim, "merge": MergeDim}}[kind](name, keys) for name, kind, keys in said["dims"]]
pattern = FilePattern(lambda **keys: said["where"] + "/" + "-".join(map(str, keys.values())) + ".nc", *dims)
store = StoreToZarr(store_name="sea.zarr", combine_dims=pattern.combine_dim_keys, {options})
recipe = (
    beam.Create(pattern.items())
    | OpenURLWithFSSpec()
    | OpenWithXarray(file_type="netcdf4")
    | LabelNewDims(pattern)
    | store
)
"""
CUT = 'target_chunks={"time": 2, "lat": 1}, shards=False'
SHARDED = 'target_chunks={"time": 2, "lat": 1}, shards={"time": 8, "lat": 2}'
HOOKS = Path(__file__).parents[1] / "faults" / "hooks"
SCRIPT = """
import json, os, signal, sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
from bakehouse.storage import Target
from tests.lifecycle.larder import Larder, without_beam
larder, action, options = Larder(Path(sys.argv[1])), sys.argv[2], json.loads(sys.argv[3])
copies = options.pop("copies", None)
if copies:
    copy, left = Target.copy, iter(range(copies))
    def dying(*args):
        copy(*args)
        next(left, None) == copies - 1 and os.kill(os.getpid(), signal.SIGKILL)
    Target.copy = dying
with without_beam(objects=options.pop("objects", 2)):
    print(getattr(larder, action)(**options).status)
"""
Keys = tuple[Any, ...]


@dataclass(frozen=True)
class Larder(Kitchen):
    """A project whose pattern is what the archive says: `inputs/archive.json` lists the keys along each dimension."""

    target: Target | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def archive(self) -> Path:
        """Give the file that says which inputs there are."""
        return self.inputs / "archive.json"

    @property
    def catalog(self) -> Path:
        """Give the catalog's folder."""
        return self.root / "catalog"

    @property
    def dims(self) -> list[tuple[str, str, list[Any]]]:
        """Read the dimensions of the pattern."""
        return [tuple(each) for each in json.loads(self.archive.read_text())["dims"]]

    def extend(self, dim: str, *keys: Any) -> None:
        """Add keys along a dimension."""
        said = json.loads(self.archive.read_text())
        for each in said["dims"]:
            each[2] += list(keys) if each[0] == dim else []
        self.archive.write_text(json.dumps(said))

    def keep(self, dim: str, keys: Sequence[Any]) -> None:
        """Say which keys there are along a dimension."""
        said = json.loads(self.archive.read_text())
        said["dims"] = [[name, kind, list(keys) if name == dim else old] for name, kind, old in said["dims"]]
        self.archive.write_text(json.dumps(said))

    def write(self, keys: Keys, dataset: xr.Dataset, encoding: Mapping[str, Any] | None = None) -> Path:
        """Write an input, new or once more."""
        path = self.inputs / ("-".join(map(str, keys)) + ".nc")
        path.unlink(missing_ok=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset.to_netcdf(path, engine="h5netcdf", encoding=dict(encoding or {}))
        return path

    def add(self, *datasets: xr.Dataset, encoding: Mapping[str, Any] | None = None) -> None:
        """Write the next inputs along time."""
        count = len(self.dims[0][2])
        for number, dataset in enumerate(datasets, count):
            self.write((number,), dataset, encoding)
        self.extend("time", *range(count, count + len(datasets)))

    def job(self, target: Target | None = None, **options: Any) -> Job:
        """Make the job of the recipe."""
        return super().job(target or self.target, **{**self.options, **options})

    @property
    def store(self) -> Path:
        """Give the folder of the version that the entry names."""
        return Path(self.entry.store.url)

    def update(self, changed: bool = False, **options: Any) -> Outcome:
        """Bring the store up to date."""
        return update(self.job(**options), self.catalog, changed)

    def rollback(self, to: str | None = None) -> Entry:
        """Go back to an earlier version."""
        return rollback(self.catalog, self.job().target, self.entry, to)

    def verify(self, level: str = "full") -> Outcome:
        """Verify what the catalog says."""
        return verify_recipe(self.job(level=level), self.entry)

    def opened(self, url: str | None = None, **options: Any) -> xr.Dataset:
        """Open what the entry names, or another store, as any reader does, and load it."""
        given = {"chunks": None, "consolidated": True, **options}
        with xr.open_zarr(url or self.entry.store.url, **given) as dataset:
            return dataset.load()

    def positions(self) -> dict[Any, Path]:
        """Give the inputs' files by position."""
        found: dict[Any, Path] = {}
        grid: list[tuple[Any, ...]] = [()]
        for name, _, keys in self.dims:
            grid = [(*each, (name, i)) for each in grid for i in range(len(keys))]
        listed = {name: keys for name, _, keys in self.dims}
        for key in grid:
            found[key] = self.inputs / ("-".join(str(listed[d][i]) for d, i in key) + ".nc")
        return found

    def expected(self) -> xr.Dataset:
        """Say what the store must hold: what xarray itself makes of the files."""
        inputs = {}
        for key, path in self.positions().items():
            with warnings.catch_warnings(), xr.open_dataset(path) as dataset:
                warnings.simplefilter("ignore")
                inputs[key] = dataset.load()
        keys = {name: keys for name, kind, keys in self.dims if not any(name in ds.dims for ds in inputs.values())}
        return expected(inputs, {name: kind for name, kind, _ in self.dims}, keys=keys)

    def afresh(self, root: Path) -> Larder:
        """Make a project of the same recipe and inputs that has not baked anything."""
        shutil.copytree(self.root / "feedstocks", root / "feedstocks")
        shutil.copy2(self.root / "meta.yaml", root / "meta.yaml")
        shutil.copytree(self.inputs, root / "inputs", copy_function=shutil.copy2)
        return replace(self, root=root, target=None)

    def start(self, action: str = "update", fault: Mapping[str, Any] | None = None, **options: Any) -> Process:
        """Do something in a process of its own, that dies as `fault` says (see tests/faults/hooks)."""
        said = {"nth": 1, "after": False, "worker": False, **fault} if fault else None
        paths = [*([str(HOOKS)] if fault else []), os.environ.get("PYTHONPATH", "")]
        own = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "FAULT": json.dumps(said)}
        command = [sys.executable, "-c", SCRIPT, str(self.root), action, json.dumps(options)]
        return subprocess.Popen(
            command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **own}
        )


Process = subprocess.Popen[str]


def make_larder(
    root: Path,
    *datasets: xr.Dataset,
    options: str = CUT,
    dims: Sequence[tuple[str, str, Sequence[Any]]] = (("time", "concat", ()),),
    where: str | None = None,
    target: Target | None = None,
) -> Larder:
    """Write a project, and its first inputs along time."""
    larder = Larder(root, target=target)
    larder.inputs.mkdir(parents=True)
    larder.archive.write_text(json.dumps({"where": where or str(larder.inputs), "dims": dims}))
    folder = root / "feedstocks" / "sea"
    folder.mkdir(parents=True)
    (folder / "recipe.py").write_text(RECIPE.format(archive=larder.archive, options=options))
    (folder / "meta.yaml").write_text(META)
    (root / "meta.yaml").write_text("title: Test\nbakeries: {local: {target: stores}}\n")
    larder.add(*datasets)
    return larder


def stages(job: Job, context: Context, recipe: Any) -> None:
    """Take the inputs through the steps of a recipe one after the other."""
    path = str(job.feedstock.code / "recipe.py")
    module: Any = next(m for m in list(sys.modules.values()) if getattr(m, "__file__", None) == path)
    dims, options = combine_dims_of(list(module.store.combine_dims)), module.store.options(context)
    describe, route = Describe(context, dims, options), Route(context)
    described = [found for element in _opened(module.pattern, context) for found in describe.described(element)]
    prepared = Prepare(context, dims, options)(merge_all(schema for schema, _ in described))
    routed: dict[str, list[Any]] = {}
    for fragment in [*(fragment for _, fragment in described), *prepared.gaps]:
        for task, part in route.process(fragment, prepared):
            routed.setdefault(task, []).append(part)
    written = sum(sum(Write(context.mode).process(item, prepared)) for item in routed.items())
    compare = Compare(context)
    for item in routed.items():
        list(compare.process(item, prepared, written))


def _opened(pattern: Any, context: Context) -> Iterator[tuple[Any, xr.Dataset]]:
    (label,) = _label(pattern)
    for index, url in pattern.items():
        if is_wanted(context, key_of(index), str(url)):
            for found, source in _Identify({}, None, dict(context.url_map), _reach(context, ...), context)(
                (index, url)
            ):
                if _Changed(context)((found, source)):
                    yield label(found, open_dataset(source, "netcdf4", {}))


def _label(pattern: Any) -> Iterator[Any]:
    from bakehouse.patterns import CombineOp
    from bakehouse.transforms.opening import _Label

    assert LabelNewDims(pattern)
    yield _Label({dim.name: list(dim.keys) for dim in pattern.combine_dims if dim.operation is CombineOp.CONCAT})


@contextmanager
def without_beam(objects: int = 64) -> Iterator[None]:
    """Run recipes without a runner, all else of a bake is as it is; tasks of at most so many objects."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bakehouse.plan.tasks.TASK_OBJECTS", objects)
        patch.setattr("bakehouse.bake.pipeline._run", stages)
        yield


def everything(larder: Larder) -> dict[str, tuple[int, int]]:
    """Tell one writing of every file from another: stores, what is beside them, catalog; but for notes and surveys."""
    notes = ("/candidate/", ".runs/", ".staging/", ".survey/", "/lock")
    found = {**stamps(larder.stores), **{f"catalog/{k}": v for k, v in stamps(larder.catalog).items()}}
    return {key: stamp for key, stamp in found.items() if not any(note in key for note in notes)}


def everything_in(larder: Larder) -> dict[str, str]:
    """Give the digest of every file of stores and catalog; but for notes of runs and kept surveys."""
    kept = everything(larder)
    found = {**contents(larder.stores), **{f"catalog/{k}": v for k, v in contents(larder.catalog).items()}}
    return {key: found[key] for key in kept}


def assert_untouched(larder: Larder, before: Mapping[str, tuple[int, int]]) -> None:
    """No file was written, replaced or deleted since."""
    now = everything(larder)
    assert {key: (before.get(key), now.get(key)) for key in {*before, *now} if before.get(key) != now.get(key)} == {}


def finished(larder: Larder) -> set[str]:
    """Name the objects that receipts of appending runs account for, by their keys below the prefix of the entry."""
    found = set()
    for folder in larder.stores.glob(f".{larder.store.name}.*.work"):
        found |= {o.key for receipt in read_receipts(Target(str(folder))).values() for o in receipt.objects}
    return found


def objects_of(folder: Path) -> dict[str, bytes]:
    """Read the data objects of a store."""
    metadata = (".zarray", ".zattrs", ".zgroup", ".zmetadata", "zarr.json")
    return {key: path.read_bytes() for key, path in files(folder).items() if not key.endswith(metadata)}
