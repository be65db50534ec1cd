"""A recipe that was edited may go on only if it still makes what is stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakehouse.errors import BakehouseError
from tests.lifecycle.larder import CUT, SHARDED, Larder, assert_untouched, days, everything, make_larder
from tests.oracle import assert_same

STEP = "    | LabelNewDims(pattern)\n"


def edited(larder: Larder, step: str) -> None:
    """Put a step into the recipe, before the store."""
    path = larder.root / "feedstocks" / "sea" / "recipe.py"
    path.write_text(path.read_text().replace(STEP, f"{STEP}    | {step}\n"))


@pytest.mark.parametrize("options", [CUT, SHARDED])
def test_an_edit_that_changes_no_value_appends(tmp_path: Path, options: str) -> None:
    larder = make_larder(tmp_path, days(0, 2), days(2, 3), options=options)
    larder.bake()
    edited(larder, "beam.MapTuple(lambda index, ds: (index, ds))")
    larder.add(days(5, 2))
    assert larder.update().status == "updated"
    assert_same(larder.opened(), larder.expected())


@pytest.mark.parametrize("options", [CUT, SHARDED])
def test_an_edit_that_changes_values_is_refused_with_both(tmp_path: Path, options: str) -> None:
    larder = make_larder(tmp_path, days(0, 2), days(2, 3), options=options)
    larder.bake()
    edited(larder, "beam.MapTuple(lambda index, ds: (index, ds.assign(sst=(ds.sst + 1).assign_attrs(ds.sst.attrs))))")
    edited(larder, "beam.MapTuple(lambda index, ds: (index, ds.assign(sst=ds.sst.variable.copy(deep=False))))")
    larder.add(days(5, 2))
    before, seen = everything(larder), larder.opened()
    with pytest.raises(BakehouseError) as caught:
        larder.update()
    said = str(caught.value)
    assert "'sst'" in said and "refresh" in str(caught.value.fix)
    assert_same(larder.opened(), seen)
    assert larder.entry_path.read_bytes() and {k for k in before if "version.json" in k} == {
        k for k in everything(larder) if "version.json" in k
    }


def test_an_edited_recipe_without_new_inputs_is_left_to_a_bake(tmp_path: Path) -> None:
    larder = make_larder(tmp_path, days(0, 2), days(2, 3))
    larder.bake()
    edited(larder, "beam.MapTuple(lambda index, ds: (index, ds))")
    before = everything(larder)
    assert larder.update().status == "unchanged"
    assert_untouched(larder, before)
