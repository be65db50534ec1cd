"""Run a plan's tasks one after the other, without a pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr
import zarr

from bakehouse.openers.describe import describe
from bakehouse.patterns import Key
from bakehouse.plan.make import make_plan
from bakehouse.plan.types import StoreOptions
from bakehouse.schema import DatasetSchema, Identity, merge_all
from bakehouse.storage import Target
from bakehouse.writers.assemble import Fragment
from bakehouse.writers.compare import compare_task
from bakehouse.writers.publish import consolidated, publish_documents, save_candidate
from bakehouse.writers.tasks import Prepared, write_task
from bakehouse.writers.template import make_documents

TIME = {"time": "concat"}


def fragments_of(datasets: Sequence[xr.Dataset]) -> list[Fragment]:
    """Name the datasets 0.nc, 1.nc, … along time."""
    return [Fragment((("time", i),), f"{i}.nc", dict(ds.variables)) for i, ds in enumerate(datasets)]  # type: ignore[arg-type]


def prepared_for(
    datasets: Sequence[xr.Dataset], target: Target, memory_bytes: int = 2**28, prefix: str | None = None, **options: Any
) -> Prepared:
    """Plan the store of some datasets."""
    places: Mapping[Key, xr.Dataset] = {(("time", i),): ds for i, ds in enumerate(datasets)}
    described = (DatasetSchema.of(k, describe(ds, f"{k[0][1]}.nc", Identity(1, "e"), TIME)) for k, ds in places.items())
    asked = StoreOptions("out.zarr", **options)
    plan = make_plan(merge_all(described), TIME, asked, memory_bytes=memory_bytes, prefix=prefix)
    return Prepared(plan, make_documents(plan.template, asked.encoding), target, asked.encoding)


def write_all(prepared: Prepared, datasets: Sequence[xr.Dataset]) -> None:
    """Write every task."""
    for task in prepared.plan.tasks:
        write_task(prepared, task, fragments_of(datasets))


def compare_all(prepared: Prepared, datasets: Sequence[xr.Dataset]) -> int:
    """Compare every task; give the number of values."""
    return sum(compare_task(prepared, task, fragments_of(datasets)) for task in prepared.plan.tasks)


def stored(datasets: Sequence[xr.Dataset], target: Target, **options: Any) -> Prepared:
    """Write, compare and publish."""
    prepared = prepared_for(datasets, target, **options)
    save_candidate(prepared)
    write_all(prepared, datasets)
    compare_all(prepared, datasets)
    zarr_format = prepared.plan.template.zarr_format
    publish_documents(prepared.store, consolidated(prepared.documents, zarr_format), zarr_format)
    return prepared


def opened(prepared: Prepared, **options: Any) -> xr.Dataset:
    """Open what was published, as anybody would."""
    return xr.open_zarr(prepared.store.url, **{"chunks": None, "consolidated": True, **options})


def changed(prepared: Prepared, name: str, at: tuple[int, ...], value: Any) -> None:
    """Change one value in the store."""
    array = zarr.open_group(prepared.store.url, mode="r+")[name]
    assert isinstance(array, zarr.Array)
    array[at] = value
