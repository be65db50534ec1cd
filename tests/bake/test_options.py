"""What a recipe may ask of its store, in whole pipelines."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from bakehouse.bake import plan_recipe
from bakehouse.errors import BakehouseError, PublishError, RecipeError
from bakehouse.patterns import ConcatDim, FilePattern
from tests.bake.kitchen import Kitchen, make_kitchen, whole
from tests.engine.pipeline import bake_pattern
from tests.oracle import assert_same
from tests.plan.samples import sea

CHOOSE = """
def choose(template, target_bytes):
    assert template.sst.attrs["units"] == "K" and template.sizes["time"] == 6
    row = template.sst.nbytes // template.sizes["time"]
    return {"time": np.int64(target_bytes // row), "lat": -1}
"""


def test_a_function_may_choose_the_chunks_from_the_template(tmp_path: Path) -> None:
    chosen = 'dynamic_chunking_fn=choose, dynamic_chunking_fn_kwargs={"target_bytes": 72}'
    options = chosen + ', shards={"time": -1}, attrs={"title": "Sea", "levels": [1, 2]}'
    kitchen = make_kitchen(tmp_path, options, functions=CHOOSE)
    kitchen.bake()
    sst = zarr.open_group(kitchen.store, mode="r")["sst"]
    assert isinstance(sst, zarr.Array)
    assert (sst.chunks, sst.shards) == ((3, 2, 3), (6, 2, 3))
    found = xr.open_zarr(kitchen.store, chunks=None).load()
    assert_same(found, kitchen.expected().assign_attrs(title="Sea", levels=[1, 2]))
    assert kitchen.entry.provenance.options["target_chunks"] == {"time": 3, "lat": -1}


def test_a_function_that_fails_is_named_with_its_line(tmp_path: Path) -> None:
    kitchen = make_kitchen(
        tmp_path,
        'dynamic_chunking_fn=choose, dynamic_chunking_fn_kwargs={"target_bytes": 0}',
        functions=CHOOSE.replace("target_bytes //", "1 //").replace("// row", "// 0"),
    )
    with pytest.raises(BakehouseError, match="ZeroDivisionError") as caught:
        kitchen.bake()
    assert "recipe.py" in str(caught.value.where)


def test_a_function_that_chooses_a_chunk_of_nothing_is_refused(tmp_path: Path) -> None:
    kitchen = make_kitchen(
        tmp_path, 'dynamic_chunking_fn=choose, dynamic_chunking_fn_kwargs={"target_bytes": 1}', functions=CHOOSE
    )
    with pytest.raises(BakehouseError, match="chunk length .*0.* for 'time'"):
        kitchen.bake()


def test_chunks_can_not_be_both_given_and_chosen(tmp_path: Path) -> None:
    kitchen = make_kitchen(tmp_path, 'target_chunks={"time": 1}, dynamic_chunking_fn=choose', functions=CHOOSE)
    with pytest.raises(RecipeError, match="both target_chunks and dynamic_chunking_fn"):
        kitchen.bake()


def test_a_plan_of_large_fields_without_time_reads_no_data_and_says_what_a_bake_does(tmp_path: Path) -> None:
    kitchen = make_kitchen(tmp_path)
    for path in kitchen.inputs.glob("*.nc"):
        ds = xr.load_dataset(path).assign(mask=(("y", "x"), np.ones((100, 200))))
        ds.to_netcdf(tmp_path / "new.nc", engine="h5netcdf")
        (tmp_path / "new.nc").replace(path)
    plan = plan_recipe(kitchen.job())
    assert not kitchen.stores.exists()
    outcome = kitchen.bake()
    assert (plan["version"], plan["objects"], plan["tasks"]) == (outcome.version, outcome.objects, outcome.tasks)
    assert next(a for a in plan["arrays"] if a["name"] == "mask")["shape"] == [100, 200]
    json.dumps(plan)


def written(folder: Path, offset: float) -> FilePattern:
    folder.mkdir(exist_ok=True)
    for start in (0, 2):
        data = sea(start, 2)
        data.assign(sst=data.sst + offset).to_netcdf(folder / "new.nc", engine="h5netcdf")
        (folder / "new.nc").replace(folder / f"{start}.nc")
    return FilePattern(lambda time: f"{folder}/{time}.nc", ConcatDim("time", [0, 2]), file_type="netcdf4")


def test_a_pipeline_of_its_own_never_takes_other_inputs_for_done(tmp_path: Path) -> None:
    first = bake_pattern(written(tmp_path / "in", 0), tmp_path / "out").load()
    assert_same(first, whole(tmp_path / "in"))
    assert_same(bake_pattern(_same(tmp_path / "in"), tmp_path / "out").load(), first)
    with pytest.raises((PublishError, RuntimeError), match="made from other inputs"):
        bake_pattern(written(tmp_path / "in", 100), tmp_path / "out")
    assert_same(xr.open_zarr(tmp_path / "out" / "out.zarr", chunks=None).load(), first)


def _same(folder: Path) -> FilePattern:
    return FilePattern(lambda time: f"{folder}/{time}.nc", ConcatDim("time", [0, 2]), file_type="netcdf4")


def test_pruned_bakes_are_versions_of_their_own_and_are_never_registered(done: Kitchen, tmp_path: Path) -> None:
    kitchen = done.copy(tmp_path)
    before = kitchen.entry_path.read_bytes()
    outcome = kitchen.bake(prune=2)
    assert (outcome.entry, kitchen.entry_path.read_bytes()) == (None, before)
    assert outcome.version != done.entry.version
    assert xr.open_zarr(outcome.url).sizes["time"] == 5
