"""Documents of kerchunk references as inputs: read as fsspec and zarr read them, or refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from fsspec.implementations.reference import ReferenceFileSystem

from bakehouse.errors import SourceError
from bakehouse.openers.index import manifest_of, references_of
from bakehouse.openers.opened import Opened
from bakehouse.openers.reference import library_reads
from bakehouse.openers.xarray import open_dataset
from bakehouse.storage import make_source
from tests.support.http import Server
from tests.support.plain import plain_server

VALUES = np.arange(40000, dtype="<f4")
CHUNK = 80000
"""Bytes: the values lie in two chunks."""


def described(name: str = "v", count: int = 40000) -> dict[str, str]:
    """Describe the array of the values, in chunks of 20000."""
    said = {"zarr_format": 2, "shape": [count], "chunks": [20000], "dtype": "<f4", "fill_value": None}
    array = {**said, "compressor": None, "filters": None, "order": "C"}
    return {f"{name}/.zarray": json.dumps(array), f"{name}/.zattrs": json.dumps({"_ARRAY_DIMENSIONS": ["x"]})}


def document(folder: Path, refs: dict[str, Any], **said: Any) -> str:
    """Write references beside the values that they are to, and give the document's path."""
    (folder / "values.bin").write_bytes(VALUES.tobytes())
    path = folder / "refs.json"
    path.write_text(json.dumps({"version": 1, **said, "refs": {".zgroup": '{"zarr_format": 2}', **refs}}))
    return str(path)


def ours(path: str, **kwargs: Any) -> xr.Dataset:
    return open_dataset(make_source(path, {}, {}).identified(), "kerchunk", kwargs)


def assert_values(path: str, expected: Any = VALUES, **kwargs: Any) -> None:
    """Compare with the values both what is read by byte ranges, and what the zarr library reads."""
    np.testing.assert_array_equal(ours(path, **kwargs).v.values, expected)
    with library_reads():
        np.testing.assert_array_equal(ours(path, **kwargs).v.values, expected)


def rule(**said: Any) -> dict[str, Any]:
    """Refer to the two chunks by one rule."""
    span = {"offset": "{{i * 80000}}", "length": "80000"}
    return {"key": "v/{{i}}", "url": "{{u}}", **span, "dimensions": {"i": {"stop": 2}}, **said}


PLAIN = {"v/0": ["{{u}}", 0, CHUNK], "v/1": ["{{u}}", CHUNK, CHUNK]}
CALLED = {"v/0": ["{{f(name='values')}}", 0, CHUNK], "v/1": ["{{ f(name='values') }}", CHUNK, CHUNK]}


@pytest.mark.parametrize(
    ("refs", "rules"),
    [
        (PLAIN, []),
        (CALLED, []),
        ({}, [rule()]),
        ({}, [rule(dimensions={"i": [0, 1]}, url="{{f(name='values')}}")]),
        ({"v/0": PLAIN["v/0"]}, [rule(dimensions={"i": {"start": 1, "stop": 3, "step": 2}})]),
    ],
    ids=["names", "parameters", "rule", "list", "both"],
)
def test_templates_and_rules_are_written_out_as_fsspec_does(
    refs: dict[str, Any], rules: list[Any], tmp_path: Path
) -> None:
    templates = {"u": f"{tmp_path}/values.bin", "f": f"{tmp_path}/{{{{name}}}}.bin"}
    path = document(tmp_path, described() | refs, templates=templates, gen=rules)
    oracle = ReferenceFileSystem(json.loads(Path(path).read_text()), simple_templates=False, skip_instance_cache=True)
    assert references_of(Opened(make_source(path, {}, {}).identified(), "kerchunk")).refs == oracle.references
    assert_values(path)


def whole_files(folder: Path, root: str) -> dict[str, Any]:
    """Write each chunk as a file of its own, and refer to these."""
    for i in (0, 1):
        (folder / f"{i}.bin").write_bytes(VALUES[i * 20000 : (i + 1) * 20000].tobytes())
    return {f"v/{i}": [f"{root}/{i}.bin"] for i in (0, 1)}


