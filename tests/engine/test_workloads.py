"""The benchmark's workloads do as much work as their inputs ask for, and no more: counted, not timed.

Each is baked in miniature, as the benchmark spells it; w6 is in test_workload_w6.py. Whatever is compared is read once
more, by the reader library.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest
import xarray as xr

from benchmarks.workloads.base import Workload
from tests.engine.counted import Work
from tests.engine.miniatures import (
    Done,
    assert_holds,
    bucket_of,
    chunk_bytes,
    expected,
    miniature,
    value_bytes,
    workload,
    write_inputs,
)

MATERIALISED = ["w1", "w2-float32", "w2-int16", "w2-variables", "w3", "w5", "w8", "w9-simple", "w9-ccsds"]
VIRTUAL = ["w4a", "w4b", "w9-simple-virtual", "w9-ccsds-virtual"]
COORDINATES = 3
"""Time, latitude and longitude: each is one chunk, which is encoded, and one object."""


@dataclass(frozen=True)
class Baked:
    """A workload that was baked."""

    workload: Workload
    files: list[Path]
    done: Done

    @property
    def work(self) -> Work:
        """Give what was counted."""
        return self.done.work

    @property
    def maps(self) -> int:
        """Count the source chunks: each is a map of one variable."""
        spec = self.workload.inputs
        return int(spec["files"] * spec["steps"] * spec["variables"])

    @cached_property
    def expected(self) -> xr.Dataset:
        """Say what the store must hold."""
        return expected(self.workload, self.files)


@dataclass
class Bakery:
    """Bakes each workload once; those of the same inputs share them."""

    root: Path
    inputs: dict[str, list[Path]] = field(default_factory=dict)
    baked: dict[str, Baked] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Baked:
        """Give a workload, baked."""
        if name not in self.baked:
            each = workload(name)
            files = self._inputs(each)
            done = miniature(each, self.root / name, files[0].parent).run("bake")
            assert done.said.get("status") == "published", done.said
            self.baked[name] = Baked(each, files, done)
        return self.baked[name]

    def _inputs(self, each: Workload) -> list[Path]:
        key = json.dumps(dict(each.inputs), sort_keys=True)
        if key not in self.inputs:
            self.inputs[key] = write_inputs(each.inputs, self.root / f"inputs-{len(self.inputs)}")
        return self.inputs[key]


@pytest.fixture(scope="module")
def bakery(tmp_path_factory: pytest.TempPathFactory) -> Bakery:
    return Bakery(tmp_path_factory.mktemp("workloads"))


@pytest.mark.parametrize("name", [*MATERIALISED, *VIRTUAL])
def test_the_store_holds_what_xarray_finds_in_the_inputs(bakery: Bakery, name: str) -> None:
    baked = bakery[name]
    assert_holds(baked.done.opened(baked.files[0].parent), baked.expected)


@pytest.mark.parametrize("name", ["w1", "w5"])
def test_chunks_that_fit_are_read_once_and_moved(bakery: Bakery, name: str) -> None:
    """Nothing but coordinates is encoded, nothing is decoded; an object holds as many chunks as its shard."""
    baked, work = bakery[name], bakery[name].work
    assert (work.read_bytes, work.decoded_bytes) == (chunk_bytes(baked.files), 0)
    assert work.encoded_chunks == COORDINATES
    assert work.objects == baked.maps // baked.workload.options["shards"] + COORDINATES


@pytest.mark.parametrize("name", ["w2-float32", "w2-int16", "w2-variables"])
def test_another_compression_costs_one_reading_one_decoding_and_one_encoding(bakery: Bakery, name: str) -> None:
    """Packed integers are not unpacked: as many bytes are decoded as the files' own type takes."""
    baked, work = bakery[name], bakery[name].work
    assert (work.read_bytes, work.decoded_bytes) == (chunk_bytes(baked.files), value_bytes(baked.files))
    assert work.encoded_chunks == work.objects == baked.maps + COORDINATES


