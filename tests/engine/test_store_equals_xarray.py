"""Whatever inputs xarray combines exactly, the store holds what xarray itself writes and reads back."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given

from tests.archives import Archive, expected_of, pattern_of, write_archive
from tests.engine.pipeline import bake_pattern
from tests.oracle import assert_same
from tests.strategies import archives


@given(archives())
def test_store_equals_what_xarray_writes(archive: Archive) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = write_archive(Path(folder), archive)
        asked = archive.store
        actual = bake_pattern(
            pattern_of(archive, paths),
            Path(folder),
            target_chunks=dict(asked.target_chunks),
            shards=asked.shards,
            zarr_format=asked.zarr_format,
            encoding={name: dict(e) for name, e in asked.encoding.items()},
            attrs=dict(asked.attrs),
        )
        assert_same(actual.load(), expected_of(archive, paths))
