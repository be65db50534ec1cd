"""What `leap_data_management_utils.cmip_transforms` has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import xarray as xr

from bakehouse.compat.notes import noted
from bakehouse.context import current
from bakehouse.errors import RecipeError
from bakehouse.patterns import Index

__all__ = ["CMIPBQInterface", "LogCMIPToBigQuery", "Preprocessor", "TestDataset", "dynamic_chunking_func"]

FACETS = (
    "mip_era", "activity_id", "institution_id", "source_id", "experiment_id", "member_id", "table_id", "variable_id",
    "grid_label", "version",
)  # fmt: skip
"""The parts of an instance id, in the order of CMIP6's data reference syntax."""
CHUNK_BYTES = 150_000_000
GAP = 0.05
"""How far a time step may be from the mean one."""


class Preprocessor(beam.PTransform):
    """Make all variables but the one of the dataset's `variable_id` coordinates, and attributes valid UTF-8."""

    def expand(self, pcoll: Any) -> Any:
        """Change each Dataset."""
        return pcoll | "Tidy" >> beam.MapTuple(_tidied)


def _tidied(index: Index, dataset: xr.Dataset) -> tuple[Index, xr.Dataset]:
    attrs = {k: v.encode("utf-8", "ignore").decode() if isinstance(v, str) else v for k, v in dataset.attrs.items()}
    others = [name for name in dataset.data_vars if name != attrs["variable_id"]]
    tidy = dataset.set_coords(others)
    tidy.attrs = attrs
    return index, tidy


def dynamic_chunking_func(ds: xr.Dataset) -> dict[str, int]:
    """Choose chunks of about 150 MB, ten times as fine along time as along horizontal dimensions.

    Parameters
    ----------
    ds
        The template.

    Returns
    -------
    dict
        Dimension to chunk length.

    Raises
    ------
    RecipeError
        If the package dynamic-chunks, which chooses, is not installed.
    """
    if ds.nbytes < CHUNK_BYTES:
        return {str(d): n for d, n in ds.sizes.items()}
    try:
        from dynamic_chunks.algorithms import (
            NoMatchingChunks,
            even_divisor_algo,
            iterative_ratio_increase_algo,
        )
    except ModuleNotFoundError as error:
        raise RecipeError("dynamic_chunking_func needs dynamic-chunks", None, None, "install it") from error
    ratio = {"time": 10} | dict.fromkeys(["x", "i", "ni", "xh", "nlon", "lon", "y", "j", "nj", "yh", "nlat", "lat"], 1)
    try:
        return dict(even_divisor_algo(ds, "150MB", ratio, 0.5, allow_extra_dims=True))
    except NoMatchingChunks:
        return dict(iterative_ratio_increase_algo(ds, "150MB", ratio, 0.5, allow_extra_dims=True))


@dataclass
class TestDataset(beam.PTransform):
    """Stop the bake unless the store's attributes are those of its instance id, and its time runs on evenly.

    Parameters
    ----------
    iid
        The instance id: ``CMIP6.CMIP.NCAR.CESM2.historical.r1i1p1f1.Omon.tos.gn.v20190308``.

    Raises
    ------
    RecipeError
        If they are not.
    """

    __test__ = False
    iid: str

    def expand(self, pcoll: Any) -> Any:
        """Test it, and pass it on."""
        return pcoll | "Test" >> beam.Map(_tested, self.iid)


def _tested(store: Any, iid: str) -> Any:
    dataset = xr.open_zarr(store, chunks=None, decode_times=False)
    for facet, expected in _facets(iid).items():
        if dataset.attrs.get(facet) != expected:
            found = dataset.attrs.get(facet)
            raise RecipeError(f"attribute '{facet}' is {found!r}, the instance id has {expected!r}", iid)
    if "time" in dataset.variables and "time" in dataset.dims:
        steps = np.diff(dataset["time"].values.astype("f8"))
        if (steps <= 0).any() or (abs(steps - steps.mean()) > GAP * steps.mean()).any():
            at = int(np.argmax(abs(steps - steps.mean())))
            raise RecipeError(
                f"time steps from {steps.min()} to {steps.max()}", iid, f"the oddest follows step {at}", "look for gaps"
            )
    return store


def _facets(iid: str) -> dict[str, str]:
    found = dict(zip(FACETS, iid.split("."), strict=True))
    found.pop("version")
    experiment, _, variant = found.pop("member_id").rpartition("-")
    return {**found, "variant_label": variant, **({"sub_experiment_id": experiment} if experiment else {})}


@dataclass
class LogCMIPToBigQuery(beam.PTransform):
    """Leave the store as it is: the bake registers it in the catalog, not in a BigQuery table; a note says so.

    Parameters
    ----------
    iid, table_id, retracted, tests_passed
        The row that LEAP's own table has.
    """

    iid: str
    table_id: str
    retracted: bool = False
    tests_passed: bool = False

    def expand(self, pcoll: Any) -> Any:
        """Note it."""
        text = f"not logged in the BigQuery table {self.table_id}: the catalog has the store"
        return pcoll | "Log" >> beam.Map(noted, current(), text)


@dataclass
class CMIPBQInterface:
    """LEAP's table of what has been baked; it can't be asked here.

    Parameters
    ----------
    table_id
        The BigQuery table.
    """

    table_id: str

    def iid_list_exists(self, iids: Sequence[str]) -> list[str]:
        """Refuse: which of these are baked already is what the catalog knows.

        Raises
        ------
        RecipeError
            Always.
        """
        raise RecipeError(
            f"the BigQuery table {self.table_id} can't be asked",
            None,
            f"the recipe asks which of {len(iids)} datasets it has",
            "bake by id (--Bake.recipe_id): what is published and unchanged is left as it is",
        )
