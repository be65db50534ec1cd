"""BH1xx: the shape of a meta.yaml against its model."""

from __future__ import annotations

from collections.abc import Iterator

from bakehouse.meta.findings import Example, Problem, Rule
from bakehouse.meta.subjects import FeedstockSubject


def _repeated_ids(subject: FeedstockSubject) -> Iterator[Problem]:
    for key in ("recipes", "stores"):
        seen: dict[str, str] = {}
        for loc, entry in subject.document.mappings(key):
            name = entry.get("id")
            if not isinstance(name, str):
                continue
            if first := seen.get(name.casefold()):
                how = "is given twice" if first == name else f"differs from '{first}' only in case"
                yield Problem("BH107", subject.document.mark((*loc, "id")), f"id '{name}' in {key} {how}")
            seen.setdefault(name.casefold(), name)


def _nothing_here(subject: FeedstockSubject) -> Iterator[Problem]:
    data = subject.document.data
    if isinstance(data, dict) and not data.get("recipes") and not data.get("stores"):
        yield Problem(
            "BH108", subject.document.mark(()), "neither recipes nor stores: there is nothing to bake or to link"
        )


RULES = (
    Rule(
        "BH101", "unknown-key", "lint", "shape",
        title="A key that the model does not know.",
        why="A misspelt key would be ignored, and its value with it.",
        fix="correct or remove the key",
        bad=Example("titel: Sea ice\n"),
        good=Example("title: Sea ice\n"),
    ),
    Rule(
        "BH102", "missing-key", "lint", "shape",
        title="A key that is needed where it is left out.",
        why="Without it, the rest of the mapping means nothing.",
        fix="add the key",
        bad=Example("stores: [{id: demo}]\n"),
        good=Example("stores: [{id: demo, url: 'https://example.org/demo.zarr'}]\n"),
    ),
    Rule(
        "BH103", "wrong-value", "lint", "shape",
        title="A value of the wrong kind.",
        why="A list where text is expected, or text where a number is, can't be used.",
        fix="write a value of the expected kind",
        bad=Example("tags: ocean\n"),
        good=Example("tags: [ocean]\n"),
    ),
    Rule(
        "BH104", "recipe-form", "lint", "shape",
        title="A recipe that is of no form, or of two.",
        why="A recipe is {id, object}, {dict_object}, {id, recipe, with} or, for a linked store, {id}.",
        fix="keep one form",
        bad=Example("recipes: [{id: demo, object: 'recipe:recipe', recipe: files_to_zarr}]\n"),
        good=Example("recipes: [{id: demo, object: 'recipe:recipe'}]\n"),
    ),
    Rule(
        "BH105", "export-form", "lint", "shape",
        title="An object that is not spelled module:export.",
        why="The module is a Python file beside meta.yaml without its .py, the export a name in it.",
        fix="write module:export, such as recipe:recipe",
        bad=Example("recipes: [{id: demo, object: recipe.py}]\n"),
        good=Example("recipes: [{id: demo, object: 'recipe:recipe'}]\n"),
    ),
    Rule(
        "BH106", "unsafe-id", "lint", "shape",
        title="An id that can't name a file.",
        why="Ids become paths of stores and entries; '/' or '..' would lead elsewhere.",
        fix="use letters, digits, '.', '_' and '-'",
        bad=Example("recipes: [{id: a/../b, object: 'recipe:recipe'}]\n"),
        good=Example("recipes: [{id: a-b, object: 'recipe:recipe'}]\n"),
    ),
    Rule(
        "BH107", "repeated-id", "lint", "feedstock",
        title="Two recipes, or two stores, with one id.",
        why="An id is the name of one entry; names that differ only in case are one file on macOS and Windows.",
        fix="rename one of them",
        bad=Example("recipes:\n  - {id: demo, object: 'recipe:recipe'}\n  - {id: demo, object: 'recipe:recipe'}\n"),
        good=Example("recipes:\n  - {id: day, object: 'recipe:recipe'}\n  - {id: month, object: 'recipe:recipe'}\n"),
        check=_repeated_ids,
    ),
    Rule(
        "BH108", "nothing-here", "hint", "feedstock",
        title="A feedstock with neither recipes nor stores.",
        why="It describes a dataset that nobody can make or open.",
        fix="add recipes, or stores that exist",
        bad=Example("recipes: []\n"),
        good=Example("recipes: [{id: demo, object: 'recipe:recipe'}]\n"),
        check=_nothing_here,
    ),
)  # fmt: skip
