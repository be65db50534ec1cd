from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from bakehouse.meta import docs, schemas
from bakehouse.meta.examples import FEEDSTOCK, PROJECT

ROOT = Path(__file__).parents[2]
DEMO = yaml.safe_load(FEEDSTOCK)


def schema(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((ROOT / f"schemas/{name}.schema.json").read_text("utf-8"))
    return found


def test_the_committed_schemas_are_those_of_the_models() -> None:
    for name, model in schemas.MODELS.items():
        assert (ROOT / name).read_text("utf-8") == schemas.schema_text(model)


def test_the_committed_page_is_that_of_the_rules() -> None:
    assert (ROOT / docs.PAGE).read_text("utf-8") == docs.reference()


def test_running_the_modules_writes_what_is_compared(tmp_path: Path) -> None:
    schemas.main(tmp_path)
    docs.main(tmp_path)
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {*schemas.MODELS, docs.PAGE.as_posix()}


@pytest.mark.parametrize("name", ["feedstock", "project"])
def test_schemas_are_valid_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))


def test_editors_accept_what_loads_and_mark_what_does_not() -> None:
    editor = jsonschema.Draft202012Validator(schema("feedstock"))
    assert list(editor.iter_errors(DEMO)) == []
    shared = {"id": "demo", "recipe": "files_to_zarr", "with": {}}
    for recipe in (shared, {"dict_object": "recipe:recipes"}, {"id": "demo"}):
        assert editor.is_valid({**DEMO, "recipes": [recipe]})
    two_forms = {**shared, "object": "recipe:recipe"}
    for wrong in (
        {"titel": "x"},
        {"recipes": [{}]},
        {"recipes": [two_forms]},
        {"tags": "x"},
        {"stores": [{"id": "x"}]},
    ):
        assert not editor.is_valid({**DEMO, **wrong})


def test_the_project_schema_accepts_a_project() -> None:
    jsonschema.validate(yaml.safe_load(PROJECT), schema("project"))
