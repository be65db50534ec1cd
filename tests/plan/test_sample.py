"""A sample of a virtual store's inputs has those that are most likely to be unlike the others."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping

import pytest

from bakehouse.patterns import Key
from bakehouse.plan.sample import SAMPLED_TASKS, sample_inputs
from bakehouse.plan.types import Axis, Plan, PlannedInput, Template
from bakehouse.schema import Identity
from tests.plan.samples import key


def plan(counts: Mapping[str, int], concat: Collection[str], gaps: Collection[Key] = ()) -> Plan:
    """Plan nothing but inputs."""
    keys = [key(*places, dims=counts) for places in itertools.product(*map(range, counts.values()))]
    inputs = tuple(PlannedInput(each, f"{each}.nc", Identity(1, "e"), each in gaps) for each in keys)
    axes = {dim: Axis(dim, {i: (i, i + 1) for i in range(counts[dim])}) for dim in concat}
    return Plan("v", "v.kerchunk", Template({}, {}, axes, {}, format="kerchunk-json"), inputs, (), {}, {})


@pytest.mark.parametrize("count", [1, 2, 100, 1000])
def test_the_first_and_the_last_input_are_in_the_sample(count: int) -> None:
    found = sample_inputs(plan({"time": count}, ["time"]))
    assert {key(0), key(count - 1)} <= found
    assert min(count, SAMPLED_TASKS // 2) <= len(found) <= SAMPLED_TASKS // 2 + 2


def test_the_last_input_along_each_concat_dim_is_in_the_sample() -> None:
    counts = {"lat": 30, "time": 40}
    found = sample_inputs(plan(counts, ["lat", "time"]))
    corners = {key(0, 0, dims=counts), key(29, 0, dims=counts), key(0, 39, dims=counts), key(29, 39, dims=counts)}
    assert corners <= found and len(found) <= SAMPLED_TASKS // 2 + 4


def test_what_is_merged_has_its_last_inputs_in_the_sample() -> None:
    counts = {"time": 100, "variable": 3}
    found = sample_inputs(plan(counts, ["time"]))
    assert {key(99, i, dims=counts) for i in range(3)} <= found


def test_gaps_are_not_in_the_sample_but_the_last_input_before_them_is() -> None:
    found = sample_inputs(plan({"time": 100}, ["time"], gaps=[key(98), key(99)]))
    assert key(97) in found and not {key(98), key(99)} & found
