"""Corners of a store's life in which one shortcut would lose or mix values."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from bakehouse.bake import bake, finish
from bakehouse.bake.collect import collect
from bakehouse.catalog.entry import Entry
from bakehouse.errors import BakehouseError
from tests.lifecycle.larder import CUT, SHARDED, days, make_larder
from tests.oracle import assert_same

pytestmark = pytest.mark.usefixtures("at_once")


def tile(time: int, member: int, label: float) -> xr.Dataset:
    """Make one time of one member, with a field that depends on the member alone."""
    values = np.array([[10.0 * time + member]])
    return xr.Dataset(
        {"sst": (("time", "member"), values), "label": (("member",), np.array([label]))},
        coords={"time": [time], "member": [member]},
    )


def test_what_depends_on_another_dimension_is_written_anew_when_all_its_inputs_changed(tmp_path: Path) -> None:
    dims = (("time", "concat", [0, 1]), ("member", "concat", [0, 1]))
    larder = make_larder(tmp_path, dims=dims, options='shards=False, target_chunks={"time": 1, "member": 1}')
    for time, member in np.ndindex(2, 2):
        larder.write((time, member), tile(time, member, member))
    larder.bake()
    for time in range(2):
        larder.write((time, 1), tile(time, 1, 99))
    assert larder.update(changed=True).status == "updated"
    assert list(larder.opened().label.values) == [0, 99]
    assert_same(larder.opened(), larder.expected())


def test_a_gap_takes_no_attributes_away(tmp_path: Path) -> None:
    said = {"title": "A", "institution": "B"}
    larder = make_larder(tmp_path, *(days(i, 1).assign_attrs(said) for i in range(4)))
    (larder.inputs / "2.nc").unlink()
    larder.bake(missing="skip")
    assert larder.opened().attrs == said
    larder.add(days(4, 1).assign_attrs(said))
    larder.update()
    assert larder.opened().attrs == said


def test_an_input_of_no_elements_adds_nothing_and_is_in_no_one_s_way(tmp_path: Path) -> None:
    larder = make_larder(tmp_path, days(0, 2), days(2, 2))
    larder.bake()
    larder.add(days(4, 0))
    assert larder.update().status == "unchanged"
    larder.add(days(4, 2))
    assert larder.update().status == "updated"
    assert_same(larder.opened(), larder.expected())


def test_a_hole_in_what_is_appended_along_a_dimension_that_no_file_has(tmp_path: Path) -> None:
    def scene(number: int) -> xr.Dataset:
        return days(0, 1).isel(time=0, drop=True) + number

    larder = make_larder(tmp_path, *(scene(i) for i in range(3)))
    larder.bake()
    larder.add(scene(3), scene(4))
    (larder.inputs / "3.nc").unlink()
    assert larder.update(missing="skip").status == "updated"
    sst = larder.opened().sst
    assert np.isnan(sst.values[3]).all() and not np.isnan(sst.values[[0, 1, 2, 4]]).any()


@pytest.mark.parametrize("options", [CUT, SHARDED])
def test_a_tail_of_an_earlier_version_does_not_pass_for_that_of_a_later_one(tmp_path: Path, options: str) -> None:
    larder = make_larder(tmp_path, days(0, 3), options=options.replace('"time": 2', '"time": 8'))
    larder.bake()
    larder.add(days(3, 1))
    larder.update()
    tail = larder.store / "sst/c/0/0/0"
    earlier = tail.read_bytes()
    larder.add(days(4, 1))
    larder.update()
    tail.write_bytes(earlier)
    larder.add(days(5, 1))
    with pytest.raises(BakehouseError, match=r"'sst/c/0/0/0' is not what was published"):
        larder.update()
    with pytest.raises(BakehouseError, match=r"'sst/c/0/0/0'"):
        larder.verify()


@pytest.mark.parametrize("options", [CUT, SHARDED])
def test_a_correction_after_an_append_that_was_cut_and_withdrawn(
    tmp_path: Path, options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    larder = make_larder(tmp_path, *(days(i, 1) for i in range(11)), options=options)
    larder.bake()
    larder.add(days(11, 1))

    def cut(*args: object) -> bool:
        raise RuntimeError("cut")

    with monkeypatch.context() as patch, suppress(RuntimeError):
        patch.setattr(finish, "advance_documents", cut)
        larder.update()
    larder.keep("time", list(range(11)))
    larder.write((0,), days(0, 1, 0.5))
    assert larder.update(changed=True).status == "updated"
    assert_same(larder.opened(), larder.expected())
    assert larder.verify().status == "verified"


def test_what_another_catalog_names_on_the_same_target_stays(tmp_path: Path) -> None:
    larder = make_larder(tmp_path, days(0, 2), days(2, 2))
    larder.bake()
    larder.add(days(4, 2))
    larder.update()
    named, seen = larder.entry, larder.opened()
    other = tmp_path / "other"
    outcome = bake(larder.job(), other)
    assert outcome.url != named.store.url
    theirs = Entry.from_json((other / "sea" / "sea.json").read_bytes())
    collect(other, larder.job().target, theirs, 0, 0, others=[named])
    assert_same(larder.opened(), seen)
    assert larder.verify().status == "verified"
