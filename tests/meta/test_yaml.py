from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bakehouse.meta.document import Document
from bakehouse.meta.yaml import MAX_BYTES, parse_document, read_document

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.dates() | st.text(max_size=8)
KEYS = st.text(alphabet="abcxyz", min_size=1, max_size=4)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)
YAMLISH = st.text(alphabet="ab01.:-_ \n\t[]{},&*!?|>'\"#%@~<yNO", max_size=60)


def codes(document: Document) -> list[str]:
    return [problem.code for problem in document.problems]


def places(data: Any, loc: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], Any]:
    found = {loc: data}
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in pairs:
        found |= places(value, (*loc, key))
    return found


@given(DATA)
def test_data_and_a_place_for_every_value_are_read_back(data: Any) -> None:
    document = parse_document(yaml.safe_dump(data))
    assert document.data == data
    assert set(document.values) == set(places(data))


@given(DATA)
def test_every_plain_scalar_stands_where_its_mark_says(data: Any) -> None:
    text = yaml.safe_dump(data, width=10_000)
    document = parse_document(text)
    for value in document.values.values():
        if value.plain and value.raw:
            assert text.splitlines()[value.mark.line - 1][value.mark.col - 1 :].startswith(value.raw)


@given((YAMLISH | st.text(max_size=40)).filter(lambda text: "=" not in text))
def test_any_text_gives_data_or_problems_and_sound_data_equals_what_pyyaml_reads(text: str) -> None:
    document = parse_document(text)
    assert document.problems or _texts_as_keys(yaml.safe_load(text)) == document.data or _has_odd_keys(text)


def _texts_as_keys(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _texts_as_keys(value) for key, value in data.items()}
    return [_texts_as_keys(value) for value in data] if isinstance(data, list) else data


def _has_odd_keys(text: str) -> bool:
    """Keys are text here, where PyYAML makes numbers, booleans and dates of them."""
    return any(
        not isinstance(key, str)
        for data in places(yaml.safe_load(text)).values()
        if isinstance(data, dict)
        for key in data
    )


def test_an_equals_sign_is_text_where_pyyaml_gives_up() -> None:
    assert parse_document("a: =").data == {"a": "="}


def test_keys_stay_text() -> None:
    assert parse_document("NO: 1\n2006: 2\non: 3").data == {"NO": 1, "2006": 2, "on": 3}


def test_values_and_keys_have_their_own_places() -> None:
    document = parse_document("a:\n  - b: 1\n    c:   2\n")
    assert (document.mark(("a", 0, "c")).line, document.mark(("a", 0, "c")).col) == (3, 10)
    assert (document.key_mark(("a", 0, "c")).line, document.key_mark(("a", 0, "c")).col) == (3, 5)


def test_a_place_that_is_not_there_is_the_nearest_one_around_it() -> None:
    document = parse_document("a:\n  - b: 1\n")
    assert document.mark(("a", 0, "missing")) == document.mark(("a", 0))


def test_every_duplicate_is_reported_with_the_line_of_the_first() -> None:
    document = parse_document("a: 1\nb: {c: 1, c: 2}\na: 3\n")
    assert [(p.code, p.mark.line, p.mark.col) for p in document.problems] == [("BH002", 2, 11), ("BH002", 3, 1)]
    assert document.problems[1].message == "'a' is given twice, first on line 1"


def test_a_billion_laughs_are_refused() -> None:
    lines = ["l0: &l0 [lol]"] + [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, 10)]
    assert codes(parse_document("\n".join(lines))) == ["BH003"]


def test_a_billion_merged_laughs_are_refused() -> None:
    lines = ["l0: &l0 {a: 1}"] + [f"l{i}: &l{i} {{<<: [{', '.join([f'*l{i - 1}'] * 10)}]}}" for i in range(1, 10)]
    assert codes(parse_document("\n".join(lines))) == ["BH003"]


