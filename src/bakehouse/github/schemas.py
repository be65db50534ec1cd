"""JSON Schemas of the documents that pass between jobs, by their file; `docs/generate.py` writes them."""

from __future__ import annotations

from pydantic import BaseModel

from bakehouse.github.result import Result

MODELS: dict[str, type[BaseModel]] = {"schemas/check-result.schema.json": Result}
