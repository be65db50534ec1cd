"""JSON Schemas of both meta.yaml files, for editors. Run as a module, it writes them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pydantic import BaseModel

from bakehouse.meta.models import FeedstockMeta
from bakehouse.meta.project import Project

MODELS: dict[str, type[BaseModel]] = {
    "schemas/feedstock.schema.json": FeedstockMeta,
    "schemas/project.schema.json": Project,
}


def schema_text(model: type[BaseModel]) -> str:
    """Write a model's JSON Schema.

    Examples
    --------
    >>> json.loads(schema_text(Project))["required"]
    ['title', 'bakeries']
    """
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(root: Path) -> None:
    """Write both schemas into a project."""
    for name, model in MODELS.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(schema_text(model), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
