"""Steps after the store change the candidate; what they write is published with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import xarray as xr
import zarr

from bakehouse.errors import RecipeError
from tests.bake.kitchen import Kitchen, contents, make_kitchen

STEPS = """
def add_attrs(store):
    group = zarr.open_group(store, mode="r+")
    group.attrs["title"] = "Sea, with a step after the store"
    group["sst"].attrs["comment"] = "added later"
    return store

def look(store):
    from pathlib import Path
    import json, xarray as xr
    ds = xr.open_zarr(store, chunks=None)
    there = sorted(path.name for path in Path(store.path).rglob("*") if path.name[0] in ".z")
    Path(REPORT).write_text(json.dumps([there, float(ds.sst.sum()), ds.attrs.get("title")]))
    return store

def fail(store):
    raise ValueError("the test of this recipe failed")
"""


def kitchen_with(root: Path, after: str, zarr_format: int = 3) -> Kitchen:
    functions = STEPS.replace("REPORT", repr(str(root / "report.json")))
    return make_kitchen(
        root, f'target_chunks={{"time": 2}}, zarr_format={zarr_format}', after=after, functions=functions
    )


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_attributes_that_a_later_step_writes_are_published_and_nothing_is_visible_before(
    tmp_path: Path, zarr_format: int
) -> None:
    kitchen = kitchen_with(
        tmp_path, '\n    | "Attrs" >> beam.Map(add_attrs)\n    | "Look" >> beam.Map(look)', zarr_format
    )
    kitchen.bake()
    expected = kitchen.expected()
    assert json.loads((tmp_path / "report.json").read_text()) == [
        [],
        float(expected.sst.sum()),
        "Sea, with a step after the store",
    ]
    for consolidated in (True, False):
        found = xr.open_zarr(kitchen.store, chunks=None, consolidated=consolidated)
        assert found.attrs["title"] == "Sea, with a step after the store"
        assert found.sst.attrs == {"units": "K", "comment": "added later"}
        xr.testing.assert_equal(found.load(), expected)
    assert zarr.open_group(kitchen.store, mode="r").metadata.zarr_format == zarr_format
    before = contents(kitchen.store)
    assert (kitchen.verify() if zarr_format == 2 else kitchen.bake()).status in ("verified", "unchanged")
    assert contents(kitchen.store) == before


def test_a_later_step_that_fails_keeps_the_version_unpublished(tmp_path: Path) -> None:
    kitchen = kitchen_with(tmp_path, '\n    | "Fail" >> beam.Map(fail)')
    with pytest.raises(RecipeError, match="ValueError: the test of this recipe failed") as caught:
        kitchen.bake()
    assert "recipe.py" in str(caught.value.where)
    assert not list(kitchen.store.rglob("zarr.json")) and not kitchen.entry_path.exists()
