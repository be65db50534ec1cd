from __future__ import annotations

from bakehouse.meta.document import Document
from bakehouse.meta.models import FeedstockMeta
from bakehouse.meta.shape import validate
from bakehouse.meta.yaml import parse_document


def problems(text: str) -> list[tuple[str, int, int, str]]:
    document = parse_document(text)
    assert isinstance(document, Document) and not document.problems
    found, wrong = validate(FeedstockMeta, document)
    assert (found is None) == bool(wrong)
    return sorted(((p.code, p.mark.line, p.mark.col, p.message) for p in wrong), key=lambda found: found[1:])


def fixes(text: str) -> list[str | None]:
    return [p.fix for p in validate(FeedstockMeta, parse_document(text))[1]]


def test_a_misspelt_key_gets_the_word_that_was_meant_at_every_depth() -> None:
    text = "titel: x\nprovenance: {licence: MIT, providers: [{nam: x, name: y}]}\nstores: [{id: a, url: b, ulr: c}]"
    meant = ("license", "name", "title", "url")
    assert sorted(map(str, fixes(text))) == [f"did you mean '{word}'?" for word in meant]


def test_every_problem_is_reported_at_its_own_place() -> None:
    text = (
        "title: 12\nmaintainers:\n  - github: ada\n  - name: Bo\n    mail: x\nstores:\n  - {id: a/b, url: u}\n  - {}\n"
    )
    assert problems(text) == [
        ("BH103", 1, 8, "title must be text, but 12 is read as a number"),
        ("BH102", 3, 5, "'name' is missing in maintainers[0]"),
        ("BH101", 5, 5, "unknown key 'mail' in maintainers[1]"),
        ("BH106", 7, 10, "'a/b' can't name a file or a folder"),
        ("BH102", 8, 5, "'id' is missing in stores[1]"),
        ("BH102", 8, 5, "'url' is missing in stores[1]"),
    ]


def test_surprises_where_text_is_expected_are_named_as_such() -> None:
    text = "title: NO\ndescription: 1.10\nthumbnail: 12:30:45\nfixture: 2006-04-01\n"
    assert [(code, line) for code, line, _, _ in problems(text)] == [
        ("BH007", 1),
        ("BH008", 2),
        ("BH009", 3),
        ("BH103", 4),
    ]


def test_a_wrong_value_in_a_union_is_one_problem() -> None:
    assert [code for code, *_ in problems("stores: [{id: a, url: b, last_updated: [1]}]")] == ["BH103"]


def test_values_are_described_in_yaml_words() -> None:
    found = problems("tags: ocean\nprovenance: x\nstores: [{id: a, url: b, public: maybe}]")
    assert [message for *_, message in found] == [
        "tags should be a list, not 'ocean'",
        "provenance should be a mapping, not 'x'",
        "stores[0].public should be true or false, not 'maybe'",
    ]


def test_the_mapping_form_of_recipes_keeps_its_places() -> None:
    assert problems("recipes:\n  dict_object: recipe\n") == [
        ("BH105", 2, 16, "'recipe' is not of the form module:export")
    ]


def test_files_without_keys_and_values_are_refused() -> None:
    assert problems("- a") == [("BH010", 1, 1, "the file is not a mapping: keys and values are expected")]
    assert problems("") == [("BH010", 1, 1, "the file is empty: keys and values are expected")]
