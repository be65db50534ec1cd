"""What a collection that was cut short leaves is never published: readers would see fill where values were."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from bakehouse.bake import finish
from bakehouse.bake.collect import collect
from bakehouse.errors import BakehouseError
from bakehouse.storage import Target
from bakehouse.verify import NotWholeError
from tests.lifecycle.larder import CUT, SHARDED, Larder, assert_untouched, days, everything, make_larder
from tests.oracle import assert_same
from tests.support.s3 import S3

pytestmark = pytest.mark.usefixtures("at_once")


def refreshed(root: Path, options: str = CUT, target: Target | None = None) -> Larder:
    """Give a store with an earlier version at a prefix of its own."""
    larder = make_larder(root, days(0, 2), days(2, 3), options=options, target=target)
    larder.bake()
    larder.bake(refresh=True)
    return larder


def is_object(key: str) -> bool:
    return not key.endswith((".json", ".parquet", ".zgroup", ".zattrs", ".zarray", ".zmetadata"))


@pytest.mark.parametrize("options", [CUT, SHARDED, CUT + ", zarr_format=2"])
@pytest.mark.parametrize("requests", [0, 1])
def test_a_collection_that_is_cut_leaves_a_version_whole_or_not_to_be_found(
    tmp_path: Path, options: str, requests: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that is cut has deleted the objects that it names, and nothing that would tell of it."""
    larder = refreshed(tmp_path, options)
    seen, left = larder.opened(), iter(range(requests))
    delete = Target.delete

    def cut(target: Target, keys: list[str]) -> None:
        dies = next(left, None) is None
        delete(target, [key for key in keys if is_object(key)] if dies else keys)
        if dies:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Target, "delete", cut)
        collect(larder.catalog, larder.job().target, larder.entry, 0, 0)
    with suppress(BakehouseError):
        larder.rollback()
    assert_same(larder.opened(), seen)
    assert larder.verify().status == "verified"
    collect(larder.catalog, larder.job().target, larder.entry, 0, 0)
    assert [path for path in larder.stores.glob("*.zarr") if path != larder.store] == []


@pytest.mark.parametrize("lost", ["sst/c/1/0/0", "sst/zarr.json"])
def test_a_version_that_lacks_something_is_not_gone_back_to(tmp_path: Path, lost: str) -> None:
    larder = refreshed(tmp_path)
    (version,) = [each.version for each in larder.entry.previous]
    (larder.stores / f"{version}.zarr" / lost).unlink()
    before = everything(larder)
    with pytest.raises(NotWholeError, match=f"version {version} is not whole.*'{lost}' is missing") as caught:
        larder.rollback()
    assert "bakehouse bake sea/sea --refresh" in str(caught.value.fix)
    assert_untouched(larder, before)


def test_all_that_is_missing_or_was_cut_is_named(tmp_path: Path) -> None:
    larder = refreshed(tmp_path)
    folder = larder.stores / f"{larder.entry.previous[0].version}.zarr"
    (folder / "sst/c/0/0/0").unlink()
    data = (folder / "sst/c/1/1/0").read_bytes()
    (folder / "sst/c/1/1/0").write_bytes(data[:-1])
    with pytest.raises(NotWholeError) as caught:
        larder.rollback()
    assert str(caught.value.cause).splitlines() == [
        "object 'sst/c/0/0/0' is missing",
        f"object 'sst/c/1/1/0' has {len(data) - 1} bytes, its receipt says {len(data)}",
    ]


@pytest.mark.parametrize("options", [CUT, SHARDED])
def test_nor_is_one_that_shares_its_prefix(tmp_path: Path, options: str) -> None:
    larder = make_larder(tmp_path, days(0, 2), days(2, 3), options=options)
    larder.bake()
    larder.add(days(5, 2))
    larder.update()
    (larder.store / "sst/c/0/0/0").unlink()
    before = everything(larder)
    with pytest.raises(NotWholeError, match="'sst/c/0/0/0' is missing"):
        larder.rollback()
    assert_untouched(larder, before)


@pytest.mark.parametrize("options", [CUT, SHARDED])
def test_what_a_withdrawn_update_added_is_no_damage(
    tmp_path: Path, options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    larder = make_larder(tmp_path, days(0, 2), days(2, 3), options=options)
    larder.bake()
    first, seen = larder.entry, larder.opened()
    larder.add(days(5, 2))
    larder.update()
    larder.add(days(7, 2))

    def cut(*args: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(finish, "advance_documents", cut)
        larder.update()
    assert larder.rollback(first.version).version == first.version
    assert_same(larder.opened(), seen)


def test_nor_is_one_in_a_bucket(tmp_path: Path, moto: S3) -> None:
    options = {"endpoint_url": moto.endpoint, "key": moto.key, "secret": moto.secret}
    larder = refreshed(tmp_path, target=Target(moto.url, options).child("stores", "sea"))
    (earlier,), later = larder.entry.previous, larder.entry.version
    larder.job().target.child(f"{earlier.version}.zarr").delete(["sst/c/0/0/0", "sst/c/2/1/0"])
    with pytest.raises(NotWholeError, match="not whole, and nothing was changed: 2 problems"):
        larder.rollback()
    assert larder.entry.version == later
