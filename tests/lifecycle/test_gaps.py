"""Inputs that are not there: an error, or a gap of fill that the entry lists and that an update fills later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bakehouse.errors import BakehouseError
from tests.lifecycle.larder import CUT, SHARDED, Larder, days, everything, make_larder, objects_of
from tests.oracle import assert_same, round_trip

pytestmark = pytest.mark.usefixtures("at_once")


def sea(root: Path, *lengths: int, options: str = CUT, without: tuple[int, ...] = ()) -> Larder:
    """Make an archive of consecutive days, some of whose files are not there."""
    starts = np.cumsum([0, *lengths])
    larder = make_larder(root, *(days(int(s), n) for s, n in zip(starts, lengths, strict=False)), options=options)
    for number in without:
        (larder.inputs / f"{number}.nc").unlink()
    return larder


def with_holes(larder: Larder, starts: list[tuple[int, int]], missing: list[int]) -> xr.Dataset:
    """Say what xarray has once the days of missing files are put back as NaN."""
    parts = [days(start, steps) for start, steps in starts]
    kept = [ds if i not in missing else ds.assign(sst=ds.sst * np.nan) for i, ds in enumerate(parts)]
    return round_trip(xr.concat(kept, "time", join="exact", compat="equals", data_vars="minimal", coords="different"))


def values(dataset: xr.Dataset) -> xr.Dataset:
    """Leave out attributes and encodings, which fill has none of."""
    return dataset.drop_attrs()


@pytest.mark.parametrize("options", [CUT, SHARDED, 'target_chunks={"time": 3}, zarr_format=2'])
def test_a_gap_is_fill_at_its_own_times_and_the_entry_lists_it(tmp_path: Path, options: str) -> None:
    larder = sea(tmp_path, 2, 2, 2, 2, options=options, without=(1,))
    outcome = larder.bake(missing="skip")
    expected = with_holes(larder, [(0, 2), (2, 2), (4, 2), (6, 2)], [1])
    xr.testing.assert_equal(values(larder.opened()), values(expected))
    (gap,) = larder.entry.gaps
    assert gap.inputs == (str(larder.inputs / "1.nc"),)
    assert [str(pd.Timestamp(t)) for t in gap.ranges["time"]] == [str(pd.Timestamp(t)) for t in days(2, 2).time.values]
    assert any("1.nc" in note and "gap" in note for note in outcome.notes)
    assert larder.verify().status == "verified"


def test_what_is_missing_stops_a_bake_that_does_not_skip(tmp_path: Path) -> None:
    larder = sea(tmp_path, 2, 2, 2, without=(1,))
    with pytest.raises(BakehouseError, match="no such file") as caught:
        larder.bake()
    assert "1.nc" in str(caught.value.where)
    assert not larder.entry_path.exists()


@pytest.mark.parametrize(
    ("options", "anew"),
    [(CUT, {"sst/c/1/0/0", "sst/c/1/1/0", "time/c/1"}), (SHARDED, {"sst/c/0/0/0", "time/c/0"})],
    ids=["chunks", "shards"],
)
def test_a_gap_is_filled_when_its_input_appears_and_all_else_is_kept(
    tmp_path: Path, options: str, anew: set[str]
) -> None:
    larder = sea(tmp_path, 2, 2, 2, 2, options=options, without=(1,))
    larder.bake(missing="skip")
    old, seen = larder.entry.store.url, larder.opened()
    assert larder.update().status == "unchanged"
    larder.write((1,), days(2, 2))
    assert larder.update().status == "updated"
    assert_same(larder.opened(), larder.expected())
    assert larder.entry.gaps == ()
    xr.testing.assert_identical(larder.opened(old), seen)
    keys = objects_of(larder.store)
    assert keys.keys() == objects_of(Path(old)).keys()
    assert {k for k in keys if (Path(old) / k).stat().st_ino != (larder.store / k).stat().st_ino} == anew
    assert larder.verify().status == "verified"
    still = everything(larder)
    assert larder.update().status == "unchanged" and everything(larder) == still


def test_an_update_appends_beyond_a_gap_that_stays(tmp_path: Path) -> None:
    larder = sea(tmp_path, 2, 2, 2, without=(1,))
    larder.bake(missing="skip")
    old = larder.entry.store.url
    larder.add(days(6, 3))
    assert larder.update().status == "updated"
    expected = with_holes(larder, [(0, 2), (2, 2), (4, 2), (6, 3)], [1])
    xr.testing.assert_equal(values(larder.opened()), values(expected))
    assert larder.entry.store.url == old and len(larder.entry.gaps) == 1
    larder.write((1,), days(2, 2))
    larder.add(days(9, 1))
    assert larder.update().status == "updated"
    assert_same(larder.opened(), larder.expected())


def test_inputs_at_the_end_are_not_there_yet_and_make_no_gap(tmp_path: Path) -> None:
    larder = sea(tmp_path, 2, 2, 2, without=(2,))
    outcome = larder.bake(missing="skip")
    assert larder.opened().sizes["time"] == 4 and larder.entry.gaps == ()
    assert any("2.nc" in note and "left out" in note for note in outcome.notes)
    assert larder.update(missing="skip").status == "unchanged"
    larder.write((2,), days(4, 2))
    old = larder.entry.store.url
    assert larder.update().status == "updated"
    assert larder.entry.store.url == old
    assert_same(larder.opened(), larder.expected())


def test_a_new_input_that_is_missing_between_others_makes_a_gap_in_an_update(tmp_path: Path) -> None:
    larder = sea(tmp_path, 2, 2)
    larder.bake()
    larder.add(days(4, 2), days(6, 2))
    (larder.inputs / "2.nc").unlink()
    with pytest.raises(BakehouseError, match="no such file"):
        larder.update()
    assert larder.update(missing="skip").status == "updated"
    expected = with_holes(larder, [(0, 2), (2, 2), (4, 2), (6, 2)], [2])
    xr.testing.assert_equal(values(larder.opened()), values(expected))
    assert [gap.inputs for gap in larder.entry.gaps] == [(str(larder.inputs / "2.nc"),)]


def test_monthly_values_keep_their_day_of_the_month(tmp_path: Path) -> None:
    months = pd.date_range("2001-01-01", periods=5, freq="MS")
    parts = [
        days(0, 1).assign_coords(time=[month]).assign(sst=days(i, 1).sst.variable) for i, month in enumerate(months)
    ]
    larder = make_larder(tmp_path, *parts)
    (larder.inputs / "2.nc").unlink()
    larder.bake(missing="skip")
    assert list(larder.opened().time.values) == list(months.values)
    assert (
        np.isnan(larder.opened().sst.values[2]).all() and not np.isnan(larder.opened().sst.values[[0, 1, 3, 4]]).any()
    )


def test_a_gap_whose_times_can_not_be_told_is_refused(tmp_path: Path) -> None:
    larder = make_larder(tmp_path, *(days(start, 1) for start in (0, 1, 5, 6, 20)))
    (larder.inputs / "2.nc").unlink()
    with pytest.raises(BakehouseError, match=r"time=2 is not there, and its values of 'time' can't be told") as caught:
        larder.bake(missing="skip")
    assert "2.nc" in str(caught.value.where) and not larder.entry_path.exists()


def test_a_gap_whose_length_can_not_be_told_is_refused(tmp_path: Path) -> None:
    larder = sea(tmp_path, 2, 3, 2, without=(1,))
    (larder.inputs / "2.nc").unlink()
    larder.write((2,), days(5, 4))
    with pytest.raises(BakehouseError, match="how many elements it would have can't be told") as caught:
        larder.bake(missing="skip")
    assert "nitems_per_file" in str(caught.value.fix)


def test_integers_without_a_fill_value_are_refused_because_zero_is_no_gap(tmp_path: Path) -> None:
    larder = make_larder(tmp_path, *(days(2 * i, 2).assign(sst=days(2 * i, 2).sst.astype("i4")) for i in range(3)))
    (larder.inputs / "1.nc").unlink()
    with pytest.raises(BakehouseError, match="no value that means missing"):
        larder.bake(missing="skip")


def test_one_of_two_merged_variables_may_be_missing(tmp_path: Path) -> None:
    dims = (("time", "concat", [0, 1, 2]), ("variable", "merge", ["sst", "ice"]))
    larder = make_larder(tmp_path, options='target_chunks={"time": 2}', dims=dims)
    for i in range(3):
        sst = days(2 * i, 2)
        larder.write((i, "sst"), sst)
        if i != 1:
            larder.write((i, "ice"), sst.rename(sst="ice"))
    larder.bake(missing="skip")
    found = larder.opened()
    assert np.isnan(found.ice.values[2:4]).all() and not np.isnan(found.ice.values[[0, 1, 4, 5]]).any()
    assert not np.isnan(found.sst.values).any()
    larder.write((1, "ice"), days(2, 2).rename(sst="ice"))
    larder.update()
    assert_same(larder.opened(), larder.expected())
