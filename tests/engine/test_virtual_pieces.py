"""References to arrays that files store in one piece: of which shape, how long, and how often an input has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from bakehouse.errors import SchemaError
from bakehouse.manifests import ChunkFormat
from bakehouse.openers.xarray import open_dataset
from bakehouse.plan.types import Axis, Template
from bakehouse.storage import make_source
from bakehouse.writers.assemble import Fragment
from bakehouse.writers.references.refer import refer as references
from tests.engine.files import read, written
from tests.engine.test_virtual import FORMATS, READERS, opened, refer, refused
from tests.plan.samples import key, plan_of, schema_of

KINDS: dict[str, dict[str, Any]] = {"netCDF4": {}, "netCDF3": {"format": "NETCDF3_64BIT", "engine": "scipy"}}
MIDDLE = ("lat", "time", "lon")
LAST = ("lat", "lon", "time")
FIRST = ("time", "lat", "lon")


def fields(number: int, start: int, steps: int, dims: Sequence[str]) -> xr.Dataset:
    """Make two variables, so that behind each lies what is none of its values."""
    sizes = {"time": steps, "lat": 6, "lon": 8}
    values = np.arange(6 * 8 * steps, dtype="f4").reshape([sizes[d] for d in dims]) + 10_000 * number
    time = np.datetime64("2001-01-01", "ns") + (start + np.arange(steps)) * np.timedelta64(1, "D")
    return xr.Dataset({"sst": (dims, values), "ice": (dims, -values)}, {"time": time})


def inputs(lengths: Sequence[int], dims: Sequence[str]) -> list[xr.Dataset]:
    return [fields(i, sum(lengths[:i]), n, dims) for i, n in enumerate(lengths)]


def expected(folder: Path, count: int) -> xr.Dataset:
    return xr.concat(read(folder, *range(count)), "time")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dims", [MIDDLE, LAST])
@pytest.mark.parametrize("lengths", [(10, 10, 5), (5, 10, 10), (10, 5, 10)])
def test_pieces_of_other_lengths_along_an_inner_dimension_are_refused(
    lengths: tuple[int, ...], dims: tuple[str, ...], kind: str, tmp_path: Path
) -> None:
    said = refused(written(tmp_path / "in", inputs(lengths, dims), **KINDS[kind]), tmp_path)
    odd = next(i for i, n in enumerate(lengths) if n != lengths[0])
    for name in ("sst", "ice"):
        assert f"'{name}' can't be referred to" in said
    assert f"0.nc) has time of length {lengths[0]}" in said
    assert f"{odd}.nc) has time of length {lengths[odd]}" in said
    assert "in one piece, as " + ", ".join(dims) in said
    assert "bake a native store" in said and "with time as its first dimension, or in chunks" in said


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dims", [MIDDLE, LAST])
def test_pieces_of_one_length_along_an_inner_dimension_read_as_the_inputs(
    dims: tuple[str, ...], kind: str, tmp_path: Path
) -> None:
    store = refer(written(tmp_path / "in", inputs((5, 5, 5), dims), **KINDS[kind]), tmp_path, FORMATS[0])
    for reader in READERS:
        xr.testing.assert_equal(opened(store, reader), expected(tmp_path / "in", 3))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lengths", [(10, 10, 5), (10, 10, 3), (4, 6, 2)])
def test_pieces_of_any_length_along_the_first_dimension_read_as_the_inputs(
    lengths: tuple[int, ...], kind: str, tmp_path: Path
) -> None:
    store = refer(written(tmp_path / "in", inputs(lengths, FIRST), **KINDS[kind]), tmp_path, FORMATS[0])
    for reader in READERS:
        xr.testing.assert_equal(opened(store, reader), expected(tmp_path / "in", 3))


def test_a_shorter_last_input_in_padded_chunks_along_an_inner_dimension_reads_as_the_inputs(tmp_path: Path) -> None:
    encoding = {name: {"chunksizes": (6, 8, 4)} for name in ("sst", "ice")}
    pattern = written(tmp_path / "in", inputs((8, 8, 5), LAST), [encoding] * 3)
    store = refer(pattern, tmp_path, FORMATS[0])
    for reader in READERS:
        xr.testing.assert_equal(opened(store, reader), expected(tmp_path / "in", 3))


@pytest.mark.parametrize("chunks", [(6, 8, 10), (6, 4, 5), (4, 8, 5)])
def test_a_piece_that_chunks_do_not_fill_is_not_cut(chunks: tuple[int, ...], tmp_path: Path) -> None:
    written(tmp_path / "in", inputs((5,), LAST))
    dataset = open_dataset(make_source(str(tmp_path / "in" / "0.nc"), {}, {}).identified())
    fragment = Fragment(key(0), str(tmp_path / "in" / "0.nc"), {"sst": dataset["sst"].variable})
    planned = plan_of(schema_of(*inputs((5,), LAST))).template.arrays["sst"]
    array = replace(planned, chunks=chunks, stored=ChunkFormat(chunks, "<f4"))
    template = Template({"sst": array}, {}, {"time": Axis("time", {0: (0, 5)})}, {})
    with pytest.raises(SchemaError, match="it has chunks of 6×8×5"):
        list(references(template, {"sst/.zarray": b'{"fill_value": "NaN", "dtype": "<f4"}'}, fragment))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_an_input_has_once_is_referred_to_at_each_of_its_steps(kind: str, format: str, tmp_path: Path) -> None:
    made = [each.assign(orbit=np.float64(100 + i)) for i, each in enumerate(inputs((3, 3, 2), FIRST))]
    store = refer(written(tmp_path / "in", made, **KINDS[kind]), tmp_path, format)
    wanted = xr.concat([each.assign(orbit=each.orbit.expand_dims(time=each.time)) for each in made], "time")
    for reader in READERS:
        xr.testing.assert_equal(opened(store, reader), wanted)
