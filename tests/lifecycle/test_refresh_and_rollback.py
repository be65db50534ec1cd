"""A refresh builds beside and flips the entry; a rollback flips it back; what is collected is what nothing needs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from bakehouse.catalog.entry import Entry
from bakehouse.errors import BakehouseError
from tests.bake.kitchen import stamps
from tests.lifecycle.larder import CUT, SHARDED, Larder, assert_untouched, days, everything, make_larder
from tests.oracle import assert_same

pytestmark = pytest.mark.usefixtures("at_once")
LAYOUTS = [
    pytest.param(SHARDED, id="shards"),
    pytest.param(CUT, id="chunks"),
    pytest.param(CUT + ", zarr_format=2", id="v2"),
]


def sea(root: Path, options: str = SHARDED) -> Larder:
    larder = make_larder(root, days(0, 2), days(2, 3), options=options)
    larder.bake()
    return larder


def assert_whole(larder: Larder, wanted: xr.Dataset) -> None:
    """Readers of either kind find these values at what the entry names, and it passes verify."""
    assert_same(larder.opened(), wanted)
    assert_same(larder.opened(consolidated=False), wanted)


def test_a_refresh_builds_a_version_beside_and_the_old_one_stays(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    old, made, wanted = larder.entry, stamps(larder.store), larder.expected()
    assert larder.bake(refresh=True).status == "published"
    assert larder.entry.store.url != old.store.url
    assert [each.version for each in larder.entry.previous] == [old.version]
    assert_whole(larder, wanted)
    assert stamps(Path(old.store.url)) == made
    assert_same(larder.opened(old.store.url), wanted)
    assert larder.verify().status == "verified"
    before = everything(larder)
    assert (larder.bake().status, larder.update().status) == ("unchanged", "unchanged")
    assert_untouched(larder, before)


def test_a_refresh_mends_what_was_damaged(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    (larder.store / "sst/c/0/0/0").unlink()
    with pytest.raises(BakehouseError, match="sst/c/0/0/0"):
        larder.verify()
    larder.bake(refresh=True)
    assert_whole(larder, larder.expected())
    assert larder.verify().status == "verified"


def test_what_is_refreshed_is_appended_to(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    old, seen = larder.entry.store.url, larder.opened()
    larder.bake(refresh=True)
    larder.add(days(5, 4))
    assert larder.update().status == "updated"
    assert larder.entry.store.url != old
    assert_whole(larder, larder.expected())
    assert_same(larder.opened(old), seen)
    assert larder.verify().status == "verified"
    larder.bake(refresh=True)
    assert_whole(larder, larder.expected())
    assert len({each.version for each in larder.entry.previous}) == 3


@pytest.mark.parametrize("options", LAYOUTS)
def test_rolling_back_an_append_puts_the_old_length_back(tmp_path: Path, options: str) -> None:
    larder = sea(tmp_path, options)
    first, seen = larder.entry, larder.opened()
    larder.add(days(5, 2))
    larder.update()
    assert larder.rollback().version == first.version
    assert (larder.entry.version, larder.entry.store) == (first.version, first.store)
    assert_whole(larder, seen)
    larder.keep("time", [0, 1])
    assert larder.verify().status == "verified"
    before = everything(larder)
    assert larder.update().status == "unchanged"
    assert_untouched(larder, before)


@pytest.mark.parametrize("options", LAYOUTS)
def test_a_bake_after_a_rollback_leaves_what_both_versions_share_alone(tmp_path: Path, options: str) -> None:
    larder = sea(tmp_path, options)
    seen = larder.opened()
    larder.add(days(5, 2))
    larder.update()
    later, longer = larder.entry, larder.opened()
    larder.rollback()
    larder.keep("time", [0, 1])
    before = everything(larder)
    assert larder.bake().status == "unchanged"
    assert_untouched(larder, before)
    assert_whole(larder, seen)
    larder.rollback(later.version)
    assert_whole(larder, longer)


@pytest.mark.parametrize("options", LAYOUTS)
def test_an_update_after_a_rollback_comes_to_what_was_rolled_back(tmp_path: Path, options: str) -> None:
    larder = sea(tmp_path, options)
    larder.add(days(5, 2))
    larder.update()
    later = larder.entry
    larder.rollback()
    assert larder.update().status == "updated"
    assert (larder.entry.version, larder.entry.store) == (later.version, later.store)
    assert_whole(larder, larder.expected())
    assert larder.verify().status == "verified"


@pytest.mark.parametrize("options", LAYOUTS)
def test_an_update_from_other_inputs_after_a_rollback_leaves_the_later_version_as_it_is(
    tmp_path: Path, options: str
) -> None:
    larder = sea(tmp_path, options)
    larder.add(days(5, 2))
    larder.update()
    later, seen = larder.entry, larder.opened()
    held = xr.open_zarr(later.store.url, chunks=None)
    larder.rollback()
    larder.write((2,), days(5, 4, 0.5))
    assert larder.update().status == "updated"
    assert_whole(larder, larder.expected())
    assert larder.verify().status == "verified"
    assert_same(held.load(), seen)
    try:
        larder.rollback(later.version)
    except BakehouseError as refused:
        assert later.version in str(refused)
        assert_whole(larder, larder.expected())
    else:
        assert_whole(larder, seen)


def test_rolling_back_across_prefixes_and_forth_again(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    first, seen = larder.entry, larder.opened()
    larder.write((1,), days(2, 3, 0.5))
    larder.update(changed=True)
    second, corrected = larder.entry, larder.opened()
    assert larder.rollback().version == first.version
    assert_whole(larder, seen)
    assert larder.rollback(second.version).version == second.version
    assert_whole(larder, corrected)
    assert larder.verify().status == "verified"
    assert larder.update(changed=True).status == "unchanged"


def test_rolling_back_step_by_step(tmp_path: Path) -> None:
    """Appends, a correction and a refresh are undone one after the other, the latest first."""
    larder = sea(tmp_path)
    history = [(larder.entry.version, larder.opened())]

    def keep() -> None:
        history.append((larder.entry.version, larder.opened()))

    larder.add(days(5, 2))
    larder.update()
    keep()
    larder.add(days(7, 3))
    larder.update()
    keep()
    larder.write((0,), days(0, 2, 0.5))
    larder.update(changed=True)
    keep()
    larder.bake(refresh=True)
    while history:
        version, seen = history.pop()
        assert larder.rollback().version == version
        assert_whole(larder, seen)
    with pytest.raises(BakehouseError, match="no earlier version"):
        larder.rollback()


def test_rolling_back_to_what_is_not_there_is_refused(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    before = everything(larder)
    with pytest.raises(BakehouseError, match="no version 'cafe'") as caught:
        larder.rollback("cafe")
    assert str(larder.entry.version) in str(caught.value)
    with pytest.raises(BakehouseError, match="no earlier version"):
        larder.rollback()
    assert_untouched(larder, before)


def test_a_bake_after_a_rollback_says_what_the_inputs_make(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    larder.add(days(5, 2))
    larder.update()
    larder.rollback()
    outcome = larder.bake()
    assert outcome.status in ("published", "unchanged", "updated")
    assert_whole(larder, larder.expected())
    assert larder.verify().status == "verified"


# Collecting


def gathered(larder: Larder, keep: int = 0, days_old: float = 0, dry: bool = False) -> Any:
    from bakehouse.bake.collect import collect

    return collect(larder.catalog, larder.job().target, larder.entry, keep, days_old, dry)


def long_life(root: Path) -> tuple[Larder, list[tuple[Entry, xr.Dataset]]]:
    """Give a store with a first version, one that was appended, a correction and a refresh."""
    larder = sea(root)
    found = [(larder.entry, larder.opened())]
    larder.add(days(5, 2))
    larder.update()
    found.append((larder.entry, larder.opened()))
    larder.write((0,), days(0, 2, 0.5))
    larder.update(changed=True)
    found.append((larder.entry, larder.opened()))
    larder.bake(refresh=True)
    found.append((larder.entry, larder.opened()))
    return larder, found


def versions_of(larder: Larder) -> set[str]:
    return {path.name for path in larder.stores.glob("[!.]*.zarr")}


def test_collecting_everything_leaves_what_the_entry_names_whole(tmp_path: Path) -> None:
    larder, history = long_life(tmp_path)
    gathered(larder)
    assert versions_of(larder) == {larder.store.name}
    assert_whole(larder, history[-1][1])
    assert larder.verify().status == "verified"
    left = {path.name for path in larder.stores.iterdir() if path.is_file() or not path.name.startswith(".")}
    assert not [name for name in left if any(str(e.version) in name for e, _ in history[:-1])]
    larder.add(days(7, 2))
    assert larder.update().status == "updated"
    assert_whole(larder, larder.expected())


def test_what_is_kept_of_the_past_opens_and_can_be_gone_back_to(tmp_path: Path) -> None:
    larder, history = long_life(tmp_path)
    gathered(larder, keep=1)
    corrected, seen = history[2]
    assert versions_of(larder) == {larder.store.name, Path(corrected.store.url).name}
    assert_same(larder.opened(corrected.store.url), seen)
    assert larder.rollback().version == corrected.version
    assert_whole(larder, seen)
    assert larder.verify().status == "verified"


def test_young_versions_are_kept(tmp_path: Path) -> None:
    larder, history = long_life(tmp_path)
    before = everything(larder)
    gathered(larder, days_old=1)
    assert versions_of(larder) == {Path(e.store.url).name for e, _ in history}
    assert_same(larder.opened(history[1][0].store.url), history[1][1])
    assert {k for k in everything(larder) if ".zarr/" in k} == {k for k in before if ".zarr/" in k}


def test_old_versions_are_collected(tmp_path: Path) -> None:
    larder, history = long_life(tmp_path)
    long_ago = (datetime.now(UTC) - timedelta(days=90)).isoformat()
    for path in larder.stores.glob("*.version.json"):
        if not path.name.startswith(str(larder.entry.version)):
            said = json.loads(path.read_text())
            said["entry"]["published_at"] = long_ago
            path.write_text(json.dumps(said))
    entry = json.loads(larder.entry_path.read_text())
    for each in entry["previous"]:
        each["published_at"] = long_ago
    larder.entry_path.write_text(Entry.from_json(json.dumps(entry)).to_json())
    gathered(larder, days_old=30)
    assert versions_of(larder) == {larder.store.name}
    assert_whole(larder, history[-1][1])


def test_a_rehearsal_says_what_would_go_and_removes_nothing(tmp_path: Path) -> None:
    larder, history = long_life(tmp_path)
    before = everything(larder)
    said = str(gathered(larder, dry=True))
    assert_untouched(larder, before)
    assert all(str(entry.version) in said for entry, _ in history[:-1])
    assert str(gathered(larder)) and versions_of(larder) == {larder.store.name}


def test_collecting_after_an_append_keeps_the_prefix_that_both_share(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    larder.add(days(5, 2))
    larder.update()
    gathered(larder)
    assert_whole(larder, larder.expected())
    assert larder.verify().status == "verified"
    larder.add(days(7, 4))
    assert larder.update().status == "updated"
    assert_whole(larder, larder.expected())
    assert larder.verify().status == "verified"


def test_collecting_after_a_rollback_in_place_keeps_the_shorter_version_whole(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    seen = larder.opened()
    larder.add(days(5, 5))
    larder.update()
    larder.rollback()
    gathered(larder)
    assert_whole(larder, seen)
    assert larder.update().status == "updated"
    assert_whole(larder, larder.expected())
    assert larder.verify().status == "verified"


def test_collecting_a_version_whose_objects_another_links_to_leaves_those(tmp_path: Path) -> None:
    larder = sea(tmp_path, CUT)
    larder.write((1,), days(2, 3, 0.5))
    larder.update(changed=True)
    gathered(larder)
    assert_whole(larder, larder.expected())
    assert larder.verify().status == "verified"


def test_collecting_twice_is_collecting_once(tmp_path: Path) -> None:
    larder, _ = long_life(tmp_path)
    gathered(larder)
    before = everything(larder)
    gathered(larder)
    assert_untouched(larder, before)
