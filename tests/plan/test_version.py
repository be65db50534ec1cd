"""The version names what a store is made from: it changes when, and only when, that changes."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import zarr.codecs

from bakehouse.plan.make import make_plan
from bakehouse.plan.types import Plan, StoreOptions
from bakehouse.schema import DatasetSchema, Identity
from tests.plan.samples import TIME, plan_of, schema_of, sea

BASE: dict[str, Any] = {"target_chunks": {"time": 2}}


def planned(
    schema: DatasetSchema | None = None, recipe: str = "r", name: str = "out.zarr", memory: int = 2**28, **options: Any
) -> Plan:
    made = StoreOptions(name, **{**BASE, **options})
    return make_plan(schema or schema_of(sea(0), sea(2)), TIME, made, memory_bytes=memory, recipe_digest=recipe)


def test_the_same_inputs_recipe_and_options_give_the_same_version() -> None:
    assert planned() == planned()
    assert planned().prefix == f"{planned().version}.zarr"


@pytest.mark.parametrize(
    "identity",
    [
        Identity(101, "e"),
        Identity(100, "f"),
        Identity(100, None, "m"),
        Identity(100, "e", None, "s"),
        Identity(100, "e", "m"),
        Identity(),
    ],
)
def test_another_identity_of_an_input_is_another_version(identity: Identity) -> None:
    assert planned(schema_of(sea(0), sea(2), identity=identity)).version != planned().version


def test_one_more_input_is_another_version() -> None:
    assert planned(schema_of(sea(0), sea(2), sea(4))).version != planned().version


def test_another_url_of_an_input_is_another_version() -> None:
    moved = DatasetSchema(
        {
            k: frozenset(type(i)(**{**vars(i), "url": f"x/{i.url}"}) for i in v)
            for k, v in schema_of(sea(0), sea(2)).inputs.items()
        }
    )
    assert planned(moved).version != planned().version


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": "other"},
        {"name": "other.zarr"},
        {"target_chunks": {"time": 3}},
        {"target_chunks": {}},
        {"shards": False},
        {"shards": {"time": 4}},
        {"encoding": {"sst": {"dtype": "f8"}}},
        {"encoding": {"sst": {"dtype": np.float64}}},
        {"encoding": {"sst": {"_FillValue": -1.0}}},
        {"encoding": {"sst": {"compressors": (zarr.codecs.ZstdCodec(level=9),)}}},
        {"encoding": {"sst": {"compressors": (zarr.codecs.ZstdCodec(level=1),)}}},
        {"encoding": {"sst": {"compressors": None}}},
        {"attrs": {"title": "Sea"}},
        {"zarr_format": 2},
        {"combine_attrs": "identical"},
        {"order": "sort"},
        {"order": "drop_duplicates"},
        {"missing_variables": "fill"},
        {"coordinate_tolerance": 1e-6},
        {"coordinate_tolerance": {"lat": 1e-6}},
    ],
)
def test_another_recipe_or_option_is_another_version(change: dict[str, Any]) -> None:
    assert planned(**change).version != planned().version


def test_policies_that_are_not_asked_for_are_no_part_of_a_version() -> None:
    said = {"order": "error", "missing_variables": "error", "coordinate_tolerance": 0.0}
    assert planned(**said).version == planned().version == planned(order="any").version
    assert not set(said) & set(planned(**said).options)


def test_two_codecs_make_two_versions() -> None:
    found = {planned(encoding={"sst": {"compressors": (zarr.codecs.ZstdCodec(level=n),)}}).version for n in (1, 2)}
    assert len(found) == 2


def test_what_a_worker_may_hold_in_memory_is_no_part_of_the_version() -> None:
    assert planned(memory=2**20).version == planned().version


def test_equal_lengths_of_other_types_are_the_same_version() -> None:
    assert planned(target_chunks={"time": np.int64(2)}).version == planned().version


def test_chunks_that_a_function_chooses_count_as_if_they_were_asked_for() -> None:
    chosen = make_plan(
        schema_of(sea(0), sea(2)),
        TIME,
        StoreOptions("out.zarr"),
        memory_bytes=2**28,
        recipe_digest="r",
        choose_chunks=lambda template: {"time": np.int64(2)},
    )
    assert chosen.version == planned().version
    assert chosen.template.arrays["sst"].chunks[0] == 2


SCRIPT = """
import numcodecs, zarr.codecs
from tests.plan.samples import plan_of, schema_of, sea
blosc = zarr.codecs.BloscCodec(cname="zstd", clevel=5, shuffle="bitshuffle", typesize=4)
codecs = (blosc, zarr.codecs.GzipCodec(level=1), zarr.codecs.BloscCodec())
two = {"compressors": numcodecs.Blosc("zstd", 5), "filters": [numcodecs.Delta("i4")]}
print(plan_of(schema_of(sea(0)), encoding={"sst": {"compressors": codecs}, "lat": two}).version)
"""


def test_the_version_is_the_same_in_every_process() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_a_plan_says_what_its_version_was_made_of() -> None:
    plan = plan_of(schema_of(sea(0)))
    assert set(plan.digests) == {"inputs", "recipe", "options"}
    assert plan.options["store_name"] == "out.zarr"
