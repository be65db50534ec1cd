from __future__ import annotations

import tempfile
from pathlib import Path

import cftime
import numpy as np
import pytest
import xarray as xr
from hypothesis import given

from tests.archives import Archive, expected_of, open_archive, pattern_of, write_archive
from tests.oracle import Key, assert_same, differences, expected, plain, round_trip
from tests.strategies import archives


def dataset(**variables: object) -> xr.Dataset:
    return xr.Dataset({"v": ("t", [1.0, np.nan, -0.0]), **variables}, {"t": [1, 2, 3]}, {"title": "x"})


def test_a_dataset_is_the_same_as_itself_read_back() -> None:
    assert_same(round_trip(dataset()), dataset())


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (
            dataset().assign(v=("t", [1.0, np.nan, 0.0])),
            "v: 1 of 3 values, first at (2,): np.float64(0.0) is not np.float64(-0.0)",
        ),
        (dataset().assign(v=("t", [1.0, 2.0, -0.0])), "v: 1 of 3 values, first at (1,)"),
        (dataset().astype("f4"), "v: dtype: 'float32' is not 'float64'"),
        (dataset().assign(w=1), "variables: ['t', 'v', 'w'] is not ['t', 'v']"),
        (dataset().set_coords("v"), "coordinates: ['t', 'v'] is not ['t']"),
        (dataset().assign_attrs(title="y"), "attributes: {'title': 'y'} is not {'title': 'x'}"),
        (dataset().assign(v=dataset().v.assign_attrs(units="K")), "v: attributes: {'units': 'K'} is not {}"),
        (dataset().isel(t=slice(2)), "sizes: {'t': 2} is not {'t': 3}"),
    ],
)
def test_every_difference_is_found_and_named(other: xr.Dataset, said: str) -> None:
    assert any(said in found for found in differences(other, dataset()))
    with pytest.raises(AssertionError):
        assert_same(other, dataset())


def test_strings_of_all_kinds_are_one_dtype() -> None:
    texts = [xr.Dataset({"s": ("x", np.array(["a", "é"], kind))}) for kind in ("O", "U5")]
    texts.append(xr.Dataset({"s": ("x", np.array([b"a", "é".encode()]))}))
    for text in texts:
        assert_same(text, texts[0])
    assert list(differences(xr.Dataset({"s": ("x", ["a", "e"])}), texts[0]))


def test_calendars_are_told_apart() -> None:
    noleap, other = (xr.Dataset({"d": ("x", [cftime.datetime(2000, 1, 1, calendar=c)])}) for c in ("noleap", "360_day"))
    assert list(differences(noleap, other)) == ["d: dtype: 'cftime:noleap' is not 'cftime:360_day'"]


def test_attributes_are_compared_as_json_would_give_them() -> None:
    assert plain({"a": np.float32(0.5), "b": np.array([1, 2]), "c": (1, np.nan)}) == {
        "a": 0.5,
        "b": [1, 2],
        "c": [1, "NaN"],
    }


def test_concat_and_merge_nest() -> None:
    parts: dict[Key, xr.Dataset] = {
        (("t", t), ("v", v)): xr.Dataset({name: ("t", [10.0 * v + t])}, {"t": [t]})
        for t in range(3)
        for v, name in enumerate("ab")
    }
    result = expected(parts, {"v": "merge", "t": "concat"})
    assert_same(result, xr.Dataset({"a": ("t", [0.0, 1.0, 2.0]), "b": ("t", [10.0, 11.0, 12.0])}, {"t": [0, 1, 2]}))


def test_new_dims_come_first_in_the_patterns_order_and_take_their_keys() -> None:
    parts: dict[Key, xr.Dataset] = {
        (("m", m), ("s", s)): xr.Dataset({"a": ("x", [m, s])}, {"m": m}) for m in range(2) for s in range(3)
    }
    result = expected(parts, {"s": "concat", "m": "concat"}, keys={"s": ["p", "q", "r"]})
    assert result.a.dims == ("s", "m", "x") and result.a.values[2, 1].tolist() == [1, 2]
    assert result.s.values.tolist() == ["p", "q", "r"] and result.m.values.tolist() == [0, 1]


