"""Headers of far files: those that are alike are read at the same time, without the HDF5 library."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from bakehouse.openers.hdf5 import alike, known
from bakehouse.openers.hdf5.header import read_header
from bakehouse.openers.hdf5.written import write_header
from bakehouse.openers.opened import close_all
from bakehouse.storage import Source, make_source
from tests.engine.test_far_comparison import noisy
from tests.engine.test_moves import deflated
from tests.support.http import Fault, Server

FILES = 4


def sources_of(server: Server) -> list[Source]:
    close_all()
    paths = sorted(server.folder.glob("*.nc"))
    return [make_source(server.address(path.name), {}, {}).identified() for path in paths]


def by_library(source: Source) -> tuple[str, bytes]:
    with h5py.File(source.open(), "r") as file:
        return write_header(read_header(file.id, ""))


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List the files whose headers the library reads."""
    found: list[str] = []
    read = known._whole
    monkeypatch.setattr(known, "_whole", lambda source, *rest: found.append(source.url) or read(source, *rest))
    return found


def test_of_far_files_that_are_alike_the_library_reads_one(http_server: Server, whole: list[str]) -> None:
    deflated(http_server.folder, [noisy(i) for i in range(FILES)])
    sources = sources_of(http_server)
    known.read_headers(sources, "")
    found = [known.known_header(source, "") for source in sources]
    assert [write_header(header) for header in found if header] == [by_library(source) for source in sources]
    assert whole == [sources[0].url]


def test_what_goes_wrong_is_left_to_who_opens_the_file(http_server: Server, whole: list[str]) -> None:
    deflated(http_server.folder, [noisy(i) for i in range(FILES)])
    sources = sources_of(http_server)
    path = http_server.folder / "1.nc"
    http_server.fail(f"/{path.name}", Fault(content=path.read_bytes()))
    known.read_headers(sources, "")
    assert [known.known_header(source, "") is None for source in sources] == [False, True, False, False]


def test_what_fsspec_opens_is_left_to_the_library(http_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads ahead by megabytes, so looking around in a file costs more than it spares."""
    deflated(http_server.folder, [noisy(0)])
    looked: list[object] = []
    monkeypatch.setattr(alike, "look_at", looked.append)
    close_all()
    source = make_source(f"{http_server.address('0.nc')}?token=1", {}, {}).identified()
    assert not source.is_ranged
    assert known.header_of(source, "") is not None
    assert looked == []


def test_a_long_index_is_not_read_twice(http_server: Server) -> None:
    write_scattered(http_server.folder / "0.nc", known.LEARNT_CHUNKS + 1)
    (source,) = sources_of(http_server)
    http_server.clear()
    expected = by_library(source)
    asked = len(http_server.log)
    (source,) = sources_of(http_server)
    http_server.clear()
    header = known.header_of(source, "")
    assert header is not None and write_header(header) == expected
    assert len(http_server.log) <= asked
    assert asked > 10


def write_scattered(path: Path, count: int) -> None:
    """Write a variable of so many chunks that the nodes of its index lie far apart."""
    values = np.random.default_rng(0).random((count, 2048), "f4")
    dataset = xr.Dataset({"v": (("t", "x"), values)})
    deflated(path.parent, [dataset], chunksizes=(1, 2048), zlib=False, complevel=None, shuffle=False)
