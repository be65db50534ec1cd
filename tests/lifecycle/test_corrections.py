"""Inputs that changed upstream are written anew in a version beside the old, which shares all else with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import xarray as xr

from bakehouse.errors import BakehouseError
from bakehouse.storage import Target
from tests.bake.kitchen import stamps
from tests.lifecycle.larder import CUT, SHARDED, Larder, assert_untouched, days, everything, make_larder, objects_of
from tests.oracle import assert_same
from tests.support.s3 import S3

WIDE = 'target_chunks={"time": 2, "lat": 1}, shards=False'


def sea(root: Path, options: str = WIDE) -> Larder:
    """Bake four inputs of two days each."""
    larder = make_larder(root, *(days(2 * i, 2) for i in range(4)), options=options)
    larder.bake()
    return larder


def inodes(store: Path) -> dict[str, int]:
    return {key: inode for key, (_, inode) in stamps(store).items() if key in objects_of(store)}


def assert_corrected(larder: Larder, old: str, seen: xr.Dataset, shared: int) -> None:
    """The new version has the new values, the old one its own, and so many objects are one file under two names."""
    assert larder.entry.store.url != old
    assert_same(larder.opened(), larder.expected())
    assert_same(larder.opened(old), seen)
    before, after = inodes(Path(old)), inodes(larder.store)
    assert sum(after[key] == inode for key, inode in before.items() if key in after) == shared
    assert [p.url for p in larder.entry.previous] == [old]


@pytest.mark.usefixtures("at_once")
def test_one_changed_input_is_written_anew_and_the_rest_is_linked(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    old, seen, made = larder.entry.store.url, larder.opened(), stamps(larder.store)
    larder.write((1,), days(2, 2, 0.5))
    assert larder.update(changed=True).status == "updated"
    total = len(objects_of(larder.store))
    assert_corrected(larder, old, seen, shared=total - 2 - 1)  # two of sst, one of time
    assert {key: inode for key, (_, inode) in stamps(Path(old)).items()} == {k: i for k, (_, i) in made.items()}
    assert larder.verify().status == "verified"
    before = everything(larder)
    for outcome in (larder.update(changed=True), larder.update(), larder.bake()):
        assert outcome.status == "unchanged"
        assert_untouched(larder, before)


@pytest.mark.usefixtures("at_once")
def test_an_update_without_changed_leaves_changed_inputs_alone(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    seen = larder.opened()
    larder.write((1,), days(2, 2, 0.5))
    assert larder.update().status == "unchanged"
    assert_same(larder.opened(), seen)


@pytest.mark.usefixtures("at_once")
def test_a_file_that_is_newer_but_the_same_makes_a_version_of_the_same_values(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    seen, old = larder.opened(), larder.entry.store.url
    larder.write((1,), days(2, 2))
    assert larder.update(changed=True).status == "updated"
    assert_corrected(larder, old, seen, shared=len(objects_of(larder.store)) - 3)


@pytest.mark.parametrize("options", [SHARDED, CUT + ", zarr_format=2", 'target_chunks={"time": 3}, shards=False'])
@pytest.mark.usefixtures("at_once")
def test_objects_that_changed_and_kept_inputs_share_hold_both(tmp_path: Path, options: str) -> None:
    larder = sea(tmp_path, options)
    old, seen = larder.entry.store.url, larder.opened()
    larder.write((0,), days(0, 2, 0.25))
    larder.write((2,), days(4, 2, 0.5))
    assert larder.update(changed=True).status == "updated"
    assert_same(larder.opened(), larder.expected())
    assert_same(larder.opened(consolidated=False), larder.expected())
    assert_same(larder.opened(old), seen)
    assert larder.verify().status == "verified"
    assert (larder.update(changed=True).status, larder.bake().status) == ("unchanged", "unchanged")


@pytest.mark.usefixtures("at_once")
def test_every_input_may_have_changed(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    old, seen = larder.entry.store.url, larder.opened()
    for i in range(4):
        larder.write((i,), days(2 * i, 2, 0.5))
    assert larder.update(changed=True).status == "updated"
    assert_corrected(larder, old, seen, shared=0)


@pytest.mark.usefixtures("at_once")
def test_changed_and_new_inputs_come_together(tmp_path: Path) -> None:
    larder = sea(tmp_path, SHARDED)
    old, seen = larder.entry.store.url, larder.opened()
    larder.write((3,), days(6, 2, 0.5))
    larder.add(days(8, 3))
    assert larder.update(changed=True).status == "updated"
    assert_same(larder.opened(), larder.expected())
    assert_same(larder.opened(old), seen)
    assert larder.verify().status == "verified"


@pytest.mark.usefixtures("at_once")
def test_the_last_input_may_have_grown_longer(tmp_path: Path) -> None:
    larder = sea(tmp_path, SHARDED)
    old, seen = larder.entry.store.url, larder.opened()
    larder.write((3,), days(6, 5))
    assert larder.update(changed=True).status == "updated"
    assert_same(larder.opened(), larder.expected())
    assert_same(larder.opened(old), seen)
    assert larder.verify().status == "verified"
    larder.add(days(11, 2))
    assert larder.update().status == "updated"
    assert_same(larder.opened(), larder.expected())


@pytest.mark.parametrize("options", [WIDE, SHARDED], ids=["chunks", "shards"])
@pytest.mark.usefixtures("at_once")
def test_the_last_input_may_have_grown_shorter(tmp_path: Path, options: str) -> None:
    larder = sea(tmp_path, options)
    old, seen = larder.entry.store.url, larder.opened()
    larder.write((3,), days(6, 1))
    assert larder.update(changed=True).status == "updated"
    assert_same(larder.opened(), larder.expected())
    assert_same(larder.opened(old), seen)
    assert larder.verify().status == "verified"


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.usefixtures("at_once")
def test_a_middle_input_of_another_length_is_refused(tmp_path: Path, steps: int) -> None:
    larder = sea(tmp_path)
    before, seen = everything(larder), larder.opened()
    larder.write((1,), days(2, 2).isel(time=[0]) if steps == 1 else halfway(days(2, 3)))
    with pytest.raises(BakehouseError) as caught:
        larder.update(changed=True)
    assert not [word for word in ("1.nc", "time", "--refresh") if word not in str(caught.value)], str(caught.value)
    assert_untouched(larder, before)
    assert_same(larder.opened(), seen)


def halfway(dataset: xr.Dataset) -> xr.Dataset:
    """Let the elements of an input lie twice as close."""
    time = dataset.time.values
    return dataset.assign_coords(time=time[0] + (time - time[0]) // 2)


@pytest.mark.usefixtures("at_once")
def test_an_input_that_is_gone_is_refused_by_name(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    before = everything(larder)
    (larder.inputs / "1.nc").unlink()
    with pytest.raises(BakehouseError, match="1.nc"):
        larder.update(changed=True)
    assert_untouched(larder, before)
    assert larder.update().status == "unchanged"


@pytest.mark.usefixtures("at_once")
def test_changed_inputs_that_mean_something_else_are_refused(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    before = everything(larder)
    dataset = days(2, 2)
    larder.write((1,), dataset.assign(sst=dataset.sst.assign_attrs(units="degC")))
    with pytest.raises(BakehouseError) as caught:
        larder.update(changed=True)
    assert not [word for word in ("units", "sst", "1.nc", '"K"', '"degC"') if word not in str(caught.value)]
    assert_untouched(larder, before)


@pytest.mark.parametrize("damage", ["gone", "cut", "flipped"])
@pytest.mark.usefixtures("at_once")
def test_damage_in_what_is_kept_is_refused(tmp_path: Path, damage: str) -> None:
    larder = make_larder(
        tmp_path, days(0, 2), days(2, 2),
        options='target_chunks={"time": 4, "lat": 1}, shards=False, encoding={"sst": {"compressors": None}}',
    )  # fmt: skip
    larder.bake()
    path = larder.store / "sst/c/0/0/0"
    data = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(data[:-4] if damage == "cut" else bytes([data[0] ^ 1, *data[1:]]))
    larder.write((1,), days(2, 2, 0.5))
    entry = larder.entry_path.read_bytes()
    with pytest.raises(BakehouseError, match="sst/c/0/0/0"):
        larder.update(changed=True)
    assert larder.entry_path.read_bytes() == entry


@pytest.mark.parametrize("inputs", [1, 2])
@pytest.mark.usefixtures("at_once")
def test_a_coordinate_that_changed_in_every_input_is_written_anew(tmp_path: Path, inputs: int) -> None:
    larder = make_larder(tmp_path, *(days(2 * i, 2) for i in range(inputs)))
    larder.bake()
    old, seen = larder.entry.store.url, larder.opened()
    for i in range(inputs):
        larder.write((i,), days(2 * i, 2, 0.5).assign_coords(lat=[11.0, 21.0]))
    assert larder.update(changed=True).status == "updated"
    assert_same(larder.opened(), larder.expected())
    assert_same(larder.opened(old), seen)


def test_a_pipeline_corrects_too(tmp_path: Path) -> None:
    larder = sea(tmp_path)
    old, seen = larder.entry.store.url, larder.opened()
    larder.write((2,), days(4, 2, 0.5))
    assert larder.update(changed=True).status == "updated"
    assert_corrected(larder, old, seen, shared=len(objects_of(larder.store)) - 3)
    assert larder.update(changed=True).status == "unchanged"


@pytest.mark.usefixtures("at_once")
def test_what_stays_is_copied_on_the_server(tmp_path: Path, moto: S3) -> None:
    from tests.faults.proxy import proxied

    with proxied(moto.endpoint) as proxy:
        options = {"endpoint_url": proxy.url, "key": moto.key, "secret": moto.secret}
        target = Target(moto.url, options).child("stores", "sea")
        larder = make_larder(tmp_path, *(days(2 * i, 2) for i in range(4)), target=target, options=WIDE)
        larder.bake()
        old = larder.entry.store.url
        assert_same(on_s3(moto, old), larder.expected())
        seen = on_s3(moto, old)
        larder.write((1,), days(2, 2, 0.5))
        proxy.heal()
        assert larder.update(changed=True).status == "updated"
        name = old.rpartition("/")[2]
        kept = [f"{name}/sst/c/{t}/{lat}/0" for t in (0, 2, 3) for lat in (0, 1)]
        read = [r.path for r in proxy.log if r.method == "GET" and any(r.path.endswith(key) for key in kept)]
        assert read == []
        new = larder.entry.store.url
        copied = [r.path for r in proxy.log if r.method == "PUT" and f"{new.rpartition('/')[2]}/sst/c/" in r.path]
        assert len(copied) == 8
    assert_same(on_s3(moto, new), larder.expected())
    assert_same(on_s3(moto, old), seen)


def on_s3(server: S3, url: str) -> xr.Dataset:
    with xr.open_zarr(url, chunks=None, storage_options=server.fsspec_options) as dataset:
        return dataset.load()