def test_a_rule_for_whole_files(tmp_path: Path) -> None:
    whole_files(tmp_path, str(tmp_path))
    made = {"key": "v/{{i}}", "url": f"{tmp_path}/{{{{i}}}}.bin", "dimensions": {"i": {"stop": 2}}}
    assert_values(document(tmp_path, described(), gen=[made]))


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (rule(key="v/{{j}}"), "'j' is undefined"),
        (rule(url="{{nowhere}}"), "'nowhere' is undefined"),
        (rule(url="{{u"), "TemplateSyntaxError"),
        (rule(offset="first"), "invalid literal"),
        ({key: said for key, said in rule().items() if key != "length"}, "both an offset and a length"),
        ({"key": "v/0"}, "dimensions"),
    ],
)
def test_rules_that_say_nothing_are_refused(made: dict[str, Any], reason: str, tmp_path: Path) -> None:
    path = document(tmp_path, described(), templates={"u": f"{tmp_path}/values.bin"}, gen=[made])
    with pytest.raises(SourceError, match="templates of the kerchunk document") as caught:
        ours(path)
    assert reason in str(caught.value)


def nested(folder: Path) -> str:
    """Write a document with other values in the root than in the group, and a group inside of that."""
    (folder / "other.bin").write_bytes((-VALUES).tobytes())
    refs: dict[str, Any] = described()
    for group in ("", "g/", "g/deep/"):
        place = f"{folder}/{'values' if group == 'g/' else 'other'}.bin"
        refs |= {f"{group}v/{i}": [place, i * CHUNK, CHUNK] for i in (0, 1)} | described(f"{group}v")
        refs |= {f"{group}.zgroup": '{"zarr_format": 2}'}
    return document(folder, refs)


@pytest.mark.parametrize(
    ("group", "sign"), [(None, -1), ("/", -1), ("g", 1), ("/g", 1), ("g/", 1), ("g/deep", -1), ("/g/deep/", -1)]
)
def test_a_group_is_read_by_its_name(group: str | None, sign: int, tmp_path: Path) -> None:
    assert_values(nested(tmp_path), sign * VALUES, group=group)


def test_a_group_has_its_own_variables(tmp_path: Path) -> None:
    refs = described("v") | described("g/w") | {"g/.zgroup": '{"zarr_format": 2}', "g/.zattrs": '{"title": "inner"}'}
    path = document(tmp_path, refs)
    assert (set(ours(path).variables), set(ours(path, group="g").variables)) == ({"v"}, {"w"})
    assert ours(path, group="g").attrs == {"title": "inner"}


def test_a_group_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no group 'h'") as caught:
        ours(nested(tmp_path), group="h")
    assert "g, g/deep" in str(caught.value)


def test_whole_files_whose_length_is_not_stated_are_read(tmp_path: Path) -> None:
    with plain_server(tmp_path, length=False) as server:
        assert_values(document(tmp_path, described() | whole_files(tmp_path, server.url)))


def test_whole_files_that_are_empty_are_refused(tmp_path: Path) -> None:
    path = document(tmp_path, described() | whole_files(tmp_path, str(tmp_path)))
    (tmp_path / "1.bin").write_bytes(b"")
    with pytest.raises(SourceError, match="cannot read variable 'v'"):
        ours(path).v.load()


def test_a_file_that_is_many_chunks_is_asked_for_its_length_once(http_server: Server) -> None:
    (http_server.folder / "0.bin").write_bytes(VALUES[:20000].tobytes())
    refs = described() | {f"v/{i}": [f"{http_server.url}/0.bin"] for i in (0, 1)}
    path = document(http_server.folder, refs)
    found = manifest_of(Opened(make_source(path, {}, {}).identified(), "kerchunk"), "v", VALUES.shape)
    assert not isinstance(found, str) and found.lengths.tolist() == [CHUNK, CHUNK]
    assert len(http_server.requests("/0.bin")) == 1
    np.testing.assert_array_equal(ours(path).v, np.tile(VALUES[:20000], 2))
