"""Bakes read inputs through a cache, or copy them whole where they must, and stores are the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
import xarray as xr
from click.testing import CliRunner

from bakehouse.bake import plan_recipe, verify_recipe
from bakehouse.cli import main
from bakehouse.cli.bakeries import place
from bakehouse.context import Context, using
from bakehouse.patterns import ConcatDim, FilePattern
from bakehouse.storage import Cache, Target, make_source
from bakehouse.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr
from tests.bake.kitchen import Kitchen, contents, make_kitchen
from tests.engine.pipeline import run_pipeline
from tests.oracle import assert_same
from tests.plan.samples import sea
from tests.support.http import Server, serve
from tests.support.plain import Plain, plain_server
from tests.support.s3 import S3

NAMES = ["0.nc", "2.nc", "5.nc"]


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    return make_kitchen(tmp_path / "kitchen")


@pytest.fixture
def served(kitchen: Kitchen) -> Iterator[Server]:
    """Serve the inputs with byte ranges and etags."""
    with serve(kitchen.inputs) as server:
        yield server


@pytest.fixture
def bare(kitchen: Kitchen) -> Iterator[Plain]:
    """Serve the inputs without byte ranges; nothing but their sizes is told."""
    with plain_server(kitchen.inputs) as server:
        yield server


def over(kitchen: Kitchen, server: Server | Plain) -> dict[str, str]:
    return {str(kitchen.inputs): server.url}


def stored(kitchen: Kitchen) -> xr.Dataset:
    return xr.open_zarr(kitchen.store, chunks=None)


def fresh(kitchen: Kitchen) -> None:
    """Forget all that was baked."""
    shutil.rmtree(kitchen.stores)
    shutil.rmtree(kitchen.root / "catalog", ignore_errors=True)


def replace_input(kitchen: Kitchen) -> None:
    """Give the second input other values; its size stays."""
    path = kitchen.inputs / "2.nc"
    size = path.stat().st_size
    other = sea(2, 3)
    other["sst"][:] = -other["sst"]
    other.to_netcdf(path, engine="h5netcdf")
    assert path.stat().st_size == size


def test_what_is_in_the_cache_is_not_read_again_and_makes_the_same_store(
    kitchen: Kitchen, served: Server, tmp_path: Path
) -> None:
    plain = kitchen.bake(url_map=over(kitchen, served))
    expected = contents(kitchen.store)
    fresh(kitchen)
    cache = Target(str(tmp_path / "cache"))
    for name in NAMES:
        Cache(cache).hold(make_source(str(kitchen.inputs / name), {}, over(kitchen, served)).identified())
    served.clear()
    outcome = kitchen.bake(url_map=over(kitchen, served), cache=cache)
    assert (outcome.version, contents(kitchen.store), outcome.notes) == (plain.version, expected, plain.notes)
    assert {request.method for request in served.log} == {"HEAD"}
    assert kitchen.entry.provenance is not None
    assert kitchen.entry.provenance.input_identity == "etag+size"


def test_an_input_that_changed_with_the_same_size_is_not_taken_from_the_cache(
    kitchen: Kitchen, served: Server, tmp_path: Path
) -> None:
    cache = Target(str(tmp_path / "cache"))
    before = kitchen.bake(url_map=over(kitchen, served), cache=cache)
    fresh(kitchen)
    replace_input(kitchen)
    served.clear()
    after = kitchen.bake(url_map=over(kitchen, served), cache=cache)
    assert after.version != before.version
    assert_same(stored(kitchen), kitchen.expected())
    assert {request.path for request in served.requests(method="GET")} == {"/2.nc"}


def test_a_cache_may_lie_in_a_bucket(kitchen: Kitchen, served: Server, moto: S3) -> None:
    cache = Target(f"{moto.url}/inputs", moto.fsspec_options)
    kitchen.bake(url_map=over(kitchen, served), cache=cache)
    assert_same(stored(kitchen), kitchen.expected())
    assert [len(served.requests(name, "GET")) for name in NAMES] == [1, 1, 1]
    assert len(list(cache.list())) == 2 * len(NAMES)


def test_planning_makes_no_copies_and_names_the_same_version(kitchen: Kitchen, served: Server, tmp_path: Path) -> None:
    cache = Target(str(tmp_path / "cache"))
    planned = plan_recipe(kitchen.job(url_map=over(kitchen, served), cache=cache))
    assert not (tmp_path / "cache").exists() and not kitchen.stores.exists()
    assert kitchen.bake(url_map=over(kitchen, served), cache=cache).version == planned["version"]
    served.clear()
    assert plan_recipe(kitchen.job(url_map=over(kitchen, served), cache=cache))["version"] == planned["version"]
    assert served.sent_bytes() == 0


@pytest.mark.parametrize("cached", [False, True])
def test_inputs_of_a_server_without_byte_ranges_are_copied_first(
    cached: bool, kitchen: Kitchen, bare: Plain, tmp_path: Path
) -> None:
    bare.headers = {"Last-Modified": "Mon, 01 Jan 2001 00:00:00 GMT"}
    cache = Target(str(tmp_path / "cache")) if cached else None
    outcome = kitchen.bake(url_map=over(kitchen, bare), cache=cache)
    assert_same(stored(kitchen), kitchen.expected())
    assert sorted(bare.gets()) == NAMES if cached else set(bare.gets()) == set(NAMES)
    said = [note for note in outcome.notes if "the server does not serve byte ranges" in note]
    assert len(said) == (0 if cached else 1), "with a cache, every input is copied"
    assert [note.message for note in kitchen.entry.notes] == list(outcome.notes)
    assert [path for path in kitchen.stores.glob(".staging/**/*") if path.is_file()] == []
    if not cached:
        job = kitchen.job(url_map=over(kitchen, bare), level="full")
        assert verify_recipe(job, kitchen.entry).values_compared == outcome.values_compared


@pytest.mark.parametrize("cached", [False, True])
def test_inputs_of_which_a_server_tells_nothing_are_identified_by_their_content(
    cached: bool, kitchen: Kitchen, bare: Plain, tmp_path: Path
) -> None:
    cache = Target(str(tmp_path / "cache")) if cached else None
    options: dict[str, Any] = {"url_map": over(kitchen, bare), "cache": cache}
    first = kitchen.bake(**options)
    assert sorted(bare.gets()) == NAMES, "each is read once, whole"
    assert kitchen.entry.provenance is not None
    assert kitchen.entry.provenance.input_identity == "sha256"
    assert any("identified by their content" in note for note in first.notes)
    replace_input(kitchen)
    fresh(kitchen)
    assert kitchen.bake(**options).version != first.version
    assert_same(stored(kitchen), kitchen.expected())


def test_planning_names_the_version_of_inputs_known_by_their_content(kitchen: Kitchen, bare: Plain) -> None:
    planned = plan_recipe(kitchen.job(url_map=over(kitchen, bare)))
    assert planned["inputs"]["identity"] == "sha256"
    assert not kitchen.stores.exists()
    twice = Kitchen(kitchen.root, {"direct_runner_bundle_repeat": 2})
    assert twice.bake(url_map=over(kitchen, bare)).version == planned["version"]
    assert_same(stored(kitchen), kitchen.expected())


def pipeline(server: Server, folder: Path, **options: Any) -> Any:
    pattern = FilePattern(lambda time: server.address(time), ConcatDim("time", NAMES), file_type="netcdf4")
    return (
        beam.Create(pattern.items())
        | OpenURLWithFSSpec(**options)
        | OpenWithXarray(file_type=pattern.file_type)
        | StoreToZarr(store_name="sea.zarr", combine_dims=pattern.combine_dim_keys, target_root=str(folder))
    )


def test_a_recipe_may_name_its_own_cache_or_refuse_the_runs(kitchen: Kitchen, served: Server, tmp_path: Path) -> None:
    run, own = tmp_path / "run", tmp_path / "own"
    said: list[tuple[dict[str, Any], Path | None]] = [({}, run), ({"cache": str(own)}, own), ({"cache": None}, None)]
    for number, (options, used) in enumerate(said):
        target = tmp_path / f"store{number}"
        with using(Context(Target(str(target)), "run-1", prefix="sea.zarr", cache=Target(str(run)))):
            run_pipeline(pipeline(served, target, **options))
        assert [path for path in (run, own) if path.exists()] == ([used] if used else [])
        for path in (run, own):
            shutil.rmtree(path, ignore_errors=True)


def test_a_pipeline_without_a_run_copies_to_a_folder_for_temporary_files(
    kitchen: Kitchen, bare: Plain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    pattern = FilePattern(lambda time: f"{bare.url}/{time}", ConcatDim("time", NAMES), file_type="netcdf4")
    recipe = (
        beam.Create(pattern.items())
        | OpenURLWithFSSpec()
        | OpenWithXarray()
        | StoreToZarr(store_name="sea.zarr", combine_dims=pattern.combine_dim_keys, target_root=str(tmp_path / "out"))
    )
    run_pipeline(recipe)
    assert_same(xr.open_zarr(tmp_path / "out" / "sea.zarr", chunks=None), kitchen.expected())
    assert list((tmp_path / "tmp").glob("bakehouse-inputs-*"))


def test_the_project_and_the_command_line_name_a_cache(
    kitchen: Kitchen, served: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = (
        "title: Test\nbakeries: {local: {target: s3://b/x, cache: s3://b/copies, storage_options: {anon: true}}}\n"
    )
    (kitchen.root / "meta.yaml").write_text(project)
    named = place(kitchen.root)
    monkeypatch.chdir(kitchen.root.parent)
    assert named.cache() == Target("s3://b/copies", {"anon": True})
    assert named.cache("gs://b/mine") == Target("gs://b/mine")
    assert named.cache("mine") == Target(str(kitchen.root.parent / "mine"))
    (kitchen.root / "meta.yaml").write_text(project.replace("s3://b/", ""))
    assert place(kitchen.root).cache() == Target(str(kitchen.root / "copies"))
    (kitchen.root / "meta.yaml").write_text("title: Test\nbakeries: {local: {target: stores}}\n")
    assert place(kitchen.root).cache() is None
    mirror = ["--mirror", f"{kitchen.inputs}={served.url}", "--project", str(kitchen.root)]
    found = CliRunner().invoke(main, ["test", "sea", "--cache", "mine", *mirror])
    assert found.exit_code == 0, found.output
    assert len(list((kitchen.root.parent / "mine").glob("*.json"))) == 2, "a test takes the first two inputs"
