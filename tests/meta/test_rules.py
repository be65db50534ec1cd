from __future__ import annotations

import re
from pathlib import Path

import pytest

from bakehouse.errors import UsageError
from bakehouse.meta.docs import explain
from bakehouse.meta.examples import FEEDSTOCK, PROJECT, write_example
from bakehouse.meta.findings import Example, Rule
from bakehouse.meta.lint import lint_feedstock, lint_project
from bakehouse.meta.rules import RULES

EACH = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
SOURCES = Path(__file__).parents[2] / "src" / "bakehouse" / "meta"


@EACH
def test_the_bad_example_breaks_exactly_its_rule(rule: Rule, tmp_path: Path) -> None:
    write_example(rule.bad, tmp_path)
    findings = lint_project(tmp_path)
    assert {finding.code for finding in findings} == {rule.code, *rule.bad.also}
    assert all(RULES[finding.code].severity == finding.severity for finding in findings)


@EACH
def test_the_good_example_breaks_no_rule(rule: Rule, tmp_path: Path) -> None:
    write_example(rule.good, tmp_path)
    assert lint_project(tmp_path) == []


@EACH
def test_findings_name_a_file_a_place_in_it_and_a_fix(rule: Rule, tmp_path: Path) -> None:
    write_example(rule.bad, tmp_path)
    for finding in lint_project(tmp_path):
        assert re.fullmatch(r"[\w./-]+:\d+:\d+ BH\d{3} .+; fix: .+", str(finding))
        file = tmp_path / finding.path
        lines = file.read_bytes().decode("utf-8", "replace").split("\n") if file.is_file() else [""]
        assert finding.line <= len(lines)
        assert finding.col <= len(lines[finding.line - 1]) + 1


@EACH
def test_every_rule_is_explained_by_code_and_by_name(rule: Rule) -> None:
    text = explain(rule.code)
    assert text == explain(rule.name) == explain(rule.code.lower())
    assert all(
        part in text for part in (rule.code, rule.name, rule.severity, rule.title, rule.why, rule.fix, "Bad:", "Good:")
    )


def test_an_unknown_code_is_answered_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="did you mean 'BH313'"):
        explain("BH3133")


def test_codes_and_names_are_unique_and_sorted() -> None:
    assert list(RULES) == sorted(RULES)
    assert len({rule.name for rule in RULES.values()}) == len(RULES)


def test_every_code_that_is_raised_is_a_rule() -> None:
    used = {code for file in SOURCES.rglob("*.py") for code in re.findall(r'"(BH\d{3})"', file.read_text("utf-8"))}
    assert used <= set(RULES)


def test_hints_never_stop_anything() -> None:
    assert all(rule.scope not in ("read", "shape") for rule in RULES.values() if rule.severity == "hint")


def test_examples_stand_on_sound_files(tmp_path: Path) -> None:
    folder = write_example(Example(), tmp_path)
    assert (tmp_path / "meta.yaml").read_text() == PROJECT
    assert (folder / "meta.yaml").read_text() == FEEDSTOCK
    assert lint_feedstock(folder) == []
