"""DatasetSchema is a monoid, so that inputs may be combined in any order, any number of times, anywhere."""

from __future__ import annotations

import pickle
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr.codecs
from hypothesis import given
from hypothesis import strategies as st

from bakehouse.openers.times import extent_of
from bakehouse.schema import DatasetSchema, Extent, Identity, InputSchema, VariableSchema, freeze, merge_all, thaw
from tests.plan.samples import plan_of, schema_of, sea

names = st.sampled_from(["t", "x", "sst", "lat"])
number = st.one_of(st.floats(), st.integers(-(2**63), 2**63))
plain = st.recursive(
    st.one_of(st.none(), st.booleans(), number, st.text(max_size=4)),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
attributes = st.dictionaries(names, plain, max_size=2).map(freeze)
small = st.one_of(st.none(), st.integers(0, 2))
marks = st.one_of(st.none(), st.sampled_from(["a", "b"]))


def pairs(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[tuple[str, Any], ...]]:
    return st.dictionaries(names, values, max_size=2).map(lambda found: tuple(found.items()))


extents = st.lists(number, min_size=1, max_size=3).map(lambda v: extent_of(np.array(v, "f8")))
variables = st.builds(
    VariableSchema,
    st.lists(names, unique=True, max_size=2).map(tuple),
    st.sampled_from(["float32", "string"]),
    st.booleans(),
    st.booleans(),
    attributes,
    attributes,
    marks,
    st.sampled_from(["", "computed"]),
    st.one_of(st.none(), st.just((3,))),
)
inputs = st.builds(
    InputSchema,
    st.sampled_from(["a.nc", "b.nc"]),
    st.builds(Identity, small, marks, marks, marks),
    pairs(st.integers(0, 3)),
    pairs(variables),
    attributes,
    pairs(extents),
    pairs(st.sampled_from("de")),
    pairs(st.text(max_size=2)),
)
keys = st.tuples(st.tuples(st.just("t"), st.integers(0, 2)))
schemas = st.lists(st.builds(DatasetSchema.of, keys, inputs), max_size=3).map(merge_all)


def travelled(schema: DatasetSchema) -> DatasetSchema:
    """Give the schema as another process gets it."""
    found: DatasetSchema = pickle.loads(pickle.dumps(schema))
    return found


@given(schemas, schemas, schemas)
def test_merging_is_associative(a: DatasetSchema, b: DatasetSchema, c: DatasetSchema) -> None:
    assert a.merge(b).merge(c) == a.merge(b.merge(c)) == merge_all([a, b, c])


@given(schemas, schemas)
def test_merging_is_commutative(a: DatasetSchema, b: DatasetSchema) -> None:
    assert a.merge(b) == b.merge(a)


@given(schemas)
def test_merging_again_what_another_worker_sent_changes_nothing(a: DatasetSchema) -> None:
    assert a.merge(a) == a.merge(travelled(a)) == travelled(a).merge(a) == a


@given(schemas)
def test_the_empty_schema_is_the_identity(a: DatasetSchema) -> None:
    assert DatasetSchema().merge(a) == a.merge(DatasetSchema()) == a
    assert merge_all([]) == DatasetSchema()


@given(schemas, schemas)
def test_merging_leaves_its_arguments_alone(a: DatasetSchema, b: DatasetSchema) -> None:
    before = travelled(a), travelled(b)
    a.merge(b)
    assert (a, b) == before


@given(st.dictionaries(st.text(max_size=3), plain, max_size=4))
def test_plain_attributes_survive_freezing(attrs: dict[str, Any]) -> None:
    frozen = freeze(attrs)
    assert repr(thaw(frozen)) == repr(dict(sorted(attrs.items())))
    assert freeze(thaw(frozen)) == frozen
    assert hash(frozen) == hash(freeze(dict(reversed(attrs.items()))))


@pytest.mark.parametrize(
    ("value", "thawed"),
    [
        (np.float32(0.1), float(np.float32(0.1))),
        (np.int16(-999), -999),
        (np.bool_(True), True),
        (np.array([1, 2], "i4"), [1, 2]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([b"a"]), ["a"]),
        (b"caf\xc3\xa9", "café"),
        (b"\xff", "\ufffd"),
        ((1, (2, 3)), [1, [2, 3]]),
        (np.datetime64("2001-01-01", "D"), "2001-01-01"),
        (2**70, 2**70),
        ({"b": np.int8(1), "a": (1, {"c": b"d"})}, {"b": 1, "a": [1, {"c": "d"}]}),
        (np.float32, "float32"),
        ({"b", "a"}, ["a", "b"]),
        (numcodecs.Zlib(3), {"id": "zlib", "level": 3}),
        (zarr.codecs.ZstdCodec(level=3), {"name": "zstd", "configuration": {"level": 3, "checksum": False}}),
    ],
)
def test_what_files_hold_is_frozen_as_plain_values(value: Any, thawed: Any) -> None:
    assert thaw(freeze({"a": value})) == {"a": thawed}


def test_nan_equals_nan_once_frozen() -> None:
    assert freeze({"a": float("nan")}) == freeze({"a": np.float32("nan")})


def test_extents_without_values_are_equal_too() -> None:
    assert extent_of(np.array([np.nan])) == extent_of(np.array([np.nan]))
    assert Extent(1.0, float("nan"), 0) == Extent(1.0, float("nan"), 0)


@pytest.mark.parametrize(
    ("identity", "strength"),
    [
        (Identity(5, "e", "m", "s"), "sha256"),
        (Identity(5, "e", "m"), "etag+size"),
        (Identity(None, "e", "m"), "etag"),
        (Identity(5, None, "m"), "mtime+size"),
        (Identity(None, None, "m"), "mtime"),
        (Identity(0), "size"),
        (Identity(5), "size"),
        (Identity(), "none"),
    ],
)
def test_an_identity_names_its_evidence(identity: Identity, strength: str) -> None:
    assert identity.strength == strength


def test_values_that_inputs_share_are_kept_once() -> None:
    schemas = [
        DatasetSchema.of(
            (("t", i),),
            InputSchema(f"{i}.nc", Identity(), (), (), digests=(("lat", "d"),), values=(("lat", b"12345678"),)),
        )
        for i in range(3)
    ]
    merged = merge_all(schemas)
    assert merged.values == {"d": b"12345678"}
    assert all(not found.values for each in merged.inputs.values() for found in each)
    assert merged == merge_all([*reversed(schemas), merged]) == pickle.loads(pickle.dumps(merged))


def test_what_inputs_have_alike_is_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (_compared(monkeypatch, count) for count in (10, 100))
    assert few == many > 0


def _compared(monkeypatch: pytest.MonkeyPatch, count: int) -> int:
    """Count how often planning compares or hashes the schema of a variable, of inputs that came one by one."""
    made = schema_of(*(sea(start=2 * i) for i in range(count)))
    alone = [DatasetSchema({k: found}, made.values) for k, found in made.inputs.items()]
    arrived = merge_all(pickle.loads(pickle.dumps(each)) for each in alone)
    assert arrived == made
    asked = []
    with monkeypatch.context() as patch:
        for name in ("__eq__", "__hash__"):
            kept = getattr(VariableSchema, name)
            patch.setattr(VariableSchema, name, lambda *each, kept=kept: (asked.append(1), kept(*each))[1])
        plan_of(arrived)
    return len(asked)