@pytest.mark.parametrize(
    "text", ["a: &a [*a]", "a: &a {b: *a}", "a: &a {<<: *a}", "[" * 2000, "? " * 2000, "- " * 2000]
)
def test_values_that_hold_themselves_or_nest_without_end_are_refused(text: str) -> None:
    assert codes(parse_document(text)) == ["BH003"]


def test_aliases_that_nest_deep_step_by_step_are_refused() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 200)]
    assert codes(parse_document("\n".join(lines))) == ["BH003"]


def test_long_lists_without_aliases_are_no_bomb() -> None:
    assert len(parse_document(f"[{'x, ' * 20_000}]").data) == 20_000


def test_merge_keys_work_as_in_pyyaml() -> None:
    text = (
        "base: &base {a: 1, b: 2}\nmore: &more {<<: *base, c: 3}\none: {<<: *more, b: 4}\ntwo: {<<: [*base, {a: 9}]}\n"
    )
    document = parse_document(text)
    assert not document.problems
    assert document.data == yaml.safe_load(text)


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system ['true']", "!!binary aGk=", "!!set {a}", "!mine x"])
def test_tags_beyond_plain_data_are_refused_and_never_constructed(tag: str) -> None:
    document = parse_document(f"a: {tag}\nb: 1")
    assert codes(document) == ["BH004"]
    assert document.data == {"a": None, "b": 1}


@pytest.mark.parametrize("text", ["2021-13-45", "!!int x", "!!bool maybe", "!!timestamp today", "9" * 5000, "!!int ''"])
def test_scalars_that_are_not_what_they_claim_are_syntax_errors(text: str) -> None:
    assert codes(parse_document(f"a: {text}")) == ["BH001"]


@pytest.mark.parametrize(
    ("text", "line", "col"),
    [
        ("a: [1, 2", 1, 9),
        ("a: 'x", 1, 6),
        ("a: 1\n b: 2", 2, 3),
        ("a: \x00", 1, 4),
        ("a: 1\n---\nb: 2", 2, 1),
        ("*a", 1, 1),
    ],
)
def test_a_syntax_error_is_one_problem_with_its_place(text: str, line: int, col: int) -> None:
    (problem,) = parse_document(text).problems
    assert (problem.code, problem.mark.line, problem.mark.col) == ("BH001", line, col)
    assert "\n" not in problem.message


def test_bytes_that_are_not_utf8_are_named_with_their_place(tmp_path: Path) -> None:
    file = tmp_path / "meta.yaml"
    file.write_bytes(b"a: 1\nb: caf\xe9\n")
    (problem,) = read_document(file, tmp_path).problems
    assert (problem.code, problem.mark.line, problem.mark.col) == ("BH005", 2, 7)


def test_large_files_are_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "meta.yaml"
    with file.open("wb") as large:
        large.truncate(MAX_BYTES + 1)
    assert codes(read_document(file, tmp_path)) == ["BH006"]


def test_pipes_folders_and_missing_files_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert [codes(read_document(tmp_path / name, tmp_path)) for name in ("pipe", ".", "missing")] == [["BH011"]] * 3


def test_links_are_followed_inside_the_folder_and_refused_outside(tmp_path: Path) -> None:
    folder = tmp_path / "feedstock"
    folder.mkdir()
    (tmp_path / "secret.yaml").write_text("token: x")
    (folder / "real.yaml").write_text("a: 1")
    (folder / "in.yaml").symlink_to("real.yaml")
    (folder / "out.yaml").symlink_to("../secret.yaml")
    (folder / "loop.yaml").symlink_to("loop.yaml")
    assert read_document(folder / "in.yaml", folder).data == {"a": 1}
    out = read_document(folder / "out.yaml", folder)
    assert codes(out) == ["BH202"]
    assert out.data is None and out.text == ""
    assert codes(read_document(folder / "loop.yaml", folder)) == ["BH011"]
