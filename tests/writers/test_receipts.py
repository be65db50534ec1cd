"""Receipts and the proof say the same, byte for byte, for the same content."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakehouse.storage import Target
from bakehouse.writers.receipts import Receipt, Taken, Written, array_of, read_receipts, receipt_key, write_proof

names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=8)
regions = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=3).map(tuple)
receipts = st.builds(
    Receipt,
    names,
    st.lists(
        st.builds(Written, names.map("a/c/{}".format), st.integers(0, 2**40), st.text("0123456789abcdef", max_size=4)),
        max_size=3,
    ).map(tuple),
    st.lists(st.builds(Taken, names, names, regions), max_size=3).map(tuple),
)


@given(receipts)
def test_a_receipt_survives_json(receipt: Receipt) -> None:
    assert Receipt.from_json(receipt.to_json()) == receipt
    assert Receipt.from_json(receipt.to_json()).to_json() == receipt.to_json()


@given(st.lists(receipts, max_size=4), st.randoms())
def test_a_proof_does_not_depend_on_the_order_of_receipts(found: list[Receipt], dice: random.Random) -> None:
    unique = list({o.key: r for r in found for o in r.objects}.values())
    keys = [o.key for r in unique for o in r.objects]
    if len(set(keys)) == len(keys):
        assert write_proof(unique) == write_proof(sorted(unique, key=lambda r: dice.random()))


def test_a_proof_lists_every_object_with_the_inputs_of_its_array() -> None:
    one = Receipt(
        "t1",
        (Written("sst/c/1", 5, "bb"), Written("lat/c/0", 2, "cc")),
        (Taken("b.nc", "sst", ()), Taken("a.nc", "sst", ()), Taken("a.nc", "lat", ())),
    )
    two = Receipt("t0", (Written("sst/c/0", 4, "aa"),), (Taken("a.nc", "sst", ()),))
    table = pq.read_table(io.BytesIO(write_proof([one, two])))
    assert table.to_pylist() == [
        {"key": "lat/c/0", "size_bytes": 2, "sha256": "cc", "array": "lat", "task": "t1", "inputs": ["a.nc"]},
        {"key": "sst/c/0", "size_bytes": 4, "sha256": "aa", "array": "sst", "task": "t0", "inputs": ["a.nc"]},
        {"key": "sst/c/1", "size_bytes": 5, "sha256": "bb", "array": "sst", "task": "t1", "inputs": ["a.nc", "b.nc"]},
    ]


def test_an_empty_proof_has_the_same_columns() -> None:
    assert pq.read_table(io.BytesIO(write_proof([]))).column_names == [
        "key",
        "size_bytes",
        "sha256",
        "array",
        "task",
        "inputs",
    ]


@pytest.mark.parametrize(
    ("key", "array"),
    [
        ("sst/c/0/0", "sst"),
        ("sst/c", "sst"),
        ("c/c/0", "c"),
        ("c/c", "c"),
        ("sst/0.0", "sst"),
        ("c/0.0", "c"),
        ("c/0", "c"),
        ("x/c/c/1", "x/c"),
    ],
)
def test_an_object_belongs_to_its_array(key: str, array: str) -> None:
    assert array_of(key) == array


@pytest.mark.parametrize("data", [b"", b"{", b"{}", b"[]", b"\xff", b'{"task": "x", "objects": [{}], "sources": []}'])
def test_a_receipt_that_a_crash_left_cut_counts_as_not_written(tmp_path: Path, data: bytes) -> None:
    work = Target(str(tmp_path))
    work.put(receipt_key("cut"), data)
    whole = Receipt("whole", (Written("a/c/0", 1, "aa"),))
    work.put(receipt_key("whole"), whole.to_json())
    assert read_receipts(work) == {"whole": whole}


def test_a_receipt_reads_well() -> None:
    receipt = Receipt("t", (Written("a/c/0", 3, "ab"),), (Taken("x.nc", "a", ((0, 1),)),))
    assert json.loads(receipt.to_json()) == {
        "task": "t",
        "objects": [{"key": "a/c/0", "size_bytes": 3, "sha256": "ab"}],
        "sources": [{"input": "x.nc", "array": "a", "region": [[0, 1]]}],
    }
