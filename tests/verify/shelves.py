"""Small baked stores of every kind, and ways to look at what verifying says of them."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr
import zarr

from bakehouse.bake import Outcome
from bakehouse.bake.verify import registered
from bakehouse.storage import Target
from bakehouse.verify import NotWholeError, check_published
from tests.bake.kitchen import Kitchen, make_kitchen
from tests.plan.samples import sea

PLAIN = 'encoding={"sst": {"compressors": None}}'
KINDS = {
    "v3": f'target_chunks={{"time": 1}}, shards={{"time": 2}}, {PLAIN}',
    "v2": f'target_chunks={{"time": 2}}, shards=False, zarr_format=2, {PLAIN}',
}


def shelf(root: Path, kind: str) -> Kitchen:
    """Bake a store with plain values, packed values, text and times: six days in three objects of each array."""
    kitchen = make_kitchen(root, KINDS[kind])
    for start, steps in ((0, 2), (2, 3), (5, 1)):
        _input(start, steps).to_netcdf(kitchen.inputs / f"{start}.nc", engine="h5netcdf")
    kitchen.bake()
    return kitchen


def _input(start: int, steps: int) -> xr.Dataset:
    days = np.arange(start, start + steps)
    ds = sea(start, steps)
    ds["ice"] = (("time", "lat", "lon"), np.repeat(days, 6).reshape(steps, 2, 3) * 0.5, {"units": "1"})
    ds["ice"].encoding = {"dtype": "int16", "scale_factor": 0.5, "_FillValue": np.int16(-1)}
    ds["note"] = ("time", np.array([f"day {day}" for day in days], object))
    ds["begun"] = ("time", (ds["time"] - np.timedelta64(12, "h")).values)
    return ds


def key(kitchen: Kitchen, array: str, *cell: int) -> str:
    """Give the key of an object."""
    if (kitchen.store / ".zmetadata").exists() or not (kitchen.store / "zarr.json").exists():
        return f"{array}/{'.'.join(map(str, cell))}"
    return "/".join([array, "c", *map(str, cell)])


def names(kitchen: Kitchen) -> tuple[str, str, str]:
    """Name the root document, an array's document, and the one that holds its attributes."""
    if "v2" in kitchen.root.name:
        return ".zmetadata", ".zarray", ".zattrs"
    return "zarr.json", "zarr.json", "zarr.json"


def found(kitchen: Kitchen, level: str = "full") -> NotWholeError:
    """Verify a damaged store, with its sources."""
    with pytest.raises(NotWholeError) as caught:
        kitchen.verify(level)
    assert str(caught.value.where).startswith("sea")
    return caught.value


def problems(kitchen: Kitchen, everything: bool = True) -> list[str]:
    """Give what is wrong with a damaged store, as it lies there; its sources are not asked."""
    store, beside = Target(str(kitchen.stores / f"{kitchen.entry.version}.zarr")), Target(str(kitchen.stores))
    return [p.what for p in check_published(store, beside, registered(kitchen.entry), everything).checked.problems]


def said(outcome: Outcome | NotWholeError) -> dict[str, str]:
    """Give what verifying states, check by check."""
    statements = outcome.checks if isinstance(outcome, Outcome) else outcome.checked.statements
    return {each.check: each.text for each in statements}


def edit_json(path: Path, change: Callable[[Any], object]) -> None:
    """Change a JSON document in place."""
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))


def documents_in(root: Any, array: str, zarr_format: int) -> Any:
    """Give an array's shape holder in a consolidated root."""
    if zarr_format == 2:
        return root["metadata"][f"{array}/.zarray"]
    return root["consolidated_metadata"]["metadata"][array]


def rewrite(kitchen: Kitchen, array: str, values: Callable[[Any], Any]) -> None:
    """Write an array's objects anew, rightly encoded; chunks of fill too: another fill value stands in meanwhile."""
    document = kitchen.store / array / names(kitchen)[1]
    before = document.read_bytes()
    edit_json(document, lambda said: said.update(fill_value=77))
    opened = zarr.open_array(kitchen.store / array, mode="r+")
    opened[...] = values(opened[...])
    document.write_bytes(before)


def forge(kitchen: Kitchen) -> None:
    """Make proof, root's digest and entry say that what lies there now is what was written."""
    proof = next(kitchen.stores.glob("*.proof.parquet"))
    table = pq.read_table(proof)
    rows = [_now(kitchen.store, row) for row in table.to_pylist()]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), buffer)
    proof.write_bytes(buffer.getvalue())
    for receipt in (kitchen.work / "receipts").iterdir():
        edit_json(
            receipt, lambda document: document.update(objects=[_now(kitchen.store, o) for o in document["objects"]])
        )
    root = kitchen.store / names(kitchen)[0]
    digests = {
        name: f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        for name, path in (("root", root), ("proof", proof))
    }
    edit_json(kitchen.entry_path, lambda entry: entry["digests"].update(digests))


def _now(store: Path, row: dict[str, Any]) -> dict[str, Any]:
    data = (store / row["key"]).read_bytes()
    return {**row, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
