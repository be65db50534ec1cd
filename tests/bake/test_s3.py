"""A bake on S3: the store is read by anybody, the receipts and the proof account for every object."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import xarray as xr
import zarr
from obstore.store import S3Store
from zarr.storage import ObjectStore

from bakehouse.bake import verify_recipe
from bakehouse.errors import VerifyError
from bakehouse.storage import Target
from bakehouse.writers.receipts import read_receipts
from tests.bake.kitchen import Kitchen
from tests.oracle import assert_same
from tests.support.s3 import S3


def target_on(server: S3) -> Target:
    options = {"endpoint_url": server.endpoint, "key": server.key, "secret": server.secret}
    return Target(server.url, options).child("stores", "sea")


def through_obstore(server: S3, url: str) -> Any:
    store = S3Store.from_url(
        url, endpoint=server.endpoint, access_key_id=server.key, secret_access_key=server.secret, region=server.region,
        virtual_hosted_style_request=False, client_options={"allow_http": True},
    )  # fmt: skip
    return ObjectStore(store, read_only=True)


def test_a_store_on_s3_is_baked_resumed_and_verified(done: Kitchen, s3: S3, tmp_path: Path) -> None:
    kitchen, target = done.copy(tmp_path), target_on(s3)
    kitchen.entry_path.unlink()
    outcome = kitchen.bake(target)
    entry, before = kitchen.entry, kitchen.entry_path.read_text()
    assert (outcome.status, entry.version, entry.store.url) == (
        "published",
        done.entry.version,
        f"{s3.url}/stores/sea/{done.store.name}",
    )
    assert entry.digests == done.entry.digests
    assert s3.endpoint in before and not {word for word in (s3.key, s3.secret) if word in before}

    expected = done.expected()
    assert_same(xr.open_zarr(through_obstore(s3, outcome.url), chunks=None).load(), expected)
    assert_same(xr.open_zarr(outcome.url, chunks=None, storage_options=s3.fsspec_options).load(), expected)
    assert zarr.open_group(through_obstore(s3, outcome.url), mode="r").metadata.consolidated_metadata is not None

    store = Target(outcome.url, target.options)
    listed = dict(store.list())
    proof = target.get(f"{done.store.name}.proof.parquet") or b""
    rows = pq.read_table(io.BytesIO(proof)).to_pylist()
    assert f"sha256:{hashlib.sha256(proof).hexdigest()}" == entry.digests.proof
    assert {row["key"]: row["size_bytes"] for row in rows} == {
        k: n for k, n in listed.items() if not k.endswith("zarr.json")
    }
    assert all(hashlib.sha256(store.get(row["key"]) or b"").hexdigest() == row["sha256"] for row in rows)
    work = target.child(f".{done.store.name}.work")
    assert sorted(o.key for r in read_receipts(work).values() for o in r.objects) == [row["key"] for row in rows]
    assert {key.split("/")[0] for key, _ in target.list()} == {
        done.store.name,
        f".{done.store.name}.work",
        ".survey",
        f"{done.store.name}.proof.parquet",
        f"{done.store.name}.inputs.parquet",
        f"{done.store.name}.version.json",
    }

    store.delete(["sst/c/1/0/0"])
    with pytest.raises(VerifyError, match="not whole"):
        verify_recipe(kitchen.job(target, level="full"), entry)
    assert kitchen.bake(target).status == "unchanged"
    assert (dict(store.list()), kitchen.entry_path.read_text()) == (listed, before)
    assert verify_recipe(kitchen.job(target, level="full"), entry).status == "verified"
