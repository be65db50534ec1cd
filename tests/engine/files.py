"""Inputs on disk that differ in one respect, and what is said when they can't be combined."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
import xarray as xr

from bakehouse.context import MEMORY_BYTES, Context
from bakehouse.errors import BakehouseError
from bakehouse.openers.xarray import open_dataset
from bakehouse.patterns import ConcatDim, FilePattern, combine_dims_of
from bakehouse.schema import merge_all
from bakehouse.storage import Target, make_source
from bakehouse.transforms import StoreToZarr
from bakehouse.transforms.index import SourcedIndex, show_index
from bakehouse.transforms.prepare import Prepare
from bakehouse.transforms.steps import Compare, Describe, Route, Write
from bakehouse.transforms.tiles import Split, Tile
from bakehouse.writers.assemble import Fragment
from bakehouse.writers.publish import consolidated, publish_documents
from bakehouse.writers.tasks import Prepared
from tests.engine.pipeline import NAME
from tests.oracle import round_trip


def written(
    folder: Path, datasets: Sequence[xr.Dataset], encodings: Sequence[Mapping[str, Any]] = (), **options: Any
) -> FilePattern:
    """Write datasets as 0.nc, 1.nc, … and give the pattern that concatenates them along time."""
    for i, dataset in enumerate(datasets):
        encoding = dict(encodings[i]) if encodings else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            folder.mkdir(exist_ok=True)
            dataset.to_netcdf(folder / f"{i}.nc", encoding=encoding, **{"engine": "h5netcdf", **options})
    return along_time(folder, len(datasets))


def along_time(folder: Path, count: int) -> FilePattern:
    """Give the pattern of files 0.nc, 1.nc, …."""
    return FilePattern(lambda time: f"{folder}/{time}.nc", ConcatDim("time", list(range(count))))


def read(folder: Path, *numbers: int) -> list[xr.Dataset]:
    """Read files with xarray, in the order given."""
    found = []
    for number in numbers:
        with xr.open_dataset(folder / f"{number}.nc") as dataset:
            found.append(dataset.load())
    return found


def joined(datasets: Sequence[xr.Dataset]) -> xr.Dataset:
    """Say what xarray itself makes of datasets along time, written to zarr and read back."""
    whole = xr.concat(
        datasets,
        "time",
        join="exact",
        compat="equals",
        combine_attrs="drop_conflicts",
        data_vars="minimal",
        coords="different",
    )
    for variable in whole.variables.values():
        variable.encoding.clear()
    return round_trip(whole)


def bake(
    pattern: FilePattern,
    folder: Path,
    *,
    open_kwargs: Mapping[str, Any] | None = None,
    memory_bytes: int = MEMORY_BYTES,
    **store: Any,
) -> xr.Dataset:
    """Take a pattern through the stages of a bake one after the other, without a runner; open the store."""
    dims = list(pattern.combine_dim_keys)
    options = StoreToZarr(dims, NAME, **store).options(Context(Target(str(folder)), "by-hand"))
    context = Context(Target(str(folder)), "by-hand", prefix=NAME, level="full", memory_bytes=memory_bytes)
    described = [
        found
        for element in _opened(pattern, open_kwargs or {})
        for found in Describe(context, combine_dims_of(dims), options).described(element)
    ]
    prepared = Prepare(context, combine_dims_of(dims), options)(merge_all(schema for schema, _ in described))
    routed: dict[str, list[Any]] = {}
    for _, whole in described:
        for fragment in _tiled(whole, prepared, context):
            for task, part in Route(context).process(fragment, prepared):
                routed.setdefault(task, []).append(part)
    written_tasks = sum(sum(Write("bake").process(item, prepared)) for item in routed.items())
    assert written_tasks == len(prepared.plan.tasks)
    values = sum(sum(Compare(context).process(item, prepared, written_tasks)) for item in routed.items())
    assert values == sum(math.prod(array.shape) for array in prepared.plan.template.arrays.values())
    form = prepared.plan.template.zarr_format
    publish_documents(prepared.store, consolidated(prepared.documents, form), form)
    return xr.open_zarr(folder / NAME, chunks=None, consolidated=True)


def _tiled(fragment: Fragment, prepared: Prepared, context: Context) -> Iterator[Fragment]:
    """Take a fragment through the stages that cut inputs into tiles where the plan says so."""
    for found in Split(context).process(fragment, prepared):
        if isinstance(found, beam.pvalue.TaggedOutput):
            name, alone = found.value
            yield from Tile(context).process((name, [alone]), prepared)
        else:
            yield found


def _opened(pattern: FilePattern, kwargs: Mapping[str, Any]) -> Iterator[tuple[Any, xr.Dataset]]:
    for index, url in pattern.items():
        source = make_source(str(url), {}, {}, show_index(index)).identified()
        yield SourcedIndex.of(index, source), open_dataset(source, pattern.file_type.name, kwargs)


@contextmanager
def refused(*words: str) -> Iterator[None]:
    """Insist on a refusal that says all of these words, and how to go on."""
    with pytest.raises(BakehouseError) as caught:
        yield
    missing = [word for word in words if word not in str(caught.value)]
    assert not missing, f"{missing} not in:\n{caught.value}"
    assert caught.value.fix or "fix:" in str(caught.value.cause)
