from __future__ import annotations

import json
import pickle
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bakehouse.errors import PatternError
from bakehouse.meta.parameters import OpenSpec, PatternSpec, StoreSpec
from bakehouse.meta.yaml import parse_document

BASE = "https://example.org/"


def pattern(text: str) -> PatternSpec:
    return PatternSpec.model_validate(parse_document(text).data)


def urls(spec: PatternSpec) -> list[str]:
    return [url for _, url in spec.to_file_pattern().items()]


@given(st.integers(1, 9998), st.integers(1, 12), st.integers(0, 40))
def test_months_are_listed_from_first_to_last(year: int, month: int, count: int) -> None:
    year, count = max(year, 1700) % 500 + 1700, count
    months = [divmod(year * 12 + month - 1 + i, 12) for i in range(count + 1)]
    (y0, m0), (y1, m1) = months[0], months[-1]
    spec = PatternSpec.model_validate(
        {
            "url": BASE + "{time:%Y-%m}.nc",
            "concat": {"time": {"start": f"{y0}-{m0 + 1:02}", "end": f"{y1}-{m1 + 1:02}", "freq": "MS"}},
        }
    )
    assert urls(spec) == [f"{BASE}{y}-{m + 1:02}.nc" for y, m in months]


def test_the_designs_own_example_names_its_files() -> None:
    spec = pattern("""
        url: "https://example.org/ostia_{time:%Y%m}.nc"
        concat: {time: {start: 2006-04, end: 2010-09, freq: MS, nitems_per_file: 1}}
    """)
    made = spec.to_file_pattern()
    assert made.dims == {"time": 54}
    assert made.nitems_per_input == {"time": 1}
    assert (urls(spec)[0], urls(spec)[-1]) == (f"{BASE}ostia_200604.nc", f"{BASE}ostia_201009.nc")


@pytest.mark.parametrize("start", ["2006-04-01", "'2006-04-01'", "2006-04-01T00:00:00"])
def test_days_may_be_written_as_yaml_dates_or_text(start: str) -> None:
    spec = pattern(f"url: '{BASE}{{time:%Y%m%d}}.nc'\nconcat: {{time: {{start: {start}, end: 2006-04-03, freq: D}}}}")
    assert urls(spec) == [f"{BASE}2006040{day}.nc" for day in (1, 2, 3)]


def test_keys_may_be_a_list_and_dimensions_many() -> None:
    spec = pattern(
        f"url: '{BASE}{{variable}}/{{scenario}}.nc'\nconcat: {{scenario: [A1B, E1]}}\nmerge: {{variable: [tas, pr]}}"
    )
    made = spec.to_file_pattern()
    assert (made.concat_dims, made.merge_dims) == (["scenario"], ["variable"])
    assert sorted(urls(spec)) == sorted(f"{BASE}{v}/{s}.nc" for v in ("tas", "pr") for s in ("A1B", "E1"))


def test_keys_may_carry_a_number_of_items() -> None:
    spec = pattern(f"url: '{BASE}{{year}}.nc'\nconcat: {{year: {{keys: [1, 2], nitems_per_file: 12}}}}")
    assert spec.to_file_pattern().concat_sequence_lens == {"year": 24}


@pytest.mark.parametrize("concat", ["time", "{time: }", "{time: {}}", "{time: {nitems_per_file: 1}}"])
def test_listed_files_keep_their_order(concat: str) -> None:
    spec = pattern(f"files: [{BASE}b.nc, package://iris_sample_data/sample_data/a.nc]\nconcat: {concat}")
    assert urls(spec) == [f"{BASE}b.nc", "package://iris_sample_data/sample_data/a.nc"]


@pytest.mark.parametrize("text", [f"url: {BASE}a.nc", f"files: [{BASE}a.nc]"])
def test_one_file_needs_no_dimension(text: str) -> None:
    assert urls(pattern(text)) == [f"{BASE}a.nc"]


def test_patterns_travel_prune_and_hash() -> None:
    made = pattern(
        f"url: '{BASE}{{time:%Y}}.nc'\nconcat: {{time: {{start: 2000, end: 2009, freq: YS}}}}"
    ).to_file_pattern()
    copy = pickle.loads(pickle.dumps(made))
    assert list(copy.items()) == list(made.items())
    assert copy.sha256() == made.sha256()
    assert [url for _, url in made.prune(2).items()] == [f"{BASE}2000.nc", f"{BASE}2001.nc"]


def test_options_reach_the_pattern() -> None:
    spec = pattern(f"url: {BASE}a.grib\nfile_type: grib\nopen_kwargs: {{block_size: 0}}")
    made = spec.to_file_pattern()
    assert (made.file_type.value, made.fsspec_open_kwargs) == ("grib", {"block_size": 0})


