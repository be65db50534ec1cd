"""Whatever happens to a published store, verifying names it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import xarray as xr

from bakehouse.errors import BakehouseError, VerifyError
from bakehouse.storage import Target
from bakehouse.writers.receipts import Receipt, Written, read_receipts, receipt_key, write_proof
from tests.bake.kitchen import Kitchen, contents, make_kitchen


def fault(kitchen: Kitchen, level: str = "full") -> BakehouseError:
    with pytest.raises(VerifyError) as caught:
        kitchen.verify(level)
    assert str(caught.value.where).startswith("sea")
    return caught.value


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


def test_a_store_that_is_as_it_was_baked_is_verified(done: Kitchen) -> None:
    before = contents(done.root)
    outcome = done.verify()
    assert (outcome.status, outcome.level, outcome.version) == ("verified", "full", done.entry.version)
    assert outcome.values_compared == 6 * 2 * 3 + 6 + 2 + 3
    assert contents(done.root) == before


DAMAGE: dict[str, tuple[Callable[[Kitchen], object], str]] = {
    "an object is missing": (lambda k: (k.store / "sst/c/0/0/0").unlink(), "object 'sst/c/0/0/0' is missing"),
    "a coordinate is missing": (lambda k: (k.store / "time/c/0").unlink(), "object 'time/c/0' is missing"),
    "an object is cut": (
        lambda k: os.truncate(k.store / "sst/c/1/0/0", 5),
        "object 'sst/c/1/0/0' has 5 bytes, its receipt says",
    ),
    "a byte is flipped": (
        lambda k: flip(k.store / "sst/c/1/1/0"),
        "object 'sst/c/1/1/0' has other content than was written",
    ),
    "an object is added": (lambda k: (k.store / "sst/c/9").write_bytes(b""), "object 'sst/c/9' is in no receipt"),
    "an array is added": (
        lambda k: shutil.copytree(k.store / "sst", k.store / "sst2"),
        "'sst2/c/0/0/0' is in no receipt",
    ),
    "the root is missing": (lambda k: (k.store / "zarr.json").unlink(), "root document 'zarr.json' is missing"),
    "the root is edited": (
        lambda k: flip(k.store / "zarr.json"),
        "root document 'zarr.json' is not the one that was registered",
    ),
    "an array's document is edited": (
        lambda k: (k.store / "sst/zarr.json").write_text(
            (k.store / "sst/zarr.json").read_text().replace('"K"', '"degC"')
        ),
        "document 'sst/zarr.json' is not what the root says of it",
    ),
    "an array's document is missing": (
        lambda k: (k.store / "sst/zarr.json").unlink(),
        "document 'sst/zarr.json' is missing",
    ),
    "an array's document is no JSON": (
        lambda k: (k.store / "sst/zarr.json").write_text("{"),
        "document 'sst/zarr.json' is not what the root says of it",
    ),
    "a document is added": (
        lambda k: (k.store / "sst/.zattrs").write_text("{}"),
        "document 'sst/.zattrs' is not in the root",
    ),
    "the proof is missing": (
        lambda k: next(k.stores.glob("*.proof.parquet")).unlink(),
        ".zarr.proof.parquet' is missing",
    ),
    "the proof is edited": (
        lambda k: flip(next(k.stores.glob("*.proof.parquet"))),
        ".zarr.proof.parquet' is not the one that was registered",
    ),
    "everything is gone": (lambda k: shutil.rmtree(k.store), "root document 'zarr.json' is missing"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_named(baked: Kitchen, what: str) -> None:
    act, message = DAMAGE[what]
    act(baked)
    assert message in str(fault(baked))


def test_every_damage_is_named_at_once(baked: Kitchen) -> None:
    (baked.store / "sst/c/0/0/0").unlink()
    flip(baked.store / "sst/c/1/1/0")
    error = fault(baked)
    assert "2 problems" in error.message
    assert "'sst/c/0/0/0' is missing" in str(error.cause) and "'sst/c/1/1/0' has other content" in str(error.cause)


def test_a_source_that_changed_or_went_away_is_named(tmp_path: Path) -> None:
    kitchen = make_kitchen(tmp_path)
    kitchen.bake()
    path = kitchen.inputs / "2.nc"
    (xr.load_dataset(path) + 1).to_netcdf(tmp_path / "new.nc", engine="h5netcdf")
    (tmp_path / "new.nc").replace(path)
    error = fault(kitchen)
    assert f"no longer those of version {kitchen.entry.version}" in str(error)
    assert f"input '{path}' changed: " in str(error)
    assert kitchen.store.name == f"{kitchen.entry.version}.zarr"
    path.unlink()
    error = fault(kitchen)
    assert all(text in error.message for text in ("no such file", "time=1", "2.nc"))


def test_a_recipe_that_was_edited_is_judged_by_its_values(baked: Kitchen) -> None:
    recipe = baked.root / "feedstocks" / "sea" / "recipe.py"
    recipe.write_text(recipe.read_text() + "\n# changed\n")
    (inputs,) = (statement for statement in baked.verify().checks if statement.check == "inputs")
    assert "the recipe was edited since" in inputs.text
    step = "    | beam.MapTuple(lambda index, ds: (index, ds.assign(sst=ds.sst + 1)))\n    | StoreToZarr"
    recipe.write_text(recipe.read_text().replace("    | StoreToZarr", step))
    assert "'sst'" in fault(baked).message


def test_a_value_that_was_wrong_when_its_proof_was_made_is_found(baked: Kitchen) -> None:
    """Even a forger who rewrites receipt, proof and entry is found out by the sources."""
    forged = (baked.store / "sst/c/1/0/0").read_bytes()
    (baked.store / "sst/c/0/0/0").write_bytes(forged)
    new = Written("sst/c/0/0/0", len(forged), hashlib.sha256(forged).hexdigest())
    found = read_receipts(Target(str(baked.work)))
    changed = [
        Receipt(r.task, tuple(new if o.key == new.key else o for o in r.objects), r.sources) for r in found.values()
    ]
    for receipt in changed:
        Target(str(baked.work)).put(receipt_key(receipt.task), receipt.to_json())
    proof = write_proof(changed)
    next(baked.stores.glob("*.proof.parquet")).write_bytes(proof)
    entry = json.loads(baked.entry_path.read_text())
    entry["digests"]["proof"] = f"sha256:{hashlib.sha256(proof).hexdigest()}"
    baked.entry_path.write_text(json.dumps(entry))
    error = fault(baked)
    assert "'sst' at {'time': 0, 'lat': 0, 'lon': 0}: the store has 20.0, its source has 0.0" in error.message
