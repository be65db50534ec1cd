"""Comparing with inputs over a network: the library reads them itself, and what it will ask for is there already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

from bakehouse.chunks import Span
from bakehouse.errors import SourceError, VerifyError
from bakehouse.openers.hdf5 import values
from bakehouse.openers.opened import close_all
from bakehouse.openers.reference import library_reads
from bakehouse.openers.xarray import open_dataset
from bakehouse.storage import Target, make_source
from bakehouse.storage.range_file import HEAD_BLOCKS, RangeFile
from tests.engine.files import read
from tests.engine.test_moves import DEFLATED, deflated, steps
from tests.support.http import Fault, Server
from tests.writers.direct import changed, compare_all, stored

STEPS = 30
FILES = 2


def noisy(number: int) -> xr.Dataset:
    """Make values that hardly compress, so that most chunks lie beyond what is read of a file at first."""
    dataset = steps(number, STEPS)
    noise = np.random.default_rng(number).standard_normal(dataset.v.shape).astype("f4")
    return dataset.assign(v=dataset.v + noise)


@pytest.fixture
def far(http_server: Server) -> list[xr.Dataset]:
    """Open files of a web server; what was asked for until then is not counted."""
    deflated(http_server.folder, [noisy(i) for i in range(FILES)])
    return [opened(http_server, i) for i in range(FILES)]


def opened(server: Server, number: int) -> xr.Dataset:
    close_all()
    found = open_dataset(make_source(server.address(f"{number}.nc"), {}, {}).identified())
    server.clear()
    return found


def chunks(path: Path, rows: range) -> list[Span]:
    """Ask HDF5 where chunks lie."""
    with h5py.File(path) as file:
        found = [file["v"].id.get_chunk_info_by_coord((row, 0, 0)) for row in rows]
    return [(each.byte_offset, each.byte_offset + each.size) for each in found]


def by_library(dataset: xr.Dataset, *key: Any) -> Any:
    with library_reads():
        return dataset.v[key].values


def test_chunks_that_lie_together_come_in_one_request(far: list[xr.Dataset], http_server: Server) -> None:
    actual = by_library(far[1], slice(15, 25))
    np.testing.assert_array_equal(actual, read(http_server.folder, 1)[0].v[15:25])
    places = chunks(http_server.folder / "1.nc", range(15, 25))
    assert [r.range for r in http_server.log] == [f"bytes={places[0][0]}-{places[-1][1] - 1}"]


def test_what_was_read_of_a_file_at_first_is_not_asked_for_again(far: list[xr.Dataset], http_server: Server) -> None:
    rows = range(2)
    assert chunks(http_server.folder / "1.nc", rows)[-1][1] <= HEAD_BLOCKS * 2**16
    np.testing.assert_array_equal(by_library(far[1], slice(0, 2)), read(http_server.folder, 1)[0].v[:2])
    assert http_server.log == []


def test_chunks_that_lie_apart_come_at_the_same_time(http_server: Server) -> None:
    layout = {**DEFLATED, "chunksizes": (STEPS, 120, 15), "_FillValue": None}
    deflated(http_server.folder, [noisy(0)], **layout)
    dataset = opened(http_server, 0)
    columns = (slice(None), slice(None), [100, 149])
    np.testing.assert_array_equal(by_library(dataset, *columns), read(http_server.folder, 0)[0].v[columns])
    apart = len(http_server.log)
    np.testing.assert_array_equal(
        by_library(dataset, slice(None), slice(None), slice(100, 150)), read(http_server.folder, 0)[0].v[..., 100:150]
    )
    assert apart >= 2  # of a list of positions nothing is foreseen
    assert len(http_server.log) == apart + 1


@pytest.mark.parametrize(
    "foretold",
    [
        lambda spans: [(a + 7, b + 7) for a, b in spans],
        lambda spans: [(a, (a + b) // 2) for a, b in spans[::2]],
        lambda spans: [(spans[0][0], spans[-1][1] - 999)],
        lambda spans: [(a + 2**30, b + 2**30) for a, b in spans],
        lambda spans: [],
    ],
)
def test_what_is_foretold_wrongly_the_library_asks_for_itself(
    far: list[xr.Dataset],
    http_server: Server,
    monkeypatch: pytest.MonkeyPatch,
    foretold: Callable[[list[Span]], list[Span]],
) -> None:
    places = values.places
    monkeypatch.setattr(values, "places", lambda *asked: foretold(places(*asked)))
    np.testing.assert_array_equal(by_library(far[1], slice(15, 25)), read(http_server.folder, 1)[0].v[15:25])


def test_nothing_is_held_after_it_was_read(far: list[xr.Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[RangeFile] = []
    make = RangeFile.__init__

    def making(self: RangeFile, source: Any) -> None:
        made.append(self)
        make(self, source)

    monkeypatch.setattr(RangeFile, "__init__", making)
    by_library(far[0], slice(15, 25))
    assert made
    assert [file.held._held for file in made] == [[]] * len(made)


def test_a_file_that_changed_in_between_is_refused(far: list[xr.Dataset], http_server: Server) -> None:
    other = (http_server.folder / "0.nc").read_bytes()
    for name in ("0.nc", "1.nc"):
        http_server.fail(name, Fault(content=other))
    for dataset in far:
        with pytest.raises(SourceError, match="the file changed"):
            by_library(dataset, slice(15, 25))


def test_each_input_is_asked_once_by_the_comparison(far: list[xr.Dataset], http_server: Server, tmp_path: Path) -> None:
    prepared = stored(far, Target(str(tmp_path / "out")), shards={"time": FILES * STEPS})
    http_server.clear()
    assert compare_all(prepared, far) == sum(ds.v.size + STEPS for ds in far) + 120 + 150
    assert sorted(r.path for r in http_server.log) == ["/0.nc", "/1.nc"]


def test_a_value_that_differs_is_found(far: list[xr.Dataset], tmp_path: Path) -> None:
    prepared = stored(far, Target(str(tmp_path / "out")), shards={"time": FILES * STEPS})
    changed(prepared, "v", (STEPS + 20, 7, 8), -7.0)
    with pytest.raises(VerifyError, match=f"'v' at {{'time': {STEPS + 20}, 'y': 7, 'x': 8}}: the store has -7.0"):
        compare_all(prepared, far)