REFUSED = {
    "{tiem} in the url is no dimension": f"url: '{BASE}{{tiem}}'\nconcat: {{time: [1]}}",
    "all inputs along 'time' would be one file": f"url: {BASE}a\nconcat: {{time: [1, 2]}}",
    "either url or files": f"url: {BASE}a\nfiles: [{BASE}b]",
    "either url or": "file_type: grib",
    "in both concat and merge": f"url: '{BASE}{{a}}'\nconcat: {{a: [1]}}\nmerge: {{a: [1]}}",
    "not the plain name": f"url: '{BASE}{{time.__class__}}'\nconcat: {{time: [1]}}",
    "is not the plain name": f"url: '{BASE}{{time:>999999999}}'\nconcat: {{time: [1]}}",
    "can't be read": f"url: '{BASE}{{time'\nconcat: {{time: [1]}}",
    "can't be filled in": f"url: '{BASE}{{time:%Y}}'\nconcat: {{time: [a]}}",
    "does not say how a date": f"url: '{BASE}{{time}}'\nconcat: {{time: {{start: 2000, end: 2001, freq: YS}}}}",
    "neither keys nor": f"url: '{BASE}{{time}}'\nconcat: {{time: {{}}}}",
    "missing: end, freq": f"url: '{BASE}{{time:%Y}}'\nconcat: {{time: {{start: 2000}}}}",
    "exclude each other": f"url: '{BASE}{{t:%Y}}'\nconcat: {{t: {{keys: [1], start: 2000, end: 2001, freq: YS}}}}",
    "lies after end": f"url: '{BASE}{{time:%Y}}'\nconcat: {{time: {{start: 2002, end: 2001, freq: YS}}}}",
    "unknown step 'month'": f"url: '{BASE}{{time:%Y}}'\nconcat: {{time: {{start: 2001, end: 2002, freq: month}}}}",
    "is not exact enough": f"url: '{BASE}{{t:%Y}}'\nconcat: {{t: {{start: 2001-01-01, end: 2002-02, freq: D}}}}",
    "is not a date": f"url: '{BASE}{{time:%Y}}'\nconcat: {{time: {{start: 2001-13, end: 2002, freq: MS}}}}",
    "key 1 is given twice": f"url: '{BASE}{{a}}'\nconcat: {{a: [1, 2, 1]}}",
    "a key must be text": f"url: '{BASE}{{a}}'\nconcat: {{a: [NO]}}",
    "is listed twice": f"files: [{BASE}a, {BASE}a]\nconcat: time",
    "combine along one": f"files: [{BASE}a, {BASE}b]",
    "have no keys": f"files: [{BASE}a, {BASE}b]\nconcat: {{time: [1, 2]}}",
    "absolute path": "url: /data/a.nc",
    "exists on one machine": "files: ['file:///data/a.nc']",
    "'..' leads out": "url: package://iris_sample_data/../../etc/passwd",
    "leads out of a folder": f"url: {BASE}a/%2e%2e/b",
    "is not a URL": "url: data/a.nc",
    "unknown scheme 'htps'": "url: htps://example.org/a.nc",
    "form package://": "url: package://iris-sample-data",
    "names no host": "url: https:///a.nc",
}


@pytest.mark.parametrize("message", REFUSED)
def test_patterns_that_contradict_themselves_are_refused(message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        pattern(REFUSED[message])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("start", "end", "freq", "message"),
    [
        ("2006-04", "2010", "YS", "start 2006-04 is not a step of 'YS': the first is 2007-01-01"),
        ("2006-01-02", "2006-01-31", "MS", "there is none before the end"),
    ],
)
def test_a_start_between_two_steps_is_no_silent_gap(start: str, end: str, freq: str, message: str) -> None:
    spec = pattern(f"url: '{BASE}{{t:%Y%m%d}}'\nconcat: {{t: {{start: {start}, end: {end}, freq: {freq}}}}}")
    with pytest.raises(PatternError, match=message):
        spec.to_file_pattern()


def test_a_type_that_patterns_do_not_know_is_a_pattern_error() -> None:
    with pytest.raises(PatternError, match="open_kwargs"):
        pattern(f"url: {BASE}a\nfile_type: opendap\nopen_kwargs: {{a: 1}}").to_file_pattern()


def test_keys_of_a_range_are_plain_datetimes() -> None:
    spec = pattern(f"url: '{BASE}{{t:%Y}}'\nconcat: {{t: {{start: 2000, end: 2001, freq: YS}}}}")
    assert spec.concat["t"].values() == [datetime(2000, 1, 1), datetime(2001, 1, 1)]
    assert {type(key) for key in spec.concat["t"].values()} == {datetime}


def test_open_gives_only_what_was_set() -> None:
    assert OpenSpec().to_kwargs() == {}
    spec = OpenSpec.model_validate({"engine": "h5netcdf", "decode_times": False, "drop_variables": ["a"]})
    assert spec.to_kwargs() == {"engine": "h5netcdf", "decode_times": False, "drop_variables": ["a"]}


@pytest.mark.parametrize(
    "store",
    [
        {"chunks": {"time": 0}},
        {"chunks": {"time": -2}},
        {"chunks": {"time": 12}, "shards": {"time": 30}},
        {"chunks": {"time": -1}, "shards": {"time": 30}},
        {"shards": {"time": 30}, "zarr_format": 2},
        {"zarr_format": 4},
        {"order": "sorted"},
        {"combine_attrs": "override"},
        {"missing_variables": "drop"},
        {"coordinate_tolerance": -1},
        {"coordinate_tolerance": {"lat": float("nan")}},
        {"name": "../x.zarr"},
        {"chunk": {"time": 1}},
    ],
    ids=json.dumps,
)
def test_stores_that_cannot_be_are_refused(store: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        StoreSpec.model_validate(store)


@pytest.mark.parametrize(
    "store",
    [
        {"name": "noaa-oisst.zarr", "chunks": {"time": 12, "lat": -1}, "shards": {"time": 36, "lat": -1}},
        {"chunks": {"time": -1}, "shards": {"time": -1}},
        {"order": "drop_duplicates", "missing_variables": "fill", "coordinate_tolerance": {"lat": 1e-6}},
        {"shards": False, "zarr_format": 2, "encoding": {"sst": {"dtype": "int16"}}, "attrs": {"history": "x"}},
    ],
    ids=json.dumps,
)
def test_stores_that_can_be_keep_what_was_said(store: dict[str, Any]) -> None:
    spec = StoreSpec.model_validate(store)
    assert spec.model_dump(exclude_unset=True) == store
