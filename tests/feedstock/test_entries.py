"""Which of upstream's recipes can be imported at all, told from the text alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bakehouse.feedstock.native.entries import native_entries, read_entries
from bakehouse.feedstock.native.report import Report


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """Write two modules, and one that lies outside."""
    folder = tmp_path / "feedstock"
    folder.mkdir()
    (folder / "recipe.py").write_text("import apache_beam\nrecipe = 1\n")
    (folder / "broken.py").write_text("recipe = (\n")
    (tmp_path / "outside.py").write_text("recipe = 1\n")
    return folder


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"id": "a", "object": "recipe:recipe"}, None),
        ({"id": "a"}, None),
        ({"id": "a", "object": "..outside:recipe"}, "'..outside:recipe' is not of the form module:export"),
        ({"id": "a", "object": "../outside:recipe"}, "'../outside:recipe' is not of the form module:export"),
        ({"id": "a", "object": "recipe"}, "recipe.py defines no ''"),
        ({"id": "a", "object": "recipe:A-b"}, "recipe.py defines no 'A-b'"),
        ({"id": "a", "object": "broken:recipe"}, "Python can't read broken.py"),
        ({"id": "a", "object": "lost:recipe"}, "there is no lost.py"),
        ({"id": "a/b", "object": "recipe:recipe"}, "'a/b' can't be an id"),
    ],
)
def test_what_can_not_be_imported_is_told_without_running_it(code: Path, entry: Any, fault: str | None) -> None:
    (found,) = read_entries([entry], code)
    assert found.fault == fault
    assert found.runs == (fault is None and "object" in entry)


def test_a_lone_mapping_is_a_list_of_one_and_nonsense_is_passed_over(code: Path) -> None:
    (found,) = read_entries({"dict_object": "recipe:recipe"}, code)
    assert (found.id, found.given) == (None, {"dict_object": "recipe:recipe"})
    assert list(read_entries(["a", None], code)) == []


def test_a_dict_of_recipes_stays_one_entry_unless_all_can_be_declared(code: Path) -> None:
    entries = list(read_entries({"dict_object": "recipe:recipe"}, code))
    steps = [{"name": name, "known": True, "arguments": {}} for name in ("Create", "Mine", "StoreToZarr")]
    found = {name: {"entry": 0, "steps": steps, "pattern": None} for name in ("x", "y/z")}
    report = Report()
    assert native_entries(entries, found, None, [], report) == [{"dict_object": "recipe:recipe"}]
    assert report.recipes == {"x": "kept", "y/z": "kept"}
    assert report.kept == [
        "x: in Python, since its step Mine has no place in files_to_zarr",
        "y/z: in Python, since 'y/z' can't be an id",
    ]


def test_recipes_of_which_nothing_is_known_are_kept_with_the_reason(code: Path) -> None:
    entries = list(read_entries([{"id": "a", "object": "recipe:recipe"}], code))
    report = Report()
    assert native_entries(entries, {}, "it took too long", ["recipe"], report) == [entries[0].given]
    assert (report.recipes, report.kept) == ({"a": "rewritten"}, ["a: in Python, since it took too long"])
