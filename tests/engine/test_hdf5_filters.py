"""What the filters of HDF5's plugins wrote is read from manifests as the HDF5 library reads it, or said not to be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest

from bakehouse.manifests import Filter
from bakehouse.openers.hdf5 import manifest_of
from bakehouse.openers.ranges import read_region
from bakehouse.storage import make_source

VALUES = np.cumsum(np.random.default_rng(0).integers(-3, 4, (40, 50)), axis=1).astype("f4")


def blosc(name: str, level: int, shuffle: int) -> Filter:
    return Filter.of("blosc", cname=name, clevel=level, shuffle=shuffle, blocksize=0)


@pytest.mark.parametrize(
    ("asked", "filters"),
    [
        (hdf5plugin.Zstd(clevel=5), [Filter.of("zstd", level=5)]),
        (hdf5plugin.BZip2(blocksize=7), [Filter.of("bz2", level=7)]),
        (hdf5plugin.Blosc(cname="zstd", clevel=4, shuffle=hdf5plugin.Blosc.SHUFFLE), [blosc("zstd", 4, 1)]),
        (hdf5plugin.Blosc(cname="lz4", clevel=9, shuffle=hdf5plugin.Blosc.BITSHUFFLE), [blosc("lz4", 9, 2)]),
        (hdf5plugin.Blosc(cname="blosclz", clevel=1, shuffle=hdf5plugin.Blosc.NOSHUFFLE), [blosc("blosclz", 1, 0)]),
        ({**hdf5plugin.Zstd(), "shuffle": True}, [Filter.of("shuffle", elementsize=4), Filter.of("zstd", level=3)]),
    ],
)
def test_read_as_the_library_reads(tmp_path: Path, asked: Mapping[str, Any], filters: list[Filter]) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("v", data=VALUES, chunks=(7, 50), **asked)
    source = make_source(str(tmp_path / "a.h5"), {}, {}).identified()
    manifest = manifest_of(source, "v", VALUES.shape)
    assert not isinstance(manifest, str), manifest
    assert list(manifest.filters) == filters
    np.testing.assert_array_equal(read_region(source, manifest, ((3, 33), (10, 50))), VALUES[3:33, 10:50])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (hdf5plugin.LZ4(), "filter lz4 needs the HDF5 library"),
        (hdf5plugin.Blosc2(), "filter blosc2 needs the HDF5 library"),
        ({"compression": "lzf"}, "filter lzf needs the HDF5 library"),
        ({"scaleoffset": 2}, "filter scaleoffset needs the HDF5 library"),
    ],
)
def test_others_are_left_to_the_library(tmp_path: Path, asked: Mapping[str, Any], said: str) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("v", data=VALUES, chunks=(7, 50), **asked)
    source = make_source(str(tmp_path / "a.h5"), {}, {}).identified()
    assert manifest_of(source, "v", VALUES.shape) == said
