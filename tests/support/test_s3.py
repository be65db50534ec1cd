from __future__ import annotations

from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.exceptions import AlreadyExistsError, PreconditionError

from tests.support.s3 import S3


def keys(server: S3) -> list[str]:
    return sorted(meta["path"] for batch in obstore.list(server.store()) for meta in batch)


def test_objects_are_put_got_and_listed(s3: S3) -> None:
    store = s3.store()
    obstore.put(store, "a/one", b"1")
    obstore.put(store, "a/two", b"22")
    assert bytes(obstore.get(store, "a/two").bytes()) == b"22"
    assert keys(s3) == ["a/one", "a/two"]
    assert bytes(obstore.get(s3.store("a"), "one").bytes()) == b"1"


def test_each_test_gets_an_empty_bucket(s3: S3) -> None:
    assert keys(s3) == []
    obstore.put(s3.store(), "left-over", b"")


def test_each_test_really_gets_an_empty_bucket(s3: S3) -> None:
    assert keys(s3) == []


def test_moto_honours_conditional_put(moto: S3) -> None:
    first = obstore.put(moto.store(), "root", b"1", mode="create")
    with pytest.raises(AlreadyExistsError):
        obstore.put(moto.store(), "root", b"2", mode="create")
    current: Any = {"e_tag": first["e_tag"]}
    obstore.put(moto.store(), "root", b"3", mode=current)
    with pytest.raises(PreconditionError):
        obstore.put(moto.store(), "root", b"4", mode=current)
    assert bytes(obstore.get(moto.store(), "root").bytes()) == b"3"


def test_rclone_ignores_conditional_put(rclone: S3) -> None:
    obstore.put(rclone.store(), "root", b"1")
    obstore.put(rclone.store(), "root", b"2", mode="create")
    assert bytes(obstore.get(rclone.store(), "root").bytes()) == b"2"


def test_fsspec_reads_what_obstore_wrote(s3: S3) -> None:
    s3fs = pytest.importorskip("s3fs")
    obstore.put(s3.store(), "a/one", b"1")
    fs = s3fs.S3FileSystem(**s3.fsspec_options, skip_instance_cache=True)
    assert fs.cat(f"{s3.bucket}/a/one") == b"1"


def test_xarray_writes_and_reads_a_zarr_store(s3: S3) -> None:
    import xarray as xr
    from zarr.storage import ObjectStore

    ds = xr.Dataset({"x": ("t", [1.0, 2.0])})
    ds.to_zarr(ObjectStore(s3.store("x.zarr")), zarr_format=3, consolidated=False)
    xr.testing.assert_identical(xr.open_zarr(ObjectStore(s3.store("x.zarr")), consolidated=False).load(), ds)


def test_the_callers_home_is_not_touched() -> None:
    assert "home" in str(Path.home()) and "pytest" in str(Path.home())
