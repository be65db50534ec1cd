"""A virtual store from YAML to `bakehouse.open`: baked, verified, left alone, and made anew when inputs change."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import bakehouse
from tests.cli.projects import Project
from tests.engine.files import joined, read, written
from tests.engine.test_virtual import sea
from tests.oracle import assert_same
from tests.support.http import Server

RECIPE = """\
recipes:
  - id: links
    recipe: files_to_virtual
    with:
      pattern: {{url: "{url}/in/{{time}}.nc", concat: {{time: {keys}}}}}
      store: {{format: {format}, inline_bytes: 0}}
"""


def say(project: Project, server: Server, format: str = "kerchunk-json", keys: tuple[int, ...] = (0, 1)) -> None:
    text = RECIPE.format(url=server.url, format=format, keys=list(keys))
    if (project.root / "feedstocks" / "links").exists():
        meta = project.root / "feedstocks" / "links" / "meta.yaml"
        meta.write_text(meta.read_text().partition("recipes:")[0] + text)
    else:
        project.add("links", text)


def baked(project: Project, *words: str) -> Any:
    (found,) = project.document("bake", "links", *words)["recipes"]
    return found


@pytest.fixture
def inputs(http_server: Server) -> Path:
    written(
        http_server.folder / "in", [sea(i) for i in range(3)], [{"sst": {"zlib": True, "chunksizes": (1, 3, 8)}}] * 3
    )
    return http_server.folder / "in"


def objects(project: Project) -> dict[str, bytes]:
    found = (
        p
        for p in project.stores.rglob("*")
        if p.is_file() and not p.relative_to(project.stores).parts[2].startswith(".")
    )
    return {str(p.relative_to(project.stores)): p.read_bytes() for p in found}


@pytest.mark.parametrize("format", ["kerchunk-json", "kerchunk-parquet"])
def test_a_virtual_store_is_baked_opened_verified_and_left_alone(
    format: str, project: Project, inputs: Path, http_server: Server
) -> None:
    say(project, http_server, format)
    first = baked(project)
    assert first["status"] == "published"
    expected = joined(read(inputs, 0, 1))
    assert_same(bakehouse.open("links", project.catalog, chunks=None).load(), expected)
    assert_same(eval(project.document("open", "links")["lines"][1], {"xarray": xr}).load(), expected)
    entry = json.loads((project.catalog / "links" / "links.json").read_text())
    assert (entry["kind"], entry["store"]["format"], entry["check"]["level"]) == ("virtual", "kerchunk", "full")
    assert entry["check"]["values_compared"] == entry["check"]["values_total"]
    before = objects(project)
    assert baked(project)["status"] == "unchanged"
    assert objects(project) == before
    assert project.run("verify", "links").exit_code == 0


def test_an_input_that_changed_is_noticed_and_referred_to_anew(
    project: Project, inputs: Path, http_server: Server
) -> None:
    say(project, http_server)
    first = baked(project)
    sea(1).assign(sst=sea(1).sst + 1).to_netcdf(
        inputs / "1.nc", engine="h5netcdf", encoding={"sst": {"zlib": True, "chunksizes": (1, 3, 8)}}
    )
    result = project.run("verify", "links")
    assert result.exit_code == 1 and f"{http_server.url}/in/1.nc' changed" in result.output
    second = baked(project)
    assert second["status"] == "published" and second["version"] != first["version"]
    assert_same(bakehouse.open("links", project.catalog, chunks=None).load(), joined(read(inputs, 0, 1)))


def test_new_inputs_are_added_by_an_update(project: Project, inputs: Path, http_server: Server) -> None:
    say(project, http_server)
    baked(project)
    say(project, http_server, keys=(0, 1, 2))
    (found,) = project.document("update", "links")["recipes"]
    assert found["status"] == "updated"
    assert_same(bakehouse.open("links", project.catalog, chunks=None).load(), joined(read(inputs, 0, 1, 2)))
    (again,) = project.document("update", "links")["recipes"]
    assert again["status"] == "unchanged"


def test_an_earlier_version_is_gone_back_to_and_the_later_one_collected(
    project: Project, inputs: Path, http_server: Server
) -> None:
    say(project, http_server)
    baked(project)
    say(project, http_server, keys=(0, 1, 2))
    later = baked(project)["version"]
    assert project.run("rollback", "links").exit_code == 0
    assert bakehouse.open("links", project.catalog).sizes["time"] == 4
    assert project.run("gc", "links", "--keep", "0", "--older-than", "0").exit_code == 0
    assert not any(later in key for key in objects(project))
    assert bakehouse.open("links", project.catalog).sst.shape == (4, 6, 8)


def test_references_that_are_not_whole_are_not_gone_back_to(
    project: Project, inputs: Path, http_server: Server
) -> None:
    say(project, http_server, "kerchunk-parquet")
    first = baked(project)["version"]
    say(project, http_server, "kerchunk-parquet", keys=(0, 1, 2))
    later = baked(project)["version"]
    (lost,) = (key for key in objects(project) if first in key and key.endswith("sst/refs.0.parq"))
    (project.stores / lost).unlink()
    before, result = objects(project), project.run("rollback", "links")
    assert (result.exit_code, "'sst/refs.0.parq' is missing" in result.stderr) == (1, True)
    assert objects(project) == before
    assert json.loads((project.catalog / "links/links.json").read_text())["version"] == later


@pytest.mark.parametrize("damage", [lambda text: text.replace("sst/1.0.0", "sst/9.0.0"), lambda text: text[:-200]])
def test_damaged_references_are_found(
    damage: Callable[[str], str], project: Project, inputs: Path, http_server: Server
) -> None:
    say(project, http_server)
    baked(project)
    (path,) = project.stores.rglob("refs.json")
    path.write_text(damage(path.read_text()))
    result = project.run("verify", "links")
    assert result.exit_code == 1 and "refs.json" in result.output


def test_a_plan_says_how_many_chunks_are_referred_to(project: Project, inputs: Path, http_server: Server) -> None:
    say(project, http_server)
    (plan,) = project.document("plan", "links")["recipes"]
    assert plan["format"] == "kerchunk-json"
    assert {a["name"]: a["objects"] for a in plan["arrays"]}["sst"] == 8
    assert not project.stores.exists()


def test_a_store_is_rechunked_from_yaml(project: Project, http_server: Server) -> None:
    values = np.random.default_rng(0).standard_normal((12, 6, 8)).astype("f4")
    maps = xr.Dataset({"v": (("time", "lat", "lon"), values, {"units": "K"})}, {"time": np.arange(12)})
    maps.to_zarr(http_server.folder / "maps.zarr", encoding={"v": {"chunks": (1, 6, 8)}})
    said = f'{{source: "{http_server.url}/maps.zarr", store: {{chunks: {{time: -1, lat: 2, lon: 4}}}}}}'
    project.add("series", f"recipes:\n  - id: series\n    recipe: rechunk\n    with: {said}\n")
    (found,) = project.document("bake", "series")["recipes"]
    assert found["status"] == "published"
    store = bakehouse.open("series", project.catalog)
    assert store.v.encoding["chunks"] == (12, 2, 4)
    assert_same(store.load(), xr.open_zarr(http_server.folder / "maps.zarr").load())


def test_inputs_that_are_not_there_are_gaps_where_there_is_a_fill_value(
    project: Project, inputs: Path, http_server: Server
) -> None:
    say(project, http_server, keys=(0, 1, 2))
    (inputs / "1.nc").unlink()
    for fill in (None, -1.0):
        encoding: Any = {n: {"_FillValue": fill, "zlib": True, "chunksizes": (1, 3, 8)} for n in ("sst", "ice")}
        for i in (0, 2):
            sea(i).fillna(0).to_netcdf(inputs / f"{i}.nc", engine="h5netcdf", encoding=encoding)
        result = project.run("bake", "links", "--missing", "skip")
        assert (result.exit_code, "no _FillValue" in result.output) == ((1, True) if fill is None else (0, False))
    store = bakehouse.open("links", project.catalog).load()
    assert np.isnan(store.sst[2:4]).all()
    np.testing.assert_array_equal(store.sst.values[4:], sea(2).fillna(0).sst.values)


def test_references_are_made_without_reading_the_data(project: Project, http_server: Server) -> None:
    (http_server.folder / "in").mkdir()
    field = np.random.default_rng(0).standard_normal((100, 200, 200)).astype("f4")
    for i in range(2):
        dataset = xr.Dataset({"v": (("time", "lat", "lon"), field)}, {"time": i * 100 + np.arange(100)})
        dataset.to_netcdf(
            http_server.folder / "in" / f"{i}.nc", encoding={"v": {"zlib": True, "chunksizes": (1, 200, 200)}}
        )
    say(project, http_server)
    stored = sum(path.stat().st_size for path in (http_server.folder / "in").iterdir())
    found = baked(project, "--sampled")
    fetched = sum(request.bytes for request in http_server.log)
    sampled = 2 * 64 * 2 * stored / 200  # 64 chunks of each input, by their library and through the references
    assert found["status"] == "published"
    assert fetched < sampled + stored / 10
    http_server.clear()
    assert baked(project, "--sampled")["status"] == "unchanged"
    assert sum(request.bytes for request in http_server.log) < stored / 50
