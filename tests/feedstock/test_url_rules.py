"""Rules that give every input's URL from its keys: whatever is found is found again from the URLs alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakehouse.feedstock.native.declare import NotSimple, declared
from bakehouse.feedstock.native.ranges import as_range, dates_in
from bakehouse.feedstock.native.template import find_template
from bakehouse.meta.dates import date_range

ROOT = "https://example.org/v2.10/"


def _urls(template: str, keys: dict[str, Sequence[Any]]) -> dict[tuple[Any, ...], str]:
    return {place: template.format(**dict(zip(keys, place, strict=True))) for place in product(*keys.values())}


def _days(start: str, count: int, step: timedelta = timedelta(days=1)) -> list[datetime]:
    return [datetime.fromisoformat(start) + i * step for i in range(count)]


RULES: dict[str, dict[str, Sequence[Any]]] = {
    "{time:%Y}/{time:%m}/sst_{time:%Y%m%d}.nc": {"time": _days("1999-12-01", 62)},
    "{time:%Y}/{time:%j}/a.{time:%Y%j}.nc": {"time": _days("2003-12-20", 30)},
    "y{time:%Y}m{time:%m}d{time:%d}.1d.nc": {"time": _days("2009-07-01", 365)},
    "{variable}/{time:%Y-%m}.nc": {"variable": ["u", "v10", "t2m"], "time": date_range("2000-01", "2002-12", "MS")},
    "{variable}.00{time}0101-00{time}1231.nc": {"time": list(range(78, 87)), "variable": ["PSL", "TS"]},
    "f{hour:03d}.grib2": {"hour": list(range(0, 120, 3))},
    "{{x}}_{scenario}.nc": {"scenario": ["A1B", "E1"]},
    "{time:%Y%m%d%H}00.nc": {"time": _days("2020-02-27", 20, timedelta(hours=6))},
    "{year}/{region}_{year}.nc": {"year": [1999, 2000, 2001], "region": ["a", "ab", "b"]},
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_found_again_from_its_urls(rule: str) -> None:
    keys = RULES[rule]
    urls = _urls(ROOT + rule, keys)
    found = find_template(list(keys), urls)
    assert found is not None and _urls(found, keys) == urls
    assert all(f"{{{name}" in found for name in keys)


FIELDS = st.sampled_from(["{a}", "{b:02d}", "{b}", "{time:%Y%m%d}", "{time:%Y}", "{time:%m}"])
PIECES = st.sampled_from(["x", "20", "/", "a", "1", "_0", "", ".", "b2"])


@given(
    st.lists(st.tuples(PIECES, FIELDS), min_size=1, max_size=6),
    st.lists(st.text("ab1", min_size=1, max_size=3), min_size=1, max_size=3, unique=True),
    st.lists(st.integers(0, 120), min_size=1, max_size=4, unique=True),
    st.dates(datetime(1950, 1, 1).date(), datetime(2049, 1, 1).date()),
)
def test_whatever_is_found_gives_all_urls_or_is_not_trusted(
    pieces: list[tuple[str, str]], texts: list[str], numbers: list[int], start: Any
) -> None:
    rule = ROOT + "".join(f"{text}{field}" for text, field in pieces)
    keys = {"a": texts, "b": numbers, "time": _days(start.isoformat(), 40)}
    used = {name: values for name, values in keys.items() if f"{{{name}" in rule}
    urls = _urls(rule, used)
    found = find_template(list(used), urls)
    assert found is not None
    items = [[[[name, used[name].index(key)] for name, key in zip(used, place, strict=True)], url]
             for place, url in urls.items()]  # fmt: skip
    follows = _urls(found, used) == urls
    try:
        given = declared(_described(items, used), [])["pattern"]
    except NotSimple:
        assert not follows or len(used) > 1
        return
    assert given["url"] == found if follows else given["files"] == [url for _, url in sorted(items)]


def _described(items: list[Any], keys: dict[str, Sequence[Any]]) -> dict[str, Any]:
    dims = [
        {
            "name": name,
            "kind": "concat" if isinstance(values[0], datetime | int) else "merge",
            "keys": [{"date": key.isoformat()} if isinstance(key, datetime) else {"value": key} for key in values],
            "nitems": None,
        }
        for name, values in keys.items()
    ]
    steps = [{"name": name, "known": True, "arguments": {}} for name in ("Create", "OpenWithXarray", "StoreToZarr")]
    return {"pattern": {"items": items, "dims": dims, "has_secrets": False}, "steps": steps}


IRREGULAR = {
    "one file is called otherwise": {(n,): f"{ROOT}{n}{'_v2' if n == 2003 else ''}.nc" for n in range(2000, 2006)},
    "no key is in them": {(2000,): f"{ROOT}a.nc", (2001,): f"{ROOT}b.nc"},
    "one key for two": {("a",): f"{ROOT}a.nc", ("b",): f"{ROOT}a.nc"},
}  # fmt: skip


@pytest.mark.parametrize("case", IRREGULAR)
def test_urls_without_a_rule_have_none(case: str) -> None:
    assert find_template(["year"], IRREGULAR[case]) is None


def test_a_rule_that_breaks_between_the_samples_is_not_declared() -> None:
    days = _days("2000-01-01", 400)
    items = [[[["time", i]], f"{ROOT}{day:%Y%m%d}{'b' if i == 123 else ''}.nc"] for i, day in enumerate(days)]
    with pytest.raises(NotSimple, match="its URLs follow no rule in their keys"):
        declared(_described(items, {"time": days}), [])


def test_dates_that_only_the_urls_know_become_a_range() -> None:
    items = [[[["time", i]], f"{ROOT}{day:%Y}/a_{day:%Y%m%d}.nc"] for i, day in enumerate(_days("1999-12-30", 90))]
    assert declared(_described(items, {"time": list(range(90))}), [])["pattern"] == {
        "url": f"{ROOT}{{time:%Y}}/a_{{time:%Y%m%d}}.nc",
        "concat": {"time": {"start": datetime(1999, 12, 30).date(), "end": datetime(2000, 3, 28).date(), "freq": "D"}},
    }


@pytest.mark.parametrize(
    ("start", "end", "freq"),
    [
        ("2006", "2010", "YS"), ("2006-04", "2010-09", "MS"), ("2006-01", "2010-10", "3MS"), ("1950", "2000", "10YS"),
        ("2006-04-03", "2006-04-30", "D"), ("2006-04-03", "2006-06-02", "5D"), ("2006-04-01", "2006-04-02T18:00", "6h"),
        ("2006-04-01T00:30", "2006-04-01T03:30", "30min"),
    ],
)  # fmt: skip
def test_dates_are_written_as_the_range_that_gives_them(start: str, end: str, freq: str) -> None:
    keys = date_range(start, end, freq)
    found = as_range(keys)
    assert found is not None
    assert date_range(str(found["start"]), str(found["end"]), found["freq"]) == keys
    assert found["freq"] == freq


def test_dates_with_a_gap_are_no_range() -> None:
    days = _days("2006-04-01", 10)
    assert as_range(days[:4] + days[5:]) is None
    assert as_range(days[:1]) is None


def test_numbers_that_do_not_rise_are_no_dates() -> None:
    assert dates_in(["https://example.org/20000102.nc", "https://example.org/20000101.nc"]) is None
    assert dates_in(["https://example.org/99999999.nc", "https://example.org/99999998.nc"]) is None


@pytest.mark.parametrize(
    ("step", "arguments", "reason"),
    [
        ("OpenURLWithFSSpec", {"open_kwargs": {"value": {"client_kwargs": {"password": ""}}}}, "may hold a credential"),
        ("OpenURLWithFSSpec", {"max_concurrency": {"value": 3}}, "max_concurrency=… has no place"),
        ("StoreToZarr", {"dynamic_chunking_fn": {"kind": "function"}}, "dynamic_chunking_fn=… has no place"),
        ("OpenWithXarray", {"file_type": {"value": "opendap"}}, "read by OPeNDAP"),
        ("Preprocess", {}, "its step Preprocess has no place"),
    ],
)
def test_what_yaml_has_no_place_for_is_said(step: str, arguments: dict[str, Any], reason: str) -> None:
    found = _described([[[["n", i]], f"{ROOT}{i}.nc"] for i in (1, 2)], {"n": [1, 2]})
    own = ["Preprocess"] if step == "Preprocess" else []
    others = ("Create", "OpenURLWithFSSpec", "OpenWithXarray", *own, "StoreToZarr")
    found["steps"] = [{"name": name, "known": True, "arguments": arguments if name == step else {}} for name in others]
    found["pattern"]["items"] = [[[["n", i]], f"{ROOT}{i + 1}.nc"] for i in (0, 1)]
    with pytest.raises(NotSimple) as caught:
        declared(found, [])
    assert reason.split("=…")[0] in str(caught.value)
