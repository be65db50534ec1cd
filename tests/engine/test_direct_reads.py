"""Regions read from manifests are what the HDF5 library reads."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakehouse.openers.hdf5 import manifest_of
from bakehouse.openers.ranges import read_region
from bakehouse.storage import make_source
from tests.support.http import Server


@st.composite
def datasets(draw: Any) -> dict[str, Any]:
    """Draw the shape, chunks, dtype and filters of an HDF5 dataset, and which part of it is written."""
    shape = tuple(draw(st.lists(st.integers(1, 12), min_size=1, max_size=3)))
    chunked = draw(st.booleans())
    return {
        "shape": shape,
        "chunks": tuple(draw(st.integers(1, n)) for n in shape) if chunked else None,
        "dtype": draw(st.sampled_from(["<f4", ">f4", "<f8", "<i2", ">i2", "<u1", "<i8"])),
        "compression": draw(st.sampled_from([None, 1, 9])) if chunked else None,
        "shuffle": draw(st.booleans()) if chunked else None,
        "fletcher32": draw(st.booleans()) if chunked else None,
        "fillvalue": draw(st.sampled_from([None, 7])),
        "written": draw(st.integers(0, shape[0])),
    }


def write(path: Path, spec: dict[str, Any]) -> None:
    written = spec.pop("written")
    with h5py.File(path, "w") as file:
        made = file.create_dataset("v", **spec)
        if written:
            made[:written] = np.random.default_rng(0).integers(0, 99, (written, *spec["shape"][1:]))


@given(datasets(), st.data())
def test_any_region_of_any_dataset(spec: dict[str, Any], data: Any) -> None:
    spans = []
    for size in spec["shape"]:
        start = data.draw(st.integers(0, size - 1))
        spans.append((start, data.draw(st.integers(start + 1, size))))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.h5"
        write(path, spec)
        source = make_source(str(path), {}, {}).identified()
        manifest = manifest_of(source, "v", spec["shape"])
        assert not isinstance(manifest, str), manifest
        with h5py.File(path) as file:
            expected = file["v"][tuple(slice(a, b) for a, b in spans)]
        np.testing.assert_array_equal(read_region(source, manifest, tuple(spans)), expected)


def test_chunks_whose_filters_were_skipped(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset("v", shape=(4, 4), chunks=(2, 4), dtype="i4", compression=4, shuffle=True)
        made[:2] = 5
        made.id.write_direct_chunk((2, 0), np.arange(8, dtype="i4").tobytes(), filter_mask=0b11)
    source = make_source(str(tmp_path / "a.h5"), {}, {}).identified()
    manifest = manifest_of(source, "v", (4, 4))
    assert not isinstance(manifest, str)
    np.testing.assert_array_equal(read_region(source, manifest, ((0, 4), (0, 4)))[2:], np.arange(8).reshape(2, 4))


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"compression": "lzf"}, "filter"), ({"scaleoffset": 0}, "filter"), ({"dtype": "S5"}, "dtype")],
)
def test_what_needs_the_library_is_said(options: dict[str, Any], reason: str, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("v", **{"shape": (4,), "chunks": (2,), "dtype": "i4", **options})
    found = manifest_of(make_source(str(tmp_path / "a.h5"), {}, {}).identified(), "v", (4,))
    assert isinstance(found, str) and reason in found


def test_over_http_only_the_wanted_chunks_are_fetched(http_server: Server) -> None:
    values = np.random.default_rng(0).standard_normal((20, 300, 300)).astype("f4")
    with h5py.File(http_server.folder / "a.h5", "w") as file:
        file.create_dataset("v", data=values, chunks=(1, 300, 300), compression=1)
    source = make_source(f"{http_server.url}/a.h5", {}, {}).identified()
    manifest = manifest_of(source, "v", values.shape)
    assert not isinstance(manifest, str)
    before = sum(r.bytes for r in http_server.log)
    np.testing.assert_array_equal(read_region(source, manifest, ((3, 5), (0, 300), (0, 300))), values[3:5])
    fetched = sum(r.bytes for r in http_server.log) - before
    assert fetched == int(manifest.lengths[3:5].sum())