@pytest.mark.parametrize("name", ["w3"])
def test_maps_become_series_with_one_decoding_of_each(bakery: Bakery, name: str) -> None:
    """Every map is in every object, and is read and decoded once all the same."""
    baked, work = bakery[name], bakery[name].work
    assert (work.read_bytes, work.decoded_bytes) == (chunk_bytes(baked.files), value_bytes(baked.files))
    rows, columns = (baked.workload.inputs[dim] // baked.workload.options["tile"] for dim in ("lat", "lon"))
    assert work.encoded_chunks == work.objects == rows * columns + rows + columns + 1


@pytest.mark.parametrize("name", VIRTUAL)
def test_references_are_made_without_any_chunk(bakery: Bakery, name: str) -> None:
    """Chunks are read to be compared, each once; what is written is one document."""
    baked, work = bakery[name], bakery[name].work
    assert (work.read_bytes, work.decoded_bytes, work.encoded_chunks, work.messages, work.objects) == (0,) * 5
    assert [path.name for path in baked.done.store.rglob("*")] == ["refs.json"]
    whole = sum(path.stat().st_size for path in baked.files)
    assert work.referred_bytes == (whole if "packing" in baked.workload.inputs else chunk_bytes(baked.files))


@pytest.mark.parametrize("name", ["w8"])
def test_only_the_variable_that_is_computed_is_decoded_and_encoded(bakery: Bakery, name: str) -> None:
    """The others are moved; all are read once."""
    baked, work = bakery[name], bakery[name].work
    assert (work.read_bytes, work.decoded_bytes) == (chunk_bytes(baked.files), value_bytes(baked.files, ["a"]))
    assert work.encoded_chunks == baked.maps // baked.workload.inputs["variables"] + COORDINATES
    assert work.objects == baked.maps + COORDINATES


@pytest.mark.parametrize("name", ["w9-simple", "w9-ccsds"])
def test_a_message_is_read_and_decoded_once(bakery: Bakery, name: str) -> None:
    """A file is nothing but its messages; cfgrib makes coordinates that are in no other workload."""
    baked, work = bakery[name], bakery[name].work
    assert work.read_bytes == sum(path.stat().st_size for path in baked.files)
    assert (work.messages, work.decoded_bytes) == (baked.maps, baked.expected.t.nbytes)
    assert work.encoded_chunks == work.objects == baked.maps + len(baked.expected.coords)


@pytest.mark.parametrize("name", [*MATERIALISED, *VIRTUAL])
def test_every_value_is_compared_once(bakery: Bakery, name: str) -> None:
    """The reader library gives each value once; what a recipe computes is compared with what it made."""
    baked, work = bakery[name], bakery[name].work
    if "packing" in baked.workload.inputs:
        assert (work.cfgrib_messages, work.hdf5_bytes) == (baked.maps, 0)
    else:
        computed = baked.workload.inputs.get("doubled", ())
        assert work.hdf5_bytes == value_bytes(baked.files) - value_bytes(baked.files, computed)


@pytest.mark.parametrize("name", ["w1", "w2-float32", "w3", "w4a", "w4b", "w5"])
def test_of_files_that_are_alike_one_header_is_read_by_the_library(bakery: Bakery, name: str) -> None:
    assert bakery[name].work.headers == 1


@pytest.mark.parametrize("name", ["w7"])
def test_a_file_that_is_far_away_takes_six_requests(name: str, tmp_path: Path) -> None:
    """One asks what it is, two read its header, which lies at both of its ends, and one its chunks, as these lie
    together. To compare them they are asked for once more, and so is the far end.
    """
    each = workload(name)
    files = write_inputs(each.inputs, tmp_path / "far")
    with bucket_of(tmp_path / "far") as (environment, log):
        done = miniature(each, tmp_path / name, "s3://far").run("bake", environment=environment)
    assert_holds(done.opened(tmp_path), expected(each, files))
    asked = Counter((request.name, request.method) for request in log)
    assert asked == {(path.name, method): n for path in files for method, n in (("HEAD", 1), ("GET", 5))}
    work, steps = done.work, each.inputs["files"] * each.inputs["steps"]
    assert (work.read_bytes, work.decoded_bytes) == (chunk_bytes(files), 0)
    assert (work.encoded_chunks, work.objects) == (COORDINATES, steps // each.options["shards"] + COORDINATES)
    assert (work.hdf5_bytes, work.headers) == (value_bytes(files), 1)
