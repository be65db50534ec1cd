from __future__ import annotations

import json
import shutil
from pathlib import Path

import pystac
import pytest

from bakehouse.catalog.check import check
from bakehouse.catalog.entry import Entry
from bakehouse.catalog.index import CODES, build_index, entry_path
from bakehouse.catalog.register import rebuild, register, remove
from tests.catalog.samples import HOSTILE, entry, stored


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """Make a catalog of three entries, one with a real store and a hostile title."""
    folder = tmp_path / "catalog"
    register(folder, entry("oisst/daily", aliases=["oisst.zarr"]))
    register(folder, entry("oisst/monthly"))
    register(folder, stored("ostia/ostia", tmp_path / "a.zarr", title=HOSTILE))
    return folder


def _found(catalog: Path) -> list[tuple[str, str]]:
    return [(problem.code, problem.path) for problem in check(catalog)]


def _files(catalog: Path) -> dict[str, bytes]:
    return {path.relative_to(catalog).as_posix(): path.read_bytes() for path in catalog.rglob("*") if path.is_file()}


def test_a_registered_catalog_is_whole(catalog: Path) -> None:
    assert check(catalog) == []
    assert sorted(_files(catalog)) == [
        "catalog.json",
        "oisst/daily.json",
        "oisst/monthly.json",
        "ostia/ostia.json",
        "stac/oisst/daily/collection.json",
        "stac/oisst/monthly/collection.json",
        "stac/ostia/ostia/collection.json",
    ]


def test_pystac_walks_and_validates_the_catalog_offline(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("reached for the network")

    monkeypatch.setattr("socket.socket.connect", refuse)
    root = pystac.Catalog.from_file(str(catalog / "catalog.json"))
    validator = pystac.validation.JsonSchemaSTACValidator()
    validator.validate_core(root.to_dict(), pystac.STACObjectType.CATALOG, "1.1.0")
    collections = list(root.get_collections())
    assert [each.id for each in collections] == ["oisst--daily", "oisst--monthly", "ostia--ostia"]
    assert collections[2].title == HOSTILE
    for each in collections:
        validator.validate_core(each.to_dict(), pystac.STACObjectType.COLLECTION, "1.1.0")
        assert each.get_root() is root and each.get_parent() is root


def test_the_index_is_a_pure_function_of_the_entries(catalog: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for entry_id in ("ostia/ostia", "oisst/monthly", "oisst/daily"):
        register(other, Entry.from_json((catalog / entry_path(entry_id)).read_bytes()))
    assert _files(other) == _files(catalog)
    assert build_index(catalog) == build_index(catalog)


def test_the_index_is_made_again_from_the_entries_alone(catalog: Path) -> None:
    before = _files(catalog)
    shutil.rmtree(catalog / "stac")
    (catalog / "catalog.json").write_text("<<<<<<< ours")
    (catalog / "stac/gone/gone").mkdir(parents=True)
    (catalog / "stac/gone/gone/collection.json").write_text("{}")
    assert ("CAT05", "stac/gone/gone/collection.json") in _found(catalog)
    assert rebuild(catalog) == []
    assert _files(catalog) == before and not (catalog / "stac/gone").exists()


def test_one_broken_entry_hides_no_other(catalog: Path) -> None:
    (catalog / "oisst/daily.json").write_text('{"schema_version": 1, "title": 5}')
    problems = rebuild(catalog)
    assert [(each.code, each.path) for each in problems] == [("CAT01", "oisst/daily.json")]
    assert "feedstock: Field required" in problems[0].message
    assert _found(catalog) == [("CAT01", "oisst/daily.json")]
    assert [each.id for each in pystac.Catalog.from_file(str(catalog / "catalog.json")).get_collections()] == [
        "oisst--monthly",
        "ostia--ostia",
    ]
    register(catalog, entry("oisst/daily", aliases=["oisst.zarr"]))
    assert check(catalog) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a":' * 5000])
def test_no_content_of_an_entry_stops_the_check(catalog: Path, content: bytes) -> None:
    (catalog / "oisst/daily.json").write_bytes(content)
    assert ("CAT01", "oisst/daily.json") in _found(catalog)


def test_an_entry_at_the_wrong_path_is_named(catalog: Path) -> None:
    shutil.copy(catalog / "oisst/daily.json", catalog / "oisst/weekly.json")
    assert _found(catalog) == [("CAT02", "oisst/weekly.json")]


def test_ids_that_differ_only_in_case_are_named(catalog: Path) -> None:
    _put(catalog, entry("OISST/other"))
    assert {path for code, path in _found(catalog) if code == "CAT03"} == {
        "OISST/other.json",
        "oisst/daily.json",
        "oisst/monthly.json",
    }


def test_a_name_that_leads_to_two_entries_is_named(catalog: Path) -> None:
    _put(catalog, entry("a/a", aliases=["oisst.zarr"]))
    _put(catalog, entry("b/b", aliases=["oisst"]))
    _put(catalog, entry("c/c", aliases=["c", "c/c"]))
    rebuild(catalog)
    assert _found(catalog) == [("CAT04", "a/a.json"), ("CAT04", "b/b.json"), ("CAT04", "oisst/daily.json")]


def test_an_index_that_was_edited_is_named(catalog: Path) -> None:
    path = catalog / "catalog.json"
    path.write_text(path.read_text().replace("oisst.zarr", "mine.zarr"))
    (catalog / "stac/oisst/daily/collection.json").unlink()
    found = _found(catalog)
    assert ("CAT05", "catalog.json") in found and ("CAT05", "stac/oisst/daily/collection.json") in found


def test_a_file_in_another_spelling_is_named(catalog: Path) -> None:
    path = catalog / "oisst/daily.json"
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert _found(catalog) == [("CAT07", "oisst/daily.json")]
    rebuild(catalog)
    assert check(catalog) == []


def test_an_entry_that_makes_wrong_stac_is_named(catalog: Path) -> None:
    _put(catalog, entry("a--b/c"))
    _put(catalog, entry("a/b--c"))
    rebuild(catalog)
    assert _found(catalog) == [("CAT06", "stac/a/b--c/collection.json")]


def test_a_stranger_among_the_entries_is_named(catalog: Path) -> None:
    (catalog / "oisst/notes.txt").write_text("x")
    assert _found(catalog) == [("CAT08", "oisst/notes.txt")]


def test_every_code_is_explained() -> None:
    assert all(code.startswith("CAT") and text.endswith(".") for code, text in CODES.items())


def test_an_empty_catalog_is_whole(tmp_path: Path) -> None:
    rebuild(tmp_path / "new")
    assert check(tmp_path / "new") == []


def test_a_removed_entry_leaves_nothing(catalog: Path) -> None:
    assert remove(catalog, "ostia/ostia") and not remove(catalog, "ostia/ostia")
    assert check(catalog) == []
    assert not [path for path in _files(catalog) if "ostia/" in path] and not (catalog / "ostia").exists()


def _put(catalog: Path, made: Entry) -> None:
    """Write an entry past the register, as a merge of two branches does."""
    path = catalog / entry_path(made.id)
    path.parent.mkdir(exist_ok=True)
    path.write_text(made.to_json())