def test_a_variable_without_an_existing_concat_dim_stays_as_it_is() -> None:
    parts: dict[Key, xr.Dataset] = {
        (("t", t),): xr.Dataset({"a": ("t", [t]), "crs": 1}, {"t": [t], "lat": ("y", [1.0, 2.0])}) for t in range(2)
    }
    assert {n: v.dims for n, v in expected(parts, {"t": "concat"}).variables.items()} == {
        "a": ("t",), "crs": (), "t": ("t",), "lat": ("y",)}  # fmt: skip


@pytest.mark.parametrize("change", [{"lat": [1.0, 3.0]}, {"crs": 2}])
def test_what_must_agree_is_refused_if_it_differs(change: dict[str, object]) -> None:
    first = xr.Dataset({"a": ("t", [0]), "crs": 1}, {"t": [0], "lat": [1.0, 2.0]})
    with pytest.raises(ValueError):
        expected({(("t", 0),): first, (("t", 1),): first.assign(change)}, {"t": "concat"})


def test_different_attributes_are_refused_unless_they_may_be_dropped() -> None:
    parts: dict[Key, xr.Dataset] = {
        (("t", t),): xr.Dataset({"a": ("t", [t])}, attrs={"id": str(t), "title": "x"}) for t in range(2)
    }
    with pytest.raises(ValueError):
        expected(parts, {"t": "concat"})
    assert expected(parts, {"t": "concat"}, combine_attrs="drop_conflicts").attrs == {"title": "x"}


def test_times_that_count_from_each_files_beginning_stay_exact(tmp_path: Path) -> None:
    parts: dict[Key, xr.Dataset] = {}
    for t in range(2):
        day = np.datetime64("2000-01-01", "ns") + np.timedelta64(400 * t, "D")
        path = tmp_path / f"{t}.nc"
        xr.Dataset(coords={"t": [day]}).to_netcdf(path, encoding={"t": {"units": f"hours since {day}", "dtype": "i2"}})
        parts[(("t", t),)] = xr.open_dataset(path)
    assert expected(parts, {"t": "concat"}).t.values.tolist() == [p.t.values[0].item() for p in parts.values()]


@given(archives())
def test_xarray_combines_every_archive_that_is_drawn(archive: Archive) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = write_archive(Path(folder), archive)
        assert set(paths) == set(archive.inputs)
        result = expected_of(archive, paths)
        read = open_archive(paths)
    names = {n for each in archive.inputs.values() for n in each.variables}
    assert names | set(archive.keys) == set(result.variables)
    for key, original in archive.inputs.items():
        assert set(read[key].variables) == set(original.variables)
        assert dict(read[key].sizes) == dict(original.sizes)
        here = result.isel(where(archive, key, read))
        for name in set(read[key].variables) - set(archive.store.encoding):
            variable = here.variables[name]
            same = xr.Dataset({"v": variable.transpose(*read[key].variables[name].dims)})
            assert not [d for d in differences(same, xr.Dataset({"v": read[key].variables[name]})) if "values" in d]


def where(archive: Archive, key: Key, read: dict[Key, xr.Dataset]) -> dict[str, slice | int]:
    """Find the place of an input in the result: a plain count of what comes before it."""
    found: dict[str, slice | int] = {}
    for dim, position in key:
        before = [tuple(sorted({**dict(key), dim: p}.items())) for p in range(position)]
        lengths = [read[each].sizes.get(dim, 1) for each in before]
        if archive.combine_dims[dim] == "concat":
            size = read[key].sizes.get(dim)
            found[dim] = sum(lengths) if size is None else slice(sum(lengths), sum(lengths) + size)
    return found


@given(archives())
def test_an_archives_pattern_leads_to_its_files(archive: Archive) -> None:
    from bakehouse.patterns import key_of

    paths = {key: Path(f"{number}.nc") for number, key in enumerate(archive.inputs)}
    found = {key_of(index): url for index, url in pattern_of(archive, paths).items()}
    assert found == {key: str(path) for key, path in paths.items()}
